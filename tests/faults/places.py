"""Where things can go wrong: the endpoints, and a small world for each that asks it a lot."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from tests.simulator import World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DAY: Final = timedelta(days=1)
NOW: Final = datetime(2024, 2, 1, 12, tzinfo=timezone.utc)
"""Long ago, so that Twilio's clock decides and every run asks the same."""


@dataclass(frozen=True)
class Place:
    """An endpoint of the matrix.

    Attributes:
        name: Its name in the table.
        host: The host of the simulator that it belongs to.
        endpoints: What the simulator calls it.
        select: The streams that are read.
        fill: Fills a world so that about so many requests are made there.
        config: Further settings.
    """

    name: str
    host: str
    endpoints: tuple[str, ...]
    select: tuple[str, ...]
    fill: Callable[[World, int], None]
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_files(self) -> bool:
        """Whether files are downloaded."""
        return "signed_content" in self.endpoints

    def world(self, size: int) -> World:
        """Return its world, the same every time."""
        world = World(seed=size, now=NOW)
        self.fill(world, size)
        return world


def _accounts(world: World, size: int) -> None:
    # Half as many, here and below, where one request waits for the other.
    for _ in range(size // 2 - 1):
        world.add_subaccount()


def _messages(world: World, size: int) -> None:
    for number in range(2 * size):
        world.add_message(date_sent=NOW - number * 390 * DAY / (2 * size))


def _message_media(world: World, size: int) -> None:
    for number in range(size):
        world.add_message(date_sent=NOW - number * 390 * DAY / size, num_media=1 + number % 2)


def _services(world: World, size: int) -> None:
    for number in range(size // 2):
        world.add_service(default=not number)


def _conversations(world: World, size: int) -> None:
    for number in range(size // 2):
        if number % 20 == 0:
            service = world.add_service(default=not number)
        world.add_conversation(service.sid, date_created=NOW - number * DAY)


def _talk(world: World, talks: int, messages: int, media: int) -> None:
    for number in range(talks):
        if number % 60 == 0:
            service = world.add_service(default=not number)
        talk = world.add_conversation(service.sid, date_created=NOW - (number + 1) * DAY)
        for minute in range(messages):
            moment = talk.date_created + minute * DAY / 100
            world.add_conversation_message(talk.sid, date_created=moment, media=media)


def _conversation_messages(world: World, size: int) -> None:
    _talk(world, size // 2, messages=3, media=0)


def _mcs(world: World, size: int) -> None:
    _talk(world, math.ceil(size / 4), messages=4, media=1)


def _binary(world: World, size: int) -> None:
    _message_media(world, size // 4)
    _talk(world, math.ceil(size / 12), messages=3, media=1)


PLACES: Final = (
    Place(
        "accounts",
        "api",
        ("accounts",),
        ("accounts",),
        _accounts,
        {"include_subaccounts": True, "page_size": 1},
    ),
    Place("messages", "api", ("messages",), ("messages",), _messages, {"page_size": 3}),
    Place("media list", "api", ("media_list",), ("messages", "message_media"), _message_media),
    Place(
        "services",
        "conversations",
        ("services",),
        ("conversation_services",),
        _services,
        {"page_size": 1},
    ),
    Place(
        "conversations",
        "conversations",
        ("conversations",),
        ("conversations",),
        _conversations,
        {"page_size": 1},
    ),
    Place(
        "conversation messages",
        "conversations",
        ("conversation_messages",),
        ("conversation_messages",),
        _conversation_messages,
        {"page_size": 2},
    ),
    Place("MCS", "mcs", ("mcs_media",), ("mcs_media",), _mcs),
    Place(
        "binary",
        "media",
        ("media_content", "signed_content"),
        ("message_media", "mcs_media"),
        _binary,
    ),
)
