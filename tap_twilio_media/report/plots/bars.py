"""Plots of bars that lie, one below the other."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tap_twilio_media.report.colours import css
from tap_twilio_media.report.plots.common import COLOUR_AND_WORDS, FONT_SIZE, LAID_OUT, plot_of
from tap_twilio_media.report.plots.widths import cut, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_twilio_media.report.plots.common import Part, Spec

_ROW = 30
_HIGH_ROW = 46
_BAR = 18
_AXIS = 30
_SLIM = 400
"""Pixels; below, there is room for few ticks only."""
_BESIDE = 0.42
"""Of the width, what names beside their bars may take."""
_NO_WIDTH = "\N{ZERO WIDTH SPACE}"
_END = 5 * LAID_OUT
"""The room that an amount takes behind its bar."""


class Row(NamedTuple):
    """A bar that lies: its name, its parts, and what stands behind its end."""

    name: str
    parts: Sequence[Part]
    end: str


def rows(bars: Sequence[Row], width: int) -> Spec:
    """Return bars that lie, each with its amount behind it, its name before or above it."""
    above = any(width_of(bar.name) > width * _BESIDE for bar in bars)
    marks, ends = _lying(bars, width if above else width * _BESIDE)
    top = max(end["x2"] for end in ends) or 1
    # Behind the longest bar its amount must find room.
    room = 1 - _END / (width if above else width * (1 - _BESIDE))
    shift = {"yOffset": FONT_SIZE * 0.7} if above else {}
    layers: list[Spec] = [
        {
            "data": {"values": marks},
            "mark": {"type": "bar", "height": _BAR, **shift},
            "encoding": {
                "x": {
                    "field": "x",
                    "type": "quantitative",
                    "axis": None,
                    "scale": {"domain": [0, top / room], "nice": False},
                },
                "x2": {"field": "x2"},
                **COLOUR_AND_WORDS,
            },
        },
        {
            "data": {"values": ends},
            "mark": _text(dx=6, **shift),
            "encoding": {
                "x": {"field": "x2", "type": "quantitative"},
                "text": {"field": "end"},
            },
        },
    ]
    if above:
        layers.append(
            {
                "data": {"values": ends},
                "mark": _text(yOffset=-FONT_SIZE * 1.05),
                "encoding": {"x": {"value": 0}, "text": {"field": "name"}},
            }
        )
    height = (_HIGH_ROW if above else _ROW) * len(bars) + 8
    names = _names(shown=not above)
    return plot_of(width, height) | {"encoding": {"y": names}, "layer": layers}


def shares(bars: Sequence[Row], width: int) -> Spec:
    """Return bars that lie and are all as long as the plot: the shares of their parts."""
    wholes = [bar._replace(parts=_of_one(bar.parts)) for bar in bars]
    marks, _ = _lying(wholes, width * _BESIDE)
    return plot_of(width, _ROW * len(bars) + _AXIS) | {
        "data": {"values": marks},
        "mark": {"type": "bar", "height": _BAR},
        "encoding": {
            "y": _names(),
            "x": {
                "field": "x",
                "type": "quantitative",
                "title": None,
                "axis": {"format": "%", "tickCount": 4 if width > _SLIM else 2, "grid": True},
                "scale": {"domain": [0, 1], "nice": False},
            },
            "x2": {"field": "x2"},
            **COLOUR_AND_WORDS,
        },
    }


def _text(**more: float) -> Spec:
    return {"type": "text", "align": "left", "color": "var(--text)", **more}


def _names(*, shown: bool = True) -> Spec:
    """Return the axis of bars, in the order of the data.

    Names are data and nothing else: in an expression Vega would take some words for its own. And
    Vega is not let cut them, as it would cut characters in two.
    """
    axis = {
        "domain": False,
        "ticks": False,
        "labelColor": "var(--text)",
        "labelLimit": 0,
        "labelPadding": 8,
    }
    return {
        "field": "key",
        "type": "nominal",
        "title": None,
        "sort": None,
        "axis": axis if shown else None,
    }


def _lying(bars: Sequence[Row], room: float) -> tuple[list[Spec], list[Spec]]:
    """Return the parts of bars, and what stands behind and above each; names get so much room."""
    marks: list[Spec] = []
    ends: list[Spec] = []
    seen: Counter[str] = Counter()
    for bar in bars:
        name = cut(bar.name, room)
        # Two of the same name would share a bar; blanks of no width make each a name of its own.
        key = name + _NO_WIDTH * seen[name]
        seen[name] += 1
        level = 0.0
        for part in bar.parts:
            marks.append(
                {
                    "key": key,
                    "x": level,
                    "x2": level + part.amount,
                    "colour": css(part.colour),
                    "told": part.told,
                }
            )
            level += part.amount
        ends.append({"key": key, "x2": level, "end": bar.end, "name": name})
    return marks, ends


def _of_one(parts: Sequence[Part]) -> list[Part]:
    whole = sum(part.amount for part in parts) or 1
    return [part._replace(amount=part.amount / whole) for part in parts]
