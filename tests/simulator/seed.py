"""A world grown from a seed: the same for the same seed, time and sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulator.seed_conversations import add_conversations
from tests.simulator.seed_messages import add_messages
from tests.simulator.world import World

if TYPE_CHECKING:
    import datetime as dt


def seeded_world(
    seed: int = 7,
    now: dt.datetime | None = None,
    messages: int = 200,
    conversations: int = 12,
) -> World:
    """Grow a world in which every oddity happens at least once at the default sizes.

    Args:
        seed: Decides everything that is left to chance.
        now: The present of the virtual clock; by default the real one, to the second.
        messages: How many messages the main account has. Its subaccounts have a few more.
        conversations: How many conversations the main account has.

    Returns:
        The world: a main account and three subaccounts - one with traffic of its own, one
        suspended, one empty.
    """
    world = World(seed, now)
    add_messages(world, world.main, messages)
    add_conversations(world, world.main, conversations)
    busy = world.add_subaccount(friendly_name="Busy branch")
    add_messages(world, busy, min(messages, 40))
    add_conversations(world, busy, min(conversations, 4))
    suspended = world.add_subaccount("suspended", friendly_name="Suspended branch")
    add_messages(world, suspended, min(messages, 3))
    world.add_subaccount(friendly_name="Empty branch 🏢")
    return world
