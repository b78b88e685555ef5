"""The services that hold conversations."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_twilio_media.pool import Ahead
from tap_twilio_media.readers.conversations import ConversationsReader
from tap_twilio_media.streams.accounts import Accounts
from tap_twilio_media.streams.base import TwilioStream

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future

    from singer_sdk.helpers.types import Context, Record

    from tap_twilio_media.client.pages import Page
    from tap_twilio_media.times import Precision

logger = logging.getLogger("tap-twilio-media")

PAGE, TALK, FILE = range(3)
"""Ranks: lists before messages, as each brings more to do; their number is bounded."""
LISTS_AHEAD = 2


@dataclass(frozen=True, slots=True)
class _Services:
    """The services of an account, being read.

    Attributes:
        reader: Who reads.
        scope: The scope of the tasks.
        default: The sid of the service that the list may lack.
        pages: The list.
    """

    reader: ConversationsReader
    scope: int
    default: Future[str | None]
    pages: Ahead[Page]


class ConversationsStream(TwilioStream):
    """A stream of the Conversations API."""

    precision: Precision = "microseconds"  # type: ignore[misc]

    def reader(self, context: Context) -> ConversationsReader:
        """Return the reader of an account that is known to have its own credentials."""
        client = self.run.own_client(context["account_sid"])
        assert client is not None  # noqa: S101 - ConversationServices has made sure
        return ConversationsReader(client, context["account_sid"], self.run.settings.page_size)


class ConversationServices(ConversationsStream):
    """A service that holds conversations (Twilio: "Service resource" of Conversations)."""

    name = "conversation_services"
    parent_stream_type = Accounts

    @cached_property
    def _opened(self) -> dict[str, _Services]:
        """What is asked already of accounts whose turn has not come."""
        return {}

    @override
    def prepare(self, context: Context) -> None:
        account_sid, pool = context["account_sid"], self.run.pool
        if account_sid in self._opened or self.run.own_client(account_sid) is None:
            return
        reader, scope = self.reader(context), self.run.scope()
        self._opened[account_sid] = _Services(
            reader,
            scope,
            pool.submit((PAGE, scope), reader.default_service_sid),
            Ahead(pool, (PAGE, scope), reader.services(), LISTS_AHEAD),
        )

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        assert context is not None  # noqa: S101 - a child stream always has one
        account_sid = context["account_sid"]
        opened = self._opened.pop(account_sid, None)
        if opened is None:
            logger.warning(
                "account %s: Conversations skipped, they can only be read with the account's own "
                "credentials; set subaccount_credentials",
                account_sid,
            )
            return ()
        return self.contained(context, opened.scope, partial(self._read, opened))

    def _read(self, opened: _Services, context: Context) -> Iterable[Record]:
        pool = self.run.pool
        seen: set[str] = set()
        for page in opened.pages:
            self.tell_request(page.seconds, "Services", context)
            yield from self._with_children(page.rows, context)
            seen.update(row["sid"] for row in page.rows)
        sid = pool.result(opened.default)
        if sid and sid not in seen and self.askable([sid]):
            row = pool.result(
                pool.submit((PAGE, opened.scope), partial(opened.reader.service, sid))
            )
            yield from self._with_children([row] if row else [], context)

    def _with_children(self, rows: list[dict[str, Any]], context: Context) -> Iterable[Record]:
        for row in rows:
            yield self.typed(row)
        sids = self.askable(row["sid"] for row in rows)
        contexts = [{**context, "chat_service_sid": sid} for sid in sids]
        for _ in self.sync_children_in(contexts):
            pass
