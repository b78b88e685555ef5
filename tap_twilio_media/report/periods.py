"""The bars of a plot over time: days, or weeks or months where days would be too many."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_DAYS = 100
MOST_DAYS_IN_WEEKS = 750

Unit = Literal["day", "week", "month"]

_DAY = dt.timedelta(days=1)


class Period(NamedTuple):
    """Some days in a row: the first and the last."""

    first: dt.date
    last: dt.date

    @property
    def name(self) -> str:
        """`2026-08-04`, or `2026-08-03 to 2026-08-09`."""
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


class Periods(NamedTuple):
    """A stretch of days, cut for a plot.

    Attributes:
        unit: What it is cut into: the weeks of Mondays, the months of the calendar.
        each: All of them, in order; the first and the last may be short.
    """

    unit: Unit
    each: list[Period]

    def first_of(self, day: dt.date) -> dt.date:
        """Return the first day of the period that a day of the stretch belongs to."""
        return max(_start(day, self.unit), self.each[0].first)


def periods(stretch: Period) -> Periods:
    """Cut a stretch of days into as many periods as a plot can show."""
    days = (stretch.last - stretch.first).days + 1
    unit: Unit = "day"
    if days > MOST_DAYS:
        unit = "week" if days <= MOST_DAYS_IN_WEEKS else "month"
    return Periods(unit, list(_cut(stretch, unit)))


def _cut(stretch: Period, unit: Unit) -> Iterator[Period]:
    first = stretch.first
    while first <= stretch.last:
        following = _start(
            _start(first, unit) + _DAY * {"day": 1, "week": 7, "month": 31}[unit], unit
        )
        yield Period(first, min(following - _DAY, stretch.last))
        first = following


def _start(day: dt.date, unit: Unit) -> dt.date:
    if unit == "week":
        return day - _DAY * day.weekday()
    return day.replace(day=1) if unit == "month" else day
