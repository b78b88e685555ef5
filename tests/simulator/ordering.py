"""The order in which an account's messages are listed, kept sorted while they change."""

from __future__ import annotations

import bisect
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from tests.simulator.entities import Message

# (rank of rows without a send date, sent, created, sid)
Key = tuple[int, float, float, str]


class MessageOrder:
    """The keys of an account's messages in ascending order; a list is read from the end."""

    def __init__(self, messages: Iterable[Message], unsent: str) -> None:
        """Sort the messages.

        Args:
            messages: All messages of an account.
            unsent: Where rows without a send date stand: "top", "bottom" or "created".
        """
        self._unsent = unsent
        self._rank = {"top": 1, "bottom": -1, "created": 0}[unsent]
        self._keys: list[Key] = sorted(map(self.key, messages))

    def key(self, message: Message) -> Key:
        """Return what decides the place of a message."""
        created = message.date_created.timestamp()
        if message.date_sent is not None:
            return 0, message.date_sent.timestamp(), created, message.sid
        return self._rank, created, created, message.sid

    def add(self, message: Message) -> None:
        """Put a message in its place."""
        bisect.insort(self._keys, self.key(message))

    def remove(self, message: Message) -> None:
        """Take a message, unchanged since it was added, out of its place."""
        del self._keys[bisect.bisect_left(self._keys, self.key(message))]

    def walk(
        self,
        *,
        start: dt.datetime | None = None,
        end: dt.datetime | None = None,
        unsent: bool = True,
        after: Message | None = None,
    ) -> Iterator[str]:
        """Yield sids in the order of the list.

        Args:
            start: Only messages sent at this time or later.
            end: Only messages sent before this time.
            unsent: Whether rows without a send date, which have no place in a range, come too.
            after: Begin behind this message.

        Yields:
            Sids; among the sent ones, if `unsent` is false, possibly some never sent, which
            the caller must leave out.
        """
        ceiling = len(self._keys) if after is None else self._index(self.key(after))
        # An unsent row has no date to be filtered by: only its group's range can be cut.
        cut = self._rank != 0 or not unsent
        low = self._index((0, start.timestamp() if start and cut else -math.inf, 0, ""))
        high = self._index((0, end.timestamp() if end and cut else math.inf, 0, ""))
        if unsent and self._rank > 0:
            yield from self._down(self._index((1, -math.inf, 0, "")), len(self._keys), ceiling)
        yield from self._down(low, high, ceiling)
        if unsent and self._rank < 0:
            yield from self._down(0, self._index((0, -math.inf, 0, "")), ceiling)

    def _index(self, key: Key) -> int:
        return bisect.bisect_left(self._keys, key)

    def _down(self, low: int, high: int, ceiling: int) -> Iterator[str]:
        for place in range(min(high, ceiling) - 1, low - 1, -1):
            yield self._keys[place][3]
