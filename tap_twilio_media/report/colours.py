"""The colours of plots, by name: the style sheet says how each looks, by day and by night.

Names rather than colours go into the plots, so that one drawing serves both. They are told apart
by those who see no red, no green or no blue as well, and a legend names each.
"""

from __future__ import annotations

from typing import Literal

Colour = Literal["blue", "orange", "green", "pink", "yellow", "grey"]


def css(colour: Colour) -> str:
    """Return a colour as plots hold it."""
    return f"var(--{colour})"
