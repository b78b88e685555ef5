"""Pages on disk: whole or not there, and none left over from an earlier run."""

from __future__ import annotations

import os
import re
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

GENERATOR = "twilio-media-index"
"""Names the maker in every page, so that only pages of ours are ever removed."""

_HEAD = 2_048
_FURTHER = re.compile(r"index-([1-9]\d{0,8})\.html", re.ASCII)


def write_whole(path: Path, parts: Iterable[str]) -> None:
    """Write a file beside its final name and move it there once it is complete.

    Raises:
        OSError: It cannot be written; what was there before still is.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    # As open() does it, so that the user's umask decides who may read it; but never an old file.
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(parts)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def remove_stale(folder: Path, pages: int) -> None:
    """Remove the further pages of an earlier run that had more of them than this one.

    Raises:
        OSError: One cannot be removed.
    """
    for path in folder.glob("index-*.html"):
        match = _FURTHER.fullmatch(path.name)
        # The first page is plain index.html: an index-1.html is none of ours.
        stale = match and int(match[1]) > max(pages, 1)
        if stale and path.is_file() and not path.is_symlink() and _is_ours(path):
            path.unlink()


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return f'name="generator" content="{GENERATOR}"'.encode() in file.read(_HEAD)
