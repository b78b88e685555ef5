"""Meltano, run in this checkout's project with a state and a log of its own."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[1]
COMMAND = Path(sys.executable).with_name("meltano")
# Nothing listens there: whoever asks Meltano Hub fails at once.
NO_HUB = "http://127.0.0.1:9"
STOP_SECONDS = 15.0
TOLD_LINES = 8


class MeltanoError(Exception):
    """A command of Meltano failed."""


class Meltano:
    """The project of this checkout, apart from what its owner runs in it.

    Args:
        home: Folder for the state and the log, made when missing.
        variables: Environment variables that every command gets.
        own_account: Let the Twilio settings of the environment through.
    """

    def __init__(
        self, home: Path, variables: Mapping[str, str], *, own_account: bool = False
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.log = home / "meltano.log"
        self.database = home / "meltano.db"
        credentials = () if own_account else ("TAP_TWILIO_MEDIA_", "TWILIO_")
        foreign = ("MELTANO_", "TARGET_", *credentials)
        self._environment = {
            "MELTANO_DATABASE_URI": f"sqlite:///{self.database}",
            "MELTANO_HUB_URL": NO_HUB,
            "NO_COLOR": "1",
            "UV_COMPILE_BYTECODE": "1",
            **{name: value for name, value in os.environ.items() if not name.startswith(foreign)},
            **variables,
        }

    def install(self) -> None:
        """Install the plugins, unless they are there as meltano.yml and the locks have them."""
        wanted = _made_from()
        with _one_at_a_time("installed-from") as stamp:
            if stamp.read() != wanted:
                self("install", "--clean")
                stamp.seek(0)
                stamp.truncate()
                stamp.write(wanted)

    def __call__(self, *arguments: str, **variables: str) -> None:
        """Run one command to its end, its output in the log; stop it when we are stopped."""
        said_before = self.log.stat().st_size if self.log.exists() else 0
        with self.started(*arguments, **variables) as process:
            code = process.wait()
        if code:
            raise MeltanoError(
                f"meltano {' '.join(arguments)} failed with exit code {code}.\n"
                f"{self._last_words(said_before)}\nThe whole log: {self.log}"
            )

    @contextlib.contextmanager
    def started(self, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start one command, its output in the log, as leader of a group; end what is left of it.

        Two commands at once would write each other's catalog and config, so the next one waits.
        """
        with _one_at_a_time("running"), self.log.open("a") as log:
            process = subprocess.Popen(
                [COMMAND, *arguments],
                cwd=ROOT,
                env={**self._environment, **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                yield process
            finally:
                end_group(process)

    def _last_words(self, since: int) -> str:
        lines = self.log.read_bytes()[since:].decode(errors="replace").splitlines()
        errors = [line.rstrip() for line in lines if "[error" in line]
        # Meltano's own only say that a plugin failed.
        causes = [line for line in errors if "] meltano " not in line]
        return "\n".join((causes or lines)[-TOLD_LINES:])


def tap_variables(config: Mapping[str, Any]) -> dict[str, str]:
    """Settings of the tap as the environment variables that Meltano reads."""
    return {
        f"TAP_TWILIO_MEDIA_{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in config.items()
    }


def _made_from() -> str:
    files = [ROOT / "meltano.yml", ROOT / "pyproject.toml", *ROOT.glob("requirements/*.txt")]
    parts = [str(ROOT), sys.version, *(file.read_text() for file in sorted(files))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@contextlib.contextmanager
def _one_at_a_time(name: str) -> Iterator[Any]:
    folder = ROOT / ".meltano"
    folder.mkdir(exist_ok=True)
    with (folder / name).open("a+") as stamp:
        fcntl.flock(stamp, fcntl.LOCK_EX)
        stamp.seek(0)
        yield stamp


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End what may be left of a pipeline: its leader, the tap and the target."""
    for order in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, order)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return
