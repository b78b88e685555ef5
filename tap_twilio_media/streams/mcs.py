"""Media of Conversations, kept by the Media Content Service (MCS)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_twilio_media.client.errors import GoneError
from tap_twilio_media.client.hosts import join, path
from tap_twilio_media.readers.lists import check_account
from tap_twilio_media.readers.talks import File
from tap_twilio_media.streams.conversations import ConversationMessages
from tap_twilio_media.streams.files import FileStream
from tap_twilio_media.texts import is_sid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from singer_sdk.helpers.types import Context, Record

    from tap_twilio_media.pool import Rank
    from tap_twilio_media.times import Precision


class McsMedia(FileStream):
    """A file of a conversation message (Twilio: "Conversations Media Resource")."""

    name = "mcs_media"
    parent_stream_type = ConversationMessages
    precision: Precision = "microseconds"  # type: ignore[misc]
    parents: Sequence[File]

    def ask(self, message: dict[str, Any], context: Context, rank: Rank) -> list[File]:
        """Have the files that a message names read ahead."""
        # What MCS may leave out of its answer.
        known = {
            "account_sid": context["account_sid"],
            "chat_service_sid": context["chat_service_sid"],
            "conversation_sid": message.get("conversation_sid"),
            "message_sid": message["sid"],
        }
        return [
            File(sid, self.run.pool.submit(rank, partial(self._read, sid, known)))
            for sid in _sids(message.get("media"))
        ]

    @override
    def get_records(self, context: Context | None) -> Iterable[Record]:
        return self.finished(self._rows())

    def _rows(self) -> Iterable[dict[str, Any]]:
        for file in self.parents:
            row = self.run.pool.result(file.row)
            if row is None:
                self.run.count("files of conversations that are gone", file.sid)
            else:
                yield row

    def _read(self, sid: str, known: dict[str, Any]) -> dict[str, Any] | None:
        if not is_sid(sid):
            return None
        client = self.run.own_client(known["account_sid"])
        assert client is not None  # noqa: S101 - ConversationServices has made sure
        link = path("v1", "Services", known["chat_service_sid"], "Media", sid)
        try:
            row = client.get(join(client.hosts.mcs, link)).body | {"sid": sid}
        except GoneError:
            return None
        check_account(row, known["account_sid"], "media")
        # The docs' table says file_name, every reply seen in public says filename.
        row.setdefault("filename", row.pop("file_name", None))
        row |= {name: value for name, value in known.items() if row.get(name) is None}
        self.keep_ahead(row)
        return row


def _sids(media: object) -> list[str]:
    """Return the sids of the files that a message names."""
    items = media if isinstance(media, list) else []
    sids = [item.get("sid") for item in items if isinstance(item, dict)]
    return [sid for sid in sids if isinstance(sid, str) and sid]
