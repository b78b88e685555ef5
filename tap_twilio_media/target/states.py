"""States on their way out: true when they are written, and not too often."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from singer_sdk.contrib.msgspec import encoder

from tap_twilio_media.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS_BETWEEN = 5.0

_NONE: Any = object()


class States:
    """Writes states to stdout. Used by one thread."""

    def __init__(self, flush: Callable[[], None]) -> None:
        """Write nothing yet.

        Args:
            flush: Makes last what a state stands for; called before each one.
        """
        self._flush = flush
        self._due = self._written = _NONE
        self._written_at = float("-inf")

    def pass_on(self, state: object) -> None:
        """Write a state that is true now, or keep it if the last one has just been written."""
        self._due = state
        self.remind()

    def remind(self) -> None:
        """Write a state that was kept, if it is time."""
        if self._due is not _NONE and time.monotonic() - self._written_at >= SECONDS_BETWEEN:
            self.write()

    def write(self) -> None:
        """Write a state that was kept, now.

        Raises:
            BrokenPipeError: Nobody reads.
            TapError: It cannot be written.
        """
        state, self._due = self._due, _NONE
        if state is _NONE or state == self._written:
            return
        self._flush()
        try:
            # Not as text: fractions stay exact, and the locale has no say.
            sys.stdout.buffer.write(encoder.encode(state) + b"\n")
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise TapError(f"stdout: cannot write the state: {error.strerror}") from None
        self._written, self._written_at = state, time.monotonic()
