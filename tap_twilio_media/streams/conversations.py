"""Conversations, and what was written in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_twilio_media.client.errors import GoneError
from tap_twilio_media.pool import Ahead, Lookahead
from tap_twilio_media.readers.conversations import is_new, is_over, moment_of
from tap_twilio_media.readers.talks import File, Talk
from tap_twilio_media.streams.base import IncrementalStream
from tap_twilio_media.streams.checkpoint import Checkpoint
from tap_twilio_media.streams.family import Family
from tap_twilio_media.streams.services import (
    FILE,
    LISTS_AHEAD,
    PAGE,
    TALK,
    ConversationServices,
    ConversationsStream,
)
from tap_twilio_media.texts import is_sid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

    from tap_twilio_media.client.pages import Page
    from tap_twilio_media.streams.mcs import McsMedia

TALKS_AHEAD = 4
"""So many conversations of a service are begun before its turn comes."""
FILES_AT_ONCE = 1000
"""So many files of a page of conversations are written together."""


@dataclass(slots=True)
class Service:
    """A service whose conversations are being read.

    Attributes:
        family: What is wanted of their messages.
        checkpoint: How far an earlier first read got.
        in_order: Whether they were asked for in the order of creation.
        scope: The scope of the tasks.
        line: The conversations to read, in order.
        pages: The list, each page with those of it that are to be read.
    """

    family: Family
    checkpoint: Checkpoint
    in_order: bool
    scope: int
    line: Lookahead = field(default_factory=lambda: Lookahead(TALKS_AHEAD))
    pages: Ahead[tuple[Page, list[Talk]]] = field(init=False)


class Conversations(ConversationsStream):
    """A conversation (Twilio: "Conversation resource")."""

    name = "conversations"
    parent_stream_type = ConversationServices

    @cached_property
    def _opened(self) -> dict[str, Service]:
        """What is asked already of services whose turn has not come."""
        return {}

    @override
    def prepare(self, context: Context) -> None:
        service_sid = context["chat_service_sid"]
        if service_sid in self._opened:
            return
        (child,) = self.child_streams
        assert isinstance(child, ConversationMessages)  # noqa: S101 - for the type checker
        family = Family(self.run, (child, child.media), context)
        checkpoint = Checkpoint(self.run.bookmarks, family.marks, context)
        in_order = family.is_first_read and not self.run.settings.full_scan
        if in_order:
            day = checkpoint.read_back_to or self.run.started + timedelta(days=1)
            listed = self.reader(context).created_until(service_sid, day)
        else:
            listed = self.reader(context).conversations(service_sid)
        service = Service(family, checkpoint, in_order, self.run.scope())
        source = child.begin(listed, service, context)
        service.pages = Ahead(self.run.pool, (PAGE, service.scope), source, LISTS_AHEAD)
        self._opened[service_sid] = service

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        assert context is not None  # noqa: S101 - a child stream always has one
        service = self._opened.pop(context["chat_service_sid"])
        return self.contained(context, service.scope, partial(self._read_service, service))

    def _read_service(self, service: Service, context: Context) -> Iterable[Record]:
        (child,) = self.child_streams
        assert isinstance(child, ConversationMessages)  # noqa: S101 - for the type checker
        child.service = service
        child.media.family, child.media.scope = service.family, service.scope
        service.line.widen(2 * self.run.settings.max_concurrency)
        family, checkpoint, in_order = service.family, service.checkpoint, service.in_order
        is_partial = False
        now: datetime | None = None
        oldest: datetime | None = None
        for page, talks in service.pages:
            now = now or self.run.now(page.date)
            created = [moment_of(row, "date_created") for row in page.rows]
            # Only a list that keeps its order tells that all newer conversations were met. The
            # page before proves to have kept it when this one begins no newer than it ended.
            if in_order and not _is_descending(oldest, created):
                in_order, is_partial = False, checkpoint.read_back_to is not None
                checkpoint.clear()
            elif in_order and oldest and family.is_whole:
                checkpoint.reach(oldest, now)
                self.run.bookmarks.emit()
            self.tell_request(page.seconds, "Conversations", context)
            for row in page.rows:
                yield self.typed(row)
            self.askable(row["sid"] for row in page.rows)
            self.sync_children_of(talks, context)
            oldest = created[-1] if created else oldest
        if now is not None and not is_partial:
            family.complete(checkpoint.read_since or now)
        checkpoint.clear()
        self.run.bookmarks.emit()


class ConversationMessages(ConversationsStream, IncrementalStream):
    """A message of a conversation (Twilio: "Conversation Message resource")."""

    name = "conversation_messages"
    parent_stream_type = Conversations
    parents: Sequence[Talk]

    service: Service
    """The one whose turn it is."""

    @property
    def media(self) -> McsMedia:
        """The stream of their files."""
        (child,) = self.child_streams
        return child  # type: ignore[return-value]

    def begin(
        self, listed: Iterator[Page], service: Service, context: Context
    ) -> Iterator[tuple[Page, list[Talk]]]:
        """Yield pages of conversations, each with those to read, which are begun ahead."""
        family, scope = service.family, service.scope
        if not family.is_wanted:
            yield from ((page, []) for page in listed)
            return
        service_sid, pool, reader = context["chat_service_sid"], self.run.pool, self.reader(context)
        start = None if self.run.settings.full_scan else family.start
        files_since = family.since(self.media)

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
                if is_sid(row["sid"]) and (start is None or not is_over(row, start))
            ]
            service.line.add(talks)
            yield page, talks

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        assert context is not None  # noqa: S101 - a child stream always has one
        line, rank = self.service.line, (FILE, self.service.scope)
        own = self.service.family.since(self)
        late = None if self.passes_all else self.service.family.since(self.media)
        files: list[File] = []
        for talk in self.parents:
            line.reach(talk)
            try:
                for page in talk.pages():
                    for said in page:
                        row = said.row
                        files += said.files
                        # A user's filter is not for many threads, so it waited for its turn.
                        if late and is_new(row, late) and self.passes(row):
                            files += self.media.ask(row, context, rank)
                        if own and is_new(row, own):
                            yield self.typed(row)
                    if len(files) >= FILES_AT_ONCE:
                        self.sync_children_of(files, context)
                        files = []
            except GoneError:
                what = "conversations deleted before their messages were read"
                self.run.count(what, talk.row["sid"])
            finally:
                line.done()
        self.sync_children_of(files, context)


def _is_descending(before: datetime | None, moments: list[datetime | None]) -> bool:
    """Return whether moments go on downwards from one before; one that is missing tells nothing."""
    known = [moment for moment in (before, *moments) if moment]
    return None not in moments and known == sorted(known, reverse=True)
