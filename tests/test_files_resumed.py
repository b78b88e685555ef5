"""Runs that are cut short while they download: no file is passed by, none is half there."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tap_twilio_media import bookmarks
from tests.download.downloading import newest_rows
from tests.expecting import by_sid
from tests.filing import (
    asked_for_bytes,
    assert_all_stored,
    assert_files_whole,
    expected_with_files,
    marks_of,
    with_files,
)
from tests.promises import assert_files_promises_kept, assert_promises_kept
from tests.running import Output, run_tap
from tests.simulator import Fault, Simulator, seeded_world
from tests.test_resume import FAMILY, KILLS, TALKS, conversation_world, jobs, parts_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tests.test_resume import Command

DAY = timedelta(days=1)
COUNT = 120
"""So many conversations, every third with a file, ten to a page."""


# ---- killed


def assert_all_came(sim: Simulator, job: Command, streams: Sequence[str]) -> None:
    """Fail unless all outputs of a job together hold every row, and its folder every file."""
    folder = job.folder / "files"
    for stream in streams:
        held: dict[str, dict[str, Any]] = {}
        for output in job.outputs:
            records = output.records(stream)
            assert_files_whole(sim.world, folder, records)
            held |= by_sid(records)
        rows = expected_with_files(sim, stream)
        for record in held.values():
            del record["file_path"]
        assert held == rows
        newest = newest_rows(folder)
        assert all(newest[sid]["status"] == "stored" for sid in rows)


@pytest.mark.parametrize("kills", KILLS)
def test_downloads_of_messages_killed_at_any_moment(tmp_path: Path, kills: int) -> None:
    world = seeded_world(messages=0, conversations=0)
    for number in range(400):
        age = 398 * DAY * (number / 400) ** 2
        world.add_message(date_sent=world.now - age, num_media=int(number % 4 == 0))
    config = {"page_size": 20, "lookback_days": 0.01, "download": {"output_path": "files"}}
    with Simulator(world, latency=0.02) as sim:
        sim.faults.add(Fault("slow", endpoint="signed_content", times=None, delay=0.001))
        for job in jobs(sim, tmp_path, FAMILY, kills, **config):
            assert_promises_kept(job.outputs, world)
            assert_files_promises_kept(job.outputs, world)
            assert_all_came(sim, job, ["message_media"])


@pytest.mark.parametrize("kills", KILLS)
def test_downloads_of_conversations_killed_at_any_moment(tmp_path: Path, kills: int) -> None:
    world, _ = conversation_world(200)
    config = {"page_size": 10, "download": {"output_path": "files"}}
    with Simulator(world, latency=0.02) as sim:
        for job in jobs(sim, tmp_path, TALKS, kills, **config):
            assert_files_promises_kept(job.outputs, world)
            assert_all_came(sim, job, ["mcs_media"])
            (part,) = parts_of(job.state, "mcs_media")
            assert len(part) == 4, "context, replication key, its value, and the one mark"


# ---- a first read of conversations that is cut short


@pytest.fixture
def sim(monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    monkeypatch.setattr(bookmarks, "SECONDS_BETWEEN_STATES", 0)
    world, _ = conversation_world(COUNT)
    with Simulator(world) as simulator:
        yield simulator


def config_of(sim: Simulator, folder: Path | None) -> dict[str, Any]:
    config = with_files(sim, folder) if folder else sim.config()
    return config | {"page_size": 10, "max_retry_seconds": 0, "max_concurrency": 4}


def run_until(
    sim: Simulator, count: int, folder: Path | None, state: dict[str, Any] | None = None
) -> Output:
    """Run until the messages of so many conversations were asked for, and all fails from there."""
    sim.faults.add(Fault("500", endpoint="conversation_messages", after=count, times=None))
    output = run_tap(config_of(sim, folder), TALKS, state)
    sim.faults.clear()
    return output


def finish(sim: Simulator, folder: Path | None, state: dict[str, Any]) -> Output:
    output = run_tap(config_of(sim, folder), TALKS, state)
    assert output.error is None
    assert "read_" not in str(output.state), "the attempt is over"
    return output


def assert_came(sim: Simulator, folder: Path, outputs: Iterable[Output]) -> None:
    outputs = list(outputs)
    assert_files_promises_kept(outputs, sim.world)
    assert_all_stored(sim, folder, *outputs, streams=["mcs_media"])


def test_it_goes_on_where_it_was(sim: Simulator, tmp_path: Path) -> None:
    first = run_until(sim, COUNT // 2, tmp_path)
    (part,) = parts_of(first.state, "mcs_media")
    assert sum(name.endswith("read_back_to") for name in part) == 2, "of the rows and the files"
    held = asked_for_bytes(sim)
    sim.reset()
    second = finish(sim, tmp_path, first.state)
    assert_came(sim, tmp_path, [first, second])
    assert not asked_for_bytes(sim) & set(first.sids("mcs_media")) & held
    assert len(second.records("conversation_messages")) < 0.8 * 2 * COUNT


def test_turned_on_amid_a_first_read_passes_no_file_by(sim: Simulator, tmp_path: Path) -> None:
    """What was read before without files is no part of what is complete with them."""
    first = run_until(sim, COUNT // 2, None)
    assert "read_back_to" in str(first.state)
    second = finish(sim, tmp_path, first.state)
    assert_came(sim, tmp_path, [second])


def test_another_folder_amid_a_first_read_passes_no_file_by(sim: Simulator, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    first = run_until(sim, COUNT // 2, one)
    assert "read_back_to" in str(first.state)
    second = run_tap(config_of(sim, two), TALKS, first.state)
    assert second.error is None
    assert_all_stored(sim, two, second, streams=["mcs_media"])
    third = run_tap(config_of(sim, one), TALKS, second.state)
    assert third.error is None
    assert_all_stored(sim, one, first, third, streams=["mcs_media"])
    assert len(marks_of(third.state, "mcs_media")) == 2
    assert "read_" not in str(third.state)


def test_turned_off_amid_a_first_read_the_rows_go_on(sim: Simulator, tmp_path: Path) -> None:
    first = run_until(sim, COUNT // 2, tmp_path)
    assert "read_back_to" in str(first.state)
    second = run_tap(config_of(sim, None), TALKS, first.state)
    assert second.error is None
    assert len(second.records("conversation_messages")) < 0.8 * 2 * COUNT
    third = finish(sim, tmp_path, second.state)
    assert_came(sim, tmp_path, [first, third])


def test_a_backfill_of_files_alone_goes_on_where_it_was(sim: Simulator, tmp_path: Path) -> None:
    first = finish(sim, None, {})
    second = run_until(sim, COUNT // 2, tmp_path, first.state)
    assert "read_back_to" in str(second.state)
    sim.reset()
    third = finish(sim, tmp_path, second.state)
    assert_came(sim, tmp_path, [second, third])
    assert sim.count("conversation_messages") < 0.8 * COUNT
    for output in (second, third):
        assert len(output.records("conversation_messages")) < 20, "the lookback alone"


@pytest.mark.parametrize("seed", range(6))
def test_cut_short_again_and_again_while_files_fail(
    sim: Simulator, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    outputs: list[Output] = []
    state: dict[str, Any] = {}
    for share in (0.05, 0.3, 0.1, 0.02):
        sim.faults.add(Fault("500", endpoint="signed_content", rate=share, times=None))
        outputs.append(run_until(sim, chance.randrange(20, COUNT), tmp_path, state))
        state = outputs[-1].state or state
    # Whole, but for a file: it holds back the mark and nothing else.
    lost = chance.choice(sorted(sim.world.mcs_media))
    sim.faults.add(Fault("500", endpoint="signed_content", match=lost, times=None))
    outputs.append(run_tap(config_of(sim, tmp_path), TALKS, state))
    sim.faults.clear()
    for stream in TALKS:
        assert outputs[-1].bookmark(stream)
    outputs.append(run_tap(config_of(sim, tmp_path), TALKS, outputs[-1].state))
    assert outputs[-1].error is None
    assert_came(sim, tmp_path, outputs)
    assert len(marks_of(outputs[-1].state, "mcs_media")) == 1
