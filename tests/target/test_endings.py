"""Signals and a reader that is gone: the run ends soon, says why, and writes no state."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.download.downloading import assert_whole, files_below, records_of, rows_of
from tests.download.s3 import BUCKET, bucket
from tests.simulator import Fault
from tests.target.running import (
    QUICK,
    TARGET,
    Done,
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
from tests.target.test_state import reference_of, rows_in

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.simulator import Simulator, World

STREAM = "message_media"
SIGNALS = [signal.SIGTERM, signal.SIGINT]
NUMBER = 5
"""So many files come before the others hang."""


@contextmanager
def hanging(
    sim: Simulator, world: World, folder: Path, output_path: Path | str, kind: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Give a target that has some files and hangs in others, its input open."""
    records = records_of(world, STREAM)[:20]
    for _, row in records[NUMBER:]:
        endpoint = "signed_content" if kind == "stall" else "media_content"
        sim.faults.add(Fault(kind, endpoint, match=row["sid"], times=None))
    with started(folder, settings_of(sim, output_path), module=TARGET) as process:
        send(process, *lines_of(records[:NUMBER]), state("true"))
        wait_until(lambda: sim.count("signed_content") == NUMBER)
        send(process, *(record(*item) for item in records[NUMBER:]), state("not yet"))
        wait_until(lambda: sim.count("media_content") >= NUMBER + 10)
        yield process


@pytest.mark.parametrize("kind", ["hang", "stall"])
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_downloads_hang(
    sim: Simulator, world: World, tmp_path: Path, number: signal.Signals, kind: str
) -> None:
    folder = tmp_path / "files"
    with hanging(sim, world, tmp_path, folder, kind) as process:
        before = said(process)
        process.send_signal(number)
        sent = time.monotonic()
        process.wait(30)
        assert time.monotonic() - sent < 2
        assert process.returncode == 128 + number
        assert (before + said(process)).count(b"not yet") == 0
        assert not said(process), "the signal made it write a state"
    log = (tmp_path / "target.log").read_text()
    assert "Traceback" not in log
    assert f"Stopped by signal {number:d}" in log
    assert len(rows_of(folder)) == NUMBER
    # The rest comes with the next run.
    sim.faults.clear()
    records = records_of(world, STREAM)[:20]
    assert run_target(tmp_path, settings_of(sim, folder), lines_of(records)).code == 0
    assert_whole(world, folder, map(reference_of, records))


def test_a_signal_writes_the_rows_of_a_bucket(sim: Simulator, world: World, tmp_path: Path) -> None:
    """Else every object would have to be read to be known."""
    with bucket() as s3:
        with hanging(sim, world, tmp_path, f"s3://{BUCKET}/x", "hang") as process:
            wait_until(lambda: len([n for n in s3.names() if "/manifest/" not in n]) == NUMBER)
            process.send_signal(signal.SIGTERM)
            process.wait(30)
        assert process.returncode == 128 + signal.SIGTERM
        assert len(rows_in(s3)) == NUMBER


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_nothing_comes_in(
    sim: Simulator, world: World, tmp_path: Path, number: signal.Signals
) -> None:
    folder = tmp_path / "files"
    with started(tmp_path, settings_of(sim, folder), module=TARGET) as process:
        send(process, schema(), record(*records_of(world, STREAM)[0]))
        wait_until(lambda: rows_of(folder))
        process.send_signal(number)
        sent = time.monotonic()
        process.wait(30)
        assert time.monotonic() - sent < 2
        assert (process.returncode, said(process)) == (128 + number, b"")
    assert "Traceback" not in (tmp_path / "target.log").read_text()


def test_what_is_half_is_removed_when_a_run_fails(
    sim: Simulator, world: World, tmp_path: Path
) -> None:
    """A refusal ends the run while other bodies are on their way."""
    records = records_of(world, STREAM)[:4]
    sim.faults.add(
        Fault("401", "media_content", match=records[0][1]["sid"], times=None),
        Fault("flood", "signed_content", size=10**9, times=None),
    )
    folder = tmp_path / "files"
    settings = settings_of(sim, folder, max_file_bytes=10**10)
    done = run_target(tmp_path, settings, lines_of(records, every=1), module=TARGET)
    assert "HTTP 401" in done.error
    assert not done.states
    assert files_below(folder) == set()


def lines_with_states(world: World) -> bytes:
    return text_of(lines_of(records_of(world, STREAM), every=1)).encode()


def test_a_reader_that_is_gone(sim: Simulator, world: World, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    settings = settings_of(sim, tmp_path / "files")
    with started(tmp_path, settings, module=QUICK, stdout=write) as process:
        os.close(write)
        process.communicate(lines_with_states(world), timeout=60)
    done = Done(process.returncode, "", (tmp_path / "target.log").read_text())
    assert "who keeps the state stopped reading" in done.error
    assert not [path for path in files_below(tmp_path / "files") if path.endswith(".part")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_under_the_state(sim: Simulator, world: World, tmp_path: Path) -> None:
    settings = settings_of(sim, tmp_path / "files")
    full = os.open("/dev/full", os.O_WRONLY)
    with started(tmp_path, settings, module=QUICK, stdout=full) as process:
        os.close(full)
        process.communicate(lines_with_states(world), timeout=60)
    done = Done(process.returncode, "", (tmp_path / "target.log").read_text())
    assert "stdout: cannot write the state: No space left on device" in done.error
