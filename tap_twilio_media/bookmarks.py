"""The state: one frontier per stream and account (or account and service).

A bookmark B promises that every row which could be seen and was sent before B has been emitted.
The state dict is changed only when a window is complete, so whoever writes it writes the truth.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from singer_sdk.helpers._state import get_state_if_exists, get_writeable_state_dict

from tap_twilio_media.errors import StateError
from tap_twilio_media.texts import told
from tap_twilio_media.times import Precision, parsed, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

REPLICATION_KEY = "date_created"
SECONDS_BETWEEN_STATES = 1.0


def check_shape(state: Mapping[str, Any]) -> None:
    """Let a state pass if the SDK can work with it, whatever it says.

    Raises:
        StateError: It cannot.
    """
    bookmarks = state.get("bookmarks", {})
    if not isinstance(bookmarks, dict):
        raise StateError("state: bookmarks must be an object; remove or mend it")
    for stream, entry in bookmarks.items():
        parts = entry.get("partitions", []) if isinstance(entry, dict) else None
        if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
            msg = f"state: bookmarks of {told(stream)} are not usable; remove or mend them"
            raise StateError(msg)


class Bookmarks:
    """Reads and moves the bookmarks in the tap's state."""

    def __init__(self, state: dict[str, Any], write: Callable[[Any], None]) -> None:
        """Use a state in place.

        Args:
            state: The tap's live state, in the SDK's form with one partition per context.
            write: Puts a STATE message out.
        """
        self._state: Any = state
        self._write = write
        self._written_at = float("-inf")

    def get(
        self, stream: str, context: Mapping[str, str], name: str = "replication_key_value"
    ) -> datetime | None:
        """Return the bookmark of a stream in a context, or None when it has none.

        Args:
            stream: Name of the stream.
            context: Account, or account and service.
            name: What to return in place of the bookmark.

        Raises:
            StateError: The state holds something that is not a time.
        """
        try:
            self._check_shape(stream)
            value = get_state_if_exists(self._state, stream, dict(context), name)
            return None if value is None else parsed(value)
        except (ValueError, TypeError, KeyError, AttributeError):
            where = ", ".join(f"{key} {told(value)}" for key, value in context.items())
            msg = f"state: {name} of {stream} for {where} is not usable; remove or mend it"
            raise StateError(msg) from None

    def _check_shape(self, stream: str) -> None:
        """Raise TypeError for a state that would read as if there were none."""
        bookmarks = self._state.get("bookmarks", {})
        entry = bookmarks.get(stream, {})
        if not (isinstance(entry, dict) and isinstance(entry.get("partitions", []), list)):
            raise TypeError

    def advance(
        self, stream: str, context: Mapping[str, str], to: datetime, precision: Precision
    ) -> None:
        """Move a bookmark forward. It is never moved back."""
        bookmark = self.get(stream, context)
        if bookmark is not None and bookmark >= to:
            return
        entry = get_writeable_state_dict(self._state, stream, dict(context))
        entry["replication_key"] = REPLICATION_KEY
        entry["replication_key_value"] = written(to, precision)

    def mark(
        self, stream: str, context: Mapping[str, str], name: str, moment: datetime | None
    ) -> None:
        """Note a moment beside a bookmark, or with None remove it."""
        if moment is None and self.get(stream, context, name) is None:
            return
        entry = get_writeable_state_dict(self._state, stream, dict(context))
        if moment is None:
            entry.pop(name)
        else:
            entry[name] = written(moment, "seconds")

    def emit(self, *, at_once: bool = False) -> None:
        """Put the state out, at most once a second unless `at_once`."""
        now = time.monotonic()
        if at_once or now - self._written_at >= SECONDS_BETWEEN_STATES:
            self._write(self._state)
            self._written_at = now
