"""Messages and their media, of the 2010 API."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_twilio_media.client.errors import GoneError
from tap_twilio_media.client.hosts import API_VERSION, join, path
from tap_twilio_media.client.pages import pages
from tap_twilio_media.readers.backfill import CHILD
from tap_twilio_media.readers.lists import check_account
from tap_twilio_media.readers.messages import MessagesReader, Plan
from tap_twilio_media.readers.sightings import Frontier, MessageList
from tap_twilio_media.streams.accounts import Accounts
from tap_twilio_media.streams.base import IncrementalStream
from tap_twilio_media.streams.family import Family
from tap_twilio_media.streams.files import FileStream
from tap_twilio_media.texts import is_sid
from tap_twilio_media.times import written
from tap_twilio_media.windows import SCHEDULING_HORIZON, first_listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from concurrent.futures import Future
    from datetime import datetime

    from singer_sdk.helpers.types import Context, Record

    from tap_twilio_media.pool import Rank
    from tap_twilio_media.readers.sightings import Sighting

logger = logging.getLogger("tap-twilio-media")


class Messages(IncrementalStream):
    """A message sent or received (Twilio: "Messages resource")."""

    name = "messages"
    parent_stream_type = Accounts

    @cached_property
    def _opened(self) -> dict[str, MessagesReader]:
        """The readers of accounts whose turn has not come."""
        return {}

    @override
    def prepare(self, context: Context) -> None:
        account_sid = context["account_sid"]
        if account_sid not in self._opened:
            client, page_size = self.run.client(account_sid), self.run.settings.page_size
            listed = MessageList(client, account_sid, page_size)
            self._opened[account_sid] = MessagesReader(listed, self.run.pool, self.run.scope())

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        assert context is not None  # noqa: S101 - a child stream always has one
        reader = self._opened.pop(context["account_sid"])
        return self.contained(context, reader.scope, partial(self._read_family, reader))

    def _read_family(self, reader: MessagesReader, context: Context) -> Iterable[Record]:
        settings, account_sid, scope = self.run.settings, context["account_sid"], reader.scope
        now = self.run.now(reader.open())
        (child,) = self.child_streams
        assert isinstance(child, MessageMedia)  # noqa: S101 - for the type checker
        floor = None if settings.full_scan else first_listed(now)
        horizon = now - SCHEDULING_HORIZON
        family = Family(self.run, (self, child), context, floor=floor, horizon=horizon)
        child.family, child.scope = family, scope
        own, media = (_Share.of(family, stream) for stream in (self, child))

        def arrived(sighted: list[Sighting], rank: Rank) -> None:
            # What was not sent may come again, and a user's filter is not for many threads: both
            # wait for their turn.
            for seen in sighted:
                if seen.is_sent and media.wants(seen) and may_have_media(seen.row):
                    seen.media = child.ask(account_sid, seen.row, rank)

        plan = Plan(
            start=None if settings.full_scan else family.start,
            newest_start=max(family.start, now - settings.lookback),
            end=settings.end_date,
            now=now,
            longest=settings.longest_window,
        )
        logger.info(
            "account %s: reading messages from %s", account_sid, written(family.start, "seconds")
        )
        has_news = False
        ahead = media.since is not None and self.passes_all
        for event in reader.read(plan, arrived if ahead else _later):
            if isinstance(event, Frontier):
                family.complete(event.until, is_newest=event.is_newest)
                if has_news:
                    self.run.bookmarks.emit()
                has_news = False
                continue
            self.tell_request(event.seconds, "Messages.json", context)
            parents = (
                []
                if media.since is None
                else [
                    seen
                    for seen in event.rows
                    if media.wants(seen) and may_have_media(seen.row) and self.passes(seen.row)
                ]
            )
            for seen in parents:
                seen.media = seen.media or child.ask(account_sid, seen.row, (CHILD, scope))
            for seen in event.rows:
                if own.wants(seen):
                    yield self.typed(seen.row)
            self.askable(seen.row["sid"] for seen in event.rows if media.wants(seen))
            self.sync_children_of(parents, context)
            has_news = has_news or bool(event.rows)


class MessageMedia(FileStream):
    """A file of a message (Twilio: "Media subresource"). Its bytes are at `content_url`."""

    name = "message_media"
    parent_stream_type = Messages
    parents: Sequence[Sighting]

    def ask(
        self, account_sid: str, message: dict[str, Any], rank: Rank
    ) -> Future[list[dict[str, Any]] | None]:
        """Have the media of a message read ahead; None stands for a message that is gone."""
        return self.run.pool.submit(rank, partial(self._media_of, account_sid, message["sid"]))

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        return self.finished(self._rows())

    def _rows(self) -> Iterable[dict[str, Any]]:
        for message in self.parents:
            assert message.media is not None  # noqa: S101 - Messages has asked for it
            sid = message.row["sid"]
            rows = self.run.pool.result(message.media)
            if rows is None:
                self.run.count("messages deleted before their media were read", sid)
            elif not rows and message.row.get("num_media") is not None:
                self.run.count("messages whose media are gone", sid)
            yield from rows or ()

    def _media_of(self, account_sid: str, message_sid: str) -> list[dict[str, Any]] | None:
        client = self.run.client(account_sid)
        base = client.hosts.api
        folder = API_VERSION + path("Accounts", account_sid, "Messages", message_sid, "Media")
        query = {"PageSize": str(self.run.settings.page_size)}
        try:
            listed = list(pages(client, base, f"{folder}.json", "media_list", query))
        except GoneError:
            return None
        rows = [row for page in listed for row in page.rows]
        for row in rows:
            check_account(row, account_sid, "media")
            row["message_sid"] = message_sid
            # Built from sids: old rows bear another form of `uri` (Twilio's docs of the Media).
            row["content_url"] = join(base, folder + path(row["sid"]))
            self.keep_ahead(row)
        return rows


def may_have_media(message: dict[str, Any]) -> bool:
    """Return whether a message is worth a request for its media: its count is not zero."""
    return message.get("num_media") not in ("0", 0) and is_sid(message["sid"])


def _later(sighted: list[Sighting], rank: Rank) -> None:
    """Ask for nothing ahead of its turn."""


@dataclass(frozen=True, slots=True)
class _Share:
    """Which of the messages of a pass concern one of its streams."""

    since: datetime | None
    unsent_since: datetime | None

    @classmethod
    def of(cls, family: Family, stream: IncrementalStream) -> _Share:
        return cls(family.since(stream), family.unsent_since(stream))

    def wants(self, seen: Sighting) -> bool:
        since = self.since if seen.is_sent else self.unsent_since
        return since is not None and seen.moment >= since
