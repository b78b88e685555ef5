"""What happens to conversations, and to accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.model.messages import DAY, HOUR, some_account

if TYPE_CHECKING:
    import random

    from tests.model.messages import Event
    from tests.simulator import Conversation, ConversationMessage, World

MOST_SUBACCOUNTS: Final = 2


def add_service(world: World, chance: random.Random) -> None:
    account = some_account(world, chance)
    if len(account.services) < 3:
        world.add_service(account.sid, default=not account.services)


def some_service(world: World, chance: random.Random) -> str:
    """Return the sid of a service, a new one if there is none."""
    account = some_account(world, chance)
    if not account.services:
        world.add_service(account.sid, default=True)
    return chance.choice(list(account.services))


def some_talk(world: World, chance: random.Random, *, closed: bool = False) -> Conversation:
    """Return a conversation that is not closed or, if it may be, any."""
    talks = list(world.find_service(some_service(world, chance)).conversations.values())
    found = [talk for talk in talks if closed or talk.state != "closed"]
    # The first one grows until it has pages.
    return chance.choice([found[0], *found]) if found else start_talk(world, chance)


def start_talk(world: World, chance: random.Random) -> Conversation:
    talk = world.add_conversation(some_service(world, chance))
    world.add_conversation_message(talk.sid, media=chance.randrange(2))
    return talk


def some_words(world: World, chance: random.Random) -> ConversationMessage:
    """Return a message of a conversation."""
    talk = some_talk(world, chance, closed=True)
    found = list(talk.messages.values())
    if found:
        return chance.choice([found[0], found[-1], chance.choice(found)])
    return next(iter(start_talk(world, chance).messages.values()))


def open_talk(world: World, chance: random.Random) -> None:
    start_talk(world, chance)


def write(world: World, chance: random.Random) -> None:
    talk = some_talk(world, chance)
    for _ in range(chance.choice([1, 1, 4])):
        world.add_conversation_message(talk.sid, media=chance.randrange(2))


def close_talk(world: World, chance: random.Random) -> None:
    world.close_conversation(some_talk(world, chance).sid)


def rename_talk(world: World, chance: random.Random) -> None:
    talk = some_talk(world, chance, closed=True)
    # Whether the date moves is not documented.
    dates = {} if chance.randrange(2) else {"date_updated": talk.date_updated}
    world.update_conversation(talk.sid, friendly_name=f"Talk {chance.random()}", **dates)


def import_talk(world: World, chance: random.Random) -> None:
    """A conversation appears whose creation, and whose messages', lies back in time."""
    created = world.now - chance.choice([2 * HOUR, DAY, 20 * DAY, 500 * DAY])
    talk = world.add_conversation(some_service(world, chance), date_created=created)
    import_into(world, chance, talk)


def import_words(world: World, chance: random.Random) -> None:
    """Old messages are put into a conversation that is there."""
    import_into(world, chance, some_talk(world, chance))


def import_into(world: World, chance: random.Random, talk: Conversation) -> None:
    """Add messages with dates of the past, the eldest first."""
    ages = chance.choice([(HOUR, DAY, 4 * DAY), (30 * DAY, 600 * DAY)])
    dates: dict[str, Any] = {"date_updated": world.now} if chance.randrange(4) == 0 else {}
    some = [chance.choice(ages) for _ in range(chance.randrange(1, 6))]
    for age in sorted(some, reverse=True):
        files = chance.randrange(2)
        world.add_conversation_message(talk.sid, date_created=world.now - age, media=files, **dates)


def edit(world: World, chance: random.Random) -> None:
    body = f"Edited {chance.random()}"
    world.update_conversation_message(some_words(world, chance).sid, body=body)


def receipt(world: World, chance: random.Random) -> None:
    """The summary of receipts changes; no date does."""
    words = some_words(world, chance)
    delivery = {"total": "1", "read": chance.choice(["none", "some", "all"])}
    dates = {"date_updated": words.date_updated}
    world.update_conversation_message(words.sid, delivery=delivery, **dates)


def delete_words(world: World, chance: random.Random) -> None:
    world.delete_conversation_message(some_words(world, chance).sid)


def delete_talk(world: World, chance: random.Random) -> None:
    world.delete_conversation(some_talk(world, chance, closed=True).sid)


def delete_mcs_file(world: World, chance: random.Random) -> None:
    words = some_words(world, chance)
    held = [file.sid for file in words.media if file.sid in world.mcs_media]
    if held:
        world.delete_mcs_media(chance.choice(held))


def open_account(world: World, chance: random.Random) -> None:
    if len(world.accounts) <= MOST_SUBACCOUNTS:
        account = world.add_subaccount()
        for _ in range(chance.randrange(3)):
            world.add_message(account.sid, num_media=chance.randrange(2))


def some_subaccount(world: World, chance: random.Random, status: str, becomes: str) -> None:
    """Change the status of a subaccount, if one has the status before it."""
    found = [a for a in world.accounts.values() if a is not world.main and a.status == status]
    if found:
        account = chance.choice(found)
        account.status, account.date_updated = becomes, world.now
        world.forget_row(account.sid)


def suspend(world: World, chance: random.Random) -> None:
    some_subaccount(world, chance, "active", "suspended")


def reopen(world: World, chance: random.Random) -> None:
    some_subaccount(world, chance, "suspended", "active")


def close_account(world: World, chance: random.Random) -> None:
    some_subaccount(world, chance, chance.choice(["active", "suspended"]), "closed")


EVENTS: Final[tuple[Event, ...]] = (
    add_service,
    open_talk,
    write,
    close_talk,
    rename_talk,
    import_talk,
    import_words,
    edit,
    receipt,
    delete_words,
    delete_talk,
    delete_mcs_file,
    open_account,
    suspend,
    reopen,
    close_account,
)
