"""How far the first read of a service with very many conversations got."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tap_twilio_media.bookmarks import Bookmarks
    from tap_twilio_media.streams.base import IncrementalStream

READ_SINCE = "read_since"
READ_BACK_TO = "read_back_to"


class Checkpoint:
    """Two moments beside the bookmarks of a service whose first read is under way.

    Conversations are then read from the newest created to the oldest. `read_back_to` is the
    creation of the last one that is complete, `read_since` the start of the first attempt: once
    all are complete it becomes the bookmark, as what was written later may have been passed by.
    """

    def __init__(
        self,
        bookmarks: Bookmarks,
        streams: Sequence[IncrementalStream],
        context: Mapping[str, str],
    ) -> None:
        """Find what an earlier attempt left.

        Args:
            bookmarks: The state.
            streams: The streams of the family that are selected and keep a bookmark.
            context: Account and service.
        """
        self._bookmarks = bookmarks
        self._names = [stream.name for stream in streams]
        self._context = context
        # An attempt counts only for the streams that took part in it.
        self.read_since = self._common(READ_SINCE)
        self.read_back_to = self._common(READ_BACK_TO) if self.read_since else None

    def reach(self, created: datetime, now: datetime) -> None:
        """Note that every conversation created after this moment is complete.

        Args:
            created: The creation of the last complete one.
            now: The start of this attempt.
        """
        self.read_since = self.read_since or now
        for name in self._names:
            self._bookmarks.mark(name, self._context, READ_SINCE, self.read_since)
            self._bookmarks.mark(name, self._context, READ_BACK_TO, created)

    def clear(self) -> None:
        """Forget the attempt: the bookmarks say all, or it cannot be gone on with."""
        for name in self._names:
            self._bookmarks.mark(name, self._context, READ_SINCE, None)
            self._bookmarks.mark(name, self._context, READ_BACK_TO, None)

    def _common(self, mark: str) -> datetime | None:
        moments = {self._bookmarks.get(name, self._context, mark) for name in self._names}
        return moments.pop() if len(moments) == 1 else None
