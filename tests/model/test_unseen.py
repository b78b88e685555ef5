"""What the documentation says a run cannot see: just that is not seen, and a full scan sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.expecting import by_sid, expected
from tests.model.life import BIRTH
from tests.model.messages import DAY, HOUR
from tests.model.unseen import SENTENCES
from tests.running import run_tap
from tests.simulator import Simulator, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.running import Output

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
SOON = HOUR / 60

Row = tuple[str, str]
"""The stream and the sid of a row."""


@dataclass(frozen=True)
class Case:
    """A change that a usual run does not see.

    Attributes:
        change: Changes the world after a run, and returns the row that it concerns.
        before: Prepares the world before the first run.
        remedy: With these settings a usual run would have seen it.
        wait: How long after the first run it happens.
        settings: Those of all runs.
    """

    change: Callable[[World], Row]
    before: Callable[[World], None]
    remedy: dict[str, Any] = field(default_factory=lambda: {"lookback_days": 60})
    wait: int = 10
    settings: dict[str, Any] = field(default_factory=dict)


def some_messages(world: World) -> None:
    for number in range(6):
        world.add_message(date_sent=world.now - (6 - number) * HOUR, num_media=number % 2)


def deliver_late(world: World) -> Row:
    sid = next(iter(world.main.messages))
    world.update_message(sid, status="read", price="-0.0099")
    return "messages", sid


def list_late(world: World) -> Row:
    return "messages", world.add_message(date_sent=BIRTH - HOUR / 2).sid


def a_queue(world: World) -> None:
    """A message that waits, and two that were sent after it was created."""
    world.behaviour.unsent_order = "created"
    world.add_message(date_sent=None, date_created=world.now - DAY, status="queued")
    some_messages(world)


def cancel_late(world: World) -> Row:
    (sid,) = (m.sid for m in world.main.messages.values() if m.date_sent is None)
    world.update_message(sid, status="canceled")
    return "messages", sid


def a_talk(world: World) -> None:
    service = world.add_service(default=True)
    talk = world.add_conversation(service.sid, date_created=world.now - DAY)
    for number in range(6):
        moment = world.now - (6 - number) * HOUR
        world.add_conversation_message(talk.sid, date_created=moment, date_updated=moment)


def the_talk(world: World) -> str:
    (sid,) = world.conversations
    return sid


def edit_late(world: World) -> Row:
    sid = next(iter(world.conversations[the_talk(world)].messages))
    world.update_conversation_message(sid, body="Edited")
    return "conversation_messages", sid


def import_old(world: World) -> Row:
    moment = BIRTH - HOUR / 2
    words = world.add_conversation_message(
        the_talk(world), date_created=moment, date_updated=moment
    )
    return "conversation_messages", words.sid


def a_closed_talk(world: World) -> None:
    a_talk(world)
    world.close_conversation(the_talk(world))


def write_after_the_end(world: World) -> Row:
    return "conversation_messages", world.add_conversation_message(the_talk(world)).sid


def beyond_400_days(world: World) -> Row:
    return "messages", world.add_message(date_sent=world.now - 401 * DAY).sid


CASES = {
    "changes to a message that was sent longer ago than the lookback": Case(
        deliver_late, some_messages
    ),
    "a message that Twilio lists later than the lookback after it was sent": Case(
        list_late, some_messages
    ),
    "not sent": Case(cancel_late, a_queue, settings={"page_size": 2}),
    "page of nothing new": Case(
        edit_late, a_talk, remedy={"page_size": 100}, settings={"page_size": 2}
    ),
    "imported": Case(import_old, a_talk),
    "closed": Case(write_after_the_end, a_closed_talk, wait=50),
    "Twilio lists a message for 400 days at most": Case(beyond_400_days, some_messages, remedy={}),
}


def is_seen(sim: Simulator, output: Output, row: Row) -> bool:
    """Return whether a run brought a row as Twilio shows it."""
    assert output.error is None
    stream, sid = row
    return by_sid(output.records(stream)).get(sid) == expected(sim, stream)[sid]


@pytest.mark.parametrize("text", CASES)
def test_what_is_not_seen_is_seen_by_a_full_scan(text: str) -> None:
    case = CASES[text]
    world = World(seed=1, now=BIRTH)
    with Simulator(world) as sim:
        config = sim.config() | case.settings
        case.before(world)
        world.now += SOON
        state = run_tap(config).state
        world.now += case.wait * DAY
        state = run_tap(config, state=state).state
        row = case.change(world)
        world.now += SOON
        usual = run_tap(config, state=state)
        assert not is_seen(sim, usual, row), "the sentence is not needed"
        if case.remedy:
            assert is_seen(sim, run_tap(config | case.remedy, state=state), row)
        # Nor does any later one.
        world.now += DAY
        later = run_tap(config, state=usual.state)
        assert not is_seen(sim, later, row)
        full = run_tap(config | {"full_scan": True}, state=later.state)
        assert is_seen(sim, full, row)


def test_a_deletion_is_not_seen_by_any_run() -> None:
    world = World(seed=1, now=BIRTH)
    with Simulator(world) as sim:
        some_messages(world)
        world.now += SOON
        first = run_tap(sim.config())
        sid = next(iter(world.main.messages))
        world.delete_message(sid)
        world.now += SOON
        for more in ({}, {"full_scan": True}):
            output = run_tap(sim.config() | more, state=first.state)
            assert output.error is None
            assert {m["type"] for m in output.messages} <= {"SCHEMA", "RECORD", "STATE"}
            assert sid not in output.sids("messages")
    assert sid in first.sids("messages"), "so it stays in the tables"


def test_each_sentence_of_the_model_is_shown_here() -> None:
    assert set(CASES) == {sentence.text for sentence in SENTENCES}


def test_each_sentence_is_in_the_documentation() -> None:
    documented = " ".join(" ".join(page.read_text() for page in PAGES).split()).lower()
    for sentence in SENTENCES:
        assert sentence.text.lower() in documented
