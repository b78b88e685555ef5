"""Moments: every form that Twilio and people write them in, and the one form that is emitted."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Literal

import pendulum

Precision = Literal["seconds", "microseconds"]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}|$)")


_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_SIXTIETHS = frozenset(f"{number:02}" for number in range(60))
_HOURS = frozenset(f"{number:02}" for number in range(24))
_RFC_LENGTH = len("Thu, 30 Jul 2015 20:00:00 +0000")
_ISO_LENGTH = len("2015-07-30T20:00:00Z")


def parsed(text: str) -> datetime:
    """Return the moment, aware and in UTC, that a text in RFC 2822 or ISO 8601 names.

    The 2010 API sends the first, Conversations and MCS the second. A date alone is its midnight
    in UTC, and so is a time without an offset a time in UTC.

    Raises:
        ValueError: The text is neither.
    """
    common = _common(text)
    if common:
        return datetime.fromisoformat(common).replace(tzinfo=timezone.utc)
    return _parsed(text)


def written(moment: datetime, precision: Precision) -> str:
    """Return a moment in UTC with a fixed width, so that the order of texts is that of time."""
    moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return moment.isoformat(timespec=precision) + "Z"


def rewritten(text: str, precision: Precision) -> str:
    """Return a time that Twilio sent in the one form that is emitted.

    Raises:
        ValueError: The text is not a time.
    """
    common = _common(text)
    if common:
        return common + ("Z" if precision == "seconds" else ".000000Z")
    return _rewritten(text, precision)


def _common(text: str) -> str | None:
    """Return the date and time of the forms that nearly all rows have, or None for another one.

    A sync meets few days: looking one up costs a tenth of parsing it.
    """
    if len(text) == _RFC_LENGTH and text[25:] == " +0000" and text[3:5] == ", ":
        day, clock = _day(text[5:17]), text[17:25]
    elif len(text) == _ISO_LENGTH and text[19] == "Z" and text[10] == "T":
        day, clock = _iso_day(text[:11]), text[11:19]
    else:
        return None
    whole = clock[2] == clock[5] == ":" and clock[:2] in _HOURS
    if day and whole and clock[3:5] in _SIXTIETHS and clock[6:] in _SIXTIETHS:
        return day + clock
    return None


@lru_cache(maxsize=4_096)
def _day(text: str) -> str | None:
    """Return `30 Jul 2015 ` as `2015-07-30T`, or None if it is no day."""
    try:
        day, month, year = text[:-1].split(" ")
        date = datetime(int(year), _MONTHS.index(month) + 1, int(day), tzinfo=timezone.utc)
    except ValueError:
        return None
    return date.date().isoformat() + "T"


@lru_cache(maxsize=4_096)
def _iso_day(text: str) -> str | None:
    """Return `2015-07-30T` as it is, or None if it is no day."""
    try:
        datetime.fromisoformat(text[:-1])
    except ValueError:
        return None
    return text if text.isascii() else None


@lru_cache(maxsize=8_192)
def _parsed(text: str) -> datetime:
    if _ISO_DATE.match(text):
        moment = pendulum.parse(text)
        if not isinstance(moment, pendulum.DateTime):
            msg = "not a moment"
            raise ValueError(msg)
    else:
        try:
            moment = pendulum.instance(parsedate_to_datetime(text))
        except OverflowError:
            msg = "beyond the calendar"
            raise ValueError(msg) from None
    return datetime.fromtimestamp(moment.int_timestamp, timezone.utc).replace(
        microsecond=moment.microsecond
    )


@lru_cache(maxsize=8_192)
def _rewritten(text: str, precision: Precision) -> str:
    return written(_parsed(text), precision)
