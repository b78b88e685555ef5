"""The bytes of media: the same for the same sid, of the size and kind that the metadata says."""

from __future__ import annotations

import functools
import random
import struct
import zlib

_JPEG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
_GIF = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b",
)
_MAGIC = {
    "image/jpeg": _JPEG,
    "image/gif": _GIF,
    "image/webp": b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    "image/heic": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
    "image/tiff": b"II*\x00",
    "video/mp4": b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00",
    "video/3gpp": b"\x00\x00\x00\x18ftyp3gp4\x00\x00\x00\x00",
    "audio/ogg": b"OggS\x00\x02",
    "audio/amr": b"#!AMR\n",
    "audio/mpeg": b"ID3\x03\x00",
    "application/pdf": b"%PDF-1.4\n",
}
_PNG_OVERHEAD = 12

SMALLEST = 128
"""The fewest bytes a file has: any header, and a complete PNG, fit in it."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(size: int, noise: random.Random) -> bytes:
    head = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    image = _chunk(b"IDAT", zlib.compress(b"\x00" + noise.randbytes(3)))
    tail = _chunk(b"IEND", b"")
    # A private chunk, which readers skip, fills the picture up to its size.
    filler = noise.randbytes(size - len(head) - len(image) - len(tail) - _PNG_OVERHEAD)
    return head + _chunk(b"noIz", filler) + image + tail


@functools.lru_cache(maxsize=256)
def media_bytes(sid: str, content_type: str, size: int) -> bytes:
    """Make the bytes of a file.

    Args:
        sid: The sid of the media, which decides the bytes.
        content_type: The type, with or without parameters, which decides how they begin.
        size: How many bytes.

    Returns:
        Exactly `size` bytes.
    """
    noise = random.Random(sid)  # noqa: S311 - noise, not secrecy
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "image/png":
        return _png(size, noise)
    if kind.startswith("text/"):
        line = f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:{sid}\r\nEND:VCARD\r\n".encode()
        return (line * (size // len(line) + 1))[:size]
    head = _MAGIC.get(kind, b"")
    return head + noise.randbytes(size - len(head))
