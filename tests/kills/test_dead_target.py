"""A target that is gone: whatever the tap waits for, it ends soon after, and says why."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.download.downloading import records_of
from tests.simulator import Fault, Simulator, World
from tests.target.running import TAP, TARGET, lines_of, send, settings_of, started, wait_until
from tests.test_output import wait_until_full

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.target.running import Line

MOST_SECONDS = 5.0
LONG_WAIT = 300.0
QUIET_SECONDS = 0.3
NOTHING = subprocess.DEVNULL
SAID = "the target stopped reading"


def assert_ends(process: subprocess.Popen[bytes], since: float, log: Path, said: str) -> None:
    """Fail if a process does not end soon after a moment, with one line that tells why."""
    process.wait(60)
    assert time.monotonic() - since < MOST_SECONDS
    assert process.returncode == 1
    text = log.read_text()
    assert "Traceback" not in text
    (line,) = [line for line in text.splitlines() if "| ERROR " in line]
    assert said in line


def read_until_it_waits(pipe: int, sim: Simulator, endpoint: str) -> None:
    """Read until an endpoint was asked and nothing more comes: who writes waits for something."""
    deadline = time.monotonic() + 60
    is_due = False
    while (came := select.select([pipe], [], [], QUIET_SECONDS)[0]) or not is_due:
        is_due = sim.count(endpoint) > 0
        assert not came or os.read(pipe, 1 << 20), "it has ended"
        assert time.monotonic() < deadline


LATER = [pytest.mark.long]
WAITS = [
    pytest.param("hang", "account", id="hang-account", marks=LATER),
    pytest.param("hang", "messages", id="hang-messages", marks=LATER),
    pytest.param("hang", "media_list", id="hang-media_list"),
    pytest.param("hang", "services", id="hang-services", marks=LATER),
    pytest.param("hang", "conversation_messages", id="hang-conversation_messages", marks=LATER),
    pytest.param("hang", "mcs_media", id="hang-mcs_media", marks=LATER),
    pytest.param("hang", "media_content", id="hang-media_content", marks=LATER),
    pytest.param("stall", "signed_content", id="stall-signed_content"),
    pytest.param("429", "account", id="429-account", marks=LATER),
    pytest.param("429", "messages", id="429-messages"),
    pytest.param("429", "conversations", id="429-conversations", marks=LATER),
    pytest.param("503", "media_list", id="503-media_list", marks=LATER),
]


@contextmanager
def waiting(
    sim: Simulator, folder: Path, kind: str, endpoint: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start a tap, and yield it and the pipe it writes to when it waits for an endpoint."""
    sim.faults.add(Fault(kind, endpoint, times=None, retry_after=LONG_WAIT))
    config = sim.config()
    if "content" in endpoint:
        config |= {"download": {"output_path": str(folder / "files")}}
    read, write = os.pipe()
    with started(folder, config, module=TAP, name="tap", stdin=NOTHING, stdout=write) as tap:
        os.close(write)
        read_until_it_waits(read, sim, endpoint)
        assert tap.poll() is None
        yield tap, read


@pytest.mark.parametrize(("kind", "endpoint"), WAITS)
def test_the_tap_ends_while_it_waits(
    sim: Simulator, tmp_path: Path, kind: str, endpoint: str
) -> None:
    """Its requests hang, or Twilio has told it to come back much later."""
    with waiting(sim, tmp_path, kind, endpoint) as (tap, pipe):
        os.close(pipe)
        assert_ends(tap, time.monotonic(), tmp_path / "tap.log", SAID)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(
    ("kind", "endpoint"),
    [
        pytest.param("429", "account", id="429-account"),
        pytest.param("429", "media_list", id="429-media_list", marks=LATER),
        pytest.param("stall", "signed_content", id="stall-signed_content", marks=LATER),
    ],
)
def test_a_signal_ends_it_at_once(
    sim: Simulator, tmp_path: Path, kind: str, endpoint: str, number: signal.Signals
) -> None:
    with waiting(sim, tmp_path, kind, endpoint) as (tap, pipe):
        tap.send_signal(number)
        since = time.monotonic()
        tap.wait(60)
        assert time.monotonic() - since < 2
        assert tap.returncode == 128 + number
        os.close(pipe)
    assert "Traceback" not in (tmp_path / "tap.log").read_text()


def test_the_tap_ends_whose_target_was_stopped_and_then_killed(tmp_path: Path) -> None:
    """The pipe is full, so that the tap waits in a write."""
    world = World(seed=1)
    for _ in range(900):
        world.add_message(body="x" * 400)
    with (
        Simulator(world) as sim,
        started(tmp_path, sim.config(), module=TAP, name="tap", stdin=NOTHING) as tap,
    ):
        assert tap.stdout
        pipe = tap.stdout.fileno()
        with subprocess.Popen(["cat"], stdin=pipe, stdout=NOTHING) as target:  # noqa: S607
            target.send_signal(signal.SIGSTOP)
            wait_until_full(pipe)
            tap.stdout.close()
            assert tap.poll() is None
            target.kill()
            target.wait()
            assert_ends(tap, time.monotonic(), tmp_path / "tap.log", SAID)


def test_the_files_target_ends_when_nobody_keeps_its_state(
    sim: Simulator, world: World, tmp_path: Path
) -> None:
    """Its input has ended and its downloads hang, as when the runner of both was killed."""
    sim.faults.add(Fault("hang", "signed_content", times=None))
    lines: list[Line] = lines_of(records_of(world, "message_media")[:8], every=8)
    read, write = os.pipe()
    settings = settings_of(sim, tmp_path / "files")
    with started(tmp_path, settings, module=TARGET, stdout=write) as target:
        os.close(write)
        send(target, *lines)
        assert target.stdin
        target.stdin.close()
        wait_until(lambda: sim.count("signed_content"))
        os.close(read)
        since, log = time.monotonic(), tmp_path / "target.log"
        assert_ends(target, since, log, "who keeps the state stopped reading")
    assert not list((tmp_path / "files").rglob("*.part"))
