"""The rules by which a family of messages is read, on a Twilio switched each way."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tap_twilio_media.times import parsed
from tests.expecting import by_sid, expected
from tests.promises import assert_promises_kept
from tests.running import run_tap
from tests.simulator import Behaviour, Fault, Simulator, World, seeded_world

if TYPE_CHECKING:
    from tests.running import Output
    from tests.simulator import RecordedRequest

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
FAMILY = ("messages", "message_media")

BEHAVIOURS = [
    Behaviour(
        unsent_order=order,  # type: ignore[arg-type]
        filters_return_unsent=returned,
        date_filter=precision,  # type: ignore[arg-type]
        bounds=bounds,  # type: ignore[arg-type]
    )
    for order, returned, precision, bounds in product(
        ("top", "bottom", "created"), (False, True), ("seconds", "days"), ("inclusive", "exclusive")
    )
]


def short(behaviour: Behaviour) -> str:
    unsent = "returned" if behaviour.filters_return_unsent else "hidden"
    return f"{behaviour.unsent_order}-{unsent}-{behaviour.date_filter}-{behaviour.bounds}"


def sent(records: list[dict[str, Any]]) -> list[str]:
    return [record["sid"] for record in records if record["date_sent"]]


def sent_in(world: World, start: datetime, end: datetime) -> set[str]:
    messages = world.accounts[world.account_sid].messages.values()
    return {m.sid for m in messages if m.date_sent and start <= m.date_sent < end}


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=short)
def test_a_backfill_is_whole_however_twilio_behaves(sim: Simulator, behaviour: Behaviour) -> None:
    sim.world.behaviour = replace(behaviour)
    output = run_tap(sim.config() | {"page_size": 20}, select=FAMILY)
    assert output.error is None
    records = output.records("messages")
    everything = expected(sim, "messages")
    assert len(records) == len(by_sid(records)), "rows came twice"
    assert set(sent(records)) == {sid for sid, row in everything.items() if row["date_sent"]}
    assert all(everything[sid] == record for sid, record in by_sid(records).items())
    if behaviour.unsent_order == "top":
        assert set(everything) == set(by_sid(records))
    elif behaviour.filters_return_unsent:
        # At the bottom of the list nothing shows them until a window covers their creation.
        newest = iso(sim.world.now - 3 * DAY)
        assert {sid for sid, row in everything.items() if row["date_created"] < newest} <= set(
            by_sid(records)
        )
    media = {
        sid: row
        for sid, row in expected(sim, "message_media").items()
        if row["message_sid"] in by_sid(records)
    }
    assert by_sid(output.records("message_media")) == media
    assert_promises_kept([output], sim.world)


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=short)
def test_a_full_scan_finds_what_no_window_shows(sim: Simulator, behaviour: Behaviour) -> None:
    sim.world.behaviour = replace(behaviour)
    first = run_tap(sim.config() | {"page_size": 20}, select=FAMILY)
    output = run_tap(
        sim.config() | {"page_size": 20, "full_scan": True}, select=FAMILY, state=first.state
    )
    assert by_sid(output.records("messages")) == expected(sim, "messages")
    assert by_sid(output.records("message_media")) == expected(sim, "message_media")
    assert all("DateSent" not in key for request in sim.requests[-5:] for key in request.query)


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=short)
def test_slices_meet_without_gap_or_overlap(sim: Simulator, behaviour: Behaviour) -> None:
    world = sim.world
    world.behaviour = replace(behaviour)
    chosen = sorted(
        m.date_sent for m in world.accounts[world.account_sid].messages.values() if m.date_sent
    )
    a, b, c = chosen[3], chosen[90], chosen[-20]

    def slice_of(start: datetime, end: datetime) -> list[str]:
        config = sim.config() | {"page_size": 20, "start_date": iso(start), "end_date": iso(end)}
        output = run_tap(config, select=["messages"])
        assert output.error is None
        assert output.bookmark("messages") == iso(end)
        return sent(output.records("messages"))

    older, newer, whole = slice_of(a, b), slice_of(b, c), slice_of(a, c)
    assert sorted(older + newer) == sorted(whole)
    assert set(whole) == sent_in(world, a, c)
    assert len(set(whole)) == len(whole)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_dates_any_behaviour_any_page_size(data: st.DataObject) -> None:
    """Rows exactly on the edges of windows, and many in one second, are met once each."""
    now = datetime.now(timezone.utc).replace(microsecond=0) - 3 * DAY
    world = seeded_world(messages=0, conversations=0, now=now)
    world.behaviour = replace(data.draw(st.sampled_from(BEHAVIOURS)))
    edges = st.sampled_from([0, 3, 13, 23, 33, 103]).map(lambda days: days * 86_400)
    ages = st.lists(
        st.one_of(edges, st.integers(0, 395 * 86_400)).flatmap(
            lambda age: st.sampled_from([max(0, age - 1), age, age + 1])
        ),
        min_size=1,
        max_size=40,
    )
    for age in data.draw(ages):
        late = data.draw(st.sampled_from([0, 1, 20, 35]))
        moment = now - age * SECOND
        world.add_message(date_sent=moment, date_created=moment - late * DAY, num_media=late % 2)
    config = {
        "page_size": data.draw(st.integers(1, 9)),
        "lookback_days": data.draw(st.sampled_from([0, 0.5, 3])),
    }
    with Simulator(world) as sim:
        first = run_tap(sim.config() | config, select=FAMILY)
        assert first.error is None
        assert sorted(sent(first.records("messages"))) == sorted(
            m["sid"] for m in world.rows("messages")
        )
        assert by_sid(first.records("message_media")) == expected(sim, "message_media")
        assert_promises_kept([first], world)
        world.now += DAY
        world.add_message(num_media=1)
        second = run_tap(sim.config() | config, select=FAMILY, state=first.state)
        held = by_sid(first.records("messages")) | by_sid(second.records("messages"))
        assert held == expected(sim, "messages")
        assert_promises_kept([first, second], world)


def test_a_small_account_costs_one_request_a_run() -> None:
    world = seeded_world(messages=30, conversations=0)
    with Simulator(world) as sim:
        config = sim.config()
        first = run_tap(config, select=["messages"])
        assert sim.count("messages") == 1
        run_tap(config, select=["messages"], state=first.state)
        assert sim.count("messages") == 2


def test_bookmarks_move_only_when_the_children_are_there(sim: Simulator) -> None:
    messages = sim.world.accounts[sim.world.account_sid].messages.values()
    with_media = sorted((m.date_sent, m.sid) for m in messages if m.media and m.date_sent)
    moment, sid = with_media[len(with_media) // 2]
    sim.faults.add(Fault("500", match=sid, times=None))
    config = sim.config() | {"page_size": 20, "max_retry_seconds": 0}
    first = run_tap(config, select=FAMILY)
    assert first.error is not None
    assert sid in str(first.error)
    assert sim.world.account_sid in str(first.error)
    for stream in FAMILY:
        bookmark = first.bookmark(stream)
        assert bookmark is not None
        assert parsed(bookmark) <= moment
    sim.faults.clear()
    second = run_tap(config, select=FAMILY, state=first.state)
    assert second.error is None
    for stream in FAMILY:
        held = by_sid(first.records(stream)) | by_sid(second.records(stream))
        assert held == expected(sim, stream)
    assert len(second.records("messages")) < len(sim.world.rows("messages"))
    assert_promises_kept([first, second], sim.world)


@pytest.mark.parametrize("ahead", [timedelta(hours=5), timedelta(hours=-5)])
def test_the_run_starts_at_the_earlier_of_both_clocks(sim: Simulator, ahead: timedelta) -> None:
    before = datetime.now(timezone.utc).replace(microsecond=0)
    sim.world.now += ahead
    output = run_tap(sim.config(), select=FAMILY)
    bookmark = output.bookmark("messages")
    assert bookmark is not None
    latest = min(sim.world.now, datetime.now(timezone.utc))
    assert min(before, sim.world.now) <= parsed(bookmark) <= latest


@pytest.mark.parametrize("behaviour", [b for b in BEHAVIOURS if b.unsent_order == "top"], ids=short)
def test_an_account_that_keeps_messages_shorter(
    sim: Simulator, behaviour: Behaviour, caplog: pytest.LogCaptureFixture
) -> None:
    world = sim.world
    world.behaviour = replace(behaviour, retention_days=100)
    with caplog.at_level(logging.WARNING):
        output = run_tap(sim.config() | {"page_size": 20}, select=["messages"])
    assert output.error is None
    # Where no time of day can be asked for, the first day that is listed in part is out of reach,
    # and the next one too where a bound excludes its own day.
    margin = {"inclusive": DAY, "exclusive": 2 * DAY}[behaviour.bounds]
    due = sent_in(world, world.now - 100 * DAY + margin, world.now + DAY)
    assert due <= set(sent(output.records("messages")))
    refused = [r for r in sim.requests if r.status == 400]
    assert len(refused) >= 1
    assert sum(r.query.get("PageSize") == "1" for r in sim.requests) <= 10
    warned = [r.getMessage() for r in caplog.records if "20004" in r.getMessage()]
    assert len(warned) >= 1
    assert world.account_sid in warned[0]
    assert parsed(output.bookmark("messages") or "") <= world.now


def test_a_start_before_the_400_days_is_told_once(
    sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        output = run_tap(
            sim.config() | {"start_date": "2010-01-01", "page_size": 20}, select=FAMILY
        )
    assert output.error is None
    assert set(sent(output.records("messages"))) == sent_in(
        sim.world, datetime(2010, 1, 1, tzinfo=timezone.utc), sim.world.now + DAY
    )
    warned = [r.getMessage() for r in caplog.records if "out of reach" in r.getMessage()]
    assert len(warned) == 1
    assert "2010-01-01T00:00:00Z" in warned[0]
    assert not any(r.status == 400 for r in sim.requests)


def test_start_date_is_the_first_date_wanted(sim: Simulator) -> None:
    start = sim.world.now - 60 * DAY
    output = run_tap(sim.config() | {"start_date": iso(start), "page_size": 20}, select=FAMILY)
    wanted = sent_in(sim.world, start.replace(microsecond=0), sim.world.now + DAY)
    assert set(sent(output.records("messages"))) == wanted


class TestLostPages:
    """The row that a PageToken points at is deleted before the next page is asked for."""

    def deletes(self, sim: Simulator, times: int) -> set[str]:
        gone: set[str] = set()

        def delete_anchor(request: RecordedRequest) -> None:
            sid = request.query["PageToken"].removeprefix("PA")
            if sid in sim.world.accounts[sim.world.account_sid].messages:
                sim.world.delete_message(sid)
                gone.add(sid)

        sim.faults.add(
            Fault("call", endpoint="messages", match="PageToken", times=times, call=delete_anchor)
        )
        return gone

    @pytest.mark.parametrize("status", [400, 404])
    @pytest.mark.parametrize("precision", ["seconds", "days"])
    @pytest.mark.parametrize("lookback", [3, 399])
    def test_reading_goes_on_at_the_last_row(
        self,
        sim: Simulator,
        status: Literal[400, 404],
        precision: Literal["seconds", "days"],
        lookback: int,
    ) -> None:
        sim.world.behaviour.page_token_gone = status
        sim.world.behaviour.date_filter = precision
        gone = self.deletes(sim, 4)
        config = sim.config() | {"page_size": 7, "lookback_days": lookback}
        output = run_tap(config, select=["messages"])
        assert output.error is None
        assert gone
        records = output.records("messages")
        assert len(records) == len(by_sid(records))
        held = {sid: record for sid, record in by_sid(records).items() if sid not in gone}
        assert held == expected(sim, "messages")

    @pytest.mark.parametrize("full_scan", [False, True])
    @pytest.mark.parametrize("order", ["top", "created", "bottom"])
    def test_what_was_not_sent_comes_behind_a_lost_page(
        self, order: Literal["top", "created", "bottom"], *, full_scan: bool
    ) -> None:
        world = World(seed=1)
        world.behaviour.unsent_order, world.behaviour.page_token_gone = order, 400
        for age in range(12):
            world.add_message(date_sent=world.now - age * DAY / 10)
            created = world.now - (age + 0.5) * DAY / 10
            world.add_message(date_sent=None, date_created=created, status="failed")
        with Simulator(world) as sim:
            gone = self.deletes(sim, 3)
            config = sim.config() | {"page_size": 5, "full_scan": full_scan}
            output = run_tap(config, select=["messages"])
            assert output.error is None
            assert len(gone) == 3
            records = output.records("messages")
            assert len(records) == len(by_sid(records))
            held = {sid: record for sid, record in by_sid(records).items() if sid not in gone}
            assert held == expected(sim, "messages")

    def test_five_times_in_one_window_fail_the_account(self, sim: Simulator) -> None:
        self.deletes(sim, 1000)
        config = sim.config() | {"page_size": 3, "lookback_days": 399}
        output = run_tap(config, select=["messages"])
        assert output.error is not None
        assert parsed(output.bookmark("messages") or "") == sim.world.now - 399 * DAY


def test_a_row_of_another_account_is_an_error(sim: Simulator) -> None:
    world = sim.world
    other = next(sid for sid in world.accounts if sid != world.account_sid)
    some = next(iter(world.accounts[world.account_sid].messages))
    world.update_message(some, account_sid=other, date_updated=world.now)
    output = run_tap(sim.config(), select=["messages"])
    assert output.error is not None
    assert some in str(output.error)
    assert some not in output.sids("messages")


def test_empty_windows_write_no_state() -> None:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    world = seeded_world(messages=0, conversations=0, now=now)
    for age in (1, 2, 3, 380):
        world.add_message(date_sent=now - age * DAY)
    with Simulator(world) as sim:
        output = run_tap(sim.config() | {"page_size": 2}, select=["messages"])
    assert len(output.records("messages")) == 4
    assert len(output.of_type("STATE")) <= 3


def test_a_message_created_before_the_start_but_sent_after_it_belongs_to_it(sim: Simulator) -> None:
    world = sim.world
    start = world.now - 50 * DAY
    late = world.add_message(date_sent=start + DAY, date_created=start - 30 * DAY)
    output = run_tap(
        sim.config() | {"start_date": iso(start), "page_size": 20}, select=["messages"]
    )
    assert late.sid in output.sids("messages")


def test_a_message_of_which_the_count_of_media_is_not_known_is_asked(sim: Simulator) -> None:
    world = sim.world
    message = world.add_message(num_media=2)
    world.update_message(message.sid, num_media=None)
    output = run_tap(sim.config(), select=FAMILY)
    assert {m.sid for m in message.media} <= set(output.sids("message_media"))


def test_media_that_are_gone_are_named_and_no_failure(
    sim: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    world = sim.world
    emptied = world.add_message(num_media=1)
    world.delete_media(emptied.media[0].sid)
    deleted = world.add_message(num_media=1)
    sim.faults.add(
        Fault(
            "call", match=f"{deleted.sid}/Media", call=lambda _: world.delete_message(deleted.sid)
        )
    )
    with caplog.at_level(logging.WARNING):
        output = run_tap(sim.config(), select=FAMILY)
    assert output.error is None
    assert emptied.sid in caplog.text
    assert deleted.sid in caplog.text


def test_two_runs_over_the_same_data_emit_the_same(sim: Simulator) -> None:
    def emitted() -> list[Any]:
        output: Output = run_tap(sim.config() | {"page_size": 20}, select=FAMILY)
        return [(m["stream"], m["record"]) for m in output.of_type("RECORD")]

    assert emitted() == emitted()
