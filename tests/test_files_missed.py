"""Files that do not come: what is recorded, what moves, what the user is told, what comes next."""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tap_twilio_media import bookmarks
from tap_twilio_media.times import parsed
from tests.download.downloading import files_below
from tests.expecting import by_sid, expected
from tests.filing import (
    COLUMNS,
    asked_for_bytes,
    assert_all_stored,
    mark_of,
    with_files,
)
from tests.promises import assert_files_promises_kept, assert_promises_kept
from tests.running import INCREMENTAL, Output, run_tap
from tests.simulator import Fault, Simulator, World, seeded_world

if TYPE_CHECKING:
    from pathlib import Path

DAY = timedelta(days=1)
FAMILY = ("messages", "message_media")


@pytest.fixture
def world() -> World:
    """A world whose clock is behind the real one, so that time can pass."""
    return seeded_world(seed=7, now=datetime.now(timezone.utc) - 60 * DAY)


@pytest.fixture(autouse=True)
def every_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put out each state, however soon after the one before."""
    monkeypatch.setattr(bookmarks, "SECONDS_BETWEEN_STATES", 0)


def config_of(sim: Simulator, folder: Path, **config: Any) -> dict[str, Any]:
    """Return a config of many windows, in which nothing is tried a second time."""
    return with_files(sim, folder) | {"page_size": 10, "max_retry_seconds": 0} | config


def sent_of(world: World) -> dict[str, datetime]:
    """Return when the message of each file was sent."""
    return {
        file.sid: message.date_sent
        for message in world.main.messages.values()
        for file in message.media
        if message.date_sent
    }


def in_the_middle(world: World) -> str:
    """Return a file of a message older than many others, and younger than others."""
    sent = sent_of(world)
    return sorted(sent, key=sent.__getitem__)[len(sent) // 3]


def error_of(output: Output) -> str:
    assert output.code == 1
    assert output.error is not None
    return str(output.error)


# ---- what may come later


@pytest.mark.parametrize("kind", ["500", "503", "429", "reset", "truncate"])
def test_a_file_of_a_message_that_does_not_come(
    sim: Simulator, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = sim.world
    missed = in_the_middle(world)
    sim.faults.add(Fault(kind, endpoint="signed_content", match=missed, times=None))
    first = run_tap(config_of(sim, tmp_path), FAMILY)
    account = world.account_sid
    text = error_of(first)
    assert text.startswith(f"account {account}: files of message_media not complete: ")
    assert "the next run asks for them again" in text
    assert "\n" not in text
    assert f"files of message_media that did not come: 1 ({missed})" in caplog.text
    record = by_sid(first.records("message_media"))[missed]
    assert [record[name] for name in COLUMNS] == [None, None, None, "unavailable"]
    without = {n: v for n, v in record.items() if n not in COLUMNS}
    assert without.items() <= expected(sim, "message_media")[missed].items()
    for stream in FAMILY:
        assert set(first.sids(stream)) == set(expected(sim, stream))
        assert parsed(first.bookmark(stream) or "") == world.now, "rows are not held up"
    assert_promises_kept([first], world)
    assert_files_promises_kept([first], world)
    sent = sent_of(world)
    mark = parsed(mark_of(first.state, "message_media") or "")
    assert min(sent.values()) < mark <= sent[missed], "marked as far as all is well"

    sim.faults.clear()
    sim.reset()
    second = run_tap(config_of(sim, tmp_path), FAMILY, first.state)
    assert second.error is None
    assert asked_for_bytes(sim) == {missed}
    assert missed in second.sids("message_media")
    assert parsed(mark_of(second.state, "message_media") or "") == world.now
    assert_all_stored(sim, tmp_path, first, second, streams=["message_media"])
    assert_files_promises_kept([first, second], world)


def test_it_is_asked_for_again_and_again_until_it_comes(sim: Simulator, tmp_path: Path) -> None:
    world = sim.world
    missed = in_the_middle(world)
    sim.faults.add(Fault("500", endpoint="media_content", match=missed, times=None))
    outputs = [run_tap(config_of(sim, tmp_path), FAMILY)]
    marks = [mark_of(outputs[0].state, "message_media")]
    for _ in range(3):
        world.now += 10 * DAY
        world.add_message(num_media=1)
        sim.reset()
        outputs.append(run_tap(config_of(sim, tmp_path), FAMILY, outputs[-1].state))
        assert "files of message_media" in error_of(outputs[-1])
        assert missed in asked_for_bytes(sim)
        marks.append(mark_of(outputs[-1].state, "message_media"))
        assert parsed(outputs[-1].bookmark("message_media") or "") == world.now
    moments = [parsed(mark or "") for mark in marks]
    assert moments == sorted(moments), "no mark moves back"
    assert moments[-1] <= sent_of(world)[missed], "and none passes by what is missing"
    sim.faults.clear()
    outputs.append(run_tap(config_of(sim, tmp_path), FAMILY, outputs[-1].state))
    assert outputs[-1].error is None
    assert_all_stored(sim, tmp_path, *outputs, streams=["message_media"])
    assert_files_promises_kept(outputs, world)
    assert parsed(mark_of(outputs[-1].state, "message_media") or "") == world.now


def test_a_file_of_a_conversation_that_does_not_come(sim: Simulator, tmp_path: Path) -> None:
    world = sim.world
    media = next(m for m in world.mcs_media.values() if m.ready)
    assert media.service_sid in world.main.services
    sim.faults.add(Fault("500", endpoint="signed_content", match=media.sid, times=None))
    first = run_tap(config_of(sim, tmp_path), INCREMENTAL)
    text = error_of(first)
    assert text.startswith(f"account {world.account_sid}: files of mcs_media not complete: ")
    assert "\n" not in text
    assert by_sid(first.records("mcs_media"))[media.sid]["file_status"] == "unavailable"
    for service in world.main.services:
        for stream in ("conversation_messages", "mcs_media"):
            bookmark = first.bookmark(stream, chat_service_sid=service)
            assert parsed(bookmark or "") == world.now
        mark = mark_of(first.state, "mcs_media", chat_service_sid=service)
        assert (mark is None) == (service == media.service_sid)
    assert "read_back_to" not in str(first.state)
    sim.faults.clear()
    sim.reset()
    second = run_tap(config_of(sim, tmp_path), INCREMENTAL, first.state)
    assert second.error is None
    unready = {sid for sid, m in world.mcs_media.items() if not m.ready}
    assert asked_for_bytes(sim) - unready == {media.sid}
    assert_all_stored(sim, tmp_path, first, second)
    for service in world.main.services:
        mark = mark_of(second.state, "mcs_media", chat_service_sid=service)
        assert parsed(mark or "") == world.now


def test_one_line_for_each_account(
    sim: Simulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = sim.world
    busy = next(a for a in world.accounts.values() if a.services and a.sid != world.account_sid)
    own = {"account_sid": busy.sid, "auth_token": busy.auth_token}
    sim.faults.add(Fault("503", endpoint="signed_content", times=None))
    config = config_of(sim, tmp_path, include_subaccounts=True, subaccount_credentials=[own])
    output = run_tap(config, INCREMENTAL)
    files = "files of message_media, files of mcs_media not complete"
    lines = error_of(output).splitlines()
    assert len(lines) == 2
    for account, line in zip((world.account_sid, busy.sid), lines, strict=True):
        assert line.startswith(f"account {account}: {files}: ")
    assert caplog.text.count("files of message_media that did not come: ") == 1
    assert caplog.text.count("files of mcs_media that did not come: ") == 1
    assert not files_below(tmp_path)


def test_another_fault_is_told_beside_it(sim: Simulator, tmp_path: Path) -> None:
    """The line about files says nothing of why messages were not read."""
    sim.faults.add(
        Fault("500", endpoint="signed_content", match=in_the_middle(sim.world), times=None),
        Fault("reset", endpoint="conversation_messages", times=None),
    )
    text = error_of(run_tap(config_of(sim, tmp_path), INCREMENTAL))
    assert len(text.splitlines()) == 2
    assert "files of message_media not complete: " in text
    assert "conversation_messages, mcs_media not complete: " in text
    assert "the connection broke" in text


def test_a_lost_file_that_only_a_full_scan_asks_for_is_told_so(
    sim: Simulator, tmp_path: Path
) -> None:
    first = run_tap(config_of(sim, tmp_path), FAMILY)
    assert first.error is None
    lost = by_sid(first.records("message_media"))[in_the_middle(sim.world)]
    (tmp_path / lost["file_path"]).unlink()
    sim.faults.add(Fault("500", endpoint="signed_content", times=None))
    second = run_tap(config_of(sim, tmp_path, full_scan=True), FAMILY, first.state)
    assert "run again with full_scan" in error_of(second)
    sim.faults.clear()
    third = run_tap(config_of(sim, tmp_path, full_scan=True), FAMILY, second.state)
    assert_all_stored(sim, tmp_path, third, streams=["message_media"])


@pytest.mark.parametrize("seed", range(4))
def test_files_missed_at_random_all_come_in_the_end(
    sim: Simulator, tmp_path: Path, seed: int
) -> None:
    """In every run some files fail, and now and then so does a list: nothing is passed by."""
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    outputs: list[Output] = []
    state: dict[str, Any] = {}
    for share in (0.5, 0.3, 0.2, 0.1, 0.0):
        sim.faults.clear()
        sim.faults.add(Fault("500", endpoint="signed_content", rate=share, times=None))
        if share and chance.random() < 0.7:
            for endpoint in ("messages", "conversation_messages"):
                after = chance.randrange(3, 25)
                sim.faults.add(Fault("500", endpoint=endpoint, after=after, times=None))
        config = config_of(sim, tmp_path, max_concurrency=chance.choice((1, 10)))
        outputs.append(run_tap(config, INCREMENTAL, state))
        state = outputs[-1].state or state
    assert outputs[-1].error is None
    assert_all_stored(sim, tmp_path, *outputs)
    assert_promises_kept(outputs, sim.world)
    assert_files_promises_kept(outputs, sim.world)


# ---- rows that were never sent


def test_files_of_messages_never_sent_outlast_a_backfill_that_breaks_off(
    sim: Simulator, tmp_path: Path
) -> None:
    """They show up in the newest stretch alone, which is read last."""
    world = sim.world
    created = world.now - 300 * DAY
    old = world.add_message(date_sent=None, date_created=created, status="failed", num_media=1)
    first = run_tap(sim.config() | {"page_size": 10}, FAMILY)
    assert old.media[0].sid in first.sids("message_media")
    sim.faults.add(Fault("500", endpoint="messages", after=15, times=None))
    second = run_tap(config_of(sim, tmp_path, max_concurrency=1), FAMILY, first.state)
    assert second.error is not None
    mark = parsed(mark_of(second.state, "message_media") or "")
    assert mark > created + 3 * DAY
    sim.faults.clear()
    third = run_tap(config_of(sim, tmp_path), FAMILY, second.state)
    assert third.error is None
    assert_all_stored(sim, tmp_path, second, third, streams=["message_media"])
    (part,) = third.state["bookmarks"]["message_media"]["partitions"]
    assert len(part) == 4, "context, replication key, its value, and the one mark"
    sim.reset()
    fourth = run_tap(config_of(sim, tmp_path), FAMILY, third.state)
    assert old.media[0].sid not in fourth.sids("message_media")


def test_a_file_of_a_message_never_sent_is_not_lost_by_time(sim: Simulator, tmp_path: Path) -> None:
    """Such a row is read again for 36 days, but a file that did not come until it does."""
    world = sim.world
    created = world.now - 35 * DAY
    first = run_tap(config_of(sim, tmp_path), FAMILY)
    old = world.add_message(date_sent=None, date_created=created, status="canceled", num_media=1)
    sid = old.media[0].sid
    sim.faults.add(Fault("500", endpoint="media_content", match=sid, times=None))
    second = run_tap(config_of(sim, tmp_path), FAMILY, first.state)
    assert "files of message_media" in error_of(second)
    world.now += 5 * DAY
    third = run_tap(config_of(sim, tmp_path), FAMILY, second.state)
    assert "files of message_media" in error_of(third)
    sim.faults.clear()
    world.now += 5 * DAY
    fourth = run_tap(config_of(sim, tmp_path), FAMILY, third.state)
    assert fourth.error is None
    assert_all_stored(sim, tmp_path, first, fourth, streams=["message_media"])
    assert "unsent_since" not in str(fourth.state)
