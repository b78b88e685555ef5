"""The rules by which Conversations and their media are read."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.expecting import by_sid, expected
from tests.running import run_tap
from tests.simulator import Behaviour, Fault, Simulator, World, seeded_world

if TYPE_CHECKING:
    from tests.simulator import Conversation, RecordedRequest

DAY = timedelta(days=1)
FAMILY = ("conversation_messages", "mcs_media")
ALL = ("conversation_services", "conversations", *FAMILY)


@pytest.fixture
def world() -> World:
    """A world whose clock stands 100 days back, so that it can be moved on."""
    now = seeded_world(messages=0, conversations=0).now
    return seeded_world(seed=5, messages=0, now=now - 100 * DAY)


@pytest.fixture
def chat(world: World) -> Conversation:
    """A conversation a year old with 250 messages, one a day until its clock stops."""
    service = world.add_service()
    conversation = world.add_conversation(service.sid, date_created=world.now - 365 * DAY)
    for age in range(350, 100, -1):
        world.add_conversation_message(conversation.sid, date_created=world.now - age * DAY)
    return conversation


def pages_of(sim: Simulator, conversation: Conversation) -> int:
    return sum(f"{conversation.sid}/Messages" in request.path for request in sim.requests)


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(),
        Behaviour(services_list_has_default=False),
        Behaviour(next_page_host="public"),
        Behaviour(mcs_field="file_name"),
    ],
    ids=["plain", "default service not listed", "links to the public host", "file_name"],
)
@pytest.mark.parametrize("page_size", [2, 100])
def test_all_services_without_double_rows(
    sim: Simulator, behaviour: Behaviour, page_size: int
) -> None:
    sim.world.behaviour = behaviour
    output = run_tap(sim.config() | {"page_size": page_size}, select=ALL)
    assert output.error is None
    for stream in ALL:
        records = output.records(stream)
        assert by_sid(records) == expected(sim, stream)
        assert len(records) == len(by_sid(records))
    assert all(request.username == sim.world.account_sid for request in sim.requests)


def test_reading_stops_after_a_page_of_old_messages(sim: Simulator, chat: Conversation) -> None:
    config = sim.config() | {"page_size": 50}
    first = run_tap(config, select=FAMILY)
    assert pages_of(sim, chat) == 5
    sim.reset()
    second = run_tap(config, select=FAMILY, state=first.state)
    assert pages_of(sim, chat) == 1
    assert not set(second.sids("conversation_messages")) & set(chat.messages)


def test_new_edited_and_imported_messages_arrive(sim: Simulator, chat: Conversation) -> None:
    world = sim.world
    config = sim.config() | {"page_size": 50, "lookback_days": 0}
    first = run_tap(config, select=FAMILY)
    world.now += 10 * DAY
    recent = list(chat.messages)[-10]
    world.update_conversation_message(recent, body="edited")
    new = world.add_conversation_message(chat.sid, media=1)
    # Imported: older than the conversation itself, on top of what is new.
    for age in range(400, 340, -1):
        world.add_conversation_message(
            chat.sid, date_created=world.now - age * DAY, date_updated=world.now - age * DAY
        )
    sim.reset()
    second = run_tap(config, select=FAMILY, state=first.state)
    assert second.error is None
    assert set(second.sids("conversation_messages")) == {recent, new.sid}
    assert second.sids("mcs_media") == [new.media[0].sid]
    assert pages_of(sim, chat) > 2


def test_what_no_date_tells_is_found_by_a_full_scan(sim: Simulator, chat: Conversation) -> None:
    world = sim.world
    config = sim.config() | {"page_size": 50}
    first = run_tap(config, select=ALL)
    world.now += 40 * DAY
    behind = list(chat.messages)[5]
    world.update_conversation_message(behind, body="edited behind quiet pages")
    imported = world.add_conversation_message(
        chat.sid,
        media=1,
        date_created=world.now - 200 * DAY,
        date_updated=world.now - 200 * DAY,
    )
    closed = world.add_conversation(
        chat.service_sid, state="closed", date_created=world.now - 300 * DAY
    )
    forgotten = world.add_conversation_message(closed.sid, date_created=world.now - 299 * DAY)
    second = run_tap(config, select=ALL, state=first.state)
    assert not {behind, imported.sid, forgotten.sid} & set(second.sids("conversation_messages"))
    assert pages_of(sim, closed) == 0
    full = run_tap(config | {"full_scan": True}, select=ALL, state=second.state)
    for stream in ALL:
        assert by_sid(full.records(stream)) == expected(sim, stream)


def test_closed_conversations_are_asked_until_they_are_quiet(sim: Simulator) -> None:
    world = sim.world
    conversation = world.add_conversation(
        world.add_service().sid, date_created=world.now - 200 * DAY
    )
    world.add_conversation_message(conversation.sid, date_created=world.now - 199 * DAY)
    output = run_tap(sim.config(), select=FAMILY)
    world.now += 5 * DAY
    late = world.add_conversation_message(conversation.sid)
    world.close_conversation(conversation.sid)
    world.now += 20 * DAY
    output = run_tap(sim.config(), select=FAMILY, state=output.state)
    assert late.sid in output.sids("conversation_messages")
    sim.reset()
    output = run_tap(sim.config(), select=FAMILY, state=output.state)
    assert pages_of(sim, conversation) == 1
    world.now += 20 * DAY
    for _ in range(2):
        sim.reset()
        output = run_tap(sim.config(), select=FAMILY, state=output.state)
    assert pages_of(sim, conversation) == 0


def test_subaccounts_without_credentials_of_their_own_are_skipped(
    sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    world = sim.world
    busy = next(a for a in world.accounts.values() if a.services and a.sid != world.account_sid)
    config = sim.config() | {"account_sids": [world.account_sid, busy.sid]}
    with caplog.at_level(logging.WARNING):
        output = run_tap(config, select=ALL)
    assert output.error is None
    assert caplog.text.count("own credentials") == 1
    assert busy.sid in caplog.text
    assert busy.sid not in str(output.state)
    assert {record["account_sid"] for record in output.records("conversations")} == {
        world.account_sid
    }
    key = {"api_key_sid": busy.api_key_sid, "api_key_secret": busy.api_key_secret}
    own = run_tap(
        config | {"subaccount_credentials": [{"account_sid": busy.sid, **key}]}, select=ALL
    )
    for stream in ALL:
        assert by_sid(own.records(stream)) == expected(sim, stream, [world.account_sid, busy.sid])


def test_what_is_deleted_while_it_is_read_is_named_and_no_failure(
    sim: Simulator, chat: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    world = sim.world
    other = world.add_conversation(chat.service_sid)
    with_file = world.add_conversation_message(chat.sid, media=1)
    world.delete_mcs_media(with_file.media[0].sid)

    def delete(_: RecordedRequest) -> None:
        world.delete_conversation(other.sid)

    sim.faults.add(Fault("call", match=f"{other.sid}/Messages", call=delete))
    with caplog.at_level(logging.WARNING):
        output = run_tap(sim.config(), select=ALL)
    assert output.error is None
    assert other.sid in caplog.text
    assert with_file.media[0].sid in caplog.text
    assert by_sid(output.records("conversation_messages")) == expected(sim, "conversation_messages")


def test_a_service_that_fails_does_not_stop_the_others(sim: Simulator, chat: Conversation) -> None:
    sim.faults.add(Fault("500", match=f"{chat.sid}/Messages", times=None))
    output = run_tap(sim.config() | {"max_retry_seconds": 0}, select=ALL)
    assert output.error is not None
    assert chat.sid in str(output.error)
    assert output.bookmark("conversation_messages", chat_service_sid=chat.service_sid) is None
    others = set(sim.world.accounts[sim.world.account_sid].services) - {chat.service_sid}
    for service in others:
        assert output.bookmark("conversation_messages", chat_service_sid=service)
    assert len(output.records("conversation_services")) == len(others) + 1


def test_a_list_that_loses_its_place_is_read_again(sim: Simulator, chat: Conversation) -> None:
    sim.faults.add(
        Fault(
            "404", endpoint="conversation_messages", match=f"{chat.sid}/Messages?", after=2, times=3
        )
    )
    output = run_tap(sim.config() | {"page_size": 50}, select=FAMILY)
    assert output.error is None
    records = output.records("conversation_messages")
    assert by_sid(records) == expected(sim, "conversation_messages")
    assert len(records) == len(by_sid(records))


def test_start_date_counts_for_conversations_too(sim: Simulator, chat: Conversation) -> None:
    start = sim.world.now - 200 * DAY
    output = run_tap(sim.config() | {"start_date": start.isoformat()}, select=ALL)
    wanted = {m.sid for m in chat.messages.values() if m.date_created >= start}
    assert set(output.sids("conversation_messages")) & set(chat.messages) == wanted
    assert by_sid(output.records("conversations")) == expected(sim, "conversations")


def test_a_nul_in_the_name_of_a_file_cannot_stop_a_load(sim: Simulator, chat: Conversation) -> None:
    name = "a\x00b.jpg"
    message = sim.world.add_conversation_message(chat.sid, media=1, media_fields={"filename": name})
    output = run_tap(sim.config(), select=FAMILY)
    record = by_sid(output.records("conversation_messages"))[message.sid]
    assert [item["filename"] for item in record["media"]] == ["a\ufffdb.jpg"]
    # A column of text is left to the target, which knows what it can hold.
    assert by_sid(output.records("mcs_media"))[message.media[0].sid]["filename"] == name
