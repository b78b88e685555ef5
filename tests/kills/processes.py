"""The processes of a pipeline: who is there, what is done to them, and when they have ended."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import time
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterable

Role = Literal["runner", "tap", "target"]
ROLES: Final[tuple[Role, ...]] = ("runner", "tap", "target")
SECONDS_BETWEEN_LOOKS: Final = 0.1

_NAMES: Final[dict[str, Role]] = {
    "/tap-twilio-media": "tap",
    "-m tap_twilio_media": "tap",
    "/target-postgres": "target",
}


class Group:
    """A process group: who started it, and whoever that started, also after its death.

    Args:
        leader: Who started it.
    """

    def __init__(self, leader: subprocess.Popen[bytes]) -> None:
        self._leader = leader

    @property
    def has_ended(self) -> bool:
        """Whether its leader has."""
        return self._leader.poll() is not None

    def wait(self, seconds: float) -> int | None:
        """Return the exit code of its leader, or None if that lives so long."""
        # One that was killed is no longer listed while its threads are still taken down.
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._leader.wait(seconds)
        return None

    def members(self, roles: Iterable[Role] = ROLES) -> list[int]:
        """Return the ids of those who live."""
        self._leader.poll()  # else a dead leader would stay in the list
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,pgid=,stat=,args="],  # noqa: S607 - every system has one
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
        found = []
        for line in listed.splitlines():
            pid, group, status, command = line.split(None, 3)
            if int(group) != self._leader.pid or status.startswith("Z"):
                continue
            # Whoever is neither tap nor target helps the runner.
            role: Role = next((role for name, role in _NAMES.items() if name in command), "runner")
            if ("runner" if int(pid) == self._leader.pid else role) in roles:
                found.append(int(pid))
        return found

    def wait_for(self, roles: Iterable[Role]) -> list[int]:
        """Return the ids of some of them, as soon as one is there; none if all has ended before."""
        while not (found := self.members(roles)) and not self.has_ended:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return found

    def wait_without(self, roles: Iterable[Role], seconds: float) -> float:
        """Wait until none of them is left, or so long; return the seconds that this took."""
        since = time.monotonic()
        while self.members(roles) and time.monotonic() - since < seconds:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return time.monotonic() - since


def sent(*numbers: signal.Signals, after: float = 0.0) -> Callable[[int], None]:
    """Return what sends signals to a process, with a time between them."""

    def send(pid: int) -> None:
        for place, number in enumerate(numbers):
            if place:
                time.sleep(after)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    return send


def limited(what: int, most: int) -> Callable[[int], None]:
    """Return what puts a limit on a process that runs; only Linux can do that."""

    def limit(pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, what, (most, most))

    return limit
