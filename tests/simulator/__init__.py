"""Twilio in miniature, over HTTP: what the tests, the demo and the benchmarks read from.

A `World` holds what Twilio holds and can be changed while it is read; a `Simulator` serves it,
records the requests that it gets and injects faults; `seeded_world` fills a world with messages
and conversations, every oddity among them that the tap has to survive.
"""

from __future__ import annotations

from tests.simulator.entities import (
    Account,
    Behaviour,
    Conversation,
    ConversationMessage,
    McsMedia,
    Media,
    Message,
    Service,
)
from tests.simulator.faults import Fault
from tests.simulator.recording import RecordedRequest
from tests.simulator.seed import seeded_world
from tests.simulator.server import Simulator
from tests.simulator.world import World

__all__ = [
    "Account",
    "Behaviour",
    "Conversation",
    "ConversationMessage",
    "Fault",
    "McsMedia",
    "Media",
    "Message",
    "RecordedRequest",
    "Service",
    "Simulator",
    "World",
    "seeded_world",
]
