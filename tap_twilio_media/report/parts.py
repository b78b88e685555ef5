"""What sections of the page are made of: plots at several widths, legends, plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tap_twilio_media.gallery.texts import escaped
from tap_twilio_media.report.plots.drawing import drawn

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable

    from tap_twilio_media.report.colours import Colour
    from tap_twilio_media.report.plots.common import Spec

_NARROW, _MIDDLE, _BROAD = 300, 540, 1_120
"""Pixels that a plot is drawn for; the style sheet shows the one that fits, hardly scaled."""


class Section(NamedTuple):
    """A part of the page.

    Attributes:
        name: Its id.
        title: Its heading.
        lead: What it shows, in a sentence or two of plain text.
        body: The rest, as markup.
        broad: Whether it takes the whole width of the page.
    """

    name: str
    title: str
    lead: str
    body: str
    broad: bool = False


def section(of: Section) -> str:
    """Return a section as markup."""
    kind = "card broad" if of.broad else "card"
    return (
        f'<section class="{kind}" id="{of.name}" aria-labelledby="{of.name}-title">\n'
        f'<h2 id="{of.name}-title">{escaped(of.title)}</h2>\n'
        f'<p class="lead">{escaped(of.lead)}</p>\n'
        f"{of.body}</section>\n"
    )


def plot(spec: Callable[[int], Spec], label: str, *, broad: bool = False) -> str:
    """Return a plot as markup.

    A drawing that is scaled down takes its text along, until nobody can read it. Hence one drawing
    for each width of window.

    Args:
        spec: Returns the plot for a width in pixels.
        label: What it shows, in words.
        broad: Whether it takes the whole width of the page where that is broad.
    """
    widths = {"narrow": _NARROW, "middle": _MIDDLE} | ({"wide": _BROAD} if broad else {})
    drawings = "".join(drawn(spec(width), kind, label) for kind, width in widths.items())
    return f'<div class="plot">\n{drawings}</div>\n'


def legend(entries: Iterable[tuple[str, Colour]]) -> str:
    """Return what the colours of a plot stand for, as markup."""
    items = "".join(
        f'<li><span class="swatch {colour}"></span>{escaped(name)}</li>' for name, colour in entries
    )
    return f'<ul class="legend" aria-label="Colours">{items}</ul>\n'


def nothing(text: str) -> str:
    """Return what stands where there is nothing to plot."""
    return f'<p class="nothing">{escaped(text)}</p>\n'


def note(text: str) -> str:
    """Return a remark below a plot."""
    return f'<p class="note">{escaped(text)}</p>\n'


def day_name(day: dt.date) -> str:
    """Return `4 August 2026`."""
    return f"{day.day} {day:%B} {day.year}"


def share(part: int, whole: int) -> str:
    """Return a share as a person reads it; 100% and 0% only where they are meant."""
    if not whole:
        return "0%"
    percent = 100 * part / whole
    if 0 < percent < 1:
        return "under 1%"
    return "over 99%" if 99 < percent < 100 else f"{percent:.0f}%"  # noqa: PLR2004
