"""The page of the report, from the first tag to the last."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tap_twilio_media.gallery.texts import counted, escaped, sized
from tap_twilio_media.report.parts import day_name, nothing, section, share
from tap_twilio_media.report.sections.delivery import (
    costs_by_unit,
    delivery_section,
    failed_of,
)
from tap_twilio_media.report.sections.media import family_section, media_section
from tap_twilio_media.report.sections.senders import sender_section
from tap_twilio_media.report.sections.storage import expiry_section, growth_section
from tap_twilio_media.report.tables import exact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_twilio_media.report.figures import Said

GENERATOR = "twilio-media-report"


class Form(NamedTuple):
    """How the page is to be.

    Attributes:
        title: Its heading.
        made: When it was made, as a person reads it.
        name_of: Returns the name that a sender has on the page.
        plain: Whether that is the sender's own.
    """

    title: str
    made: str
    name_of: Callable[[str | None], str]
    plain: bool


def page(said: Said, form: Form) -> Iterator[str]:
    """Yield the page in parts.

    Raises:
        MissingPackageError: What draws the plots is not installed.
    """
    yield _head(form.title)
    yield f"<header>\n<h1>{escaped(form.title)}</h1>\n<p>{escaped(_about(said, form))}</p>\n"
    if said.stretch:
        yield _figures(said)
    yield '</header>\n<main id="report">\n'
    if said.stretch:
        for each in (
            media_section(said),
            family_section(said),
            sender_section(said, form.name_of, plain=form.plain),
            delivery_section(said),
            growth_section(said),
            expiry_section(said),
        ):
            yield section(each)
    else:
        yield nothing("The account has no messages and no media yet: there is nothing to show.")
    yield f"</main>\n<footer><p>{escaped(_ABOUT_FIGURES)}</p></footer>\n</body>\n</html>\n"


_ABOUT_FIGURES = (
    "Figures come from the marts that dbt builds; days are those of its variable time_zone."
    " Sizes in decimal units: 1 MB is 1,000,000 bytes."
)


@cache
def _style() -> str:
    return "\n" + Path(__file__).with_name("style.css").read_text(encoding="utf-8")


@cache
def policy() -> str:
    """Return the Content-Security-Policy of the page: its own style and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _head(title: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escaped(policy())}">\n'
        f'<meta name="generator" content="{GENERATOR}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="robots" content="noindex, nofollow">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escaped(title)}</title>\n<style>{_style()}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#report">Skip to the report</a>\n'
    )


def _about(said: Said, form: Form) -> str:
    if not said.stretch:
        return f"Made {form.made}."
    first, last = said.stretch
    days = counted((last - first).days + 1, "day")
    accounts = f", {counted(said.accounts, 'account')}" if said.accounts > 1 else ""
    since = f"{day_name(first)} to " if first < last else ""
    return f"{since}{day_name(last)}, {days}{accounts}. Made {form.made}."


def _figures(said: Said) -> str:
    media = sum(row.media for row in said.media)
    size = sum(row.bytes for row in said.families)
    failed, messages = failed_of(said)
    expiring = sum(row.media for row in said.expiring)
    figures = [
        ("files", f"{media:,}", ""),
        *([("known bytes", sized(size), "")] if size else []),
        ("messages", f"{messages:,}", ""),
        ("failed or undelivered", share(failed, messages), ""),
        *((f"cost, {unit}", exact(cost), "") for unit, cost in costs_by_unit(said).items()),
    ]
    if expiring:
        figures.append(("expire in 30 days, no copy", f"{expiring:,}", ' class="amiss"'))
    return (
        '<dl class="figures">'
        + "".join(
            f"<div{style}><dt>{escaped(label)}</dt><dd>{escaped(value)}</dd></div>"
            for label, value, style in figures
        )
        + "</dl>\n"
    )
