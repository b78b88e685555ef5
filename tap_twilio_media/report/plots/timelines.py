"""Plots over time: bars that stand, and areas."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, NamedTuple

from tap_twilio_media.report.colours import css
from tap_twilio_media.report.plots.common import COLOUR_AND_WORDS, plot_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_twilio_media.report.colours import Colour
    from tap_twilio_media.report.periods import Period
    from tap_twilio_media.report.plots.common import Part, Spec

_DAY = dt.timedelta(days=1)
_NO_TIME = dt.timedelta()
_TICKS = 5
_FEW_DAYS = 6
_MANY_DAYS = 200
# Months, and a year where it begins.
_MONTHS = (
    "utcdate(datum.value) != 1 ? utcFormat(datum.value, '%-d %b') :"
    " utcFormat(datum.value, utcmonth(datum.value) == 0 ? '%Y' : '%b')"
)
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_GAP = 0.08
"""Of a day's width, left free on both sides of its bar."""


class Level(NamedTuple):
    """How much there is on a day, in bytes by area, and what is said of it on hovering."""

    day: dt.date
    amounts: Sequence[int]
    told: str


def columns(bars: Sequence[tuple[Period, Sequence[Part]]], width: int, height: int) -> Spec:
    """Return bars that stand on an axis of days, their parts one on the other."""
    marks: list[Spec] = []
    # The bar of a day stands over its tick, that of a week begins there.
    shift = -_DAY / 2 if all(period.first == period.last for period, _ in bars) else _NO_TIME
    for period, parts in bars:
        since, until = period.first, period.last + _DAY
        gap = (until - since) * _GAP
        level = 0.0
        for part in parts:
            marks.append(
                {
                    "x": _moment(since, shift + gap),
                    "x2": _moment(until, shift - gap),
                    "y": level,
                    "y2": level + part.amount,
                    "colour": css(part.colour),
                    "told": part.told,
                }
            )
            level += part.amount
    days = [period for period, _ in bars]
    top = max((mark["y2"] for mark in marks), default=0)
    return plot_of(width, height) | {
        "data": {"values": marks},
        "mark": {"type": "bar", "cursor": "default"},
        "encoding": {
            "x": _days(days[0].first, days[-1].last, width, shift),
            "x2": {"field": "x2"},
            "y": _amounts(top),
            "y2": {"field": "y2"},
            **COLOUR_AND_WORDS,
        },
    }


def areas(days: Sequence[Level], colours: Sequence[Colour], width: int, height: int) -> Spec:
    """Return what grows from day to day, in bytes: areas one before the other, all from the ground.

    Args:
        days: The levels of each day, one for each of the colours.
        colours: Of the areas, the farthest first.
        width: Pixels.
        height: Pixels.
    """
    top = max(max(level.amounts) for level in days)
    divisor, unit = _unit(top)
    x = _days(days[0].day, days[-1].day, width)
    layers = []
    for number, colour in enumerate(colours):
        steps = [(_moment(level.day), level.amounts[number] / divisor) for level in days]
        # Drawn to the end of the last day.
        steps.append((_moment(days[-1].day + _DAY), steps[-1][1]))
        line = {"color": css(colour), "strokeWidth": 2, "interpolate": "step-after"}
        layers.append(
            {
                "data": {"values": [{"x": moment, "y": amount} for moment, amount in steps]},
                "mark": {
                    "type": "area",
                    "interpolate": "step-after",
                    "color": css(colour),
                    "fillOpacity": 0.22,
                    "line": line,
                },
                "encoding": {"x": x, "y": _amounts(top / divisor, unit)},
            }
        )
    # Seen by the mouse alone: what is said of a day.
    ground = [
        {"x": _moment(level.day), "x2": _moment(level.day + _DAY), "told": level.told}
        for level in days
    ]
    layers.append(
        {
            "data": {"values": ground},
            "mark": {"type": "rect", "color": "transparent"},
            "encoding": {"x": x, "x2": {"field": "x2"}, "description": {"field": "told"}},
        }
    )
    return plot_of(width, height) | {"layer": layers}


def _days(first: dt.date, last: dt.date, width: int, shift: dt.timedelta = _NO_TIME) -> Spec:
    days = (last - first).days + 1
    # Left alone, Vega would put ticks at hours.
    few = days <= _FEW_DAYS
    ticks = {"values": [_moment(first + _DAY * n) for n in range(days)]} if few else {}
    return {
        "field": "x",
        "type": "temporal",
        "title": None,
        "scale": {
            "type": "utc",
            "domain": [_moment(first, shift), _moment(last + _DAY, shift)],
            "nice": False,
        },
        "axis": {
            "grid": False,
            "tickCount": max(width // 90, 3),
            "labelOverlap": "greedy",
            "labelFlush": True,
            "labelPadding": 6,
            "labelExpr": _MONTHS if days > _MANY_DAYS else "utcFormat(datum.value, '%-d %b')",
            **ticks,
        },
    }


def _amounts(top: float, unit: str = "") -> Spec:
    levels = ticks(top, whole=not unit)
    axis = {
        "domain": False,
        "ticks": False,
        "values": levels,
        "labelExpr": f"format(datum.value, ',') + (datum.value ? '{unit and ' ' + unit}' : '')",
        "labelPadding": 8,
    }
    return {
        "field": "y",
        "type": "quantitative",
        "title": None,
        "stack": None,
        "scale": {"domain": [0, levels[-1]], "nice": False},
        "axis": axis,
    }


def ticks(top: float, *, whole: bool) -> list[float]:
    """Return the levels to be marked on an axis, from 0 to the first above everything.

    Args:
        top: What the axis has to reach.
        whole: Whether there is nothing between whole numbers, as of files.
    """
    least = top / _TICKS or 1.0
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * part for part in (1, 2, 5, 10) if power * part >= least)
    step = max(step, 1.0) if whole else step
    return [round(step * number, 9) for number in range(max(math.ceil(top / step), 1) + 1)]


def _unit(top: int) -> tuple[int, str]:
    """Return the decimal unit that suits an axis of bytes, and its size."""
    size, names = 1, iter(_UNITS)
    name = next(names)
    while top >= size * 1_000 and name != _UNITS[-1]:
        size, name = size * 1_000, next(names)
    return size, name


def _moment(day: dt.date, more: dt.timedelta = _NO_TIME) -> int:
    """Return the beginning of a day, in milliseconds as Vega counts them."""
    start = dt.datetime(day.year, day.month, day.day, tzinfo=dt.timezone.utc) + more
    return round(start.timestamp() * 1_000)
