"""Later runs: what is new arrives, and nothing that the lookback does not explain."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.expecting import by_sid, expected
from tests.running import INCREMENTAL, STREAMS, catalog_of, run_tap
from tests.simulator import Simulator, World, seeded_world

if TYPE_CHECKING:
    from tests.running import Output

DAY = timedelta(days=1)


@pytest.fixture
def world() -> World:
    """A world whose clock stands 30 days back, so that it can be moved on."""
    now = seeded_world(messages=0, conversations=0).now
    return seeded_world(seed=11, now=now - 30 * DAY)


def sent_since(world: World, days: float) -> set[str]:
    """Return the messages sent, or without date_sent created, in the last days."""
    since = world.now - days * DAY
    horizon = world.now - 36 * DAY
    return {
        m.sid
        for m in world.accounts[world.account_sid].messages.values()
        if (m.date_sent >= since if m.date_sent else m.date_created >= min(since, horizon))
    }


def later(sim: Simulator, days: float) -> None:
    """Let time pass."""
    sim.world.now += days * DAY
    sim.reset()


def test_a_second_run_brings_the_lookback_alone(sim: Simulator) -> None:
    first = run_tap(sim.config())
    later(sim, 1)
    second = run_tap(sim.config(), state=first.state)
    assert second.error is None
    # The bookmark is the start of the first run, so the lookback reaches to four days ago now.
    assert set(second.sids("messages")) == sent_since(sim.world, 4)
    assert sim.count("messages") == 1
    for stream in ("accounts", "conversation_services", "conversations"):
        assert by_sid(second.records(stream)) == expected(sim, stream, [sim.world.account_sid])
    assert len(second.records("conversation_messages")) < len(
        first.records("conversation_messages")
    )


def test_without_lookback_nothing_comes_twice(sim: Simulator) -> None:
    config = sim.config() | {"lookback_days": 0}
    first = run_tap(config)
    later(sim, 1)
    second = run_tap(config, state=first.state)
    unsent = {m["sid"] for m in sim.world.rows("messages") if m["date_sent"] is None}
    assert set(second.sids("messages")) <= unsent
    assert second.sids("conversation_messages") == []
    assert second.sids("mcs_media") == []


def test_exactly_the_changes_arrive(sim: Simulator) -> None:
    world = sim.world
    config = sim.config() | {"lookback_days": 5}
    messages = world.accounts[world.account_sid].messages
    scheduled = next(m for m in messages.values() if m.status == "scheduled")
    recent = world.add_message(status="sent", price=None, date_sent=world.now - 2 * DAY)
    with_media = world.add_message(num_media=2, date_sent=world.now - DAY)
    service = world.add_service()
    old = world.add_conversation(service.sid, date_created=world.now - 300 * DAY)
    world.add_conversation_message(old.sid, date_created=world.now - 299 * DAY)
    first = run_tap(config)
    assert first.error is None

    later(sim, 1)
    world.update_message(recent.sid, status="delivered", price="-0.00750")
    world.update_message(scheduled.sid, status="delivered", date_sent=world.now - DAY / 24)
    added = [world.add_message(num_media=number % 3) for number in range(5)]
    world.delete_media(with_media.media[0].sid)
    written = world.add_conversation_message(old.sid, media=2)
    second = run_tap(config, state=first.state)
    assert second.error is None

    everything = {stream: expected(sim, stream) for stream in STREAMS[1:]}
    for stream in STREAMS[1:]:
        for sid, record in by_sid(second.records(stream)).items():
            assert record == everything[stream][sid]
    came = set(second.sids("messages"))
    assert {recent.sid, scheduled.sid, with_media.sid, *(m.sid for m in added)} <= came
    assert came == sent_since(world, 6)
    media = set(second.sids("message_media"))
    assert {m.sid for message in added for m in message.media} <= media
    assert with_media.media[0].sid in media
    changed = {
        sid
        for stream in ("messages", "conversation_messages")
        for sid, record in by_sid(second.records(stream)).items()
        if record != by_sid(first.records(stream)).get(sid)
    }
    assert changed == {recent.sid, scheduled.sid, written.sid, *(m.sid for m in added)}
    assert {m.sid for m in written.media} <= set(second.sids("mcs_media"))
    # Everything that Twilio holds is in the first run or the second.
    for stream in INCREMENTAL:
        held = by_sid(first.records(stream)) | by_sid(second.records(stream))
        assert everything[stream].items() <= held.items()


@pytest.mark.parametrize(
    ("parent", "child"),
    [("messages", "message_media"), ("conversation_messages", "mcs_media")],
)
class TestSelectionChanges:
    """Each stream of a family keeps a bookmark of its own."""

    @pytest.fixture(autouse=True)
    def _small_pages(self, sim: Simulator) -> None:
        self.config = sim.config() | {"page_size": 20, "lookback_days": 1}

    def marks(self, output: Output, stream: str) -> dict[str, Any]:
        parts = output.state["bookmarks"].get(stream, {}).get("partitions", [])
        return {str(part["context"]): part["replication_key_value"] for part in parts}

    def test_a_new_child_backfills_alone(self, sim: Simulator, parent: str, child: str) -> None:
        first = run_tap(self.config, select=[parent])
        later(sim, 1)
        second = run_tap(self.config, select=[parent, child], state=first.state)
        assert second.error is None
        assert by_sid(second.records(child)) == expected(sim, child)
        alone = run_tap(self.config, select=[parent], state=first.state)
        assert sorted(second.sids(parent)) == sorted(alone.sids(parent))
        assert len(second.records(parent)) < len(first.records(parent))
        assert self.marks(second, child) == self.marks(second, parent)

    def test_a_child_goes_on_without_its_parent(
        self, sim: Simulator, parent: str, child: str
    ) -> None:
        first = run_tap(self.config, select=[parent, child])
        later(sim, 1)
        second = run_tap(self.config, select=[child], state=first.state)
        assert second.error is None
        assert self.marks(second, parent) == self.marks(first, parent)
        assert all(
            value > self.marks(first, child)[context]
            for context, value in self.marks(second, child).items()
        )
        assert not second.records(parent)

    def test_a_stream_left_out_for_a_while_misses_nothing(
        self, sim: Simulator, parent: str, child: str
    ) -> None:
        world = sim.world
        conversation = next(c for c in world.conversations.values() if c.state == "active")
        outputs = [run_tap(self.config, select=[parent, child])]
        for select in ([parent], [child], [parent], [parent, child]):
            later(sim, 4)
            world.add_message(num_media=2, date_sent=world.now - DAY)
            world.add_conversation_message(conversation.sid, media=2)
            outputs.append(run_tap(self.config, select=select, state=outputs[-1].state))
        for stream in (parent, child):
            held = {sid for output in outputs for sid in output.sids(stream)}
            assert held == set(expected(sim, stream))

    def test_no_bookmark_moves_back(self, sim: Simulator, parent: str, child: str) -> None:
        first = run_tap(self.config, select=[parent])
        # The child starts far back: its windows end long before the parent's bookmark.
        second = run_tap(
            self.config | {"end_date": (sim.world.now - 100 * DAY).isoformat()},
            select=[parent, child],
            state=first.state,
        )
        assert second.error is None
        for context, value in self.marks(second, parent).items():
            assert value >= self.marks(first, parent)[context]


def test_media_have_a_lookback_of_their_own(sim: Simulator) -> None:
    config = sim.config() | {"lookback_days": 5, "media_lookback_days": 1}
    first = run_tap(config)
    later(sim, 1)
    second = run_tap(config, select=["messages", "message_media"], state=first.state)
    parents = {m["sid"]: m for m in second.records("messages")}
    assert set(parents) == sent_since(sim.world, 6)
    wanted = sent_since(sim.world, 2)
    assert sim.count("media_list") == sum(1 for sid in wanted if parents[sid]["num_media"] != 0)


def test_a_stream_forced_to_full_table_keeps_no_bookmark(sim: Simulator) -> None:
    first = run_tap(sim.config(), select=["messages", "message_media"])
    catalog = catalog_of("messages", "message_media")
    for stream in catalog["streams"]:
        if stream["tap_stream_id"] == "messages":
            stream["replication_method"] = "FULL_TABLE"
    later(sim, 1)
    second = run_tap(sim.config(), catalog=catalog, state=first.state)
    assert by_sid(second.records("messages")) == expected(sim, "messages")
    assert second.bookmark("messages") == first.bookmark("messages")
    assert second.bookmark("message_media") != first.bookmark("message_media")


def test_a_catalog_without_keys_changes_nothing(sim: Simulator) -> None:
    catalog = catalog_of(*STREAMS)
    for stream in catalog["streams"]:
        for name in ("key_properties", "replication_key"):
            stream.pop(name, None)
        for entry in stream["metadata"]:
            for name in ("table-key-properties", "valid-replication-keys", "replication-key"):
                entry["metadata"].pop(name, None)
    output = run_tap(sim.config(), catalog=catalog)
    for schema in output.of_type("SCHEMA"):
        assert schema["key_properties"] == ["sid"]
    assert output.bookmark("messages")


def test_only_declared_fields_are_emitted(sim: Simulator) -> None:
    catalog = catalog_of("messages", "message_media")
    for stream in catalog["streams"]:
        for name in ("account_sid", "uri"):
            stream["schema"]["properties"].pop(name, None)
    output = run_tap(sim.config(), catalog=catalog)
    for stream in ("messages", "message_media"):
        assert output.records(stream)
        for record in output.records(stream):
            assert not {"account_sid", "uri"} & set(record)


def test_a_deselected_property_does_not_hide_media(sim: Simulator) -> None:
    catalog = catalog_of("messages", "message_media")
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"] and entry["breadcrumb"][-1] in {"num_media", "date_sent"}:
                entry["metadata"]["selected"] = False
    output = run_tap(sim.config(), catalog=catalog)
    assert by_sid(output.records("message_media")) == expected(sim, "message_media")
    assert all("num_media" not in record for record in output.records("messages"))


def test_state_is_of_accounts_and_services_alone(sim: Simulator) -> None:
    output = run_tap(sim.config() | {"include_subaccounts": True})
    services = len(sim.world.accounts[sim.world.account_sid].services)
    for stream, state in output.state["bookmarks"].items():
        assert set(state) == {"partitions"}
        for part in state["partitions"]:
            assert set(part) == {"context", "replication_key", "replication_key_value"}
        if stream in {"conversation_messages", "mcs_media"}:
            assert len(state["partitions"]) == services
