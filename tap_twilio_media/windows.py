"""Half-open windows of time and where a stream starts: pure arithmetic, no Twilio, no Singer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tap_twilio_media.times import EPOCH

WINDOW = timedelta(days=10)
"""Length of one resumable step of a backfill."""

RETENTION = timedelta(days=400)
"""How long Twilio lists a message after its creation, unless the account keeps them shorter
(Twilio: "SMS Message and Traffic Storage")."""

EDGE = timedelta(minutes=1)
"""Kept away from the oldest moment that Twilio still lists, which moves on while we read."""

SCHEDULING_HORIZON = timedelta(days=36)
"""A message may be sent up to 35 days and 10 hours after its creation (Twilio: "Message Scheduling
FAQs", and ValidityPeriod of the Messages resource), so its row may change that late."""


@dataclass(frozen=True, slots=True)
class Window:
    """The moments from `start` up to, and without, `end`."""

    start: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        """Return whether the moment lies in the window."""
        return self.start <= moment < self.end


def first_listed(now: datetime) -> datetime:
    """Return the first moment whose messages Twilio lists."""
    return now - RETENTION + EDGE


def starting_point(
    bookmark: datetime | None, start_date: datetime | None, lookback: timedelta
) -> datetime:
    """Return where a stream starts to read.

    Args:
        bookmark: The frontier up to which everything was emitted before, if there is one.
        start_date: The first moment wanted; None: everything.
        lookback: How far behind the bookmark rows are read again.
    """
    floor = start_date or EPOCH
    if bookmark is None or bookmark - floor <= lookback:
        return floor
    return bookmark - lookback
