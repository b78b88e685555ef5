"""From a path in a manifest to the address of a file on a page - or to none."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path


def is_present(archive: Path, path: str) -> bool:
    """Tell whether a path names a file inside the archive: relative, without `..`, and there."""
    if not _is_inside(path):
        return False
    try:
        return (archive / path).is_file()
    except (OSError, ValueError):
        # Longer than a name may be, a NUL, a text that is no file name on this system.
        return False


def address(path: str) -> str:
    """Return the relative address of a file.

    Everything but letters, digits, `_.-~` and `/` is quoted: no colon is left that could make a
    scheme of the beginning, and no first slash is left that could lead to another host.

    Raises:
        ValueError: The path does not stay inside the archive, or is not text.
    """
    if not _is_inside(path):
        raise ValueError("not a path inside the archive")
    return "./" + quote(path, safe="/")


def _is_inside(path: str) -> bool:
    # Empty parts as well: `//host/share` and `a//b` come from no path of ours.
    return all(part not in {"", ".", ".."} for part in path.split("/"))
