"""Edits of programmable messages and their media."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.simulator import dates
from tests.simulator.entities import Media, Message
from tests.simulator.ledger import Ledger, assign

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

CONTENT_TYPES: Final = (
    "image/jpeg",
    "image/png",
    "image/gif",
    "video/mp4",
    "audio/ogg; codecs=opus",
    "application/pdf",
    "text/vcard; charset=utf-8",
    "image/heic",
    "audio/amr",
    "image/webp",
)


class _Now:
    """The type of the default that means: the present time of the world."""


NOW: Final = _Now()


class MessageEdits(Ledger):
    """How messages come, change and go."""

    def add_message(
        self,
        account_sid: str | None = None,
        *,
        date_sent: dt.datetime | _Now | None = NOW,
        date_created: dt.datetime | None = None,
        num_media: int = 0,
        content_types: Sequence[str] = (),
        **fields: Any,
    ) -> Message:
        """Add a message, and as many media as it says.

        Args:
            account_sid: Whose message; by default the main account's.
            date_sent: By default now; None for a message not sent.
            date_created: By default one second before it was sent, or now.
            num_media: How many media it has.
            content_types: The types of the media, used in turn.
            **fields: Any other field of `Message`, such as `status`, "delivered" by default.

        Returns:
            The message.
        """
        with self.lock:
            account = self.account(account_sid)
            sent = self.now if isinstance(date_sent, _Now) else date_sent
            sent = sent and dates.as_utc(sent)
            before = sent - dates.SECOND if sent else self.now
            created = dates.as_utc(date_created or before)
            message = Message(
                sid=fields.pop("sid", None) or self.sid("MM" if num_media else "SM"),
                account_sid=account.sid,
                date_created=created,
                date_sent=sent,
                date_updated=sent or created,
                num_media=num_media,
            )
            assign(message, fields)
            types = content_types or CONTENT_TYPES
            message.media = tuple(
                self._new_media(message, types[number % len(types)]) for number in range(num_media)
            )
            account.messages[message.sid] = message
            for order in self._orders_of(account.sid):
                order.add(message)
            return message

    def _new_media(self, message: Message, content_type: str) -> Media:
        media = Media(
            sid=self.sid("ME"),
            message_sid=message.sid,
            content_type=content_type,
            size=self.file_size(),
            date_created=message.date_created,
        )
        self.media_parents[media.sid] = message.sid
        return media

    def update_message(self, sid: str, **fields: Any) -> Message:
        """Change fields of a message; its update date becomes now unless it is given.

        Args:
            sid: The message.
            **fields: New values of any fields of `Message`.

        Returns:
            The message.
        """
        with self.lock:
            message = self.find_message(sid)
            orders = self._orders_of(message.account_sid)
            for order in orders:
                order.remove(message)
            try:
                assign(message, {"date_updated": self.now} | fields)
            finally:
                for order in orders:
                    order.add(message)
                self.forget_row(sid)
            return message

    def delete_message(self, sid: str) -> None:
        """Delete a message with its media; it leaves no trace."""
        with self.lock:
            message = self.find_message(sid)
            for order in self._orders_of(message.account_sid):
                order.remove(message)
            del self.accounts[message.account_sid].messages[sid]
            for media in message.media:
                del self.media_parents[media.sid]
                self.forget_row(media.sid)
            self.forget_row(sid)

    def delete_media(self, media_sid: str) -> None:
        """Delete one file of a message, which goes on saying that it has it."""
        with self.lock:
            message = self.find_message(self.media_parents.pop(media_sid))
            message.media = tuple(media for media in message.media if media.sid != media_sid)
            self.forget_row(media_sid)

    def find_media(self, sid: str) -> Media:
        """Return a media of any message."""
        message = self.find_message(self.media_parents[sid])
        return next(media for media in message.media if media.sid == sid)
