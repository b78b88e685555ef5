"""Conversations of one account: services, their conversations, and what is new in them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tap_twilio_media.client.errors import GoneError
from tap_twilio_media.client.hosts import join
from tap_twilio_media.client.pages import Page, pages
from tap_twilio_media.readers.lists import check_account, without_loss
from tap_twilio_media.times import parsed

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
        """Yield the pages of `/v1/Services`, then the default service where the list lacks it."""
        seen: set[str] = set()
        page: Page | None = None
        for page in self._list("/v1/Services", "services"):
            seen.update(row["sid"] for row in page.rows)
            yield page
        if (default := self._default_service()) and default["sid"] not in seen:
            yield Page([default], is_last=True, date=page.date if page else None, seconds=0.0)

    def conversations(self, service_sid: str) -> Iterator[Page]:
        """Yield the pages of all conversations of a service."""
        return self._list(f"/v1/Services/{service_sid}/Conversations", "conversations")

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
        path = f"/v1/Services/{service_sid}/Conversations/{sid}/Messages"
        born = _moment(conversation.get("date_created"))
        for page in self._list(path, "messages", {"Order": "desc"}):
            yield page
            if start is None or not page.rows:
                continue
            created = [_moment(row.get("date_created")) for row in page.rows]
            imported = any(born and moment and moment < born for moment in created)
            if not imported and all(not is_new(row, start) for row in page.rows):
                return

    def _default_service(self) -> dict[str, Any] | None:
        base = self._client.hosts.conversations
        try:
            configuration = self._client.get(join(base, "/v1/Configuration")).body
            sid = configuration.get("default_chat_service_sid")
            return self._client.get(join(base, f"/v1/Services/{sid}")).body if sid else None
        except GoneError:
            return None

    def _list(self, path: str, rows: str, params: dict[str, str] | None = None) -> Iterator[Page]:
        base = self._client.hosts.conversations
        query = {"PageSize": str(self._page_size), **(params or {})}
        for page in without_loss(lambda: pages(self._client, base, path, rows, query)):
            for row in page.rows:
                check_account(row, self._account_sid, path)
            yield page


def is_new(message: dict[str, Any], start: datetime) -> bool:
    """Return whether a conversation message counts as new: its creation or its last edit does."""
    moments = [_moment(message.get(field)) for field in ("date_created", "date_updated")]
    known = [moment for moment in moments if moment]
    return not known or max(known) >= start


def is_over(conversation: dict[str, Any], start: datetime) -> bool:
    """Return whether a conversation was closed so long before the start that nothing can be new.

    A closed conversation can never be reopened (Twilio: "States and Timers").
    """
    if conversation.get("state") != "closed":
        return False
    timers = conversation.get("timers") or {}
    dates = (
        conversation.get("date_created"),
        conversation.get("date_updated"),
        timers.get("date_closed"),
    )
    moments = [moment for date in dates if (moment := _moment(date))]
    return bool(moments) and max(moments) < start - QUIET


def _moment(text: str | None) -> datetime | None:
    return parsed(text) if text else None
