"""Running the target: alone on lines of a test's own, or behind the tap with a pipe between."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.running import clean_environ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from tests.simulator import Simulator, World

Line = dict[str, Any]

TAP = "tap_twilio_media"
TARGET = "tap_twilio_media.target"
QUICK = "tests.target.driver"
"""The target with short waits, and with every state that is due."""


@dataclass(frozen=True)
class Done:
    """A run that has ended.

    Attributes:
        code: The exit code.
        text: What went to stdout.
        log: What went to stderr.
    """

    code: int
    text: str
    log: str

    @property
    def states(self) -> list[Any]:
        """The states that came out."""
        return states_of(self.text)

    @property
    def error(self) -> str:
        """The one line of a run that failed."""
        assert self.code == 1, self.log
        assert "Traceback" not in self.log
        (line,) = [line for line in self.log.splitlines() if "| ERROR " in line]
        assert len(self.log.partition(line)[2].strip()) == 0, "something after the error"
        return line


def states_of(text: str) -> list[Any]:
    """Return the states in an output, without one that was being written at a kill."""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def settings_of(sim: Simulator, output_path: Path | str, **more: Any) -> dict[str, Any]:
    """Return settings with which the target has the files of all accounts of a simulator."""
    return sim.config() | subaccounts(sim.world) | {"output_path": str(output_path)} | more


def subaccounts(world: World) -> dict[str, Any]:
    """Return the credentials of the subaccounts, as a setting."""
    pairs = [
        {"account_sid": account.sid, "auth_token": account.auth_token}
        for account in world.accounts.values()
        if account.sid != world.account_sid
    ]
    return {"subaccount_credentials": pairs}


# ---- lines


def schema(stream: str = "message_media", *key_properties: str) -> Line:
    properties = {"properties": {"sid": {"type": "string"}}}
    keys = list(key_properties)
    return {"type": "SCHEMA", "stream": stream, "schema": properties, "key_properties": keys}


def record(stream: str, row: Mapping[str, Any]) -> Line:
    return {"type": "RECORD", "stream": stream, "record": dict(row)}


def state(value: object) -> Line:
    return {"type": "STATE", "value": value}


def lines_of(records: Iterable[tuple[str, Mapping[str, Any]]], every: int = 0) -> list[Line]:
    """Return the messages of a tap: both schemas, the records, and numbered states.

    Args:
        records: Streams and rows.
        every: A state `{"n": n}` stands after so many records each, and at the end.
    """
    lines = [schema("message_media"), schema("mcs_media")]
    number = 0
    for number, (stream, row) in enumerate(records, 1):
        lines.append(record(stream, row))
        if every and number % every == 0:
            lines.append(state({"n": number}))
    return [*lines, state({"n": number, "last": True})] if every else lines


def text_of(lines: Iterable[Line]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


# ---- processes


@contextmanager
def started(  # noqa: PLR0913 - what a process takes
    folder: Path,
    config: Mapping[str, Any] | None,
    *arguments: str,
    module: str = TARGET,
    name: str = "target",
    environ: Mapping[str, str] | None = None,
    stdin: int = subprocess.PIPE,
    stdout: int = subprocess.PIPE,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command, its log in a file of the folder; end it when the context ends."""
    command = [sys.executable, "-m", module, *arguments]
    if config is not None:
        path = folder / f"{name}.config.json"
        path.write_text(json.dumps(config))
        command += ["--config", str(path)]
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env=clean_environ() | dict(environ or {}),
            stdin=stdin,
            stdout=stdout,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def run_target(
    folder: Path,
    config: Mapping[str, Any] | None,
    lines: Iterable[Line] | str | bytes = (),
    *arguments: str,
    module: str = QUICK,
    environ: Mapping[str, str] | None = None,
) -> Done:
    """Run the target's command on some input."""
    text = lines if isinstance(lines, (str, bytes)) else text_of(lines)
    data = text if isinstance(text, bytes) else text.encode()
    with started(folder, config, *arguments, module=module, environ=environ) as process:
        out, _ = process.communicate(data, timeout=120)
        return Done(process.returncode, out.decode(), (folder / "target.log").read_text())


def run_both(  # noqa: PLR0913 - what two processes take
    folder: Path,
    tap_config: Mapping[str, Any],
    target_config: Mapping[str, Any],
    state: Mapping[str, Any] | None = None,
    *,
    module: str = QUICK,
    when: Callable[[subprocess.Popen[bytes]], None] = lambda _: None,
) -> tuple[int, Done]:
    """Run the tap with its stdout piped into the target.

    Args:
        folder: For configs, logs and the tap's state.
        tap_config: The tap's settings.
        target_config: The target's.
        state: Where the tap goes on.
        module: Which target.
        when: Called with the target's process while both run.

    Returns:
        The tap's exit code, and the target's run.
    """
    arguments = []
    if state is not None:
        (folder / "state.json").write_text(json.dumps(state))
        arguments = ["--state", str(folder / "state.json")]
    nothing = subprocess.DEVNULL
    with started(folder, tap_config, *arguments, module=TAP, name="tap", stdin=nothing) as tap:
        assert tap.stdout
        with started(folder, target_config, module=module, stdin=tap.stdout.fileno()) as target:
            tap.stdout.close()  # else the tap would not see that the target has ended
            when(target)
            out, _ = target.communicate(timeout=120)
            log = (folder / "target.log").read_text()
            return tap.wait(60), Done(target.returncode, out.decode(), log)


def wait_until(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait for what happens in another process; fail if it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def send(process: subprocess.Popen[bytes], *lines: Line) -> None:
    """Give a target lines, and keep its input open."""
    assert process.stdin
    process.stdin.write(text_of(lines).encode())
    process.stdin.flush()


def said(process: subprocess.Popen[bytes]) -> bytes:
    """Return what a process has written so far and nobody has read, without waiting."""
    assert process.stdout
    os.set_blocking(process.stdout.fileno(), False)
    return process.stdout.read() or b""
