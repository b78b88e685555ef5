"""What the contact sheet knows of one file, taken from a manifest's row that may hold anything."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

STORED = "stored"
"""The one status of a file that is there."""

_LONGEST_TEXT = 300
_LONGEST_PATH = 4_096
_LARGEST = 1 << 40
"""Bytes; a file that claims more is not believed, and sums stay exact."""
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z", re.ASCII)
_UNTOLD = ("", "application/octet-stream", "binary/octet-stream")


class Entry(NamedTuple):
    """One file, by the last word on it; texts may still be hostile, but are short.

    Attributes:
        sid: Its key.
        day: `2026-08-04`, in UTC; empty when the row has no usable date.
        time: `14:03:00`, in UTC; empty with `day`.
        thread_kind: `Conversation`, `Message` or empty.
        thread: The sid of what it was sent in.
        filename: The sender's name for it, or empty.
        path: Where the row says it is, below the archive's folder.
        bytes: Its size, None if unknown.
        content_type: The announced type or, where that says nothing, the served one.
        status: `stored`, or why it is not.
        detail: More on that, in one line.
    """

    sid: str
    day: str
    time: str
    thread_kind: str
    thread: str
    filename: str
    path: str
    bytes: int | None
    content_type: str
    status: str
    detail: str


def entry_of(row: Mapping[str, object]) -> Entry | None:
    """Return what a row of a manifest says, or None if it names no file."""
    sid = _text(row.get("sid"), _LONGEST_PATH)
    if not sid:
        return None
    day, time = _moment(_text(row.get("date_created")))
    thread_kind, thread = _thread(row)
    announced = _text(row.get("content_type"))
    served = _text(row.get("content_type_served"))
    size = row.get("bytes")
    is_size = isinstance(size, int) and not isinstance(size, bool) and 0 <= size < _LARGEST
    path = _text(row.get("path"), _LONGEST_PATH + 1)
    return Entry(
        sid=sid,
        day=day,
        time=time,
        thread_kind=thread_kind,
        thread=thread,
        filename=_text(row.get("filename")),
        # A path cut short would be another path.
        path=path if len(path) <= _LONGEST_PATH else "",
        bytes=size if is_size and isinstance(size, int) else None,
        content_type=announced if announced.lower() not in _UNTOLD else served or announced,
        status=_text(row.get("status")) or "unknown",
        detail=_text(row.get("detail")),
    )


def _text(value: object, longest: int = _LONGEST_TEXT) -> str:
    return value[:longest] if isinstance(value, str) else ""


def _thread(row: Mapping[str, object]) -> tuple[str, str]:
    for kind, key in (("Conversation", "conversation_sid"), ("Message", "message_sid")):
        sid = _text(row.get(key))
        if sid:
            return kind, sid
    return "", ""


@lru_cache(maxsize=4_096)
def _moment(text: str) -> tuple[str, str]:
    match = _MOMENT.fullmatch(text)
    if not match:
        return "", ""
    day, time = match.groups()
    try:
        datetime.fromisoformat(f"{day}T{time}")
    except ValueError:
        return "", ""
    return day, time
