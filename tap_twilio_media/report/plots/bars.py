"""Plots of bars that lie, one below the other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from tap_twilio_media.report.colours import css
from tap_twilio_media.report.plots.common import COLOUR_AND_WORDS, FONT_SIZE, LAID_OUT, plot_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_twilio_media.report.plots.common import Part, Spec

_ROW = 30
_HIGH_ROW = 46
_BAR = 18
_AXIS = 30
_SLIM = 400
"""Pixels; below, there is room for few ticks only."""
_BESIDE = 0.36
"""Of the width, what names beside their bars may take."""
_LETTER = 0.55 * LAID_OUT
_END = 9 * _LETTER
"""The room that an amount takes behind its bar."""


class Row(NamedTuple):
    """A bar that lies: its name, its parts, and what stands behind its end."""

    name: str
    parts: Sequence[Part]
    end: str


def rows(bars: Sequence[Row], width: int) -> Spec:
    """Return bars that lie, each with its amount behind it, its name before or above it."""
    above = max(len(bar.name) for bar in bars) * _LETTER > width * _BESIDE
    marks, ends = _lying(bars)
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
                "mark": _text(yOffset=-FONT_SIZE * 1.05, limit=width),
                "encoding": {"x": {"value": 0}, "text": {"field": "name"}},
            }
        )
    height = (_HIGH_ROW if above else _ROW) * len(bars) + 8
    names = _names([] if above else bars, width)
    return plot_of(width, height) | {"encoding": {"y": names}, "layer": layers}


def shares(bars: Sequence[Row], width: int) -> Spec:
    """Return bars that lie and are all as long as the plot: the shares of their parts."""
    marks, _ = _lying([bar._replace(parts=_of_one(bar.parts)) for bar in bars])
    return plot_of(width, _ROW * len(bars) + _AXIS) | {
        "data": {"values": marks},
        "mark": {"type": "bar", "height": _BAR},
        "encoding": {
            "y": _names(bars, width),
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


def _names(bars: Sequence[Row], width: int) -> Spec:
    """Return the axis of bars; they go by their number, because two may have the same name."""
    names = json.dumps([bar.name for bar in bars])
    axis = {
        "domain": False,
        "ticks": False,
        "labelColor": "var(--text)",
        "labelExpr": f"{names}[datum.value]",
        "labelLimit": int(width * _BESIDE),
        "labelPadding": 8,
    }
    return {"field": "row", "type": "ordinal", "title": None, "axis": axis if bars else None}


def _lying(bars: Sequence[Row]) -> tuple[list[Spec], list[Spec]]:
    """Return the parts of bars, and what stands behind and above each bar."""
    marks: list[Spec] = []
    ends: list[Spec] = []
    for row, bar in enumerate(bars):
        level = 0.0
        for part in bar.parts:
            marks.append(
                {
                    "row": row,
                    "x": level,
                    "x2": level + part.amount,
                    "colour": css(part.colour),
                    "told": part.told,
                }
            )
            level += part.amount
        ends.append({"row": row, "x2": level, "end": bar.end, "name": bar.name})
    return marks, ends


def _of_one(parts: Sequence[Part]) -> list[Part]:
    whole = sum(part.amount for part in parts) or 1
    return [part._replace(amount=part.amount / whole) for part in parts]
