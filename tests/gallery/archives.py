"""Archives to make contact sheets of: files that browsers decode, and manifests about them."""

from __future__ import annotations

import io
import json
import math
import struct
import wave
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

DAY = "2026-08-04"


def png(width: int = 40, height: int = 30, colour: tuple[int, int, int] = (90, 120, 160)) -> bytes:
    """Return a picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = (b"\0" + bytes(colour) * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def wav(seconds: float = 0.5) -> bytes:
    """Return a tone."""
    rate = 8_000
    tone = (int(8_000 * math.sin(n / 6)) for n in range(int(rate * seconds)))
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(struct.pack("<h", value) for value in tone))
    return out.getvalue()


class Archive:
    """An archive that is being filled.

    Attributes:
        folder: Where.
        rows: The rows of its manifest so far.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[dict[str, Any]] = []
        (folder / "manifest").mkdir(parents=True, exist_ok=True)

    def add(
        self, path: str | None, content: bytes | None, kind: str, **fields: Any
    ) -> dict[str, Any]:
        """Add a file and its row; without content there is only the row."""
        if path and content is not None:
            where = self.folder / path
            where.parent.mkdir(parents=True, exist_ok=True)
            where.write_bytes(content)
        number = len(self.rows)
        row = {
            "stream": "message_media",
            "sid": f"ME{number:032x}",
            "account_sid": "AC" + "0" * 32,
            "message_sid": f"MM{number:032x}",
            "conversation_sid": None,
            "date_created": f"{DAY}T{number // 60 % 24:02}:{number % 60:02}:00Z",
            "filename": None,
            "path": path,
            "bytes": None if content is None else len(content),
            "content_type": kind,
            "content_type_served": kind,
            "status": "stored",
            "detail": None,
        } | fields
        self.rows.append(row)
        return row

    def write(self, name: str = "run-1.jsonl") -> Path:
        """Write the rows as a manifest and return the archive's folder."""
        lines = "".join(json.dumps(row) + "\n" for row in self.rows)
        (self.folder / "manifest" / name).write_text(lines)
        return self.folder
