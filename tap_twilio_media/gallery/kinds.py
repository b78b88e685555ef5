"""How a file is shown: as a picture, a player, a link - or by its name alone.

What a page shows in place is chosen by content type: inside `<img>`, `<audio>` and `<video>` no
file can do anything. What a link may lead to is chosen by the ending of the path, because that is
what a browser goes by when it opens a local file: a document that can run scripts must never be
one click away. The `download` attribute alone does not help, because browsers ignore it between
local files.
"""

from __future__ import annotations

from typing import Literal

Shown = Literal["image", "audio", "video", "file"]
Linked = Literal["open", "save", "no"]

IMAGES = frozenset(
    f"image/{name}" for name in ("avif", "bmp", "gif", "jpeg", "jpg", "pjpeg", "png", "webp")
)
AUDIO = frozenset(
    f"audio/{name}"
    for name in (
        *("aac", "flac", "m4a", "mp3", "mp4", "mpeg", "ogg", "opus", "vnd.wave", "vorbis"),
        *("wav", "wave", "webm", "x-m4a", "x-wav"),
    )
) | {"application/ogg"}
VIDEO = frozenset(
    f"video/{name}"
    for name in ("3gpp", "3gpp2", "mp4", "mpeg", "ogg", "quicktime", "webm", "x-m4v", "x-msvideo")
)
"""Containers; whether a browser plays what is inside depends on the file."""

OPENED = frozenset(
    [
        *("avif", "bmp", "gif", "jpeg", "jpg", "png", "webp"),
        *("aac", "flac", "m4a", "mp3", "oga", "ogg", "opus", "wav", "weba"),
        *("m4v", "mov", "mp4", "ogv", "webm"),
        *("pdf", "txt"),
    ]
)
"""Endings of files that a browser shows without running anything they hold."""
SAVED = frozenset(
    [
        *("3g2", "3gp", "ac3", "amr", "au", "avi", "mpeg", "mpg", "ra"),
        *("heic", "heif", "tif", "tiff"),
        *("csv", "ics", "json", "pkpass", "rtf", "vcf"),
        *("doc", "docx", "odp", "ods", "odt", "ppt", "pptx", "xls", "xlsx"),
        *("7z", "bin", "gz", "tar", "zip"),
    ]
)
"""Endings of files that a browser saves, or shows as text."""


def essence(content_type: str) -> str:
    """Return a content type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


def shown(content_type: str, path: str) -> Shown:
    """Return how a file appears on the page."""
    kind = essence(content_type)
    if linked(path) == "no" and ending(path):
        # An ending that contradicts the type: no guessing.
        return "file"
    if kind in IMAGES:
        return "image"
    if kind in AUDIO:
        return "audio"
    return "video" if kind in VIDEO else "file"


def linked(path: str) -> Linked:
    """Return whether a link to a file opens it, saves it, or had better not exist."""
    last = ending(path)
    if last in OPENED:
        return "open"
    return "save" if last in SAVED else "no"


def ending(path: str) -> str:
    """Return what follows the last dot of a path's last part, in lower case; else nothing."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[2].lower() if "." in name else ""
