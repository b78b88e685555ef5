"""What Twilio holds, counted without the tap and without SQL, and what the tap makes of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.running import STREAMS, run_tap
from tests.simulator import Simulator, seeded_world
from tests.target.running import subaccounts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.simulator import World
    from tests.simulator.entities import ConversationMessage, McsMedia, Media, Message

FAMILIES = {"image", "video", "audio", "text"}


class Twilio:
    """What the world holds, counted without the tap and without SQL."""

    def __init__(self, world: World) -> None:
        self.world = world
        accounts = [each for each in world.accounts.values() if each.status == "active"]
        self.messages: list[Message] = [m for each in accounts for m in each.messages.values()]
        self.talk: list[ConversationMessage] = [
            message
            for each in accounts
            for service in each.services.values()
            for conversation in service.conversations.values()
            for message in conversation.messages.values()
        ]

    def media(self) -> Iterator[tuple[Message, Media]]:
        """Yield the media of messages, each with its message."""
        return ((message, media) for message in self.messages for media in message.media)

    def files(self) -> Iterator[tuple[ConversationMessage, McsMedia]]:
        """Yield the files of conversations, those that MCS has lost included."""
        return ((message, media) for message in self.talk for media in message.media)


def family(content_type: str) -> str:
    first, _, _ = content_type.partition("/")
    return first if first in FAMILIES else {"application": "document"}.get(first, "other")


def address_channel(address: str | None) -> str | None:
    prefix, colon, _ = (address or "").partition(":")
    return prefix if colon else None


def channel(message: Message, *, has_media: bool) -> str:
    by_address = address_channel(message.from_) or address_channel(message.to)
    return by_address or ("mms" if has_media else "sms")


def with_old_media() -> Twilio:
    """Return an account with media that will be gone in ten days."""
    world = seeded_world(seed=7)
    types = ("image/jpeg", "video/mp4", "application/pdf")
    old = world.now - dt.timedelta(days=390)
    world.add_message(date_sent=old, num_media=3, content_types=types, price="-0.02")
    return Twilio(world)


def loaded(twilio: Twilio, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return what the tap writes, with the files of images below a folder."""
    with Simulator(twilio.world) as sim:
        settings = {
            "include_subaccounts": True,
            "media_hosts": ["127.0.0.1"],
            "download": {"output_path": str(folder), "content_types": ["image/*"]},
            **subaccounts(twilio.world),
        }
        output = run_tap(sim.config() | settings)
    assert output.error is None
    return {stream: output.records(stream) for stream in STREAMS}
