"""Dates as Twilio writes and reads them."""

from __future__ import annotations

import datetime as dt
import email.utils
import functools
import re

DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# MCS has been seen to answer in this zone, whatever the account's own.
_MCS_ZONE = dt.timezone(dt.timedelta(hours=-7))
_ZONES = {"UTC": 0, "GMT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5}
_ZONES |= {"MST": -7, "MDT": -6, "PST": -8, "PDT": -7}

_ISO = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d)?)?)?",
)
_SLASHED = re.compile(r"(\d\d)/(\d\d)/(\d{4}) (\d\d):(\d\d):(\d\d)(?: ([A-Z]+))?")


@functools.lru_cache(maxsize=65536)
def rfc2822(when: dt.datetime | None) -> str | None:
    """Write a time as the 2010 API does, `Thu, 30 Jul 2015 20:00:00 +0000`."""
    if when is None:
        return None
    weekday, month = _WEEKDAYS[when.weekday()], _MONTHS[when.month - 1]
    return f"{weekday}, {when.day:02d} {month} {when.year:04d} {when:%H:%M:%S} +0000"


def iso8601(when: dt.datetime | None) -> str | None:
    """Write a time as Conversations does, `2015-07-30T20:00:00Z`."""
    return None if when is None else f"{when:%Y-%m-%dT%H:%M:%S}Z"


def mcs_time(when: dt.datetime) -> str:
    """Write a time as MCS does, with microseconds and an offset from UTC."""
    return when.astimezone(_MCS_ZONE).isoformat(timespec="microseconds")


def http_date(when: dt.datetime) -> str:
    """Write a time as an HTTP header does."""
    return email.utils.format_datetime(when, usegmt=True)


def as_utc(when: dt.datetime, *, microseconds: bool = False) -> dt.datetime:
    """Return an aware time in UTC, cut to the second unless told otherwise.

    Args:
        when: An aware time.
        microseconds: Keep the fraction of the second.

    Returns:
        The same moment in UTC.

    Raises:
        ValueError: The time is naive.
    """
    if when.tzinfo is None:
        msg = f"the simulator needs aware times, not {when!r}"
        raise ValueError(msg)
    utc = when.astimezone(dt.timezone.utc)
    return utc if microseconds else utc.replace(microsecond=0)


def parse_span(text: str) -> tuple[dt.datetime, dt.datetime]:
    """Read the value of a date filter as the half-open span of time that it names.

    A month or a day names all of itself, a time names its second. Every bound of every filter
    can be said in terms of the two ends of that span.

    Args:
        text: The value of the filter.

    Returns:
        The start and the end of the span, in UTC.

    Raises:
        ValueError: Twilio would not understand the value.
    """
    text = text.strip()
    if match := _ISO.fullmatch(text):
        return _iso_span(match)
    if match := _SLASHED.fullmatch(text):
        month, day, year, hour, minute, second = (int(part) for part in match.groups()[:6])
        zone = dt.timezone(dt.timedelta(hours=_ZONES.get(match[7] or "UTC", 0)))
        start = dt.datetime(year, month, day, hour, minute, second, tzinfo=zone)
    else:
        start = email.utils.parsedate_to_datetime(text)
        if start.tzinfo is None:  # "-0000": UTC, the sender's zone unknown
            start = start.replace(tzinfo=dt.timezone.utc)
    start = as_utc(start)
    return start, start + SECOND


def _iso_span(match: re.Match[str]) -> tuple[dt.datetime, dt.datetime]:
    year, month, day, hour, minute, second, zone = match.groups()
    start = dt.datetime(
        int(year),
        int(month),
        int(day or 1),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        tzinfo=dt.timezone.utc,
    )
    if day is None:
        return start, (start + 31 * DAY).replace(day=1)
    if hour is None:
        return start, start + DAY
    if zone not in {None, "Z"}:
        sign = -1 if zone[0] == "-" else 1
        start -= sign * dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return start, start + SECOND


def whole_days(span: tuple[dt.datetime, dt.datetime]) -> tuple[dt.datetime, dt.datetime]:
    """Widen a span to the UTC days that it touches."""
    start = span[0].replace(hour=0, minute=0, second=0)
    last = (span[1] - SECOND).replace(hour=0, minute=0, second=0)
    return start, last + DAY
