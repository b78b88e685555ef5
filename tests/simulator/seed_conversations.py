"""Seeded conversation services: conversations in every state, imports, edits, gaps and files."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.simulator.entities import Account, Conversation, Service
    from tests.simulator.world import World

DAY: Final = dt.timedelta(days=1)
MINUTE: Final = dt.timedelta(minutes=1)

_OLDEST_DAYS: Final = 700


def add_conversations(world: World, account: Account, count: int) -> None:
    """Fill an account with three services, one of them empty, and conversations in two.

    Args:
        world: The world.
        account: The account.
        count: How many conversations; the odd ones come first, as far as the number goes.
    """
    first_day = world.now - _OLDEST_DAYS * DAY
    dates: dict[str, Any] = {"date_created": first_day, "date_updated": first_day}
    main = world.add_service(account.sid, default=True, friendly_name="Default service", **dates)
    flex = world.add_service(account.sid, friendly_name="Flex Chat 客服", **dates)
    world.add_service(account.sid, friendly_name="", date_created=first_day + DAY)
    makers = (_closed_long_ago, _closed_lately, _inactive, _initializing, _imported, _oddities)
    for number in range(count):
        service = main if number % 2 == 0 else flex
        # Each odd one in both services before the ordinary ones come.
        turn = number // 2
        maker = makers[turn] if turn < len(makers) else _ordinary
        maker(world, service)


def _talk(
    world: World, conversation: Conversation, count: int, since: dt.datetime, **fields: Any
) -> None:
    for number in range(count):
        created = since + number * 3 * MINUTE
        author = ("system", "whatsapp:+4915112345678", "agent_1", None)[number % 4]
        world.add_conversation_message(
            conversation.sid,
            date_created=min(created, world.now),
            author=author,
            body=f"Line {number} 💬",
            **fields,
        )


def _closed_long_ago(world: World, service: Service) -> None:
    created = world.now - 600 * DAY
    conversation = world.add_conversation(service.sid, date_created=created, state="closed")
    _talk(world, conversation, 4, created, media=1, date_updated=None)
    closed = created + DAY
    world.update_conversation(
        conversation.sid, date_closed=closed, date_inactive=created, date_updated=closed
    )


def _closed_lately(world: World, service: Service) -> None:
    created = world.now - 45 * DAY
    conversation = world.add_conversation(service.sid, date_created=created, state="closed")
    _talk(world, conversation, 120, world.now - 2 * DAY)
    closed = world.now - DAY
    world.update_conversation(conversation.sid, date_closed=closed, date_updated=closed)


def _inactive(world: World, service: Service) -> None:
    created = world.now - 100 * DAY
    conversation = world.add_conversation(
        service.sid,
        date_created=created,
        state="inactive",
        date_inactive=created + 5 * DAY,
        friendly_name="Ünïcode 🎉 «name»",
        unique_name=f"ticket-{world.random.randrange(10**6)}",
    )
    _talk(world, conversation, 7, created)
    edited = world.add_conversation_message(
        conversation.sid, date_created=created + DAY, body="Before"
    )
    world.update_conversation_message(
        edited.sid, body="After the edit", date_updated=world.now - 3 * DAY
    )


def _initializing(world: World, service: Service) -> None:
    world.add_conversation(service.sid, state="initializing", friendly_name=None)


def _imported(world: World, service: Service) -> None:
    # Created ten days ago to hold a history that is two years old.
    conversation = world.add_conversation(service.sid, date_created=world.now - 10 * DAY)
    _talk(world, conversation, 5, world.now - 680 * DAY, date_updated=None)
    _talk(world, conversation, 2, world.now - 9 * DAY)


def _oddities(world: World, service: Service) -> None:
    created = world.now - 6 * DAY
    attributes = json.dumps({"nested": {"ключ": ["значение", None]}, "quote": '"'})
    conversation = world.add_conversation(
        service.sid, date_created=created, attributes=attributes, messaging_service_sid=None
    )

    def say(minute: int, **fields: Any) -> str:
        when = created + minute * MINUTE
        message = world.add_conversation_message(conversation.sid, date_created=when, **fields)
        return message.sid

    say(1, body="A NUL \x00, שלום, 👋🏽\nnew line")
    say(2, body=None, media=2, content_types=("image/png", "image/jpeg"))
    say(3, index=7, author=None, attributes=attributes)  # what lay between was deleted
    world.delete_conversation_message(say(4, body="Deleted", media=1))
    mail = {"filename": None, "category": "body", "author": None}
    say(5, media=1, content_types=("text/html",), media_fields=mail)
    history = mail | {"category": "history", "names_parents": False}
    say(6, media=1, content_types=("text/plain",), media_fields=history)
    strange = {"filename": "../../étrange \u202egnp.exe", "names_parents": False}
    say(7, media=1, media_fields=strange)
    say(8, media=1, media_fields={"ready": False})
    gone = world.find_conversation_message(say(9, media=2))
    world.delete_mcs_media(gone.media[0].sid)
    delivery = {"total": "1", "sent": "all", "delivered": "some", "read": "none"}
    say(10, delivery=delivery, date_updated=created + DAY, participant_sid=world.sid("MB"))


def _ordinary(world: World, service: Service) -> None:
    chance = world.random
    created = world.now - chance.uniform(0, _OLDEST_DAYS) * DAY
    state = chance.choice(("active", "active", "inactive", "closed"))
    conversation = world.add_conversation(service.sid, date_created=created, state=state)
    _talk(world, conversation, chance.randrange(1, 12), created, media=chance.choice((0, 0, 0, 1)))
    if state == "closed":
        closed = min(world.now, created + DAY)
        world.update_conversation(conversation.sid, date_closed=closed, date_updated=closed)
