"""Every row that Twilio ever showed, each of its versions, and when it became so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tap_twilio_media.times import EPOCH, parsed
from tests.expecting import expected
from tests.running import STREAMS

if TYPE_CHECKING:
    from datetime import datetime

    from tests.simulator import Simulator

Key = tuple[str, str]
"""Stream and sid."""
Context = tuple[tuple[str, str], ...]
"""What a bookmark is kept for: account, or account and service."""
Mark = tuple[str, Context, str]
"""Stream, context, and the name of a moment in the state."""

PARENTS: Final = {"message_media": "messages", "mcs_media": "conversation_messages"}
FILE_COLUMNS: Final = ("file_path", "file_sha256", "file_size", "file_status")


@dataclass
class Known:
    """A row that Twilio shows, or showed.

    Attributes:
        key: Stream and sid.
        context: Its account, and of a conversation also its service; of an account nothing.
        record: What the tap must make of it now, file columns left out.
        appeared: When Twilio first showed it.
        changed: When it, or by a new date of its message the place it is read at, last changed.
        moment: The date by which it is read: sent or, not sent, created; in a conversation the
            later of created and edited; of media that of their message.
        is_sent: Whether it has that date. False for messages not sent, and their media.
        versions: All records that it ever was.
        is_there: Whether Twilio still shows it.
    """

    key: Key
    context: Context
    record: dict[str, Any] = field(repr=False)
    appeared: datetime
    changed: datetime
    moment: datetime = EPOCH
    is_sent: bool = True
    versions: list[dict[str, Any]] = field(default_factory=list, repr=False)
    is_there: bool = True

    @property
    def is_new(self) -> bool:
        """Whether it is as it was when it appeared."""
        return self.changed == self.appeared


class History:
    """Watches a world: to be told after everything that happened at one time of its clock."""

    def __init__(self, sim: Simulator) -> None:
        """Know nothing."""
        self._sim = sim
        self.rows: dict[Key, Known] = {}

    def there(self) -> list[Known]:
        """Return the rows that Twilio shows of accounts that may be read."""
        accounts = self._sim.world.accounts
        return [
            row
            for row in self.rows.values()
            if row.is_there
            and all(accounts[sid].status == "active" for name, sid in row.context[:1])
        ]

    def observe(self, *, always: bool = False) -> None:
        """Take notice of what changed.

        Args:
            always: It was like this all along: nobody was there to see it appear.
        """
        world = self._sim.world
        now = EPOCH if always else world.now
        found: set[Key] = set()
        for account_sid in world.accounts:
            for stream in STREAMS[1:]:
                for sid, record in expected(self._sim, stream, [account_sid]).items():
                    found.add((stream, sid))
                    self._meet((stream, sid), record, account_sid, now)
        for sid, record in expected(self._sim, "accounts").items():
            found.add(("accounts", sid))
            self._meet(("accounts", sid), record, "", now)
        for key, row in self.rows.items():
            row.is_there = key in found

    def _meet(self, key: Key, record: dict[str, Any], account_sid: str, now: datetime) -> None:
        for name in FILE_COLUMNS:
            record.pop(name, None)
        row = self.rows.get(key)
        if row is None:
            context: Context = (("account_sid", account_sid),) if account_sid else ()
            if "chat_service_sid" in record and key[0] != "conversations":
                context += (("chat_service_sid", record["chat_service_sid"]),)
            row = self.rows[key] = Known(key, context, record, now, now)
        elif row.record != record:
            row.record, row.changed = record, now
        if not row.versions or row.versions[-1] != record:
            row.versions.append(record)
        before = row.moment, row.is_sent
        row.moment, row.is_sent = self._place(key[0], record)
        if (row.moment, row.is_sent) != before and row.appeared != now:
            row.changed = now

    def _place(self, stream: str, record: dict[str, Any]) -> tuple[datetime, bool]:
        if stream in PARENTS:
            parent = self.rows[PARENTS[stream], record["message_sid"]]
            return parent.moment, parent.is_sent
        if stream == "messages":
            sent = record["date_sent"]
            return parsed(sent or record["date_created"]), bool(sent)
        if stream == "conversation_messages":
            dates = (record["date_created"], record["date_updated"])
            return max(parsed(text) for text in dates if text), True
        return EPOCH, True
