"""A tap that may write no more, or open no more: it ends with one line that says so."""

from __future__ import annotations

import errno
import json
import logging
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tap_twilio_media.endings import told_in_one_line
from tests.expecting import by_sid, expected
from tests.promises import assert_promises_kept
from tests.running import STREAMS, Output, clean_environ, run_tap
from tests.simulator import seeded_world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulator import Simulator, World

BLOCK = 512
"""What `ulimit -f` counts in, in a plain shell."""


@pytest.fixture
def world() -> World:
    return seeded_world(seed=7, messages=400)


def run_limited(
    folder: Path, config: dict[str, Any], stdout: Path, limit: Sequence[str] = ()
) -> Output:
    """Run the tap into a file, under a limit of the shell; what was cut at the end is left out."""
    (folder / "config.json").write_text(json.dumps(config))
    tap = [sys.executable, "-m", "tap_twilio_media", "--config", "config.json"]
    shell = ["sh", "-c", 'ulimit "$1" "$2" && shift 2 && exec "$@"', "sh", *limit]
    with stdout.open("wb") as out:
        done = subprocess.run(
            [*shell, *tap] if limit else tap,
            cwd=folder,
            env=clean_environ(),
            stdout=out,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    text = stdout.read_text() if stdout.is_file() else ""
    whole = text[: text.rfind("\n") + 1]
    return Output.of(whole, code=done.returncode, log=done.stderr.decode())


def the_error(output: Output) -> str:
    assert output.code == 1
    assert "Traceback" not in output.log
    (line,) = [line for line in output.log.splitlines() if "| ERROR " in line]
    return line


def assert_whole(sim: Simulator, *outputs: Output) -> None:
    assert_promises_kept(outputs, sim.world)
    for stream in STREAMS:
        held: dict[str, Any] = {}
        for output in outputs:
            held |= by_sid(output.records(stream))
        assert held == expected(sim, stream, [sim.world.account_sid])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_device(sim: Simulator, tmp_path: Path) -> None:
    output = run_limited(tmp_path, sim.config(), Path("/dev/full"))
    assert "stdout: cannot write: No space left on device" in the_error(output)


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.long)])
def test_a_file_that_may_not_grow(sim: Simulator, tmp_path: Path, times: int) -> None:
    """The output ends anywhere, also in a line; the next run goes on from its last state."""
    out = tmp_path / "out.jsonl"
    config = sim.config() | {"page_size": 20, "lookback_days": 1}
    whole = run_limited(tmp_path, config, out)
    # How many states come out is a matter of time; without them all runs write as much.
    lines = [line for line in whole.text.split("\n") if '"type":"STATE"' not in line]
    blocks = len("\n".join(lines).encode()) // BLOCK
    assert len(whole.text.split("\n")) - len(lines) == len(whole.of_type("STATE"))
    chance = random.Random(times)  # noqa: S311 - chance, not secrecy
    for _ in range(times):
        first = run_limited(tmp_path, config, out, ["-f", str(chance.randrange(blocks - 1))])
        assert "stdout: cannot write: File too large" in the_error(first)
        assert_whole(sim, first, run_tap(config, state=first.state))


def test_no_more_open_files(sim: Simulator, tmp_path: Path) -> None:
    """So few that the tap starts and has a connection, but not all of them."""
    out = tmp_path / "out.jsonl"
    config = sim.config() | {"max_retry_seconds": 0.1, "max_concurrency": 20}
    sim.latency = 0.02
    first = run_limited(tmp_path, config, out, ["-n", "7"])
    assert "Too many open files" in the_error(first)
    assert sim.requests
    sim.latency = 0
    assert_whole(sim, first, run_tap(sim.config(), state=first.state))


def test_what_lacks_is_told_also_when_nobody_foresaw_it(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        error = LookupError("no schema")
        error.__context__ = OSError(errno.EMFILE, "x")
        raise error

    with pytest.raises(SystemExit), told_in_one_line(logging.getLogger("starved")):
        fail()
    assert caplog.messages == [
        "Too many open files; raise the limit (ulimit -n), or lower max_concurrency"
    ]
