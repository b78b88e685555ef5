"""What goes to stdout: exact, whole, in large pieces and never late."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import termios
import time
from array import array
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from singer_sdk.singerlib.messages import RecordMessage, StateMessage

from tap_twilio_media import output as module
from tap_twilio_media.errors import UnwrittenError
from tap_twilio_media.output import LARGEST_PIECE, Output
from tests.client.asking import Clock
from tests.expecting import by_sid, expected
from tests.running import Output as Heard
from tests.running import catalog_of, clean_environ, run_command
from tests.simulator import Fault, Simulator, World, seeded_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from singer_sdk.singerlib.messages import Message

FAMILY = ("messages", "message_media")


class Stdout:
    """Takes what is written, at most so many bytes at a time."""

    def __init__(self, most: int = sys.maxsize) -> None:
        self.pieces: list[bytes] = []
        self.flushed = 0
        self.most = most
        self.on_write: Callable[[], object] = lambda: None

    def write(self, data: bytes | bytearray | memoryview) -> int:
        part = bytes(data[: self.most])
        self.pieces.append(part)
        self.on_write()
        return len(part)

    def flush(self) -> None:
        self.flushed = len(self.pieces)

    @property
    def written(self) -> bytes:
        """What the other end of an unbuffered pipe has."""
        assert self.flushed == len(self.pieces)
        return b"".join(self.pieces)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The lines, decoded."""
        return Heard.of(self.written.decode()).messages


@pytest.fixture
def stdout(monkeypatch: pytest.MonkeyPatch) -> Stdout:
    stdout = Stdout()
    replaced = SimpleNamespace(stdout=SimpleNamespace(buffer=stdout), exit=sys.exit)
    monkeypatch.setattr(module, "sys", replaced)
    return stdout


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def output() -> Output:
    return Output()


def record(**fields: Any) -> Message:
    return RecordMessage("messages", fields)


def numbers(stdout: Stdout) -> list[int]:
    return [message["record"]["n"] for message in stdout.messages]


# ---- what a line holds


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_are_exact_numbers(price: Decimal) -> None:
    line = bytes(Output().format_message(record(price=price)))
    back = json.loads(line, parse_float=Decimal, parse_int=Decimal)["record"]["price"]
    assert isinstance(back, Decimal), "a number, no text"
    assert back == price
    assert back.as_tuple().digits == price.as_tuple().digits


@pytest.mark.parametrize("price", ["-0.00750", "-12345.678900", "0", "0.1", "123456789012345678.9"])
def test_prices_keep_every_digit(stdout: Stdout, output: Output, price: str) -> None:
    output.write_message(record(price=Decimal(price)))
    assert f'"price":{price}}}'.encode() in stdout.written


TEXTS = [
    "\u2028 and \u2029",
    "\x00",
    "\x85\x0b\x0c\x1c",
    "👩‍👩‍👧‍👦🏳️‍🌈",
    "\n\r\n",
    '"\\',
    "\ufeff\ufffd",
    "",
]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_any_text_survives_in_one_line(stdout: Stdout, output: Output, text: str) -> None:
    output.write_message(record(body=text, **{text: [text]}))
    assert stdout.written.count(b"\n") == 1
    assert stdout.written.endswith(b"}\n")
    assert stdout.messages[0]["record"] == {"body": text, text: [text]}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=9), st.integers(1, 99))
def test_one_line_a_message_however_little_is_taken(texts: list[str], most: int) -> None:
    stdout = Stdout(most)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "sys", SimpleNamespace(stdout=SimpleNamespace(buffer=stdout)))
        output = Output()
        with output.held():
            for text in texts:
                output.write_message(record(body=text))
            output.write_message(StateMessage({"bookmarks": {}}))
    assert [m["record"]["body"] for m in stdout.messages[:-1]] == texts
    assert stdout.messages[-1] == {"type": "STATE", "value": {"bookmarks": {}}}
    assert stdout.written.count(b"\n") == len(texts) + 1


# ---- when it goes out


@pytest.mark.usefixtures("clock")
class TestPieces:
    def test_nothing_is_held_unless_asked(self, stdout: Stdout, output: Output) -> None:
        for number in range(3):
            output.write_message(record(n=number))
            assert numbers(stdout) == list(range(number + 1))

    def test_messages_are_held_until_the_end(self, stdout: Stdout, output: Output) -> None:
        with output.held():
            for number in range(100):
                output.write_message(record(n=number))
            assert len(stdout.pieces) <= 1, "the first one may go out at once"
        assert numbers(stdout) == list(range(100))
        assert len(stdout.pieces) <= 2
        output.write_message(record(n=100))
        assert numbers(stdout) == list(range(101)), "nothing is held any more"

    def test_they_go_out_also_when_it_ends_badly(self, stdout: Stdout, output: Output) -> None:
        def write() -> None:
            with output.held():
                for number in range(3):
                    output.write_message(record(n=number))
                raise ValueError("x")

        with pytest.raises(ValueError, match="x"):
            write()
        assert numbers(stdout) == [0, 1, 2]

    def test_a_piece_is_no_larger_than_it_must_be(self, stdout: Stdout, output: Output) -> None:
        with output.held():
            for number in range(1000):
                output.write_message(record(n=number, body="x" * 500))
                held = (number + 1) * 500 - sum(map(len, stdout.pieces))
                assert held < LARGEST_PIECE
        assert numbers(stdout) == list(range(1000))
        assert len(stdout.pieces) < 15, "and no smaller"
        assert max(map(len, stdout.pieces)) < LARGEST_PIECE + 1000

    def test_nothing_is_held_longer_than_a_second(
        self, stdout: Stdout, output: Output, clock: Clock
    ) -> None:
        with output.held():
            output.write_message(record(n=0))
            clock.now += 0.6
            output.write_message(record(n=1))
            written = numbers(stdout)
            clock.now += 0.6
            output.write_message(record(n=2))
            assert written == [0]
            assert numbers(stdout) == [0, 1, 2]

    def test_before_a_wait_all_goes_out(self, stdout: Stdout, output: Output) -> None:
        with output.held():
            for number in range(3):
                output.write_message(record(n=number))
            output.flush()
            assert numbers(stdout) == [0, 1, 2]
            pieces = len(stdout.pieces)
            output.flush()
            assert len(stdout.pieces) == pieces, "nothing twice, and no empty write"


@pytest.mark.parametrize("most", [1, 7, 100, sys.maxsize])
def test_a_signal_cuts_no_line(stdout: Stdout, output: Output, most: int) -> None:
    stdout.most = most
    states = []

    def handle_signal() -> None:
        states.append(output.is_writing)
        output.exit_code = 143

    stdout.on_write = handle_signal
    assert not output.is_writing

    def write() -> None:
        with output.held():
            for number in range(50):
                output.write_message(record(n=number))
            output.flush()
            pytest.fail("it ends after the piece")

    with pytest.raises(SystemExit) as ended:
        write()
    assert ended.value.code == 143
    assert all(states)
    assert not output.is_writing
    assert stdout.written.endswith(b"}\n")
    assert numbers(stdout) == list(range(len(stdout.messages)))


def test_a_write_that_fails_is_over(stdout: Stdout, output: Output) -> None:
    def fail() -> None:
        raise BrokenPipeError

    stdout.on_write = fail
    with pytest.raises(BrokenPipeError):
        output.write_message(record(n=0))
    assert not output.is_writing


def test_nothing_follows_a_write_that_failed(stdout: Stdout, output: Output) -> None:
    """A line may have been cut there, and a state must not come after rows that did not."""

    def fail() -> None:
        stdout.on_write = lambda: None
        raise OSError(errno.ENOSPC, "full")

    stdout.on_write = fail
    with pytest.raises(UnwrittenError, match="stdout: cannot write: full"):
        output.write_message(record(n=0))
    pieces = len(stdout.pieces)
    with pytest.raises(UnwrittenError):
        output.write_message(StateMessage({"bookmarks": {}}))
    output.while_waiting()
    assert len(stdout.pieces) == pieces


# ---- the command


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_run_through_a_pipe_is_whole(tmp_path: Path, unbuffered: str) -> None:
    world = seeded_world(messages=1500, conversations=4)
    for text in TEXTS:
        world.add_message(body=text)
    with Simulator(world) as sim:
        environ = {"PYTHONUNBUFFERED": unbuffered}
        output = run_command(tmp_path, sim.config(), environ=environ)
        assert output.code == 0
        for stream in (*FAMILY, "conversation_messages"):
            assert by_sid(output.records(stream)) == expected(sim, stream)
    assert output.text.endswith("}\n")
    assert {row["body"] for row in output.records("messages")} >= set(TEXTS)


@pytest.fixture
def world() -> World:
    return seeded_world(messages=120, conversations=0)


class Tap:
    """The tap's command, read as it writes."""

    def __init__(self, folder: Path, config: dict[str, Any], *select: str) -> None:
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "catalog.json").write_text(json.dumps(catalog_of(*select)))
        arguments = ("--config", "config.json", "--catalog", "catalog.json")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tap_twilio_media", *arguments],
            cwd=folder,
            env=clean_environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._text = b""

    def read(self, seconds: float) -> Heard:
        """Return the whole lines that came until nothing did for some time."""
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while select.select([pipe], [], [], seconds)[0] and (part := os.read(pipe, 1 << 20)):
            self._text += part
        whole = self._text[: self._text.rfind(b"\n") + 1]
        return Heard.of(whole.decode())

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def taps() -> Iterator[list[Tap]]:
    """Taps that are ended with the test."""
    started: list[Tap] = []
    yield started
    for tap in started:
        tap.end()


def wait_for(sim: Simulator, endpoint: str, count: int) -> None:
    deadline = time.monotonic() + 30
    while sim.count(endpoint) < count:
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("order", ["top", "bottom"])
def test_what_there_is_goes_out_before_a_wait(
    sim: Simulator, tmp_path: Path, taps: list[Tap], order: Literal["top", "bottom"]
) -> None:
    sim.world.behaviour.unsent_order = order
    sim.faults.add(Fault("hang", endpoint="media_list", after=3, times=None))
    taps.append(tap := Tap(tmp_path, sim.config(), *FAMILY))
    wait_for(sim, "media_list", 5)
    output = tap.read(1.5)
    assert by_sid(output.records("messages")) == expected(sim, "messages")
    assert len(output.records("message_media")) < len(expected(sim, "message_media"))


def test_a_slow_run_is_no_slower_for_its_target(
    sim: Simulator, tmp_path: Path, taps: list[Tap]
) -> None:
    """One file after the other: each is written before the next one is waited for."""
    sim.faults.add(Fault("hang", endpoint="media_list", after=6, times=None))
    taps.append(tap := Tap(tmp_path, sim.config() | {"max_concurrency": 1}, *FAMILY))
    wait_for(sim, "media_list", 7)
    output = tap.read(1.5)
    lists = [request for request in sim.requests if request.endpoint == "media_list"]
    asked = {request.path.split("/")[5] for request in lists if request.status == 200}
    media = {row["sid"] for row in sim.world.rows("message_media") if row["parent_sid"] in asked}
    assert media
    assert set(output.sids("message_media")) == media


def test_a_signal_while_the_pipe_is_full_cuts_no_line(tmp_path: Path) -> None:
    """The target is slow, so the tap waits in a write when the signal comes."""
    world = seeded_world(messages=0, conversations=0)
    for _ in range(900):
        world.add_message(body="x" * 400)
    with Simulator(world) as sim:
        (tmp_path / "config.json").write_text(json.dumps(sim.config()))
        with subprocess.Popen(
            [sys.executable, "-m", "tap_twilio_media", "--config", "config.json"],
            cwd=tmp_path,
            env=clean_environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            wait_for(sim, "messages", 1)
            assert process.stdout is not None
            assert select.select([process.stdout.fileno()], [], [], 30)[0]
            process.send_signal(signal.SIGTERM)
            sent = time.monotonic()
            text, _ = process.communicate(timeout=10)
            assert time.monotonic() - sent < 2
    assert process.returncode == 143
    assert text.endswith(b"}\n")
    assert Heard.of(text.decode()).of_type("SCHEMA")


def test_a_signal_ends_a_run_whose_target_reads_no_more(tmp_path: Path) -> None:
    world = seeded_world(messages=0, conversations=0)
    for _ in range(900):
        world.add_message(body="x" * 400)
    with Simulator(world) as sim:
        (tmp_path / "config.json").write_text(json.dumps(sim.config()))
        with subprocess.Popen(
            [sys.executable, "-m", "tap_twilio_media", "--config", "config.json"],
            cwd=tmp_path,
            env=clean_environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None
            assert select.select([process.stdout.fileno()], [], [], 30)[0]
            wait_for(sim, "messages", 1)
            wait_until_full(process.stdout.fileno())
            process.send_signal(signal.SIGTERM)
            sent = time.monotonic()
            assert process.wait(10) == 143
            assert time.monotonic() - sent < 2


def wait_until_full(pipe: int) -> None:
    """Wait until nothing more goes into a pipe, so that its writer waits."""
    held, before, unchanged = array("i", [0]), 0, 0
    deadline = time.monotonic() + 30
    # How much fits depends on how it was written, so what counts is that it grows no more.
    while unchanged < 50:
        assert time.monotonic() < deadline
        time.sleep(0.01)
        fcntl.ioctl(pipe, termios.FIONREAD, held)
        unchanged = unchanged + 1 if held[0] == before > 0 else 0
        before = held[0]
