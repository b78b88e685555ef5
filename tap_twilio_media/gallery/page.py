"""A page of the contact sheet, from the first tag to the last."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from tap_twilio_media.gallery.cards import card, sid_code
from tap_twilio_media.gallery.paging import page_name
from tap_twilio_media.gallery.texts import counted, day_text, escaped, sized
from tap_twilio_media.gallery.writing import GENERATOR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tap_twilio_media.gallery.catalogue import Item, Totals

UNDATED = "undated"
"""Stands for the day of files that have none, in addresses on a page."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What all pages of a contact sheet share.

    Attributes:
        totals: The figures of the archive.
        pages: How many pages there are.
        made: When, as a person reads it.
    """

    totals: Totals
    pages: int
    made: str


def page(sheet: Sheet, number: int, items: Sequence[Item]) -> Iterator[str]:
    """Yield a page in parts.

    Args:
        sheet: What it belongs to.
        number: Which page; the first is 1.
        items: Its files, in order.
    """
    days = [(day, list(of_day)) for day, of_day in groupby(items, lambda item: item.entry.day)]
    yield _head(sheet, number)
    yield f"<header>\n<div><h1>Media archive</h1>\n<p>{escaped(sheet.made)}</p></div>\n"
    yield _figures(sheet.totals)
    yield "</header>\n"
    yield _pager(sheet, number, "Pages")
    if len(days) > 1:
        yield _contents([(day, len(of_day)) for day, of_day in days])
    yield '<main id="files">\n'
    if not days:
        yield '<p class="empty">The manifests name no files yet.</p>\n'
    for day, of_day in days:
        yield from _day(day, of_day)
    yield "</main>\n"
    yield _pager(sheet, number, "Pages, again")
    yield "</body>\n</html>\n"


@cache
def _style() -> str:
    return "\n" + Path(__file__).with_name("style.css").read_text(encoding="utf-8")


@cache
def policy() -> str:
    """Return the Content-Security-Policy of every page.

    Nothing runs and nothing is asked of any host: files beside the page, and the style whose hash
    stands here. Browsers differ on whether 'self' covers local files; `file:` covers them in all,
    and a page that comes from a server may not load those anyway.
    """
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src 'self' file:; media-src 'self' file:;"
        f" style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _head(sheet: Sheet, number: int) -> str:
    which = f" \N{EN DASH} page {number:,} of {sheet.pages:,}" if sheet.pages > 1 else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escaped(policy())}">\n'
        f'<meta name="generator" content="{GENERATOR}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="robots" content="noindex, nofollow">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>Media archive{which}</title>\n<style>{_style()}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#files">Skip to the files</a>\n'
    )


def _figures(totals: Totals) -> str:
    figures = [
        ("files", f"{totals.present:,}", ""),
        ("in all", sized(totals.bytes), ""),
    ]
    if totals.not_stored:
        figures.append(("not stored", f"{totals.not_stored:,}", ' class="amiss"'))
    if totals.missing:
        figures.append(("missing", f"{totals.missing:,}", ' class="amiss"'))
    rows = "".join(
        f"<div{style}><dt>{label}</dt><dd>{value}</dd></div>" for label, value, style in figures
    )
    return f'<dl class="figures">{rows}</dl>\n'


def _pager(sheet: Sheet, number: int, label: str) -> str:
    if sheet.pages == 1:
        return ""
    arrows = {"prev": "\N{LEFTWARDS ARROW} Newer", "next": "Older \N{RIGHTWARDS ARROW}"}
    parts = []
    for rel, other in (("prev", number - 1), ("next", number + 1)):
        exists = 1 <= other <= sheet.pages
        parts.append(
            f'<a rel="{rel}" href="{page_name(other)}">{arrows[rel]}</a>'
            if exists
            else f'<span class="off" aria-hidden="true">{arrows[rel]}</span>'
        )
    where = f"<span>Page {number:,} of {sheet.pages:,}</span>"
    return f'<nav class="pager" aria-label="{label}">{parts[0]}{where}{parts[1]}</nav>\n'


def _contents(days: Iterable[tuple[str, int]]) -> str:
    links = "".join(
        f'<li><a href="#{day or UNDATED}">{_day_name(day)}</a> <span>{count:,}</span></li>'
        for day, count in days
    )
    return (
        '<nav class="days" aria-label="Days"><details><summary>Days on this page</summary>'
        f"<ul>{links}</ul></details></nav>\n"
    )


def _day_name(day: str) -> str:
    return day_text(day) if day else "Without a date"


def _day(day: str, items: Sequence[Item]) -> Iterator[str]:
    name = _day_name(day)
    if day:
        name = f'<time datetime="{day}">{name}</time>'
    yield (
        f'<section class="day" id="{day or UNDATED}">\n'
        f"<h2>{name} <small>{counted(len(items), 'file')}</small></h2>\n"
        '<div class="threads">\n'
    )
    threads = groupby(items, lambda item: (item.entry.thread_kind, item.entry.thread))
    for (kind, thread), of_thread in threads:
        yield from _thread(kind, thread, list(of_thread))
    yield "</div>\n</section>\n"


def _thread(kind: str, thread: str, items: Sequence[Item]) -> Iterator[str]:
    title = f"{kind} {sid_code(thread)}" if thread else "Sent in an unknown message"
    count = f" <small>{counted(len(items), 'file')}</small>" if len(items) > 1 else ""
    yield f'<section class="thread">\n<h3>{title}{count}</h3>\n<ul>\n'
    for item in items:
        yield card(item)
    yield "</ul>\n</section>\n"
