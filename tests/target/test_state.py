"""What a state promises: every file before it is there, or is known not to come."""

from __future__ import annotations

import io
import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tap_twilio_media.download.references import Reference
from tap_twilio_media.pool import Pool
from tap_twilio_media.target import states as module
from tap_twilio_media.target.downloads import MOST_IN_A_ROW, Downloads
from tap_twilio_media.target.states import SECONDS_BETWEEN, States
from tap_twilio_media.target.target import TargetTwilioMedia
from tests.client.asking import Clock
from tests.download.downloading import (
    assert_whole,
    downloader_of,
    files_below,
    newest_rows,
    records_of,
    rows_of,
)
from tests.download.s3 import BUCKET, Bucket, bucket
from tests.simulator import Fault
from tests.target.running import (
    QUICK,
    TARGET,
    Line,
    lines_of,
    record,
    run_target,
    said,
    schema,
    send,
    settings_of,
    started,
    state,
    text_of,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.simulator import Simulator, World

STREAM = "message_media"
Records = list[tuple[str, dict[str, Any]]]


class Stdout:
    """Takes states, and looks around each time that one is written."""

    def __init__(self, look: Callable[[Any], None] = lambda _: None) -> None:
        self.states: list[Any] = []
        self._look = look

    def write(self, line: bytes) -> None:
        self.states.append(json.loads(line))
        self._look(self.states[-1])

    def flush(self) -> None: ...


def use(stdout: Stdout, monkeypatch: pytest.MonkeyPatch, seconds_between: float = 0.0) -> None:
    monkeypatch.setattr(module, "sys", SimpleNamespace(stdout=SimpleNamespace(buffer=stdout)))
    monkeypatch.setattr(module, "SECONDS_BETWEEN", seconds_between)


def run_here(config: dict[str, Any], lines: Iterable[Line]) -> None:
    TargetTwilioMedia(config=config).listen(io.StringIO(text_of(lines)))


def reference_of(item: tuple[str, dict[str, Any]]) -> Reference:
    return Reference.of(*item)


# ---- a state and the files before it


def test_no_state_is_ahead_of_a_file(
    sim: Simulator, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bodies take times of any length, one of three fails at first, and some are no more."""
    records = records_of(world)
    for _, row in records_of(world, STREAM)[::9]:
        world.delete_media(row["sid"])
    sim.faults.add(
        Fault("slow", "signed_content", times=None, rate=0.3, delay=0.01),
        Fault("503", times=None, rate=0.1),
        Fault("truncate", times=None, rate=0.1),
    )

    def look(value: dict[str, Any]) -> None:
        rows = newest_rows(tmp_path)
        for _, row in records[: value["n"]]:
            known = rows[row["sid"]]
            if known["status"] == "stored":
                content = (tmp_path / known["path"]).read_bytes()
                assert content == world.media_bytes(row["sid"])
            else:
                assert known["status"] == "not_found"

    stdout = Stdout(look)
    use(stdout, monkeypatch)
    run_here(settings_of(sim, tmp_path), lines_of(records, every=3))
    numbers = [value["n"] for value in stdout.states]
    assert numbers == sorted(numbers)
    assert len(numbers) > 10
    assert stdout.states[-1] == {"n": len(records), "last": True}
    statuses = {row["status"] for row in rows_of(tmp_path)}
    assert statuses == {"stored", "not_found"}


def test_rows_are_in_the_bucket_before_a_state(
    sim: Simulator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = records_of(world, STREAM)
    with bucket() as s3:

        def look(value: dict[str, Any]) -> None:
            held = {row["sid"] for row in rows_in(s3)}
            assert {row["sid"] for _, row in records[: value["n"]]} <= held

        stdout = Stdout(look)
        use(stdout, monkeypatch)
        run_here(settings_of(sim, f"s3://{BUCKET}/x"), lines_of(records, every=20))
        assert len(stdout.states) > 1
        assert len(rows_in(s3)) == len(records)


def rows_in(s3: Bucket) -> list[dict[str, Any]]:
    names = sorted(name for name in s3.names() if "/manifest/" in name)
    return [json.loads(line) for name in names for line in s3.content(name).splitlines()]


def test_a_state_waits_for_a_file_that_hangs(sim: Simulator, world: World, tmp_path: Path) -> None:
    hanging, quick = records_of(world, STREAM)[:2]
    sim.faults.add(Fault("hang", "media_content", match=hanging[1]["sid"]))
    folder = tmp_path / "files"
    settings = settings_of(sim, folder, request_timeout=3)
    with started(tmp_path, settings, module=QUICK) as process:
        send(process, schema(), state("before"), record(*hanging), state("after"), record(*quick))
        wait_until(lambda: [path for path in files_below(folder) if quick[1]["sid"] in path])
        assert said(process) == b'"before"\n'
        assert not [path for path in files_below(folder) if hanging[1]["sid"] in path]
        assert process.stdin
        process.stdin.close()
        assert process.wait(30) == 0
        assert said(process) == b'"after"\n'
    assert_whole(world, folder, map(reference_of, (hanging, quick)))


def test_a_state_needs_no_end_of_the_input(sim: Simulator, world: World, tmp_path: Path) -> None:
    """It goes out while other records come, be they of streams without files."""
    folder = tmp_path / "files"
    first = records_of(world, STREAM)[0]
    with started(tmp_path, settings_of(sim, folder), module=QUICK) as process:
        send(process, schema(), schema("messages"), record(*first), state("after"))
        wait_until(lambda: rows_of(folder))
        seen = b""
        deadline = time.monotonic() + 30
        while not seen and time.monotonic() < deadline:
            send(process, record("messages", {"sid": "x"}))
            seen = said(process)
        assert seen == b'"after"\n'


def test_states_while_a_file_hangs_are_one(sim: Simulator, world: World, tmp_path: Path) -> None:
    """However many there are: only the last can be passed on, and only it is kept."""
    first, second = records_of(world, STREAM)[:2]
    sim.faults.add(Fault("hang", "media_content", match=first[1]["sid"]))
    passed: list[object] = []
    with downloader_of(sim, tmp_path, timeout=1.0) as downloader:
        downloads = Downloads(downloader, Pool(2), 100, passed.append)
        downloads.mark("first")
        downloads.add(*first)
        for number in range(1_000):
            downloads.mark(number)
        assert passed == ["first"]
        downloads.add(*second)
        downloads.mark("last")
        downloads.settle()
    assert passed == ["first", 999, "last"]


@pytest.mark.parametrize("driver", [TARGET, QUICK])
def test_the_last_state_comes_out_in_the_end(
    sim: Simulator, world: World, tmp_path: Path, driver: str
) -> None:
    records = records_of(world, STREAM)[:20]
    lines = lines_of(records, every=1)
    done = run_target(tmp_path, settings_of(sim, tmp_path / "files"), lines, module=driver)
    assert done.code == 0
    assert done.states[-1] == {"n": 20, "last": True}
    # As it comes, states follow each other by seconds.
    assert len(done.states) <= 2 if driver == TARGET else len(done.states) > 2


# ---- files that do not come


def test_what_may_come_later_holds_the_state(sim: Simulator, world: World, tmp_path: Path) -> None:
    records = records_of(world)[:12]
    bad = records[4][1]["sid"]
    sim.faults.add(Fault("503", times=None, match=bad))
    folder = tmp_path / "files"
    settings = settings_of(sim, folder, max_retry_seconds=0.05)
    done = run_target(tmp_path, settings, lines_of(records, every=1))
    assert "1 of the files did not come within max_retry_seconds" in done.error
    assert {value["n"] for value in done.states} <= {1, 2, 3, 4}
    assert done.states[-1] == {"n": 4}
    assert "11 downloaded" in done.log
    assert "1 unavailable" in done.log
    assert_status(folder, bad, "unavailable")
    # The next run asks for what is missing, and for nothing else.
    sim.faults.clear()
    sim.reset()
    done = run_target(tmp_path, settings, lines_of(records[4:], every=1))
    assert (done.code, done.states[-1]) == (0, {"n": 8, "last": True})
    assert all(bad in request.path for request in sim.requests)
    assert_whole(world, folder, map(reference_of, records))


def assert_status(folder: Path, sid: str, status: str) -> None:
    assert newest_rows(folder)[sid]["status"] == status


def test_what_will_never_come_does_not(sim: Simulator, world: World, tmp_path: Path) -> None:
    records = records_of(world, STREAM)[:6]
    gone = records[1][1]["sid"]
    world.delete_media(gone)
    folder = tmp_path / "files"
    done = run_target(tmp_path, settings_of(sim, folder), lines_of(records, every=1))
    assert (done.code, done.states[-1]) == (0, {"n": 6, "last": True})
    assert "5 downloaded" in done.log
    assert "1 not_found" in done.log
    assert_status(folder, gone, "not_found")


def test_too_many_in_a_row_end_the_run(sim: Simulator, world: World, tmp_path: Path) -> None:
    records = records_of(world, STREAM)
    assert len(records) > MOST_IN_A_ROW + 10
    sim.faults.add(Fault("503", times=None, after=2))  # the first file needs two requests
    settings = settings_of(sim, tmp_path / "files", max_retry_seconds=0, max_concurrency=1)
    done = run_target(tmp_path, settings, lines_of(records, every=1))
    assert f"{MOST_IN_A_ROW} files in a row did not come, the last one as" in done.error
    assert "503" in done.error
    assert done.states == [{"n": 1}]
    assert MOST_IN_A_ROW <= len({request.path for request in sim.requests}) - 2 < len(records) - 5
    assert f"{MOST_IN_A_ROW} unavailable" in done.log


def test_failures_with_files_between_them_do_not(
    sim: Simulator, world: World, tmp_path: Path
) -> None:
    records = records_of(world, STREAM)[: 2 * MOST_IN_A_ROW - 1]
    good = records[MOST_IN_A_ROW - 1]
    for _, row in records:
        if row is not good[1]:
            sim.faults.add(Fault("503", times=None, match=row["sid"]))
    settings = settings_of(sim, tmp_path / "files", max_retry_seconds=0)
    done = run_target(tmp_path, settings, lines_of(records, every=1))
    assert f"{2 * MOST_IN_A_ROW - 2} of the files did not come" in done.error
    assert not done.states
    assert "1 downloaded" in done.log


def test_wrong_credentials_end_the_run(sim: Simulator, world: World, tmp_path: Path) -> None:
    settings = settings_of(sim, tmp_path / "files") | {"auth_token": "0" * 32}
    lines = [state("before"), *lines_of(records_of(world, STREAM), every=1)]
    done = run_target(tmp_path, settings, lines)
    assert "HTTP 401, code 20003" in done.error
    assert "auth_token" in done.error
    assert "0" * 32 not in done.log
    assert done.states == ["before"]
    assert not (tmp_path / "files").exists()


def test_a_place_that_cannot_be_written_ends_the_run(
    sim: Simulator, world: World, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    lines = [state("before"), *lines_of(records_of(world, STREAM), every=1)]
    done = run_target(tmp_path, settings_of(sim, tmp_path / "file" / "x"), lines)
    assert "output_path: cannot" in done.error
    assert done.states == ["before"]
    assert (tmp_path / "file").read_text() == "mine"


# ---- how often


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_a_state_that_came_too_soon_is_kept(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = Stdout()
    use(stdout, monkeypatch, SECONDS_BETWEEN)
    states = States(lambda: None)
    for number in (1, 2, 3):
        states.pass_on(number)
    assert stdout.states == [1]
    clock.now += SECONDS_BETWEEN - 0.1
    states.remind()
    assert stdout.states == [1]
    clock.now += 0.2
    states.remind()
    states.remind()
    assert stdout.states == [1, 3]
    states.pass_on(3)
    states.pass_on(4)
    states.write()
    states.write()
    assert stdout.states == [1, 3, 4]


def test_the_same_state_is_not_repeated(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = Stdout()
    use(stdout, monkeypatch, SECONDS_BETWEEN)
    states = States(lambda: None)
    for value in (None, None, 0, 0):
        states.pass_on(value)
        clock.now += SECONDS_BETWEEN
    states.write()
    assert stdout.states == [None, 0]
