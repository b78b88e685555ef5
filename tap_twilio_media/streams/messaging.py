"""Messages and their media, of the 2010 API."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_twilio_media.client.errors import GoneError, StoppedError
from tap_twilio_media.client.hosts import API_VERSION, join
from tap_twilio_media.client.pages import pages
from tap_twilio_media.errors import TapError
from tap_twilio_media.readers.lists import check_account
from tap_twilio_media.readers.messages import Frontier, MessagesReader
from tap_twilio_media.streams.accounts import Accounts
from tap_twilio_media.streams.base import IncrementalStream
from tap_twilio_media.streams.family import Family
from tap_twilio_media.times import written
from tap_twilio_media.windows import SCHEDULING_HORIZON, first_listed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from singer_sdk.helpers.types import Context, Record

    from tap_twilio_media.readers.messages import Sighting

logger = logging.getLogger("tap-twilio-media")


class Messages(IncrementalStream):
    """A message sent or received (Twilio: "Messages resource")."""

    name = "messages"
    parent_stream_type = Accounts

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        assert context is not None  # noqa: S101 - a child stream always has one
        try:
            yield from self._read_family(context)
        except StoppedError:
            raise
        except TapError as error:
            names = [stream.name for stream in (self, *self.child_streams) if stream.selected]
            self.run.fail(context["account_sid"], names, error)

    def _read_family(self, context: Context) -> Iterable[Record]:
        settings, account_sid = self.run.settings, context["account_sid"]
        reader = MessagesReader(self.run.client(account_sid), account_sid, settings.page_size)
        now = self.run.now(reader.open())
        members = [self, *(s for s in self.child_streams if isinstance(s, IncrementalStream))]
        floor = None if settings.full_scan else first_listed(now)
        family = Family(self.run, members, context, floor=floor)
        horizon = now - SCHEDULING_HORIZON
        own, media = (_Share.of(family, stream, horizon) for stream in (self, members[-1]))

        if settings.full_scan:
            events = reader.read_all(now)
        else:
            newest_start = max(family.start, now - settings.lookback)
            events = reader.read(family.start, newest_start, settings.end_date, now)
        logger.info(
            "account %s: reading messages from %s", account_sid, written(family.start, "seconds")
        )
        has_news = False
        for event in events:
            if isinstance(event, Frontier):
                family.complete(event.until, is_newest=event.is_newest)
                if has_news:
                    self.run.bookmarks.emit()
                has_news = False
                continue
            self.tell_request(event.seconds, "Messages.json", context)
            parents = [
                seen.row
                for seen in event.rows
                if media.wants(seen) and may_have_media(seen.row) and self.passes(seen.row)
            ]
            for seen in event.rows:
                if own.wants(seen):
                    yield self.typed(seen.row)
            self.sync_children_of(parents, context)
            has_news = has_news or bool(event.rows)


class MessageMedia(IncrementalStream):
    """A file of a message (Twilio: "Media subresource"). Its bytes are at `content_url`."""

    name = "message_media"
    parent_stream_type = Messages

    @property
    @override
    def lookback(self) -> timedelta:
        return self.run.settings.media_lookback

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        assert context is not None  # noqa: S101 - a child stream always has one
        for message in self.parents:
            for row in self._media_of(message, context["account_sid"]):
                yield self.typed(row)

    def _media_of(self, message: dict[str, Any], account_sid: str) -> list[dict[str, Any]]:
        client, message_sid = self.run.client(account_sid), message["sid"]
        base = client.hosts.api
        folder = f"{API_VERSION}/Accounts/{account_sid}/Messages/{message_sid}/Media"
        query = {"PageSize": str(self.run.settings.page_size)}
        try:
            listed = list(pages(client, base, f"{folder}.json", "media_list", query))
        except GoneError:
            self.run.count("messages deleted before their media were read", message_sid)
            return []
        rows = [row for page in listed for row in page.rows]
        if not rows and message.get("num_media") is not None:
            self.run.count("messages whose media are gone", message_sid)
        for row in rows:
            check_account(row, account_sid, "media")
            row["message_sid"] = message_sid
            # Built from sids: old rows bear another form of `uri` (Twilio's docs of the Media).
            row["content_url"] = join(base, f"{folder}/{row['sid']}")
        return rows


def may_have_media(message: dict[str, Any]) -> bool:
    """Return whether a message is worth a request for its media: its count is not zero."""
    return message.get("num_media") not in {"0", 0}


@dataclass(frozen=True, slots=True)
class _Share:
    """Which of the messages of a pass concern one of its streams."""

    since: datetime | None
    unsent_since: datetime | None

    @classmethod
    def of(cls, family: Family, stream: IncrementalStream, horizon: datetime) -> _Share:
        return cls(family.since(stream), family.unsent_since(stream, horizon))

    def wants(self, seen: Sighting) -> bool:
        since = self.since if seen.is_sent else self.unsent_since
        return since is not None and seen.moment >= since
