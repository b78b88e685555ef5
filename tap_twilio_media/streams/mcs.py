"""Media of Conversations, kept by the Media Content Service (MCS)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_twilio_media.client.errors import GoneError
from tap_twilio_media.client.hosts import join
from tap_twilio_media.readers.lists import check_account
from tap_twilio_media.streams.base import IncrementalStream
from tap_twilio_media.streams.conversations import ConversationMessages

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from singer_sdk.helpers.types import Context, Record

    from tap_twilio_media.times import Precision


class McsMedia(IncrementalStream):
    """A file of a conversation message (Twilio: "Conversations Media Resource")."""

    name = "mcs_media"
    parent_stream_type = ConversationMessages
    precision: Precision = "microseconds"  # type: ignore[misc]

    @property
    @override
    def lookback(self) -> timedelta:
        return self.run.settings.media_lookback

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        assert context is not None  # noqa: S101 - a child stream always has one
        for reference in self.parents:
            if row := self._media(reference, context):
                yield self.typed(row)

    def _media(self, reference: dict[str, Any], context: Context) -> dict[str, Any] | None:
        account_sid, service_sid = context["account_sid"], context["chat_service_sid"]
        client = self.run.own_client(account_sid)
        assert client is not None  # noqa: S101 - ConversationServices has made sure
        path = f"/v1/Services/{service_sid}/Media/{reference['sid']}"
        try:
            row = client.get(join(client.hosts.mcs, path)).body
        except GoneError:
            self.run.count("files of conversations that are gone", reference["sid"])
            return None
        check_account(row, account_sid, "media")
        # The docs' table says file_name, every reply seen in public says filename.
        row.setdefault("filename", row.pop("file_name", None))
        known = {**reference, "account_sid": account_sid, "chat_service_sid": service_sid}
        return row | {name: value for name, value in known.items() if row.get(name) is None}
