"""What a file is called: a path made of identifiers and dates, and of nothing a sender chose."""

from __future__ import annotations

import mimetypes
import re
from functools import cache
from string import Formatter
from typing import TYPE_CHECKING

from tap_twilio_media.times import parsed

if TYPE_CHECKING:
    from tap_twilio_media.download.references import Reference

DEFAULT_TEMPLATE = "{account_sid}/{message_sid}/{sid}{ext}"
MISSING = "none"
"""Stands in a path for a value that is not known."""
UNKNOWN_TYPE = ".bin"
MANIFESTS = "manifest"
"""The folder below output_path that the manifests have for themselves."""

_SIDS = ("account_sid", "message_sid", "conversation_sid", "chat_service_sid", "sid")
_LONGEST = {
    **dict.fromkeys(_SIDS, 34),
    "stream": 13,
    "ext": 11,
    "date": 10,
    "year": 4,
    "month": 4,
    "day": 4,
}
"""The fields, and the most characters that each becomes."""
_LONGEST_PART = 230
"""File systems allow 255 bytes; a temporary file's name adds some to the final one's."""
_LONGEST_PATH = 700
_FORBIDDEN = frozenset('\\:*?"<>|#%[]')

# Types that Twilio accepts or has been seen to send (Twilio: "Accepted content types"), where the
# standard library knows none, or another one on another version of Python.
_EXTENSIONS = {
    "application/json": ".json",
    "application/msword": ".doc",
    "application/ogg": ".ogg",
    "application/pdf": ".pdf",
    "application/rtf": ".rtf",
    "application/vcard": ".vcf",
    "application/vnd.apple.pkpass": ".pkpass",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/xml": ".xml",
    "application/zip": ".zip",
    "audio/3gpp": ".3gp",
    "audio/3gpp2": ".3g2",
    "audio/aac": ".aac",
    "audio/ac3": ".ac3",
    "audio/amr": ".amr",
    "audio/amr-nb": ".amr",
    "audio/basic": ".au",
    "audio/l24": ".l24",
    "audio/mp3": ".mp3",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/opus": ".opus",
    "audio/vnd.rn-realaudio": ".ra",
    "audio/vnd.wave": ".wav",
    "audio/vorbis": ".ogg",
    "audio/wav": ".wav",
    "audio/webm": ".weba",
    "audio/x-m4a": ".m4a",
    "audio/x-wav": ".wav",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/heic": ".heic",
    "image/heic-sequence": ".heic",
    "image/heif": ".heif",
    "image/heif-sequence": ".heif",
    "image/jpeg": ".jpg",
    "image/jpg": ".jpg",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/tiff": ".tiff",
    "image/webp": ".webp",
    "text/calendar": ".ics",
    "text/css": ".css",
    "text/csv": ".csv",
    "text/directory": ".vcf",
    "text/html": ".html",
    "text/plain": ".txt",
    "text/richtext": ".rtf",
    "text/rtf": ".rtf",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "text/xml": ".xml",
    "video/3gpp": ".3gp",
    "video/3gpp-tt": ".3gp",
    "video/3gpp2": ".3g2",
    "video/h261": ".h261",
    "video/h263": ".h263",
    "video/h263-1998": ".h263",
    "video/h263-2000": ".h263",
    "video/h264": ".h264",
    "video/mp4": ".mp4",
    "video/mpeg": ".mpeg",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "video/x-msvideo": ".avi",
}
_ESSENCE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
_EXTENSION = re.compile(r"\.[a-z0-9]{1,10}")


def problem_of(template: object) -> str | None:
    """Return what is wrong with a path template, in a sentence; None when it can be used."""
    if not isinstance(template, str) or not template:
        return "must be a text such as " + DEFAULT_TEMPLATE
    if not template.isprintable() or _FORBIDDEN & set(template):
        return "must have no control characters and none of " + " ".join(sorted(_FORBIDDEN))
    try:
        fields = list(Formatter().parse(template))
    except ValueError:
        return "its braces do not pair up"
    for _, name, spec, conversion in fields:
        if name is not None and (name not in _LONGEST or spec or conversion):
            return "only these can stand in braces, as they are: " + ", ".join(_LONGEST)
    if not any(name == "sid" for _, name, _, _ in fields):
        return "must contain {sid}, or files would overwrite each other"
    return _path_problem(template.format(**{name: "x" * most for name, most in _LONGEST.items()}))


def _path_problem(longest: str) -> str | None:
    """Return what is wrong with the longest path that a template can give."""
    if longest.startswith("/"):
        return "must be relative to output_path, so it must not begin with a slash"
    parts = longest.split("/")
    if any(part in {"", ".", ".."} or part != part.strip() for part in parts):
        return "its parts must be names: not empty, not . or .., no space at their ends"
    if any(part.endswith(".part") for part in parts):
        return "no part of it may end with .part, as the files do that are being written"
    if parts[0] == MANIFESTS:
        return f"the folder {MANIFESTS} is taken by the manifests"
    too_long = any(len(part.encode()) > _LONGEST_PART for part in parts)
    if too_long or len(longest.encode()) > _LONGEST_PATH:
        return "gives names that are too long for a file system"
    return None


def path_of(template: str, reference: Reference) -> str:
    """Return the path of a file, relative to output_path and with slashes.

    Args:
        template: One in which `problem_of` finds none.
        reference: Any reference; what is no identifier counts as missing.
    """
    day = _date_of(reference.date_created)
    return template.format(
        stream=reference.stream if reference.stream in _STREAMS else MISSING,
        ext=extension_of(reference.content_type),
        date=day or MISSING,
        year=day[:4] if day else MISSING,
        month=day[5:7] if day else MISSING,
        day=day[8:] if day else MISSING,
        **{name: reference.checked(name) or MISSING for name in _SIDS},
    )


_STREAMS = frozenset({"message_media", "mcs_media"})


def essence_of(content_type: str | None) -> str:
    """Return a content type in lower case without parameters, or nothing if it is none."""
    if not content_type:
        return ""
    essence = content_type.partition(";")[0].strip(" \t").lower()
    return essence if _ESSENCE.fullmatch(essence) else ""


def extension_of(content_type: str | None) -> str:
    """Return the extension, with its dot, of an announced type: `.bin` if none is known."""
    essence = essence_of(content_type)
    extension = _EXTENSIONS.get(essence) or _types().guess_extension(essence) or ""
    return extension if _EXTENSION.fullmatch(extension) else UNKNOWN_TYPE


def _date_of(text: str | None) -> str | None:
    try:
        return parsed(text).strftime("%Y-%m-%d").zfill(10) if text else None
    except (ValueError, OverflowError):
        return None


@cache
def _types() -> mimetypes.MimeTypes:
    """Return what Python itself knows of types; runs without files do not wait for it."""
    # That of a machine would give a file another name on another machine.
    return mimetypes.MimeTypes(filenames=())
