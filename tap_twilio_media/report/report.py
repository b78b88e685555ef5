"""Making the report."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

from tap_twilio_media.gallery.writing import write_whole
from tap_twilio_media.report.databases import asking
from tap_twilio_media.report.marts import said_by_marts
from tap_twilio_media.report.page import Form, page
from tap_twilio_media.report.parts import day_name
from tap_twilio_media.report.senders import names_of_senders

if TYPE_CHECKING:
    from pathlib import Path

    from tap_twilio_media.report.figures import Said
    from tap_twilio_media.report.places import Place

DAYS = 90
TITLE = "Twilio media report"
SCHEMA = "analytics"


class Wishes(NamedTuple):
    """What the report is to be like.

    Attributes:
        days: Of how many days, up to the newest.
        title: Its heading.
        schema: Where in the database the marts are.
        salt: Secret that names of senders are made with; None for one that is forgotten.
        plain: Show senders as they are.
    """

    days: int = DAYS
    title: str = TITLE
    schema: str = SCHEMA
    salt: str | None = None
    plain: bool = False


def write_report(place: Place, output: Path, wishes: Wishes) -> Said:
    """Write the report, whole or not at all, and return what it tells.

    Raises:
        ReportError: The marts cannot be read, or a package is missing.
        OSError: The file cannot be written; what was there before still is.
    """
    name_of = names_of_senders(wishes.salt, plain=wishes.plain)
    with asking(place, wishes.schema) as ask:
        said = said_by_marts(ask, wishes.schema, wishes.days)
    now = datetime.now(timezone.utc)
    made = f"on {day_name(now.date())} at {now:%H:%M} UTC"
    # Drawn before anything is written: what fails, fails early.
    parts = list(page(said, Form(wishes.title, made, name_of, wishes.plain)))
    output.parent.mkdir(parents=True, exist_ok=True)
    write_whole(output, parts)
    return said
