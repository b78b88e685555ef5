"""Who sent the most media."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tap_twilio_media.gallery.texts import counted
from tap_twilio_media.report.parts import Section, note, nothing, plot
from tap_twilio_media.report.plots.bars import Row, rows
from tap_twilio_media.report.plots.common import Part
from tap_twilio_media.report.tables import Table, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_twilio_media.report.figures import Said


def sender_section(said: Said, name_of: Callable[[str | None], str], *, plain: bool) -> Section:
    """Who sent most."""
    name, title = "senders", "Top senders"
    if not said.senders:
        lead = "Who sent the most files."
        return Section(name, title, lead, nothing("Nobody sent media in these days."))
    named = [(name_of(row.sender), row) for row in said.senders]
    bars = [
        Row(
            who, [Part(row.media, "blue", f"{who}: {counted(row.media, 'file')}")], f"{row.media:,}"
        )
        for who, row in named
    ]
    shown = sum(row.media for row in said.senders)
    body = plot(partial(rows, bars), f"{title}, by files: {shown:,} files of {len(bars)}")
    figures = Table(
        "senders-table",
        f"{title}, by files",
        ["Sender", "Files", "Of known size", "Bytes"],
        [[who, row.media, row.sized, row.bytes if row.sized else None] for who, row in named],
        folded=True,
    )
    told = (
        "Senders are shown as they are: telephone numbers are personal data."
        if plain
        else "Names are hashes with a secret key: they lead back to no number without it."
    )
    lead = f"Of {counted(said.all_senders, 'sender')}, those with the most files."
    return Section(name, title, lead, body + table(figures) + note(told))
