"""How many media came and went, by channel, and how large they are, by content family."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from tap_twilio_media.gallery.texts import counted, sized
from tap_twilio_media.report.channels import (
    colour_of_channel,
    name_of_channel,
    rank_of_channel,
)
from tap_twilio_media.report.parts import Section, legend, note, nothing, plot, share
from tap_twilio_media.report.periods import periods
from tap_twilio_media.report.plots.bars import Row, rows
from tap_twilio_media.report.plots.common import Part
from tap_twilio_media.report.plots.timelines import columns
from tap_twilio_media.report.tables import Table, table

if TYPE_CHECKING:
    import datetime as dt

    from tap_twilio_media.report.figures import Said
    from tap_twilio_media.report.tables import Cell

_HEIGHT = 240
_UNTOLD_FAMILY = "unknown"


def media_section(said: Said) -> Section:
    """Media over time, by channel."""
    if not (said.stretch and said.media):
        lead = "Files that came and went with messages and conversations."
        body = nothing("No media in these days.")
        return Section("media", "Media by channel", lead, body, broad=True)
    cut = periods(said.stretch)
    counts: Counter[tuple[dt.date, str]] = Counter()
    for row in said.media:
        counts[cut.first_of(row.day), row.channel] += row.media
    channels = sorted({row.channel for row in said.media}, key=rank_of_channel)
    names = [name_of_channel(channel) for channel in channels]
    colours = [colour_of_channel(channel) for channel in channels]
    by_period = {
        period: [counts[period.first, channel] for channel in channels] for period in cut.each
    }
    bars = [
        (
            period,
            [
                Part(amount, colour, f"{period.name}, {name}: {amount:,}")
                for name, colour, amount in zip(names, colours, amounts, strict=True)
                if amount
            ],
        )
        for period, amounts in by_period.items()
    ]
    totals = [sum(column) for column in zip(*by_period.values(), strict=True)]
    most = max(cut.each, key=lambda period: sum(by_period[period]))
    title = f"Media per {cut.unit}, by channel"
    whole = counted(sum(totals), "file")
    label = f"{title}: {whole}, the most on {most.name}, {sum(by_period[most]):,}"
    lines: list[list[Cell]] = [
        [period.name, *amounts, sum(amounts)] for period, amounts in by_period.items()
    ]
    figures = Table(
        "media-table",
        title,
        [cut.unit.capitalize(), *names, "All"],
        lines[::-1],
        total=["All", *totals, sum(totals)],
        folded=True,
    )
    body = (
        legend(zip(names, colours, strict=True))
        + plot(lambda width: columns(bars, width, _HEIGHT), label, broad=True)
        + table(figures)
    )
    lead = f"{whole} that came and went with messages and conversations."
    return Section("media", title, lead, body, broad=True)


def family_section(said: Said) -> Section:
    """Bytes by content family."""
    name, title = "families", "Bytes by content family"
    media = sum(row.media for row in said.families)
    known = sum(row.sized for row in said.families)
    size = sum(row.bytes for row in said.families)
    if not media:
        return Section(name, title, "How large the files are.", nothing("No media in these days."))
    bars = [
        Row(family, [Part(row.bytes, "blue", f"{family}: {row.bytes:,} bytes")], sized(row.bytes))
        for row in said.families
        if row.sized
        for family in [row.family or _UNTOLD_FAMILY]
    ]
    body = (
        plot(partial(rows, bars), f"{title}: {sized(size)} in all")
        if bars
        else nothing("No size is known yet.")
    )
    figures = Table(
        "families-table",
        title,
        ["Family", "Files", "Of known size", "Bytes"],
        [[row.family or _UNTOLD_FAMILY, row.media, row.sized, row.bytes] for row in said.families],
        total=["All", media, known, size],
    )
    lead = f"{sized(size)} in {counted(known, 'file')} of known size, {share(known, media)} of all."
    told = "Of a message's media Twilio does not tell the size: it is known after their download."
    return Section(name, title, lead, body + table(figures) + (note(told) if known < media else ""))
