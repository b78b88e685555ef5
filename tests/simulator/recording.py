"""What the simulator remembers of the requests that it got."""

from __future__ import annotations

import dataclasses
import threading


@dataclasses.dataclass(slots=True)
class RecordedRequest:
    """A request; `status` is 0 until it is answered, and stays 0 if it never is."""

    host: str
    endpoint: str
    path: str
    query: dict[str, str]
    target: str
    username: str | None
    in_flight: int
    status: int = 0


class Recorder:
    """Requests in the order of their arrival, and what was counted on the way."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = threading.Lock()
        self.in_flight = 0
        self.reset()

    def reset(self) -> None:
        """Forget everything but the requests that are still in flight."""
        with self._lock:
            self.requests: list[RecordedRequest] = []
            self.max_in_flight = 0
            self.leaked_authorizations = 0

    def arrive(self, request: RecordedRequest, *, authorized: bool) -> None:
        """Note a request.

        Args:
            request: The request; its `in_flight` is set here.
            authorized: Whether it carried an Authorization header.
        """
        with self._lock:
            self.requests.append(request)
            if request.host == "media":
                self.leaked_authorizations += authorized
                return
            self.in_flight += 1
            request.in_flight = self.in_flight
            self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def leave(self, request: RecordedRequest) -> None:
        """Note that a request is over."""
        if request.host != "media":
            with self._lock:
                self.in_flight -= 1

    def count(self, endpoint: str | None = None) -> int:
        """Return how many requests there were, of one endpoint or of all."""
        with self._lock:
            return sum(endpoint in {None, request.endpoint} for request in self.requests)
