"""Conversations: services, conversations and what was written in them."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_twilio_media.client.errors import GoneError
from tap_twilio_media.pool import Ahead, Lookahead
from tap_twilio_media.readers.conversations import ConversationsReader, is_new, is_over, moment_of
from tap_twilio_media.readers.talks import File, Talk
from tap_twilio_media.streams.accounts import Accounts
from tap_twilio_media.streams.base import IncrementalStream, TwilioStream
from tap_twilio_media.streams.checkpoint import Checkpoint
from tap_twilio_media.streams.family import Family

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

    from tap_twilio_media.client.pages import Page
    from tap_twilio_media.streams.mcs import McsMedia
    from tap_twilio_media.times import Precision

logger = logging.getLogger("tap-twilio-media")

PAGE, TALK, FILE = range(3)
"""Ranks: lists before messages, as each brings more to do; their number is bounded."""
LISTS_AHEAD = 2
FILES_AT_ONCE = 1000
"""So many files of a page of conversations are written together."""


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
            return ()
        return self.contained(context, self._read)

    def _read(self, context: Context, scope: int) -> Iterable[Record]:
        reader, pool, rank = self.reader(context), self.run.pool, (PAGE, scope)
        default = pool.submit(rank, reader.default_service_sid)
        seen: set[str] = set()
        for page in Ahead(pool, rank, reader.services(), LISTS_AHEAD):
            self.tell_request(page.seconds, "Services", context)
            yield from self._with_children(page.rows, context)
            seen.update(row["sid"] for row in page.rows)
        sid = pool.result(default)
        if sid and sid not in seen:
            row = pool.result(pool.submit(rank, partial(reader.service, sid)))
            yield from self._with_children([row] if row else [], context)

    def _with_children(self, rows: list[dict[str, Any]], context: Context) -> Iterable[Record]:
        for row in rows:
            yield self.typed(row)
        for row in rows:
            self._sync_children({**context, "chat_service_sid": row["sid"]})


class Conversations(_ConversationsStream):
    """A conversation (Twilio: "Conversation resource")."""

    name = "conversations"
    parent_stream_type = ConversationServices

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        assert context is not None  # noqa: S101 - a child stream always has one
        return self.contained(context, self._read_service)

    def _read_service(self, context: Context, scope: int) -> Iterable[Record]:
        (child,) = self.child_streams
        assert isinstance(child, ConversationMessages)  # noqa: S101 - for the type checker
        family = Family(self.run, (child, child.media), context)
        child.family, child.scope = family, scope
        child.line = Lookahead(2 * self.run.settings.max_concurrency)
        checkpoint = Checkpoint(self.run.bookmarks, family.bookmarked, context)
        in_order = checkpoint.is_first_read and not self.run.settings.full_scan
        if in_order:
            day = checkpoint.read_back_to or self.run.started + timedelta(days=1)
            listed = self.reader(context).created_until(context["chat_service_sid"], day)
        else:
            listed = self.reader(context).conversations(context["chat_service_sid"])

        is_partial = False
        now: datetime | None = None
        oldest: datetime | None = None
        source = child.begin(listed, context, scope)
        for page, talks in Ahead(self.run.pool, (PAGE, scope), source, LISTS_AHEAD):
            now = now or self.run.now(page.date)
            created = [moment_of(row, "date_created") for row in page.rows]
            # Only a list that keeps its order tells that all newer conversations were met. The
            # page before proves to have kept it when this one begins no newer than it ended.
            if in_order and not _is_descending(oldest, created):
                in_order, is_partial = False, checkpoint.read_back_to is not None
                checkpoint.clear()
            elif in_order and oldest:
                checkpoint.reach(oldest, now)
                self.run.bookmarks.emit()
            self.tell_request(page.seconds, "Conversations", context)
            for row in page.rows:
                yield self.typed(row)
            self.sync_children_of(talks, context)
            oldest = created[-1] if created else oldest
        if now is not None and not is_partial:
            family.complete(checkpoint.read_since or now)
        checkpoint.clear()
        self.run.bookmarks.emit()


class ConversationMessages(_ConversationsStream, IncrementalStream):
    """A message of a conversation (Twilio: "Conversation Message resource")."""

    name = "conversation_messages"
    parent_stream_type = Conversations
    parents: Sequence[Talk]

    family: Family
    line: Lookahead
    scope: int
    """All are set by the parent for each service."""

    @property
    def media(self) -> McsMedia:
        """The stream of their files."""
        (child,) = self.child_streams
        return child  # type: ignore[return-value]

    def begin(
        self, listed: Iterator[Page], context: Context, scope: int
    ) -> Iterator[tuple[Page, list[Talk]]]:
        """Yield pages of conversations, each with those to read, which are begun ahead."""
        if not self.family.is_wanted:
            yield from ((page, []) for page in listed)
            return
        service_sid, pool, reader = context["chat_service_sid"], self.run.pool, self.reader(context)
        start = None if self.run.settings.full_scan else self.family.start
        files_since = self.family.since(self.media)

        def files_of(message: dict[str, Any]) -> list[File]:
            if not self.passes_all or files_since is None or not is_new(message, files_since):
                return []
            return self.media.ask(message, context, (FILE, scope))

        for page in listed:
            # The service asked for is the one to ask again, whatever the row says.
            rows = [{**row, "chat_service_sid": service_sid} for row in page.rows]
            talks = [
                Talk(reader, pool, (TALK, scope), row, start, files_of)
                for row in rows
                if start is None or not is_over(row, start)
            ]
            self.line.add(talks)
            yield page, talks

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        assert context is not None  # noqa: S101 - a child stream always has one
        own = self.family.since(self)
        late = None if self.passes_all else self.family.since(self.media)
        files: list[File] = []
        for talk in self.parents:
            self.line.reach(talk)
            try:
                for page in talk.pages():
                    for said in page:
                        row = said.row
                        files += said.files
                        # A user's filter is not for many threads, so it waited for its turn.
                        if late and is_new(row, late) and self.passes(row):
                            files += self.media.ask(row, context, (FILE, self.scope))
                        if own and is_new(row, own):
                            yield self.typed(row)
                    if len(files) >= FILES_AT_ONCE:
                        self.sync_children_of(files, context)
                        files = []
            except GoneError:
                what = "conversations deleted before their messages were read"
                self.run.count(what, talk.row["sid"])
            finally:
                self.line.done()
        self.sync_children_of(files, context)


def _is_descending(before: datetime | None, moments: list[datetime | None]) -> bool:
    """Return whether moments go on downwards from one before; one that is missing tells nothing."""
    known = [moment for moment in (before, *moments) if moment]
    return None not in moments and known == sorted(known, reverse=True)
