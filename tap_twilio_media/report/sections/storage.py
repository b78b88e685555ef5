"""What the page tells of storage: how it grows, and what is about to be lost."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tap_twilio_media.gallery.texts import counted, sized
from tap_twilio_media.report.parts import Section, day_name, legend, note, nothing, plot, share
from tap_twilio_media.report.periods import Period
from tap_twilio_media.report.plots.common import Part
from tap_twilio_media.report.plots.timelines import Level, areas, columns
from tap_twilio_media.report.tables import Table, table

if TYPE_CHECKING:
    from tap_twilio_media.report.colours import Colour
    from tap_twilio_media.report.figures import Said

KEPT_DAYS = 400
"""How long Twilio keeps a message and its media."""
_AHEAD = dt.timedelta(days=30)
_DAY = dt.timedelta(days=1)
_HEIGHT = 220
_AREAS: dict[str, Colour] = {"All media of known size": "blue", "Downloaded": "green"}


def growth_section(said: Said) -> Section:
    """How media add up, day by day."""
    name, title = "storage", "Storage growth"
    if not said.growth:
        return Section(name, title, "All media there ever were.", nothing("No media yet."))
    last = said.growth[-1]
    levels = [
        Level(
            row.day,
            [row.bytes, row.stored_bytes],
            f"{row.day}: {counted(row.media, 'file')}, {sized(row.bytes)} known;"
            f" {row.stored:,} downloaded, {sized(row.stored_bytes)}",
        )
        for row in said.growth
    ]
    lead = (
        f"{counted(last.media, 'file')} up to {day_name(last.day)}, {sized(last.bytes)} known;"
        f" {last.stored:,} downloaded, {sized(last.stored_bytes)}."
    )
    body = (
        legend(_AREAS.items())
        + plot(lambda width: areas(levels, list(_AREAS.values()), width, _HEIGHT), lead)
        if last.bytes
        else nothing("No size is known yet.")
    )
    figures = Table(
        "storage-table",
        "Media in all, at the end of each day",
        ["Day", "Files", "Known bytes", "Downloaded", "Downloaded bytes"],
        [[f"{row.day}", *row[1:]] for row in reversed(said.growth)],
        folded=True,
    )
    return Section(name, title, lead, body + table(figures) + note(_duplicates(said)))


def expiry_section(said: Said) -> Section:
    """What Twilio is about to drop while no copy of it exists."""
    name, title = "expiry", "About to expire"
    lead = f"Twilio drops messages and their media after {KEPT_DAYS} days."
    if not said.today or not said.expiring:
        empty = nothing("Nothing that is not downloaded expires within 30 days.")
        return Section(name, title, lead, empty)
    media, size = sum(row.media for row in said.expiring), sum(row.bytes for row in said.expiring)
    guesses = [row.estimate for row in said.expiring]
    about = None if None in guesses else sum(guess or 0 for guess in guesses)
    told = f"{counted(media, 'file')} without a copy will be gone within 30 days"
    told += f", about {sized(about)}." if about else ", of unknown size."
    counts = {row.day: row.media for row in said.expiring}
    first, last = min(said.today + _DAY, *counts), max(said.today + _AHEAD, *counts)
    days = [first + _DAY * n for n in range((last - first).days + 1)]
    bars = [
        (
            Period(day, day),
            [Part(count, "orange", f"{day}: {counted(count, 'file')}")]
            if (count := counts.get(day, 0))
            else [],
        )
        for day in days
    ]
    figures = Table(
        "expiry-table",
        "Media without a copy, by the day on which Twilio drops them",
        ["Day", "Files", "Known bytes", "Estimated bytes"],
        [[f"{row.day}", *row[1:]] for row in said.expiring],
        total=["All", media, size, about],
        folded=True,
    )
    body = plot(lambda width: columns(bars, width, _HEIGHT), f"{title}: {told}") + table(figures)
    return Section(name, title, f"{lead} {told}", body)


def _duplicates(said: Said) -> str:
    files, copies, size = said.duplicates
    if not files:
        return "No downloaded file is stored more than once."
    are = "is" if files == 1 else "are"
    return (
        f"{counted(files, 'file')} {are} stored more than once, {copies:,} copies in all: one of"
        f" each would save {size:,} bytes, {share(size, _stored(said))} of what is downloaded."
    )


def _stored(said: Said) -> int:
    return said.growth[-1].stored_bytes if said.growth else 0
