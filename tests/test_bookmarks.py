"""Bookmarks: what they promise, they keep."""

from __future__ import annotations

import copy
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_twilio_media import bookmarks
from tap_twilio_media.bookmarks import Bookmarks
from tap_twilio_media.errors import StateError
from tap_twilio_media.times import written
from tests.client.asking import Clock

NOW = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
ACCOUNT = {"account_sid": "AC" + "0" * 32}
OTHER = {"account_sid": "AC" + "1" * 32}
SERVICE = {**ACCOUNT, "chat_service_sid": "IS" + "0" * 32}


def of(state: dict[str, Any]) -> Bookmarks:
    return Bookmarks(state, lambda _: None)


def state_of(stream: str, context: dict[str, str], **entry: object) -> dict[str, Any]:
    return {"bookmarks": {stream: {"partitions": [{"context": context, **entry}]}}}


def test_nothing_is_marked_at_first() -> None:
    state: dict[str, Any] = {}
    marks = of(state)
    assert marks.get("messages", ACCOUNT) is None
    assert marks.get("messages", ACCOUNT, "unsent_since") is None
    assert not state.get("bookmarks"), "reading leaves no trace"


def test_a_bookmark_is_read_as_it_was_moved() -> None:
    state: dict[str, Any] = {}
    of(state).advance("messages", ACCOUNT, NOW, "seconds")
    assert state == state_of(
        "messages",
        ACCOUNT,
        replication_key="date_created",
        replication_key_value="2026-01-31T12:00:00Z",
    )
    assert of(state).get("messages", ACCOUNT) == NOW


def test_a_bookmark_has_the_form_of_its_stream() -> None:
    state: dict[str, Any] = {}
    of(state).advance("mcs_media", SERVICE, NOW, "microseconds")
    (partition,) = state["bookmarks"]["mcs_media"]["partitions"]
    assert partition["replication_key_value"] == "2026-01-31T12:00:00.000000Z"


def test_streams_and_contexts_are_kept_apart() -> None:
    marks = of({})
    marks.advance("messages", ACCOUNT, NOW, "seconds")
    marks.advance("messages", OTHER, NOW - DAY, "seconds")
    marks.advance("mcs_media", SERVICE, NOW - 2 * DAY, "seconds")
    marks.mark("messages", OTHER, "note", NOW - 3 * DAY)
    assert marks.get("messages", ACCOUNT) == NOW
    assert marks.get("messages", OTHER) == NOW - DAY
    assert marks.get("messages", OTHER, "note") == NOW - 3 * DAY
    assert marks.get("messages", ACCOUNT, "note") is None
    assert marks.get("message_media", ACCOUNT) is None
    assert marks.get("mcs_media", SERVICE) == NOW - 2 * DAY
    assert marks.get("mcs_media", ACCOUNT) is None


@given(st.lists(st.integers(-(10**9), 10**9), min_size=1))
def test_a_bookmark_never_moves_back(steps: list[int]) -> None:
    marks = of({})
    reached: list[datetime] = []
    for seconds in steps:
        moment = NOW + timedelta(seconds=seconds)
        marks.advance("messages", ACCOUNT, moment, "seconds")
        reached.append(moment)
        assert marks.get("messages", ACCOUNT) == max(reached)


def test_a_bookmark_of_another_form_does_not_move_back_either() -> None:
    # The second text is the greater one; the moment that it names is the earlier.
    state = state_of("messages", ACCOUNT, replication_key_value="2026-01-31T12:00:00-07:00")
    before = copy.deepcopy(state)
    of(state).advance("messages", ACCOUNT, NOW + timedelta(hours=6), "seconds")
    assert state == before
    of(state).advance("messages", ACCOUNT, NOW + timedelta(hours=8), "seconds")
    assert of(state).get("messages", ACCOUNT) == NOW + timedelta(hours=8)


def test_what_is_already_reached_is_left_as_it_stands() -> None:
    state = state_of("messages", ACCOUNT, replication_key_value="2026-01-31", note="kept")
    before = copy.deepcopy(state)
    of(state).advance("messages", ACCOUNT, NOW - 12 * timedelta(hours=1), "seconds")
    assert state == before


def test_a_null_is_no_bookmark() -> None:
    state = state_of("messages", ACCOUNT, replication_key_value=None)
    marks = of(state)
    assert marks.get("messages", ACCOUNT) is None
    marks.advance("messages", ACCOUNT, NOW, "seconds")
    assert marks.get("messages", ACCOUNT) == NOW


def test_a_mark_stands_beside_the_bookmark_until_it_is_removed() -> None:
    state: dict[str, Any] = {}
    marks = of(state)
    marks.advance("messages", ACCOUNT, NOW, "seconds")
    bare = copy.deepcopy(state)
    marks.mark("messages", ACCOUNT, "note", NOW - DAY)
    assert state["bookmarks"]["messages"]["partitions"][0]["note"] == "2026-01-30T12:00:00Z"
    assert marks.get("messages", ACCOUNT, "note") == NOW - DAY
    assert marks.get("messages", ACCOUNT) == NOW
    # Other than a bookmark, a mark moves back too.
    marks.mark("messages", ACCOUNT, "note", NOW - 2 * DAY)
    assert marks.get("messages", ACCOUNT, "note") == NOW - 2 * DAY
    marks.mark("messages", ACCOUNT, "note", None)
    assert state == bare
    marks.mark("messages", ACCOUNT, "note", None)
    assert state == bare


@pytest.mark.parametrize("value", [5, True, "", "soon", "2026-13-01", [], ["2026-01-31"], {}])
@pytest.mark.parametrize("name", ["replication_key_value", "note"])
def test_what_is_no_time_is_told_in_one_line(name: str, value: object) -> None:
    marks = of(state_of("mcs_media", SERVICE, **{name: value}))
    with pytest.raises(StateError) as caught:
        marks.get("mcs_media", SERVICE, name)
    text = str(caught.value)
    for part in ("mcs_media", name, *SERVICE.values()):
        assert part in text
    assert "\n" not in text
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("move", ["advance", "mark"])
def test_an_unusable_bookmark_is_not_written_over(move: str) -> None:
    state = state_of("messages", ACCOUNT, replication_key_value="soon")
    if move == "mark":
        of(state).mark("messages", ACCOUNT, "note", NOW)
    else:
        with pytest.raises(StateError):
            of(state).advance("messages", ACCOUNT, NOW, "seconds")
    (partition,) = state["bookmarks"]["messages"]["partitions"]
    assert partition["replication_key_value"] == "soon"


@pytest.mark.parametrize(
    "state",
    [
        {"bookmarks": None},
        {"bookmarks": {"messages": None}},
        {"bookmarks": {"messages": {"partitions": None}}},
        {"bookmarks": {"messages": {"partitions": [None]}}},
        {"bookmarks": {"messages": {"partitions": [{}]}}},
        {"bookmarks": {"messages": {"partitions": [{"context": ACCOUNT}] * 2}}},
    ],
    ids=str,
)
def test_a_state_of_another_shape_is_told_in_one_line(state: dict[str, Any]) -> None:
    with pytest.raises(StateError, match=r"messages.*account_sid") as caught:
        of(state).get("messages", ACCOUNT)
    assert "\n" not in str(caught.value)


def test_states_go_out_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(bookmarks, "time", clock)
    state: dict[str, Any] = {}
    out: list[Any] = []
    marks = Bookmarks(state, lambda value: out.append(copy.deepcopy(value)))
    marks.emit()
    assert len(out) == 1, "the first goes out at once"
    for seconds, count in ((0, 1), (0.5, 1), (0.49, 1), (0.01, 2), (0.99, 2), (5, 3), (0.5, 3)):
        clock.now += seconds
        marks.emit()
        assert len(out) == count
    marks.advance("messages", ACCOUNT, NOW, "seconds")
    marks.emit(at_once=True)
    assert out[-1] == state
    assert out[-1] != {}
    assert len(out) == 4
    clock.now += 0.75  # counts from the last that went out, whatever its reason
    marks.emit()
    assert len(out) == 4
    clock.now += 0.25
    marks.emit()
    assert len(out) == 5


def test_moving_a_bookmark_writes_nothing() -> None:
    out: list[Any] = []
    marks = Bookmarks({}, out.append)
    marks.advance("messages", ACCOUNT, NOW, "seconds")
    marks.mark("messages", ACCOUNT, "note", NOW)
    marks.get("messages", ACCOUNT)
    assert out == []


@given(st.datetimes(timezones=st.just(timezone.utc), min_value=datetime(1970, 1, 1)))  # noqa: DTZ001
def test_a_written_bookmark_never_promises_more_than_was_reached(moment: datetime) -> None:
    marks = of({})
    marks.advance("messages", ACCOUNT, moment, "seconds")
    bookmark = marks.get("messages", ACCOUNT)
    assert bookmark is not None
    assert moment - timedelta(seconds=1) < bookmark <= moment
    assert written(bookmark, "seconds") == written(moment, "seconds")


@pytest.mark.parametrize(
    "bookmarks",
    [[], {"messages": []}, {"messages": {"partitions": {}}}, {"messages": "x"}],
    ids=str,
)
def test_a_state_of_another_shape_is_no_empty_state(bookmarks: object) -> None:
    with pytest.raises(StateError):
        Bookmarks({"bookmarks": bookmarks}, print).get("messages", {"account_sid": "AC"})
