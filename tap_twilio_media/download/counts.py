"""What was done so far, in numbers."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tap_twilio_media.download.outcomes import Outcome, Status


class Counts:
    """Numbers for a display and a closing summary. Written by any thread, read at any time.

    Attributes:
        fetched: Files downloaded now.
        fetched_bytes: Their bytes.
        held: Files that were already there.
        held_bytes: Their bytes.
        received_bytes: Bytes that came over the network, those of failed tries included.
        failed: Files that are not stored, by status.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = threading.Lock()
        self.fetched = 0
        self.fetched_bytes = 0
        self.held = 0
        self.held_bytes = 0
        self.received_bytes = 0
        self.failed: Counter[Status] = Counter()

    @property
    def files(self) -> int:
        """Files that were settled, in whichever way."""
        return self.fetched + self.held + self.failed.total()

    def receive(self, count: int) -> None:
        """Count bytes that came."""
        with self._lock:
            self.received_bytes += count

    def settle(self, outcome: Outcome) -> None:
        """Count a file."""
        with self._lock:
            if outcome.status != "stored":
                self.failed[outcome.status] += 1
            elif outcome.fetched:
                self.fetched += 1
                self.fetched_bytes += outcome.bytes or 0
            else:
                self.held += 1
                self.held_bytes += outcome.bytes or 0
