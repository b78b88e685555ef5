"""Plots of bars that lie, one below the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tap_twilio_media.report.colours import css
from tap_twilio_media.report.plots.common import COLOUR_AND_WORDS, LAID_OUT, plot_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_twilio_media.report.plots.common import Part, Spec

_ROW = 30
_BAR = 18
_SLIM = 400
"""Pixels; below, there is room for few ticks only."""


class Row(NamedTuple):
    """A bar that lies: its name, its parts, and what stands behind its end."""

    name: str
    parts: Sequence[Part]
    end: str


def rows(bars: Sequence[Row], width: int) -> Spec:
    """Return bars that lie, each with its name before and its amount behind it."""
    names = _distinct([bar.name for bar in bars])
    marks, ends = _lying(bars, names)
    top = max((end["x2"] for end in ends), default=0) or 1
    # Behind the longest bar its amount must find room.
    room = 1 - 9 * LAID_OUT / 2 / (width * 0.7)
    return _lying_plot(bars, width) | {
        "encoding": {"y": _names(names, width)},
        "layer": [
            {
                "data": {"values": marks},
                "mark": {"type": "bar", "height": _BAR},
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
                "mark": {"type": "text", "align": "left", "dx": 6, "color": "var(--text)"},
                "encoding": {
                    "x": {"field": "x2", "type": "quantitative"},
                    "text": {"field": "end"},
                },
            },
        ],
    }


def shares(bars: Sequence[Row], width: int) -> Spec:
    """Return bars that lie and are all as long as the plot: the shares of their parts."""
    names = _distinct([bar.name for bar in bars])
    wholes = [bar._replace(parts=_of_one(bar.parts)) for bar in bars]
    marks, _ = _lying(wholes, names)
    return _lying_plot(bars, width, axis=True) | {
        "data": {"values": marks},
        "mark": {"type": "bar", "height": _BAR},
        "encoding": {
            "y": _names(names, width),
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


def _lying_plot(bars: Sequence[Row], width: int, *, axis: bool = False) -> Spec:
    return plot_of(width, _ROW * len(bars) + (30 if axis else 8))


def _names(names: Sequence[str], width: int) -> Spec:
    return {
        "field": "name",
        "type": "nominal",
        "title": None,
        "sort": list(names),
        "axis": {
            "domain": False,
            "ticks": False,
            "labelColor": "var(--text)",
            "labelLimit": int(width * 0.36),
            "labelPadding": 8,
        },
    }


def _lying(bars: Sequence[Row], names: Sequence[str]) -> tuple[list[Spec], list[Spec]]:
    """Return the parts of bars, and what stands behind each bar."""
    marks, ends = [], []
    for bar, name in zip(bars, names, strict=True):
        level = 0.0
        for part in bar.parts:
            marks.append(
                {
                    "name": name,
                    "x": level,
                    "x2": level + part.amount,
                    "colour": css(part.colour),
                    "told": part.told,
                }
            )
            level += part.amount
        ends.append({"name": name, "x2": level, "end": bar.end})
    return marks, ends


def _of_one(parts: Sequence[Part]) -> list[Part]:
    whole = sum(part.amount for part in parts) or 1
    return [part._replace(amount=part.amount / whole) for part in parts]


def _distinct(names: Sequence[str]) -> list[str]:
    """Names that are all different: those that are not would share a bar."""
    # A blank of no width; nobody sees it, and it makes a name of its own.
    return [name + "\N{ZERO WIDTH SPACE}" * names[:n].count(name) for n, name in enumerate(names)]
