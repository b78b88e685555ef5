"""Messages as they are met in Twilio's list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_twilio_media.client.hosts import API_VERSION
from tap_twilio_media.client.pages import pages
from tap_twilio_media.readers.lists import check_account
from tap_twilio_media.times import plausible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future
    from datetime import datetime

    from tap_twilio_media.client.pages import Page
    from tap_twilio_media.client.session import Client


@dataclass(slots=True)
class Sighting:
    """A message as it was met in the list.

    Attributes:
        row: The row as Twilio sent it.
        moment: Its date_sent or, for a row without one, its date_created.
        is_sent: Whether it has a date_sent.
        media: The rows of its media, being read; None when nobody has asked for them.
    """

    row: dict[str, Any]
    moment: datetime
    is_sent: bool
    media: Future[Any] | None = None


@dataclass(frozen=True, slots=True)
class Sightings:
    """The messages of one page that belong to the stretch being read, in the order of the list.

    Attributes:
        rows: The messages.
        seconds: How long the request took.
        cut: All of the stretch that is older than this is still to be read, in parts.
    """

    rows: list[Sighting]
    seconds: float
    cut: datetime | None = None


@dataclass(frozen=True, slots=True)
class Frontier:
    """A window is complete: everything sent before `until` has been yielded.

    Attributes:
        until: The end of the window.
        is_newest: Whether this was the newest stretch, the one that shows rows not sent.
    """

    until: datetime
    is_newest: bool = False


@dataclass(frozen=True, slots=True)
class MessageList:
    """The list of messages of one account, by whatever parameters.

    Attributes:
        client: Who asks.
        account_sid: The account.
        page_size: Rows per page.
    """

    client: Client
    account_sid: str
    page_size: int

    def pages(self, params: dict[str, str]) -> Iterator[Page]:
        """Yield the pages of the list."""
        path = f"{API_VERSION}/Accounts/{self.account_sid}/Messages.json"
        query = {"PageSize": str(self.page_size)} | params
        return pages(self.client, self.client.hosts.api, path, "messages", query)

    def ask(self, params: dict[str, str]) -> Page:
        """Return the first page of the list."""
        return next(self.pages(params))

    def sighted(self, rows: Iterable[dict[str, Any]], otherwise: datetime) -> list[Sighting]:
        """Return rows with the moments that they count by.

        Args:
            rows: The rows.
            otherwise: A moment of the stretch being read: a row whose own cannot be read counts as
                one that was not sent, and as of then, so that it is not lost.

        Raises:
            ForeignRowError: A row is of another account.
        """
        sighted = []
        for row in rows:
            check_account(row, self.account_sid, "message")
            sent = row.get("date_sent")
            try:
                moment = plausible(sent or row["date_created"])
            except (ValueError, TypeError, KeyError):
                moment, sent = otherwise, None
            sighted.append(Sighting(row, moment, bool(sent)))
        return sighted


def last_sent(sighted: list[Sighting]) -> datetime | None:
    """Return the moment of the last row in the list that has a date_sent."""
    return next((seen.moment for seen in reversed(sighted) if seen.is_sent), None)


def density(sighted: list[Sighting]) -> float:
    """Return how many of these messages were sent in a second; one a day where nothing tells."""
    moments = [seen.moment for seen in sighted if seen.is_sent]
    if not moments:
        return 1 / 86_400
    return len(moments) / max(1.0, (max(moments) - min(moments)).total_seconds())
