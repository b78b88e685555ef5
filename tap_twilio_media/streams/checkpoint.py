"""How far the first read of a service with very many conversations got."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tap_twilio_media.bookmarks import Bookmarks

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
        members: Sequence[tuple[str, str]],
        context: Mapping[str, str],
    ) -> None:
        """Find what an earlier attempt left.

        Args:
            bookmarks: The state.
            members: What the attempt is for: see `Family.marks`.
            context: Account and service.
        """
        self._bookmarks = bookmarks
        self._members = members
        self._context = context
        # An attempt counts only for the streams, and the files, that took part in it.
        self.read_since = self._common(READ_SINCE)
        self.read_back_to = self._common(READ_BACK_TO) if self.read_since else None

    def reach(self, created: datetime, now: datetime) -> None:
        """Note that every conversation created after this moment is complete.

        Args:
            created: The creation of the last complete one.
            now: The start of this attempt.
        """
        self.read_since = self.read_since or now
        self._mark(self.read_since, created)

    def clear(self) -> None:
        """Forget the attempt: the bookmarks say all, or it cannot be gone on with."""
        self._mark(None, None)

    def _mark(self, since: datetime | None, back_to: datetime | None) -> None:
        for stream, prefix in self._members:
            self._bookmarks.mark(stream, self._context, prefix + READ_SINCE, since)
            self._bookmarks.mark(stream, self._context, prefix + READ_BACK_TO, back_to)

    def _common(self, mark: str) -> datetime | None:
        moments = {
            self._bookmarks.get(stream, self._context, prefix + mark)
            for stream, prefix in self._members
        }
        return moments.pop() if len(moments) == 1 else None
