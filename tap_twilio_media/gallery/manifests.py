"""Reading the manifests of an archive, a line at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tap_twilio_media.errors import TapError
from tap_twilio_media.gallery.entries import Entry, entry_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FOLDER = "manifest"


class ArchiveError(TapError):
    """The archive cannot be read, or the contact sheet not be written."""


def manifests_of(archive: Path) -> list[Path]:
    """Return the manifests of an archive, the oldest first.

    Raises:
        ArchiveError: There is no such folder, or it holds none.
    """
    if not archive.is_dir():
        # What was an address became a path on its way here, and lost a slash.
        hint = "; only a local folder can have a contact sheet" if ":/" in str(archive) else ""
        raise ArchiveError(f"no such folder: {archive}{hint}")
    found = sorted((archive / FOLDER).glob("*.jsonl"), key=lambda path: path.name)
    if not found:
        raise ArchiveError(
            f"no manifest in {archive / FOLDER}: is {archive} the output_path of a download?"
        )
    return found


def entries_in(manifest: Path) -> Iterator[Entry | None]:
    """Yield what each line says; None for one that cannot be read, as a crash may leave behind."""
    decoder = msgspec.json.Decoder()
    with manifest.open("rb") as lines:
        for line in lines:
            if line.isspace():
                continue
            try:
                row = decoder.decode(line)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                row = None
            yield entry_of(row) if isinstance(row, dict) else None
