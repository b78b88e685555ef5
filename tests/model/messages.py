"""What happens to messages and their media."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.simulator import Account, Message, World

    Event = Callable[[World, random.Random], None]

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
LONGEST_WAIT: Final = timedelta(days=35, hours=10)
"""Twilio holds a message back no longer than this after its creation."""


def some_account(world: World, chance: random.Random) -> Account:
    """Return an account that can do something."""
    return chance.choice([a for a in world.accounts.values() if a.status == "active"])


def some_message(world: World, chance: random.Random, *, sent: bool | None = None) -> Message:
    """Return a message, one that was sent, or one that was not; if there is none, a new one."""
    account = some_account(world, chance)
    found = [m for m in account.messages.values() if sent in {None, m.date_sent is not None}]
    if found:
        # The newest and the oldest are where readings begin and end.
        found.sort(key=lambda m: (m.date_sent or m.date_created, m.sid))
        return chance.choice([found[0], found[-1], chance.choice(found)])
    if sent:
        return world.add_message(account.sid)
    return world.add_message(account.sid, date_sent=None)


def receive(world: World, chance: random.Random) -> None:
    world.add_message(
        some_account(world, chance).sid,
        direction="inbound",
        status="received",
        num_media=chance.randrange(3),
    )


def send(world: World, chance: random.Random) -> None:
    world.add_message(some_account(world, chance).sid, status="sent", price=None)


def send_many(world: World, chance: random.Random) -> None:
    account_sid = some_account(world, chance).sid
    for number in range(chance.randrange(2, 9)):
        sent = world.now - chance.randrange(3) * HOUR / 60
        world.add_message(account_sid, date_sent=sent, num_media=int(number == 0))


def schedule(world: World, chance: random.Random) -> None:
    account_sid = some_account(world, chance).sid
    status = chance.choice(["scheduled", "queued", "accepted"])
    world.add_message(
        account_sid, date_sent=None, status=status, price=None, num_media=chance.randrange(2)
    )


def send_scheduled(world: World, chance: random.Random) -> None:
    message = some_message(world, chance, sent=False)
    if message.status not in {"canceled", "failed"}:
        world.update_message(message.sid, date_sent=world.now, status="sent", price="-0.0075")


def cancel(world: World, chance: random.Random) -> None:
    world.update_message(some_message(world, chance, sent=False).sid, status="canceled")


def fail_before_sending(world: World, chance: random.Random) -> None:
    message = some_message(world, chance, sent=False)
    world.update_message(message.sid, status="failed", error_code=30007)


def fail(world: World, chance: random.Random) -> None:
    message = some_message(world, chance, sent=True)
    world.update_message(message.sid, status="undelivered", error_code=30003)


def deliver(world: World, chance: random.Random) -> None:
    world.update_message(some_message(world, chance, sent=True).sid, status="delivered")


def settle_price(world: World, chance: random.Random) -> None:
    price = f"-0.{chance.randrange(1, 999):04d}"
    world.update_message(some_message(world, chance, sent=True).sid, price=price)


def read(world: World, chance: random.Random) -> None:
    world.update_message(some_message(world, chance, sent=True).sid, status="read")


def redact(world: World, chance: random.Random) -> None:
    world.update_message(some_message(world, chance).sid, body="")


def delete(world: World, chance: random.Random) -> None:
    world.delete_message(some_message(world, chance).sid)


def delete_file(world: World, chance: random.Random) -> None:
    message = some_message(world, chance)
    if message.media:
        world.delete_media(chance.choice(message.media).sid)


def show_late(world: World, chance: random.Random) -> None:
    """A message appears in the list hours after it was sent, as if it had always been there."""
    sent = world.now - chance.choice([0.2, 2, 9, 30]) * HOUR
    world.add_message(
        some_account(world, chance).sid, date_sent=sent, num_media=chance.randrange(2)
    )


EVENTS: Final[tuple[Event, ...]] = (
    receive,
    send,
    send_many,
    schedule,
    send_scheduled,
    cancel,
    fail_before_sending,
    fail,
    deliver,
    settle_price,
    read,
    redact,
    delete,
    delete_file,
    show_late,
)
