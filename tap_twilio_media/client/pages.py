"""Lists: Twilio's two ways of paging, read as one."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_twilio_media.client.errors import (
    GoneError,
    InvalidRequestError,
    OutOfRangeError,
    PageLostError,
    PagingLoopError,
)
from tap_twilio_media.client.hosts import join

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from tap_twilio_media.client.session import Client


logger = logging.getLogger("tap-twilio-media.client")

LOST = frozenset({400, 404})
"""How Twilio may refuse a page whose PageToken points at a row that is gone."""

MOST_BARREN = 1_000
"""So many pages in a row without a row, or each with the rows of another one, and none will end."""

LONGEST_KEY = 500
"""Characters: what is longer fits no index of a database (PostgreSQL: 2,704 bytes)."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list.

    Attributes:
        rows: The rows as Twilio sent them.
        is_last: Whether no further page follows.
        date: Twilio's clock when it answered.
        seconds: How long the request took.
    """

    rows: list[dict[str, Any]]
    is_last: bool
    date: datetime | None
    seconds: float


def pages(
    client: Client, base: str, path: str, rows: str, params: Mapping[str, str] | None = None
) -> Iterator[Page]:
    """Yield the pages of a list, following the links that Twilio sends and no totals.

    The 2010 API links with `next_page_uri`, relative to its host; the newer APIs with
    `meta.next_page_url`, absolute. A page is asked for only when the one before was taken.

    Args:
        client: Who asks.
        base: The base URL that the list belongs to.
        path: Path of the list below the base.
        rows: Name of the list in the reply.
        params: Query of the first request; the links carry it on.

    Raises:
        PageLostError: A page after the first was refused with 400 or 404.
        PagingLoopError: A link leads to a page that was already read, or the links go on and on
            without anything new.
    """
    url, query = join(base, path), params
    seen = {url}
    contents, barren = {hash(frozenset[str]())}, 0
    while True:
        try:
            reply = client.get(url, query, rows=rows)
        except (GoneError, InvalidRequestError) as error:
            lost = error.status in LOST and not isinstance(error, OutOfRangeError)
            if lost and len(seen) > 1:
                raise PageLostError(str(error), status=error.status, code=error.code) from None
            raise
        link = _next_link(reply.body)
        keyed = _with_sids(reply.body[rows], path)
        # Of each page that was read a number is kept, as of its address.
        content = hash(frozenset(row["sid"] for row in keyed))
        barren = barren + 1 if content in contents else 0
        contents.add(content)
        yield Page(keyed, link is None, reply.date, reply.seconds)
        if link is None:
            return
        if barren >= MOST_BARREN:
            msg = f"{path}: {barren} pages in a row brought nothing new; report this"
            raise PagingLoopError(msg)
        try:
            url, query = join(base, link), None
        except ValueError:
            msg = f"{path}: Twilio sent a link that is no address; report this"
            raise InvalidRequestError(msg) from None
        if url in seen:
            msg = f"{path}: Twilio linked to a page that was already read; report this"
            raise PagingLoopError(msg)
        seen.add(url)


def _with_sids(rows: list[dict[str, Any]], path: str) -> list[dict[str, Any]]:
    """Return rows without those that have no key: nobody could tell them apart or find them."""
    keyed = [
        row
        for row in rows
        if isinstance(sid := row.get("sid"), str) and 0 < len(sid) <= LONGEST_KEY
    ]
    if len(keyed) < len(rows):
        logger.warning("%s: %d rows without a sid, left out", path, len(rows) - len(keyed))
    return keyed


def _next_link(body: dict[str, Any]) -> str | None:
    meta = body.get("meta")
    link = meta.get("next_page_url") if isinstance(meta, dict) else body.get("next_page_uri")
    if link is None or link == "":
        return None
    return link if isinstance(link, str) else "http://["  # refused like any other broken link
