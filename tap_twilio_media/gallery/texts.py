"""Words and figures for a page, and the one way by which text comes onto it."""

from __future__ import annotations

import html
import re
from datetime import date
from functools import lru_cache

_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")
_THOUSAND = 1_000
_SHORT = 12
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Control characters, which no page may hold, and those that turn around what stands beside them.
_UNFIT = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    r"\ud800-\udfff\ufdd0-\ufdef\ufeff\ufffe\uffff]"
)


def escaped(text: str) -> str:
    """Return text as it may stand between tags and inside quoted attributes."""
    return html.escape(cleaned(text))


def cleaned(text: str) -> str:
    """Return text with a replacement for every character that no page may hold."""
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """Return `1 file` or `1,234 files`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def sized(size: int) -> str:
    """Return a number of bytes as a person reads it, in decimal units."""
    if size < _THOUSAND:
        return counted(size, "byte")
    value, units = size / _THOUSAND, iter(_UNITS)
    unit = next(units)
    # 999,950 would be rounded to 1000.0 kB.
    while round(value, 1) >= _THOUSAND:
        value, unit = value / _THOUSAND, next(units)
    return f"{value:,.1f} {unit}"


def shortened(sid: str) -> str:
    """Return the ends of a sid, enough to recognise it by."""
    return sid if len(sid) <= _SHORT else f"{sid[:6]}\N{HORIZONTAL ELLIPSIS}{sid[-4:]}"


def status_text(status: str) -> str:
    """Return `Not found` for `not_found`."""
    words = status.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


@lru_cache(maxsize=64)
def day_text(day: str) -> str:
    """Return `Tuesday, 4 August 2026` for `2026-08-04`."""
    that = date.fromisoformat(day)
    return f"{_WEEKDAYS[that.weekday()]}, {that.day} {_MONTHS[that.month - 1]} {that.year}"
