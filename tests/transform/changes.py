"""Accounts whose rows change as Twilio's do, and in ways that Twilio's should not."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

Row = dict[str, Any]

FIRST: Final = dt.datetime(2026, 3, 1)  # noqa: DTZ001 - warehouses hold UTC without saying so
HOUR: Final = dt.timedelta(hours=1)
DAYS: Final = 60

_STATUSES: Final = ("queued", "sent", "delivered", "undelivered", "failed", "received")
_ADDRESSES: Final = ("+15550001", "+15550002", "whatsapp:+49151", "rcs:brand", "ACME", None)
_AUTHORS: Final = ("agent_1", "whatsapp:+49151", "+15550001", "a@example.com", "system", None)
_TYPES: Final = ("image/jpeg", "Image/PNG", "audio/ogg; codecs=opus", "application/pdf", "x", None)
_PRICES: Final = (None, "-0.0075", "-0.01", "-0.02", "0", "-12345.678901")


class Account:
    """What one account has, all of which may change.

    Args:
        chance: Decides everything.
    """

    def __init__(self, chance: Random) -> None:
        self.rows: dict[str, dict[str, Row]] = defaultdict(dict)
        self._chance = chance
        self._touched: dict[tuple[str, str], None] = {}
        self._deeds: tuple[Callable[[], None], ...] = (
            self._send,
            self._send,
            self._talk,
            self._change_message,
            self._change_message,
            self._change_price,
            self._change_talk,
            self._store,
            self._add_media,
            self._add_media,
            self._know_file,
            self._move,
            self._move,
            self._repeat,
        )

    def changed(self, deeds: int) -> dict[str, list[Row]]:
        """Let so much happen: the rows, by stream, that are new or other than they were."""
        self._touched.clear()
        for _ in range(deeds):
            self._chance.choice(self._deeds)()
        found: dict[str, list[Row]] = defaultdict(list)
        for stream, sid in self._touched:
            found[stream].append(dict(self.rows[stream][sid]))
        return found

    def _put(self, stream: str, row: Row) -> None:
        self.rows[stream][row["sid"]] = row
        self._touched[stream, row["sid"]] = None

    def _sid(self, prefix: str) -> str:
        return f"{prefix}{self._chance.getrandbits(64):016x}"

    def _moment(self) -> dt.datetime:
        # Days with many and days with hardly any; near midnight as a rule, where time zones matter.
        day = int(DAYS * self._chance.random() ** 3)
        hours = 24 * day + self._chance.choice((0, 1, 22, 23, 12))
        return FIRST + hours * HOUR + dt.timedelta(seconds=self._chance.randrange(3600))

    def _some(self, *streams: str) -> tuple[str, Row] | None:
        known = [(stream, sid) for stream in streams for sid in self.rows[stream]]
        if not known:
            return None
        stream, sid = self._chance.choice(known)
        return stream, self.rows[stream][sid]

    def _change(self, *streams: str, **fields: Any) -> None:
        if found := self._some(*streams):
            stream, row = found
            self._put(stream, row | fields)

    def _send(self) -> None:
        chance = self._chance
        sid, sent = self._sid("MM"), self._moment()
        media = chance.choice((0, 0, 1, 1, 3))
        row: Row = {
            "sid": sid,
            "account_sid": chance.choice(("AC1", "AC2")),
            "date_created": sent,
            "direction": chance.choice(("inbound", "outbound-api")),
            "from": chance.choice(_ADDRESSES),
            "to": chance.choice(_ADDRESSES),
            "status": chance.choice(_STATUSES),
            "num_media": media,
            "num_segments": chance.randrange(4),
        }
        # Now and then its media are there before it is: it comes with the next run, if at all.
        if chance.random() < 0.9 or not media:
            self._put("messages", row)
        for _ in range(media):
            self._attach(sid, row["account_sid"], sent)

    def _attach(self, message_sid: str, account_sid: str, sent: dt.datetime) -> None:
        media = {
            "sid": self._sid("ME"),
            "account_sid": account_sid,
            "message_sid": message_sid,
            "content_type": self._chance.choice(_TYPES),
            "date_created": sent
            + self._chance.choice((0, 1, 3600, 86_400)) * dt.timedelta(seconds=1),
        }
        self._put("message_media", media)

    def _add_media(self) -> None:
        if found := self._some("messages", "message_media"):
            _, row = found
            message_sid = row.get("message_sid") or row["sid"]
            self._attach(str(message_sid), row["account_sid"], row["date_created"])

    def _talk(self) -> None:
        chance = self._chance
        sid, sent = self._sid("IM"), self._moment()
        files = [
            {"sid": self._sid("ME"), "size": chance.randrange(5000), "content_type": "image/gif"}
            for _ in range(chance.choice((0, 1, 1, 2)))
        ]
        row = {
            "sid": sid,
            "account_sid": "AC1",
            "chat_service_sid": "IS1",
            "conversation_sid": "CH1",
            "author": chance.choice(_AUTHORS),
            "media": files or None,
            "date_created": sent,
        }
        self._put("conversation_messages", row)

    def _know_file(self) -> None:
        """MCS is asked for a file, whether a message lists it or not."""
        found = self._some("conversation_messages")
        if not found:
            return
        _, message = found
        known = [file["sid"] for file in message["media"] or ()] or [self._sid("ME")]
        self._put(
            "mcs_media",
            {
                "sid": self._chance.choice(known),
                "account_sid": "AC1",
                "chat_service_sid": "IS1",
                "conversation_sid": "CH1",
                "message_sid": message["sid"],
                "size": self._chance.randrange(5000),
                "content_type": self._chance.choice(_TYPES),
                "date_created": self._chance.choice((message["date_created"], self._moment())),
            },
        )

    def _change_message(self) -> None:
        chance = self._chance
        fields: list[Row] = [
            {"status": chance.choice(_STATUSES)},
            {"status": "undelivered", "error_code": chance.choice((30003, 30007))},
            {"num_segments": chance.randrange(5)},
            {"num_media": chance.choice((None, 0, 1))},
            {"from": chance.choice(_ADDRESSES)},
        ]
        self._change("messages", **chance.choice(fields))

    def _change_price(self) -> None:
        price = self._chance.choice(_PRICES)
        unit = self._chance.choice(("USD", "EUR")) if price else None
        self._change("messages", price=price and Decimal(price), price_unit=unit)

    def _change_talk(self) -> None:
        # The files of a message are the one thing that Twilio lets nobody change.
        self._change("conversation_messages", author=self._chance.choice(_AUTHORS))

    def _store(self) -> None:
        content = self._chance.randrange(6)
        stored = {
            "file_status": "stored",
            "file_path": f"{content}.jpg",
            "file_size": 100 * content,
            "file_sha256": hashlib.sha256(bytes([content])).hexdigest(),
        }
        missed = {"file_status": "not_found"}
        self._change(
            "message_media", "mcs_media", **(stored if self._chance.random() < 0.8 else missed)
        )

    def _move(self) -> None:
        """To another day, which Twilio does only to what is imported."""
        streams = ("messages", "message_media", "conversation_messages", "mcs_media")
        self._change(*streams, date_created=self._moment())

    def _repeat(self) -> None:
        """What lies within the lookback comes again as it was."""
        self._change("messages", "message_media", "conversation_messages", "mcs_media")
