"""The tap's command with faults that no reply can have: `python -m tests.faults.child PLAN …`.

What follows the plan is what the command takes. The plan is a JSON file; into it goes how long the
run took and how many connections were struck. Between two tries the tap hardly waits.
"""

from __future__ import annotations

import importlib
import json
import random
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tap_twilio_media.__main__ import main as command
from tap_twilio_media.client import outcomes

FIRST_WAIT = 0.02


class Resolver:
    """Stands before the system's: of some connections to one port nothing comes.

    "dns" fails as a name server does that cannot be reached. "refused" leads to a port where
    nobody listens, so that the system itself refuses the connection.
    """

    def __init__(self, kind: str, port: int, rate: float, lot: int) -> None:
        """Take the place of the system's resolver in this process."""
        self.struck = 0
        self._kind = kind
        self._port = port
        self._rate = rate
        self._chance = random.Random(lot)  # noqa: S311 - chance, not secrecy
        self._lock = threading.Lock()
        self._resolve = socket.getaddrinfo
        self._silent = socket.socket()
        self._silent.bind(("127.0.0.1", 0))
        setattr(socket, "getaddrinfo", self.getaddrinfo)  # noqa: B010 - its type is too narrow

    def getaddrinfo(self, host: str, port: int, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Resolve a name, or not."""
        with self._lock:
            is_struck = port == self._port and self._chance.random() < self._rate
            self.struck += is_struck
        if is_struck and self._kind == "dns":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        if is_struck:
            port = self._silent.getsockname()[1]
        return self._resolve(host, port, *args, **kwargs)


def main() -> None:
    """Run the command."""
    path = Path(sys.argv.pop(1))
    plan: dict[str, Any] = json.loads(path.read_text())
    outcomes.FIRST_WAIT = FIRST_WAIT
    resolver = Resolver(**plan["resolver"]) if "resolver" in plan else None
    # What comes and goes with the process is not part of the time.
    importlib.import_module("tap_twilio_media.tap")
    started = time.monotonic()
    try:
        command()
    finally:
        plan["seconds"] = time.monotonic() - started
        plan["struck"] = resolver.struck if resolver else 0
        path.write_text(json.dumps(plan))


if __name__ == "__main__":
    main()
