"""Seeded messages: first every oddity, then ordinary traffic."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

from tests.simulator.messaging import CONTENT_TYPES

if TYPE_CHECKING:
    from tests.simulator.entities import Account
    from tests.simulator.world import World

HOUR: Final = dt.timedelta(hours=1)
DAY: Final = dt.timedelta(days=1)

_OLDEST_DAYS: Final = 380
_BUSY_DAYS: Final = 7
_BUSY_SHARE: Final = 0.4
_MMS_SHARE: Final = 0.15

_INBOUND: Final = {"status": "received", "direction": "inbound"}
_TEXTS: Final = (
    "Your order has shipped.",
    "Running 10 minutes late, sorry!",
    "Code 493817. Do not share it.",
    "Danke, bis morgen 👋",
    "¿Puede llamarme mañana?",
    "写真を送りました",
    "STOP",
)

# (age in days or None for never sent, fields). Ages differ, so that no order rests on luck.
_ODDITIES: Final[tuple[tuple[float | None, dict[str, Any]], ...]] = (
    # bodies
    (0.5, {"body": "Emoji 👩‍👩‍👧‍👦🏳️‍🌈 and a\nnew line\r\nand a\ttab"}),
    (0.6, {"body": "A NUL \x00 in the middle"}),
    (0.7, {"body": '"Quotes", \'more\', back\\slash, comma, {"json": true}'}),
    (0.8, {"body": "שבת \u202eבבת\u202c مرحبا"}),
    (20.0, {"body": "", "date_updated_hours": 30}),  # redacted
    (1.5, {"body": "x" * 1600, "num_segments": 11}),
    (1.6, {"body": "\u2028line separator, \ufeffbyte order mark, \U0001f9ff"}),
    # senders and receivers
    (2.1, {"from_": "whatsapp:+14155238886", "to": "whatsapp:+4915112345678", "status": "read"}),
    (2.2, {"from_": "ACME Alerts", "messaging_service_sid": "MG"}),
    (2.3, {"from_": "72975", "price": "-0.01"}),
    (2.4, {**_INBOUND, "from_": "whatsapp:+4915112345678", "to": "whatsapp:+14155238886"}),
    (2.5, {**_INBOUND, "to": "72975", "price": "-0.0075"}),
    (2.6, {"to": "rcs:acme_agent", "from_": None, "messaging_service_sid": "MG"}),
    # directions, prices and errors
    (3.1, {"direction": "outbound-reply", "status": "sent", "date_updated_hours": 2}),
    (3.2, {"direction": "outbound-call"}),
    (3.3, {"price": None, "price_unit": None, "status": "sending"}),
    (3.4, {"status": "undelivered", "error_code": 30003, "error_message": "Unreachable handset"}),
    (3.5, {"status": "partially_delivered", "price": "-12345.678900"}),
    (40.0, {"status": "failed", "error_code": 30007, "price": "0"}),
    # media: the prefix of a sid says nothing about them
    (4.1, {"num_media": 1, "sid": "SM"}),
    (4.2, {"num_media": 0, "sid": "MM"}),
    (4.3, {"num_media": 10}),
    (4.4, {**_INBOUND, "num_media": 2, "content_types": ("audio/ogg; codecs=opus", "text/vcard")}),
    (4.5, {"num_media": 1, "deleted_media": 1}),
    (200.0, {"num_media": 3, "deleted_media": 1}),
    (379.0, {"num_media": 1, "body": ""}),
    # scheduled long before it was sent
    (1.1, {"created_days": 35, "messaging_service_sid": "MG", "num_segments": 0}),
    (90.0, {"created_days": 35.4, "messaging_service_sid": "MG", "num_media": 1}),
    # never sent, or not yet
    (None, {"status": "scheduled", "created_days": 30, "messaging_service_sid": "MG"}),
    (None, {"status": "scheduled", "created_days": 0.01, "messaging_service_sid": "MG"}),
    (None, {"status": "canceled", "created_days": 12, "messaging_service_sid": "MG"}),
    (None, {"status": "canceled", "created_days": 300, "messaging_service_sid": "MG"}),
    (None, {"status": "failed", "created_days": 5, "error_code": 21610, "num_media": 1}),
    (None, {"status": "accepted", "created_days": 0.001, "messaging_service_sid": "MG"}),
    (None, {"status": "queued", "created_days": 0.002}),
)


def add_messages(world: World, account: Account, count: int) -> None:
    """Fill an account with messages.

    Args:
        world: The world.
        account: The account.
        count: How many; the oddities come first, as far as the number goes.
    """
    for age, fields in _ODDITIES[:count]:
        _add_odd(world, account, age, dict(fields))
    left = count - min(count, len(_ODDITIES))
    _add_same_second(world, account, min(left, 5))
    for _ in range(left - min(left, 5)):
        _add_ordinary(world, account)


def _add_odd(world: World, account: Account, age: float | None, fields: dict[str, Any]) -> None:
    sent = None if age is None else world.now - age * DAY
    created_days = fields.pop("created_days", None)
    if sent is None:
        created = world.now - created_days * DAY
        fields |= {"price": None, "num_segments": 0}
        if fields["status"] in {"canceled", "scheduled", "accepted"}:
            fields["from_"] = None
    else:
        created = sent - (created_days * DAY if created_days else 2 * DAY / 86_400)
    if "sid" in fields:
        fields["sid"] = world.sid(fields["sid"])
    if "messaging_service_sid" in fields:
        fields["messaging_service_sid"] = world.sid("MG")
    if hours := fields.pop("date_updated_hours", None):
        fields["date_updated"] = (sent or created).replace(microsecond=0) + hours * HOUR
    deleted = fields.pop("deleted_media", 0)
    message = world.add_message(account.sid, date_sent=sent, date_created=created, **fields)
    for media in message.media[:deleted]:
        world.delete_media(media.sid)


def _add_same_second(world: World, account: Account, count: int) -> None:
    sent = world.now - 3 * DAY
    for number in range(count):
        created = sent - dt.timedelta(seconds=number // 2)
        world.add_message(account.sid, date_sent=sent, date_created=created, body=f"Blast {number}")


def _add_ordinary(world: World, account: Account) -> None:
    chance = world.random
    busy = chance.random() < _BUSY_SHARE
    days = chance.uniform(0, _BUSY_DAYS) if busy else chance.uniform(_BUSY_DAYS, _OLDEST_DAYS)
    sent = (world.now - days * DAY).replace(microsecond=0)
    number = f"+1555{chance.randrange(10_000_000):07d}"
    inbound = chance.random() < 1 / 3
    sides = {"from_": number, "to": "+15005550006"} if inbound else {"to": number}
    media = chance.choice((1, 1, 1, 2, 3)) if chance.random() < _MMS_SHARE else 0
    first = chance.randrange(len(CONTENT_TYPES))
    world.add_message(
        account.sid,
        date_sent=sent,
        date_created=sent - dt.timedelta(seconds=chance.randrange(4)),
        date_updated=min(world.now, sent + chance.choice((0, 0, 2, 5)) * HOUR),
        body=chance.choice(_TEXTS),
        num_media=media,
        content_types=CONTENT_TYPES[first : first + 3],
        **sides,
        **(_INBOUND if inbound else {}),
    )
