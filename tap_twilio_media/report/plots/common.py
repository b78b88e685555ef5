"""What all plots share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tap_twilio_media.report.colours import Colour

Spec = dict[str, Any]

FONT_SIZE = 13
"""Pixels, at the width that a plot is drawn for; the style sheet says the same."""
LAID_OUT = FONT_SIZE * 1.2
"""What room is left for: the reader's font may be wider than the one that texts are measured in."""

COLOUR_AND_WORDS: Spec = {
    "fill": {"field": "colour", "type": "nominal", "scale": None},
    "description": {"field": "told"},
}
"""How the fields of a mark become what is seen of it, and what is said of it."""

_CONFIG: Spec = {
    "view": {"stroke": None},
    "text": {"fontSize": LAID_OUT},
    "axis": {
        "aria": False,
        "labelColor": "var(--soft)",
        "labelFontSize": LAID_OUT,
        "gridColor": "var(--line)",
        "domainColor": "var(--axis)",
        "tickColor": "var(--axis)",
    },
}


class Part(NamedTuple):
    """A part of a bar: how much it is, its colour, and what is said of it on hovering."""

    amount: float
    colour: Colour
    told: str


def plot_of(width: int, height: int) -> Spec:
    """Return a plot without data, of so many pixels with all that belongs to it."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": width,
        "height": height,
        "padding": {"left": 0, "right": 12, "top": 8, "bottom": 0},
        "autosize": {"type": "fit", "contains": "padding"},
        "background": None,
        "config": _CONFIG,
    }
