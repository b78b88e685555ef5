"""Conversations of one account: services, their conversations, and what is new in them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_twilio_media.client.errors import GoneError
from tap_twilio_media.client.hosts import join, path
from tap_twilio_media.client.pages import Page, pages
from tap_twilio_media.readers.lists import check_account, without_loss
from tap_twilio_media.times import plausible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tap_twilio_media.client.session import Client

LARGEST_PAGE = 100
"""Conversations accept no larger PageSize."""

QUIET = timedelta(days=30)
"""A closed conversation is left alone once all its dates lie so far behind the start."""


class ConversationsReader:
    """Reads Conversations v1 with an account's own credentials."""

    def __init__(self, client: Client, account_sid: str, page_size: int) -> None:
        """Ask for nothing yet."""
        self._client = client
        self._account_sid = account_sid
        self._page_size = min(page_size, LARGEST_PAGE)

    def services(self) -> Iterator[Page]:
        """Yield the pages of `/v1/Services`."""
        return self._list("/v1/Services", "services")

    def default_service_sid(self) -> str | None:
        """Return the service that the account uses when none is named; the list may lack it."""
        configuration = self._get("/v1/Configuration")
        sid = configuration.get("default_chat_service_sid") if configuration else None
        return sid if isinstance(sid, str) else None

    def service(self, sid: str) -> dict[str, Any] | None:
        """Return a service, or None when it is gone."""
        service = self._get(path("v1", "Services", sid))
        return service and service | {"sid": sid}

    def conversations(self, service_sid: str) -> Iterator[Page]:
        """Yield the pages of all conversations of a service."""
        return self._list(path("v1", "Services", service_sid, "Conversations"), "conversations")

    def created_until(self, service_sid: str, day: datetime) -> Iterator[Page]:
        """Yield the pages of the conversations created up to the end of a day, newest first.

        With a date the list is ordered so (Twilio's OpenAPI description of Conversations).
        """
        query = {"EndDate": day.strftime("%Y-%m-%dT23:59:59Z")}
        folder = path("v1", "Services", service_sid, "Conversations")
        return self._list(folder, "conversations", query)

    def messages(self, conversation: dict[str, Any], start: datetime | None) -> Iterator[Page]:
        """Yield pages of a conversation's messages, newest first, until nothing new can follow.

        There is no date filter and imported messages may bear any date, so reading stops only
        after a page whose rows are all older than the start and none older than the conversation
        itself: such a row was imported, and newer ones may lie behind it.

        Args:
            conversation: The conversation's row.
            start: Where to stop; None: at the end.
        """
        service_sid, sid = conversation["chat_service_sid"], conversation["sid"]
        folder = path("v1", "Services", service_sid, "Conversations", sid, "Messages")
        born = moment_of(conversation, "date_created")
        for page in self._list(folder, "messages", {"Order": "desc"}):
            yield page
            if start is None or not page.rows:
                continue
            created = [moment_of(row, "date_created") for row in page.rows]
            imported = any(born and moment and moment < born for moment in created)
            if not imported and all(not is_new(row, start) for row in page.rows):
                return

    def _get(self, link: str) -> dict[str, Any] | None:
        try:
            return self._client.get(join(self._client.hosts.conversations, link)).body
        except GoneError:
            return None

    def _list(self, link: str, rows: str, params: dict[str, str] | None = None) -> Iterator[Page]:
        base = self._client.hosts.conversations
        query = {"PageSize": str(self._page_size), **(params or {})}
        for page in without_loss(lambda: pages(self._client, base, link, rows, query)):
            for row in page.rows:
                check_account(row, self._account_sid, link)
            yield page


def is_new(message: dict[str, Any], start: datetime) -> bool:
    """Return whether a conversation message counts as new: its creation or its last edit does."""
    moments = [moment_of(message, field) for field in ("date_created", "date_updated")]
    known = [moment for moment in moments if moment]
    return not known or max(known) >= start


def is_over(conversation: dict[str, Any], start: datetime) -> bool:
    """Return whether a conversation was closed so long before the start that nothing can be new.

    A closed conversation can never be reopened (Twilio: "States and Timers").
    """
    if conversation.get("state") != "closed":
        return False
    timers = conversation.get("timers")
    dates = {**conversation, **(timers if isinstance(timers, dict) else {})}
    fields = ("date_created", "date_updated", "date_closed")
    moments = [moment for field in fields if (moment := moment_of(dates, field))]
    return bool(moments) and max(moments) < start - QUIET


def moment_of(row: dict[str, Any], field: str) -> datetime | None:
    """Return the time in a field of a row, or None where there is none that can be read."""
    try:
        return plausible(row[field])
    except (ValueError, TypeError, KeyError):
        return None
