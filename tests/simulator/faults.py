"""Faults: what goes wrong, where and how often."""

from __future__ import annotations

import dataclasses
import random
import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

from tests.simulator.replies import ApiError, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulator.recording import RecordedRequest

_REFUSALS: Final = {
    "429": (429, 20429, "Too Many Requests"),
    "500": (500, 20500, "Internal Server Error"),
    "401": (401, 20003, "Authentication Error - invalid username"),
    "403": (403, 20403, "Forbidden"),
    "404": (404, 20404, "The requested resource was not found"),
    "20004": (400, 20004, "The requested range is outside of what is retained"),
}
_UPSTREAM: Final = {"502": 502, "503": 503}
_DELIVERIES: Final = {
    "bad_json",
    "chunked",
    "drip",
    "empty",
    "flood",
    "hang",
    "overrun",
    "page",
    "reset",
    "slow",
    "stall",
    "truncate",
    "wrong_length",
}
KINDS: Final = {*_REFUSALS, *_UPSTREAM, *_DELIVERIES, "call", "change", "redirect", "status"}
_NOT_A_LINK: Final = "https://nowhere.example/"


def drawn(lot: int, target: str, number: int) -> float:
    """Return what chance says of a try of an address: at least 0, less than 1."""
    return random.Random(f"{lot} {number} {target}").random()  # noqa: S311 - chance, not secrecy


@dataclasses.dataclass
class Fault:
    """Something that goes wrong with the requests that it matches.

    Attributes:
        kind: One of `KINDS`. "truncate" closes the connection before the announced length is
            reached, "wrong_length" announces and sends fewer bytes than there are, "overrun"
            announces fewer and sends all, "bad_json" cuts the text but not the HTTP message,
            "hang" never answers, "stall" sends half and then nothing more, "slow" drips, "drip"
            drips headers without end, "chunked" announces no length, "empty" sends no byte,
            "page" sends an error page with status 200, "flood" sends `size` bytes, "redirect"
            leads to `location`, "status" answers `status` and `code`, and "call" runs `call` and
            then answers as if nothing had happened.
        endpoint: Only requests of this endpoint.
        times: How often at most; None without end.
        after: How many matching requests pass first.
        every: Only every n-th of the matching requests that follow those.
        rate: Only this share of them, by seeded chance.
        lot: With it, that chance is of each try of each address by itself, so that it does not
            hang on the order in which requests come; see `drawn`.
        match: Only requests whose path and query contain this.
        username: Only requests with the credentials of this name.
        retry_after: Seconds for the Retry-After header of a refusal.
        status: The status of a "status".
        code: The error code of a "status".
        call: What a "call" runs, on the server's own thread: it may change the world and the
            faults, but a request that it sent to the simulator would wait for itself.
        delay: The seconds between the drops of a "slow" or a "drip".
        drops: In how many pieces a "slow" comes.
        size: The bytes of a "flood", which nobody holds in memory.
        announced: Whether a "flood" says its length.
        content_type: The type of a "page".
        location: Where a "redirect" leads; "{fired}" in it becomes the number of the firing.
        change: What a "change" does to the reply before it goes out.
    """

    kind: str
    endpoint: str | None = None
    times: int | None = 1
    after: int = 0
    every: int | None = None
    rate: float | None = None
    lot: int | None = None
    match: str | None = None
    username: str | None = None
    retry_after: float | None = None
    status: int = 500
    code: int = 20500
    call: Callable[[RecordedRequest], object] | None = None
    delay: float = 0.02
    drops: int = 10
    size: int = 0
    announced: bool = True
    content_type: str = "application/xml"
    location: str = _NOT_A_LINK
    change: Callable[[Reply], object] | None = None
    seen: int = dataclasses.field(default=0, init=False)
    fired: int = dataclasses.field(default=0, init=False)
    _tries: Counter[str] = dataclasses.field(default_factory=Counter, init=False)

    def __post_init__(self) -> None:
        """Refuse what no request could ever meet."""
        if self.kind not in KINDS:
            msg = f"no such fault: {self.kind!r}"
            raise ValueError(msg)
        if (self.kind == "call") != (self.call is not None):
            msg = "a fault of kind 'call', and no other, has something to call"
            raise ValueError(msg)

    def meets(self, request: RecordedRequest, chance: random.Random) -> bool:
        """Count a request and decide whether this fault befalls it."""
        if self.endpoint not in {None, request.endpoint}:
            return False
        if (
            self.username not in {None, request.username}
            or (self.match or "") not in request.target
        ):
            return False
        self.seen += 1
        turn = self.seen - self.after
        if turn < 1 or (self.every and turn % self.every):
            return False
        if self.times is not None and self.fired >= self.times:
            return False
        if self.rate is not None and self._draw(request, chance) >= self.rate:
            return False
        self.fired += 1
        return True

    def _draw(self, request: RecordedRequest, chance: random.Random) -> float:
        if self.lot is None:
            return chance.random()
        self._tries[request.target] += 1
        return drawn(self.lot, request.target, self._tries[request.target])

    def refusal(self) -> Reply | None:
        """Return the reply that takes the place of the true one, if this fault has one."""
        if self.kind in _UPSTREAM:
            page = f"<html><body><h1>{self.kind} upstream error</h1></body></html>"
            reply = Reply(_UPSTREAM[self.kind], page.encode(), "text/html")
        elif self.kind == "redirect":
            location = self.location.replace("{fired}", str(self.fired))
            reply = Reply(307, b"<Redirect/>", "application/xml", {"Location": location})
        elif self.kind == "status":
            reply = ApiError(self.status, self.code, "As the test asked").reply()
        elif self.kind in _REFUSALS:
            reply = ApiError(*_REFUSALS[self.kind]).reply()
        else:
            return None
        if self.retry_after is not None:
            reply.headers["Retry-After"] = f"{self.retry_after:g}"
        return reply


class Faults:
    """The faults in force, usable from any thread."""

    def __init__(self, seed: int = 0) -> None:
        """Begin without faults; the seed decides those that come at a rate."""
        self._lock = threading.Lock()
        self._chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self._faults: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        """Put faults in force; the earliest that meets a request befalls it."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            self._faults.clear()

    def befall(self, request: RecordedRequest) -> Fault | None:
        """Run the calls that a request meets, and return the fault that spoils its answer."""
        spoiler: Fault | None = None
        with self._lock:
            met = []
            for fault in self._faults:
                if spoiler is not None and fault.kind != "call":
                    continue
                if fault.meets(request, self._chance):
                    met.append(fault)
                    if fault.kind != "call":
                        spoiler = fault
        # Outside of the lock: what is called may itself add or clear faults.
        for fault in met:
            if fault.call is not None:
                fault.call(request)
        return spoiler
