"""How many requests are in flight: at most what the user allows, and as many as Twilio bears.

Twilio's ceiling is per account and not published; it answers 429 beyond it (Twilio: error 20429).
So the limit starts low, is raised by every success until Twilio first says no, is cut then, and
from there climbs more slowly with every cut.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tap_twilio_media.client.errors import StoppedError

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger("tap-twilio-media.throttle")

FIRST_LIMIT = 8
CUT = 0.7
"""What a cut leaves of the limit."""
SUCCESSES_TO_CLIMB = 50
"""So many successes raise the limit by one after the first cut; twice as many after the second,
and so on."""


class Throttle:
    """Holds a place for every request in flight. One for the whole tap."""

    def __init__(self, most: int, stop: threading.Event) -> None:
        """Start low.

        Args:
            most: The limit never exceeds it.
            stop: Ends every wait when set.
        """
        self._most = most
        self._limit = float(min(FIRST_LIMIT, most))
        self._in_flight = 0
        self._cuts = 0
        self._cut_at = float("-inf")
        self._free = threading.Condition()
        self._stop = stop

    @contextmanager
    def place(self) -> Iterator[float]:
        """Wait for a place and hold it; yields the moment it was got, for `slow_down`.

        Raises:
            StoppedError: The run is ending.
        """
        with self._free:
            while self._in_flight >= int(self._limit) and not self._stop.is_set():
                self._free.wait(0.5)
            if self._stop.is_set():
                raise StoppedError("stopped")
            self._in_flight += 1
        try:
            yield time.monotonic()
        finally:
            with self._free:
                self._in_flight -= 1
                self._free.notify()

    def speed_up(self) -> None:
        """Count a success."""
        with self._free:
            if self._limit >= self._most:
                return
            step = 1.0 if not self._cuts else 1.0 / (SUCCESSES_TO_CLIMB * self._cuts)
            self._limit = min(self._most, self._limit + step)
            self._free.notify()
            reached = self._limit >= self._most and self._cuts
        if reached:
            logger.info("back to %d requests at once", self._most)

    def slow_down(self, since: float) -> None:
        """Cut the limit, once for all requests that were in flight when Twilio said no.

        Args:
            since: When the request that was refused got its place.
        """
        with self._free:
            if since < self._cut_at:
                return
            self._cut_at = time.monotonic()
            self._cuts += 1
            self._limit = max(1.0, min(self._limit, self._in_flight) * CUT)
            limit = int(self._limit)
        logger.info("Twilio asks to slow down: %d requests at once from here", limit)
