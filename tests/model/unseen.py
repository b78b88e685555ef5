"""What a run cannot see, one predicate for each sentence of the README that says so.

A predicate has two parts. The reading did not come to where the row stands: that is how a run
works. And the row came or changed in the way that the sentence tells: without a sentence for it,
a row that was missed is a row that was lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from tap_twilio_media.times import EPOCH
from tests.model.history import PARENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.model.history import Known
    from tests.simulator import Conversation, World

DAY: Final = timedelta(days=1)
HORIZON: Final = timedelta(days=36)
QUIET: Final = timedelta(days=30)
LARGEST_PAGE: Final = 100


@dataclass(frozen=True)
class Reading:
    """How a run read a stream.

    Attributes:
        started: When the run started.
        since: Where the stream started: its bookmark less its lookback.
        family_since: The earliest such start of the streams that were read in one pass.
        lookback: The lookback of the stream.
        unsent_since: The same for messages without date_sent, while a first read is under way.
        newest_since: From here on messages were read without a filter.
        floor: The first moment that Twilio surely lists.
        page_size: Rows per page.
        disturbed: Conversations that changed while they were read.
    """

    started: datetime
    since: datetime
    family_since: datetime
    lookback: timedelta
    unsent_since: datetime = EPOCH
    newest_since: datetime = EPOCH
    floor: datetime = EPOCH
    page_size: int = 1000
    disturbed: set[str] = field(default_factory=set)

    def with_one_before(self, other: Reading) -> Reading:
        """Return a reading that was begun by one run and gone on with by another."""
        return Reading(
            min(self.started, other.started),
            max(self.since, other.since),
            max(self.family_since, other.family_since),
            min(self.lookback, other.lookback),
            max(self.unsent_since, other.unsent_since),
            max(self.newest_since, other.newest_since),
            max(self.floor, other.floor),
            min(self.page_size, other.page_size),
            self.disturbed | other.disturbed,
        )


@dataclass(frozen=True)
class Sentence:
    """A sentence of the README.

    Attributes:
        text: Its words.
        where: Whether the row stands where the reading did not come to.
        when: Whether the row came, or changed, in the way that the sentence tells.
    """

    text: str
    where: Callable[[Known, Reading, World], bool]
    when: Callable[[Known, Reading, World], bool]


def is_of_messages(row: Known) -> bool:
    return row.key[0] in {"messages", "message_media"}


def is_late(row: Known, reading: Reading) -> bool:
    """Return whether a row came or changed longer than the lookback after its date."""
    return row.changed - row.moment > reading.lookback


def is_before(row: Known, reading: Reading, _: World) -> bool:
    """Return whether a row lies before where the reading started."""
    return row.is_sent and row.moment < reading.since


def is_out_of_reach(row: Known, reading: Reading, _: World) -> bool:
    """Return whether a message is older than what Twilio surely lists."""
    return is_of_messages(row) and row.moment < reading.floor


def changed_late(row: Known, reading: Reading, _: World) -> bool:
    return not row.is_new and is_late(row, reading)


def listed_late(row: Known, reading: Reading, _: World) -> bool:
    return row.is_new and is_of_messages(row) and is_late(row, reading)


def imported(row: Known, reading: Reading, _: World) -> bool:
    return row.is_new and not is_of_messages(row) and is_late(row, reading)


# ---- not sent


def is_not_met(row: Known, reading: Reading, world: World) -> bool:
    """Return whether a row without date_sent is below older ones, or too old when it is met."""
    if row.is_sent or not is_of_messages(row):
        return False
    return is_below(row, reading, world) or is_old(row, reading)


def is_below(row: Known, reading: Reading, world: World) -> bool:
    """Return whether the list shows a message sent before the newest stretch above this one."""
    account_sid = row.context[0][1]
    messages = world.accounts[account_sid].messages
    for sid in world.message_order(account_sid).walk():
        if sid == message_of(row):
            return False
        sent = messages[sid].date_sent
        if sent is not None and sent < reading.newest_since:
            return True
    return True


def is_old(row: Known, reading: Reading) -> bool:
    return row.moment < min(reading.started - HORIZON, reading.unsent_since)


def came_unsent(row: Known, reading: Reading, world: World) -> bool:
    return is_below(row, reading, world) or is_late(row, reading)


def message_of(row: Known) -> str:
    """Return the sid of the message that a row is, or belongs to."""
    sid: str = row.record["message_sid" if row.key[0] in PARENTS else "sid"]
    return sid


# ---- conversations


def is_hidden(row: Known, reading: Reading, world: World) -> bool:
    """Return whether a page without anything new lies above a message of a conversation."""
    if is_of_messages(row):
        return False
    talk = talk_of(row, world)
    if talk.sid in reading.disturbed:
        return True
    size = min(reading.page_size, LARGEST_PAGE)
    newest_first = list(talk.messages.values())[::-1]
    for first in range(0, len(newest_first), size):
        page = newest_first[first : first + size]
        if any(message.sid == message_of(row) for message in page):
            return False
        dates = [(m.date_created, m.date_updated or m.date_created) for m in page]
        is_quiet = all(max(each) < reading.family_since for each in dates)
        # A message older than its conversation was imported: newer ones may lie behind it.
        if is_quiet and all(created >= talk.date_created for created, _ in dates):
            return True
    return False


def always(_: Known, __: Reading, ___: World) -> bool:
    return True


def is_left_out(row: Known, reading: Reading, world: World) -> bool:
    """Return whether a message is in a conversation that was closed long before."""
    return closed_before(row, reading.family_since, world)


def after_its_end(row: Known, reading: Reading, world: World) -> bool:
    return closed_before(row, row.changed - reading.lookback, world)


def closed_before(row: Known, moment: datetime, world: World) -> bool:
    """Return whether the conversation of a row ended so long before a moment."""
    if is_of_messages(row):
        return False
    talk = talk_of(row, world)
    dates = [talk.date_created, talk.date_updated, talk.date_closed or EPOCH]
    return talk.state == "closed" and max(dates) < moment - QUIET


def talk_of(row: Known, world: World) -> Conversation:
    return world.conversations[row.record["conversation_sid"]]


SENTENCES: Final = (
    Sentence(
        "changes to a message that was sent longer ago than the lookback", is_before, changed_late
    ),
    Sentence(
        "a message that Twilio lists later than the lookback after it was sent",
        is_before,
        listed_late,
    ),
    Sentence("not sent", is_not_met, came_unsent),
    Sentence("page of nothing new", is_hidden, always),
    Sentence("imported", is_before, imported),
    Sentence("closed", is_left_out, after_its_end),
    Sentence("Twilio lists a message for 400 days at most", is_out_of_reach, always),
)
