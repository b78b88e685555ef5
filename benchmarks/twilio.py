"""The simulated Twilio that is read, and the floor: the same requests by a bare client."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
from yarl import URL

if TYPE_CHECKING:
    from typing_extensions import Self

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = 200
"""So many requests are read one at a time; the time for all of them follows from these."""

Requests = list[tuple[str, str]]
"""Host and target of each."""


class Taken(NamedTuple):
    """What the simulator was asked, in the order of arrival, and how often it answered 429."""

    requests: Requests
    endpoints: dict[str, int]
    refused: int


class Twilio:
    """A simulator in a process of its own, with latency, ceiling and what `world.grow` takes."""

    def __init__(self, **options: float) -> None:
        command = [sys.executable, "-m", "benchmarks.world", json.dumps(options)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
        self.config = self._hear()
        self._media_url = self.config.pop("media_url")

    def __enter__(self) -> Self:
        """Serve already."""
        return self

    def __exit__(self, *_: object) -> None:
        """End: the process does so when its stdin ends."""
        self._process.communicate()

    def taken(self) -> Taken:
        """Return what was asked since the last call."""
        assert self._process.stdin  # noqa: S101
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Taken(**self._hear())

    def fetch(self, requests: Requests, concurrency: int = 1) -> tuple[float, list[bytes]]:
        """Return the seconds that a bare client takes for known requests, and what it gets."""
        start = time.perf_counter()
        bodies = asyncio.run(self._fetch(requests, concurrency))
        seconds = time.perf_counter() - start
        self.taken()
        return seconds, bodies

    def one_at_a_time(self, requests: Requests) -> float:
        """Return the seconds for one request after the other, from a sample of them."""
        sample = requests[:: len(requests) // SAMPLE + 1]
        return self.fetch(sample)[0] / len(sample) * len(requests)

    async def _fetch(self, requests: Requests, concurrency: int) -> list[bytes]:
        found: list[bytes] = []
        left = iter(requests)
        auth = aiohttp.BasicAuth(self.config["account_sid"], self.config["auth_token"])
        async with aiohttp.ClientSession() as session:

            async def work() -> None:
                for host, target in left:
                    base = self._media_url if host == "media" else self.config[f"{host}_url"]
                    url = URL(base + target, encoded=True)
                    known = None if host == "media" else auth
                    async with session.get(url, auth=known, allow_redirects=False) as response:
                        response.raise_for_status()
                        found.append(await response.read())

            await asyncio.gather(*(work() for _ in range(concurrency)))
        return found

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout  # noqa: S101
        heard: dict[str, Any] = json.loads(self._process.stdout.readline())
        return heard
