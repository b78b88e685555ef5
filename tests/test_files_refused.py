"""Files that will never come, and places that cannot be written: told, and nothing claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_twilio_media import bookmarks
from tap_twilio_media.times import parsed
from tests.download.downloading import newest_rows, rows_of
from tests.expecting import by_sid
from tests.filing import (
    COLUMNS,
    MEDIA,
    as_ordinary_user,
    asked_for_bytes,
    assert_all_stored,
    assert_files_whole,
    files_no_larger_than,
    mark_of,
)
from tests.promises import assert_files_promises_kept, assert_promises_kept
from tests.running import INCREMENTAL, Output, run_tap
from tests.simulator import Fault, Simulator
from tests.test_files_missed import FAMILY, config_of, error_of, in_the_middle

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def every_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put out each state, however soon after the one before."""
    monkeypatch.setattr(bookmarks, "SECONDS_BETWEEN_STATES", 0)


# ---- what will never come


@pytest.mark.parametrize(
    ("kind", "status"), [("404", "not_found"), ("403", "forbidden"), ("page", "not_a_file")]
)
def test_what_is_lost_for_good_is_recorded_and_moves_the_mark(
    sim: Simulator, tmp_path: Path, kind: str, status: str
) -> None:
    world = sim.world
    lost = in_the_middle(world)
    endpoint = "signed_content" if kind == "page" else "media_content"
    sim.faults.add(Fault(kind, endpoint=endpoint, match=lost, times=None))
    output = run_tap(config_of(sim, tmp_path, max_retry_seconds=10), INCREMENTAL)
    assert output.error is None
    record = by_sid(output.records("message_media"))[lost]
    assert [record[name] for name in COLUMNS] == [None, None, None, status]
    assert newest_rows(tmp_path)[lost]["status"] == status
    assert parsed(mark_of(output.state, "message_media") or "") == world.now
    assert_files_promises_kept([output], world)
    sim.reset()
    again = run_tap(config_of(sim, tmp_path), INCREMENTAL, output.state)
    assert again.error is None
    assert lost not in asked_for_bytes(sim)


def test_credentials_that_are_refused_fail_the_family(sim: Simulator, tmp_path: Path) -> None:
    sim.faults.add(Fault("401", endpoint="media_content", after=20, times=None))
    output = run_tap(config_of(sim, tmp_path, max_retry_seconds=10), INCREMENTAL)
    (line,) = error_of(output).splitlines()
    assert line.startswith(
        f"account {sim.world.account_sid}: messages, message_media not complete: "
    )
    assert "HTTP 401" in line
    for stream in FAMILY:
        assert parsed(output.bookmark(stream) or "") < sim.world.now
    assert_promises_kept([output], sim.world)
    assert_files_promises_kept([output], sim.world)
    assert_all_stored(sim, tmp_path, output, streams=["mcs_media"])
    assert_files_whole(sim.world, tmp_path, output.records("message_media"))
    assert not any(r["file_status"] != "stored" for r in output.records("message_media"))
    sim.faults.clear()
    second = run_tap(config_of(sim, tmp_path), INCREMENTAL, output.state)
    assert_all_stored(sim, tmp_path, output, second)


# ---- places that cannot be written


def assert_nothing_is_claimed(sim: Simulator, output: Output, what: str) -> None:
    """Fail unless a run ended with one line about its output_path and kept its promises."""
    text = error_of(output)
    assert text.startswith(f"account {sim.world.account_sid}: messages, message_media")
    assert " not complete: output_path: cannot " in text
    assert what in text
    assert "\n" not in text
    assert text.isprintable()
    assert_promises_kept([output], sim.world)
    assert_files_promises_kept([output], sim.world)
    stored = {r["file_status"] for s in MEDIA for r in output.records(s)}
    assert stored <= {"stored"}


@pytest.fixture
def imported(sim: Simulator, tmp_path: Path) -> None:
    """All that is imported late was imported."""
    output = run_tap(config_of(sim, tmp_path / "before"), INCREMENTAL)
    assert output.error is None
    sim.reset()


@pytest.mark.usefixtures("imported")
@pytest.mark.parametrize("mode", [0o500, 0o000])
@pytest.mark.parametrize("maps", [{}, {"message_media": {"__filter__": "sid != ''"}}])
def test_a_folder_that_may_not_be_written(sim: Simulator, mode: int, maps: dict[str, Any]) -> None:
    with as_ordinary_user() as folder:
        folder.chmod(mode)
        output = run_tap(config_of(sim, folder, stream_maps=maps), INCREMENTAL)
        folder.chmod(0o700)
        assert not list(folder.iterdir())
        assert_nothing_is_claimed(sim, output, "give this user the right")
        second = run_tap(config_of(sim, folder), INCREMENTAL, output.state)
        assert_all_stored(sim, folder, output, second)


def test_a_file_where_the_folder_should_be(sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    output = run_tap(config_of(sim, tmp_path / "file"), INCREMENTAL)
    assert_nothing_is_claimed(sim, output, str(tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("size", [1, 3_000, 20_000])
def test_a_full_disk(sim: Simulator, tmp_path: Path, size: int) -> None:
    with files_no_larger_than(size):
        first = run_tap(config_of(sim, tmp_path), INCREMENTAL)
    assert_nothing_is_claimed(sim, first, "cannot write")
    assert_files_whole(sim.world, tmp_path, first.records("message_media"))
    assert all(row["status"] == "stored" for row in rows_of(tmp_path))
    second = run_tap(config_of(sim, tmp_path), INCREMENTAL, first.state)
    assert second.error is None
    assert_all_stored(sim, tmp_path, first, second)
