"""Moments: every form that Twilio and people write them in, and the one form that is emitted."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Literal

Precision = Literal["seconds", "microseconds"]

_UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=_UTC)

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}|$)")


_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_RFC_LENGTH = len("Thu, 30 Jul 2015 20:00:00 +0000")
_ISO_LENGTH = len("2015-07-30T20:00:00Z")
_SIXTIETHS = [f":{number:02}" for number in range(60)]
_CLOCK = [minute + second for minute in _SIXTIETHS for second in _SIXTIETHS]
_WITHIN_HOUR = {clock + zone: clock for clock in _CLOCK for zone in (" +0000", "Z")}
"""The ends of both common forms. A sync meets few hours: looking both parts up costs a tenth of
parsing them."""


def parsed(text: str) -> datetime:
    """Return the moment, aware and in UTC, that a text in RFC 2822 or ISO 8601 names.

    The 2010 API sends the first, Conversations and MCS the second. A date alone is its midnight
    in UTC, and so is a time without an offset a time in UTC.

    Raises:
        ValueError: The text is neither.
    """
    common = _common(text)
    if common:
        return datetime.fromisoformat(common + "+00:00")
    return _parsed(text)


def plausible(text: str) -> datetime:
    """Return the moment that a text names, if a row of Twilio can have it.

    Raises:
        ValueError: The text names none, or a moment of before computers: some write so for none.
    """
    moment = parsed(text)
    if moment <= EPOCH:
        raise ValueError("long before Twilio")
    return moment


def written(moment: datetime, precision: Precision) -> str:
    """Return a moment in UTC with a fixed width, so that the order of texts is that of time."""
    moment = moment.astimezone(_UTC).replace(tzinfo=None)
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
    """Return the date and time of the forms that nearly all rows have, or None for another one."""
    if len(text) == _RFC_LENGTH:
        hour, rest = _hour(text[:19]), _WITHIN_HOUR.get(text[19:])
    elif len(text) == _ISO_LENGTH:
        hour, rest = _iso_hour(text[:13]), _WITHIN_HOUR.get(text[13:])
    else:
        return None
    return hour + rest if hour and rest else None


@lru_cache(maxsize=4_096)
def _hour(text: str) -> str | None:
    """Return `Thu, 30 Jul 2015 20` as `2015-07-30T20`, or None if it is no hour."""
    try:
        _, day, month, year, hour = text.split(" ")
        date = datetime(int(year), _MONTHS.index(month) + 1, int(day), int(hour), tzinfo=_UTC)
    except ValueError:
        return None
    return date.isoformat()[:13] if text.isascii() and text[3:5] == ", " else None


@lru_cache(maxsize=4_096)
def _iso_hour(text: str) -> str | None:
    """Return `2015-07-30T20` as it is, or None if it is no hour."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return None
    return text if text.isascii() and text[10] == "T" else None


@lru_cache(maxsize=8_192)
def _parsed(text: str) -> datetime:
    import pendulum  # noqa: PLC0415 - few runs meet another form, and all would wait for it

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
    return datetime.fromtimestamp(moment.int_timestamp, _UTC).replace(
        microsecond=moment.microsecond
    )


@lru_cache(maxsize=8_192)
def _rewritten(text: str, precision: Precision) -> str:
    return written(_parsed(text), precision)
