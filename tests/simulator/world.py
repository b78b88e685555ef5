"""The world that the simulator serves: everything Twilio holds for one customer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.simulator import content, listing, rows
from tests.simulator.messaging import MessageEdits
from tests.simulator.talking import ConversationEdits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator.entities import Account


class World(MessageEdits, ConversationEdits):
    """Accounts, messages, conversations and their media, which can change while they are read.

    Every method may be called from any thread while a simulator serves the world.
    """

    def rows(self, stream: str, account_sid: str | None = None) -> list[dict[str, Any]]:
        """Return what Twilio holds, as rows exactly like those of the HTTP API.

        Args:
            stream: The name of a stream of the tap.
            account_sid: Whose rows; by default the main account's. "accounts" lists the main
                account and its subaccounts, or just the subaccount that is asked for.

        Returns:
            All rows, in the order of the API where it has a list.
        """
        with self.lock:
            made = list(_ROWS[stream](self, self.account(account_sid)))
            # The API sends JSON: whatever does not survive it is no row.
            return [json.loads(json.dumps(row)) for row in made]

    def media_bytes(self, sid: str) -> bytes:
        """Return the bytes of a message's media or of an MCS media."""
        with self.lock:
            media = self.mcs_media.get(sid) or self.find_media(sid)
            return content.media_bytes(sid, media.content_type, media.size)


def _accounts(world: World, account: Account) -> Iterator[rows.Row]:
    return map(rows.account, listing.accounts(world, account))


def _messages(world: World, account: Account) -> Iterator[rows.Row]:
    order = world.message_order(account.sid)
    return (rows.message(account.messages[sid]) for sid in order.walk())


def _message_media(world: World, account: Account) -> Iterator[rows.Row]:
    for sid in world.message_order(account.sid).walk():
        for media in account.messages[sid].media:
            yield rows.media(media, account.sid)


def _services(_: World, account: Account) -> Iterator[rows.Row]:
    return map(rows.service, listing.by_creation(account.services.values()))


def _conversations(_: World, account: Account) -> Iterator[rows.Row]:
    for service in listing.by_creation(account.services.values()):
        yield from map(rows.conversation, listing.by_creation(service.conversations.values()))


def _conversation_messages(_: World, account: Account) -> Iterator[rows.Row]:
    for service in listing.by_creation(account.services.values()):
        for conversation in listing.by_creation(service.conversations.values()):
            yield from map(rows.conversation_message, conversation.messages.values())


def _mcs_media(world: World, account: Account) -> Iterator[rows.Row]:
    for media in world.mcs_media.values():
        if media.service_sid in account.services:
            yield rows.mcs_media(media, world)


_ROWS = {
    "accounts": _accounts,
    "messages": _messages,
    "message_media": _message_media,
    "conversation_services": _services,
    "conversations": _conversations,
    "conversation_messages": _conversation_messages,
    "mcs_media": _mcs_media,
}
