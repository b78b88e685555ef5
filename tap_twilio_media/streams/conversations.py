"""Conversations: services, conversations and what was written in them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_twilio_media.client.errors import GoneError, StoppedError
from tap_twilio_media.errors import TapError
from tap_twilio_media.readers.conversations import ConversationsReader, is_new, is_over
from tap_twilio_media.streams.accounts import Accounts
from tap_twilio_media.streams.base import IncrementalStream, TwilioStream
from tap_twilio_media.streams.family import Family

if TYPE_CHECKING:
    from collections.abc import Iterable

    from singer_sdk.helpers.types import Context, Record

    from tap_twilio_media.times import Precision

logger = logging.getLogger("tap-twilio-media")

MEDIA_AT_ONCE = 1000
"""So many files of a batch of conversations are read together."""


class _ConversationsStream(TwilioStream):
    """A stream of the Conversations API."""

    precision: Precision = "microseconds"  # type: ignore[misc]

    def reader(self, context: Context) -> ConversationsReader:
        """Return the reader of an account that is known to have its own credentials."""
        client = self.run.own_client(context["account_sid"])
        assert client is not None  # noqa: S101 - ConversationServices has made sure
        return ConversationsReader(client, context["account_sid"], self.run.settings.page_size)


class ConversationServices(_ConversationsStream):
    """A service that holds conversations (Twilio: "Service resource" of Conversations)."""

    name = "conversation_services"
    parent_stream_type = Accounts

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        assert context is not None  # noqa: S101 - a child stream always has one
        account_sid = context["account_sid"]
        if self.run.own_client(account_sid) is None:
            logger.warning(
                "account %s: Conversations skipped, they can only be read with the account's own "
                "credentials; set subaccount_credentials",
                account_sid,
            )
            return
        try:
            for page in self.reader(context).services():
                self.tell_request(page.seconds, "Services", context)
                for row in page.rows:
                    yield self.typed(row)
                for row in page.rows:
                    self._sync_children({**context, "chat_service_sid": row["sid"]})
        except StoppedError:
            raise
        except TapError as error:
            streams = (self, *self.descendent_streams)
            self.run.fail(
                account_sid, [stream.name for stream in streams if stream.selected], error
            )


class Conversations(_ConversationsStream):
    """A conversation (Twilio: "Conversation resource")."""

    name = "conversations"
    parent_stream_type = ConversationServices

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        assert context is not None  # noqa: S101 - a child stream always has one
        try:
            yield from self._read_service(context)
        except StoppedError:
            raise
        except TapError as error:
            names = [s.name for s in (self, *self.descendent_streams) if s.selected]
            self.run.fail(context["account_sid"], names, error)

    def _read_service(self, context: Context) -> Iterable[Record]:
        members = [s for s in self.descendent_streams if isinstance(s, IncrementalStream)]
        family = Family(self.run, members, context)
        for child in self.child_streams:
            assert isinstance(child, ConversationMessages)  # noqa: S101 - for the type checker
            child.family = family
        service_sid, now = context["chat_service_sid"], None
        for page in self.reader(context).conversations(service_sid):
            now = now or self.run.now(page.date)
            self.tell_request(page.seconds, "Conversations", context)
            for row in page.rows:
                yield self.typed(row)
            # The service asked for is the one to ask again, whatever the row says.
            self.sync_children_of(
                [{**row, "chat_service_sid": service_sid} for row in page.rows], context
            )
        if now is not None:
            family.complete(now)
            self.run.bookmarks.emit()


class ConversationMessages(_ConversationsStream, IncrementalStream):
    """A message of a conversation (Twilio: "Conversation Message resource")."""

    name = "conversation_messages"
    parent_stream_type = Conversations

    family: Family
    """Set by the parent for each service."""

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        assert context is not None  # noqa: S101 - a child stream always has one
        media: list[dict[str, Any]] = []
        for conversation in self.parents:
            if not self.run.settings.full_scan and is_over(conversation, self.family.start):
                continue
            try:
                for record in self._read(conversation, context, media):
                    yield record
                    if len(media) >= MEDIA_AT_ONCE:
                        self.sync_children_of(media, context)
                        media.clear()
            except GoneError:
                self.run.count(
                    "conversations deleted before their messages were read", conversation["sid"]
                )
        self.sync_children_of(media, context)

    def _read(
        self, conversation: dict[str, Any], context: Context, media: list[dict[str, Any]]
    ) -> Iterable[Record]:
        """Yield what is new for this stream, and collect the media that are new for the next."""
        own, child = self.family.since(self), None
        for stream in self.child_streams:
            child = self.family.since(stream)  # type: ignore[arg-type]
        stop_at = None if self.run.settings.full_scan else self.family.start
        for page in self.reader(context).messages(conversation, stop_at):
            for row in page.rows:
                row.setdefault("chat_service_sid", context["chat_service_sid"])
                if child and is_new(row, child) and self.passes(row):
                    media += (_reference(item, row) for item in row.get("media") or () if item)
                if own and is_new(row, own):
                    yield self.typed(row)


def _reference(item: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    """Return what MCS needs to find a file, and what it may leave out of its answer."""
    return {
        "sid": item.get("sid"),
        "message_sid": message["sid"],
        "conversation_sid": message.get("conversation_sid"),
    }
