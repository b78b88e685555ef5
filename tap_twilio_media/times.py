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


@lru_cache(maxsize=65_536)
def parsed(text: str) -> datetime:
    """Return the moment, aware and in UTC, that a text in RFC 2822 or ISO 8601 names.

    The 2010 API sends the first, Conversations and MCS the second. A date alone is its midnight
    in UTC, and so is a time without an offset a time in UTC.

    Raises:
        ValueError: The text is neither.
    """
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


def written(moment: datetime, precision: Precision) -> str:
    """Return a moment in UTC with a fixed width, so that the order of texts is that of time."""
    moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return moment.isoformat(timespec=precision) + "Z"


@lru_cache(maxsize=65_536)
def rewritten(text: str, precision: Precision) -> str:
    """Return a time that Twilio sent in the one form that is emitted.

    Raises:
        ValueError: The text is not a time.
    """
    return written(parsed(text), precision)
