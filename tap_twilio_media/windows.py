"""Half-open windows of time and where a stream starts: pure arithmetic, no Twilio, no Singer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tap_twilio_media.times import EPOCH

RETENTION = timedelta(days=400)
"""How long Twilio lists a message after its creation, unless the account keeps them shorter
(Twilio: "SMS Message and Traffic Storage")."""

EDGE = timedelta(minutes=1)
"""Kept away from the oldest moment that Twilio still lists, which moves on while we read."""

SCHEDULING_HORIZON = timedelta(days=36)
"""A message may be sent up to 35 days and 10 hours after its creation (Twilio: "Message Scheduling
FAQs", and ValidityPeriod of the Messages resource), so its row may change that late."""

MOST_GROWTH = 4.0
MOST_SHRINKING = 1 / 8
"""How much the next windows may differ in length from one that was read."""


@dataclass(frozen=True, slots=True)
class Window:
    """The moments from `start` up to, and without, `end`."""

    start: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        """Return whether the moment lies in the window."""
        return self.start <= moment < self.end


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long windows may be and what they are to hold.

    Attributes:
        rows: So many rows each.
        shortest: The shortest window.
        longest: The longest one.
    """

    rows: int
    shortest: timedelta
    longest: timedelta = RETENTION

    def of(self, seconds: float) -> timedelta:
        """Return a length within the bounds, in whole seconds."""
        longest = self.longest.total_seconds()
        return timedelta(seconds=int(max(self.shortest.total_seconds(), min(seconds, longest))))


class Planner:
    """Cuts a stretch of time into ascending windows of about as many rows as wanted.

    It starts from a guess and learns from each window that was read. What it plans depends on
    nothing but the rows: two runs over the same data plan the same.
    """

    def __init__(
        self, start: datetime, end: datetime, lengths: Lengths, rows_per_second: float
    ) -> None:
        """Plan for [start, end).

        Args:
            start: Where the first window starts.
            end: Where the last one ends.
            lengths: What windows are to be like.
            rows_per_second: The density expected.
        """
        self._next = start
        self._end = end
        self._lengths = lengths
        self._length = lengths.of(lengths.rows / rows_per_second)
        self._cuts: list[datetime] = []

    def next(self) -> Window | None:
        """Return the next window, or None at the end."""
        if self._next >= self._end:
            return None
        cut = self._cuts.pop() if self._cuts else self._next + self._length
        window = Window(self._next, min(cut, self._end))
        self._next = window.end
        return window

    def learn(self, window: Window, rows: int) -> None:
        """Take notice of how many rows a window had."""
        factor = self._lengths.rows / rows if rows else MOST_GROWTH
        factor = max(MOST_SHRINKING, min(factor, MOST_GROWTH))
        self._length = self._lengths.of((window.end - window.start).total_seconds() * factor)

    def before(self, start: datetime, end: datetime, rows_per_second: float) -> Planner:
        """Return a planner for what lies before a moment at which another density was met.

        How far back it holds is not known. So the windows grow with their distance from there: in
        vain are few, however short the burst was, and one that proves too dense is cut again.
        """
        planner = Planner(start, end, self._lengths, rows_per_second)
        length, cut = planner._length, end
        while (cut := cut - length) > start:
            planner._cuts.append(cut)
            length = self._lengths.of(length.total_seconds() * MOST_GROWTH)
        return planner

    def start_at(self, moment: datetime) -> None:
        """Plan on from a moment."""
        self._next = moment
        self._cuts = [cut for cut in self._cuts if cut > moment]


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
