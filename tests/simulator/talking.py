"""Edits of conversation services, conversations, their messages and MCS media."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.simulator import dates
from tests.simulator.entities import Conversation, ConversationMessage, McsMedia, Service
from tests.simulator.ledger import Ledger, assign
from tests.simulator.messaging import CONTENT_TYPES

if TYPE_CHECKING:
    from collections.abc import Sequence


class ConversationEdits(Ledger):
    """How conversations, their messages and files come, change and go."""

    def __init__(self, seed: int = 0, now: dt.datetime | None = None) -> None:
        """Create a world without conversations; see `Ledger`."""
        super().__init__(seed, now)
        self.conversations: dict[str, Conversation] = {}
        self.mcs_media: dict[str, McsMedia] = {}
        self._conversation_of: dict[str, str] = {}

    def add_service(
        self, account_sid: str | None = None, *, default: bool = False, **fields: Any
    ) -> Service:
        """Add a conversation service.

        Args:
            account_sid: Whose; by default the main account's.
            default: Make it the account's default service.
            **fields: Other fields of `Service`.

        Returns:
            The service.
        """
        with self.lock:
            account = self.account(account_sid)
            sid = fields.pop("sid", None) or self.sid("IS")
            name = f"Service {len(account.services) + 1}"
            service = Service(sid, account.sid, name, self.now, self.now)
            assign(service, fields)
            account.services[sid] = service
            if default:
                account.default_service_sid = sid
            return service

    def add_conversation(
        self,
        service_sid: str,
        *,
        state: str = "active",
        date_created: dt.datetime | None = None,
        **fields: Any,
    ) -> Conversation:
        """Add a conversation to a service.

        Args:
            service_sid: The service.
            state: "initializing", "active", "inactive" or "closed".
            date_created: By default now; the update date follows it unless given.
            **fields: Other fields of `Conversation`.

        Returns:
            The conversation.
        """
        with self.lock:
            service = self.find_service(service_sid)
            created = dates.as_utc(date_created or self.now)
            conversation = Conversation(
                sid=fields.pop("sid", None) or self.sid("CH"),
                account_sid=service.account_sid,
                service_sid=service_sid,
                date_created=created,
                date_updated=created,
                state=state,
            )
            assign(conversation, fields)
            service.conversations[conversation.sid] = conversation
            self.conversations[conversation.sid] = conversation
            return conversation

    def close_conversation(self, sid: str) -> Conversation:
        """Close a conversation, now and for good."""
        with self.lock:
            conversation = self.conversations[sid]
            conversation.state = "closed"
            conversation.date_closed = conversation.date_updated = self.now
            self.forget_row(sid)
            return conversation

    def update_conversation(self, sid: str, **fields: Any) -> Conversation:
        """Change fields of a conversation; its update date becomes now unless it is given."""
        with self.lock:
            conversation = self.conversations[sid]
            assign(conversation, {"date_updated": self.now} | fields)
            self.forget_row(sid)
            return conversation

    def delete_conversation(self, sid: str) -> None:
        """Delete a conversation with its messages and their media."""
        with self.lock:
            conversation = self.conversations[sid]
            for message_sid in list(conversation.messages):
                self.delete_conversation_message(message_sid)
            del self.conversations[sid]
            del self.find_service(conversation.service_sid).conversations[sid]
            self.forget_row(sid)

    def add_conversation_message(
        self,
        conversation_sid: str,
        *,
        media: int = 0,
        date_created: dt.datetime | None = None,
        content_types: Sequence[str] = (),
        media_fields: dict[str, Any] | None = None,
        **fields: Any,
    ) -> ConversationMessage:
        """Add a message to a conversation. The conversation's dates do not move.

        Args:
            conversation_sid: The conversation.
            media: How many MCS media the message has.
            date_created: By default now, which also wakes an inactive conversation.
            content_types: The types of the media, used in turn.
            media_fields: Fields of `McsMedia` that all its media get.
            **fields: Other fields of `ConversationMessage`; `index` to leave a gap.

        Returns:
            The message.
        """
        with self.lock:
            conversation = self.conversations[conversation_sid]
            created = dates.as_utc(date_created or self.now)
            message = ConversationMessage(
                sid=fields.pop("sid", None) or self.sid("IM"),
                account_sid=conversation.account_sid,
                service_sid=conversation.service_sid,
                conversation_sid=conversation_sid,
                index=conversation.next_index,
                date_created=created,
                date_updated=created,
            )
            assign(message, fields)
            if message.index < conversation.next_index:
                msg = f"index {message.index} was given away before"
                raise ValueError(msg)
            conversation.next_index = message.index + 1
            types = content_types or CONTENT_TYPES
            message.media = tuple(
                self._new_mcs_media(message, types[number % len(types)], number, media_fields)
                for number in range(media)
            )
            conversation.messages[message.sid] = message
            self._conversation_of[message.sid] = conversation_sid
            if date_created is None and conversation.state == "inactive":
                conversation.state = "active"
                self.forget_row(conversation_sid)
            return message

    def _new_mcs_media(
        self,
        message: ConversationMessage,
        content_type: str,
        number: int,
        fields: dict[str, Any] | None,
    ) -> McsMedia:
        # MCS dates have microseconds, and a file is uploaded before its message is sent.
        moment = dt.timedelta(microseconds=self.random.randrange(1_000_000))
        media = McsMedia(
            sid=self.sid("ME"),
            service_sid=message.service_sid,
            conversation_sid=message.conversation_sid,
            message_sid=message.sid,
            content_type=content_type,
            size=self.file_size(),
            date_created=message.date_created - dates.SECOND + moment,
            filename=f"file-{number + 1}.{content_type.partition('/')[2].partition(';')[0]}",
            author=message.author,
        )
        assign(media, fields or {})
        self.mcs_media[media.sid] = media
        return media

    def find_conversation_message(self, sid: str) -> ConversationMessage:
        """Return a message of any conversation."""
        return self.conversations[self._conversation_of[sid]].messages[sid]

    def update_conversation_message(self, sid: str, **fields: Any) -> ConversationMessage:
        """Change fields of a message; its update date becomes now unless it is given."""
        with self.lock:
            message = self.find_conversation_message(sid)
            assign(message, {"date_updated": self.now} | fields)
            self.forget_row(sid)
            return message

    def delete_conversation_message(self, sid: str) -> None:
        """Delete a message with its media; its index stays unused."""
        with self.lock:
            message = self.find_conversation_message(sid)
            for media in message.media:
                self.mcs_media.pop(media.sid, None)
            del self.conversations[self._conversation_of.pop(sid)].messages[sid]
            self.forget_row(sid)

    def delete_mcs_media(self, sid: str) -> None:
        """Delete a file; the message goes on naming it."""
        with self.lock:
            del self.mcs_media[sid]

    def mcs_parents(self, media_sid: str) -> tuple[str, str, str]:
        """Return the sids of the conversation, the message and the service of a file."""
        media = self.mcs_media[media_sid]
        return media.conversation_sid, media.message_sid, media.service_sid
