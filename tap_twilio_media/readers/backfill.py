"""Older messages: windows of date_sent, read in parallel and yielded in ascending order.

Twilio's bounds are not trusted: every window is cut here, row by row, so that it makes no
difference whether they are inclusive.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from tap_twilio_media.client.errors import OutOfRangeError
from tap_twilio_media.pool import Ahead
from tap_twilio_media.readers.bounds import DAY, SECOND
from tap_twilio_media.readers.lists import PAGES_REMEMBERED, without_loss
from tap_twilio_media.readers.sightings import Frontier, Sightings, density, last_sent
from tap_twilio_media.times import written

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from datetime import datetime

    from tap_twilio_media.client.pages import Page
    from tap_twilio_media.pool import Pool, Rank
    from tap_twilio_media.readers.bounds import Bounds
    from tap_twilio_media.readers.sightings import MessageList, Sighting
    from tap_twilio_media.windows import Planner, Window

logger = logging.getLogger("tap-twilio-media.messages")

PAGES_WANTED = 0.75
"""A window is to fit a page, so that windows and not pages follow each other: they are parallel."""
PAGES_AHEAD = 1
"""So many pages of a window are read before its turn comes,"""
WINDOWS_AHEAD = 6
"""and so many windows at once: enough to keep a processor busy, few enough to stay small."""
PARTS_AHEAD = 2
"""So many parts of a window that proved too dense, as the windows after it are waiting already."""

PAGE, CHILD = 0, 1
"""Ranks: pages before children, as every page brings more to do. Their number is bounded."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A window that is being read ahead."""

    window: Window
    rank: Rank
    pages: Ahead[Sightings]
    planner: Planner


@dataclass(frozen=True)
class Backfill:
    """Reads windows of one account.

    Attributes:
        messages: The list.
        bounds: What is known of Twilio's bounds.
        pool: Who reads ahead.
        scope: The scope of the tasks there.
        now: The start of the run; no frontier lies behind it.
        arrived: Told of the rows of a page when it comes, ahead of its turn and in any thread.
    """

    messages: MessageList
    bounds: Bounds
    pool: Pool
    scope: int
    now: datetime
    arrived: Callable[[list[Sighting], Rank], None]

    def read(
        self, planner: Planner, within: Window | None = None, place: Rank = ()
    ) -> Generator[Sightings | Frontier, None, int]:
        """Yield the pages of the windows planned and a frontier after each; return the row count.

        Args:
            planner: The windows.
            within: The window that these are cut from. Its rows that were not sent may turn up in
                any part of it.
            place: The place of that window among others.
        """
        reading: deque[_Reading] = deque()
        numbers = count()
        ahead_at_most = PARTS_AHEAD if within else WINDOWS_AHEAD
        total, searched = 0, False
        while True:
            while len(reading) < ahead_at_most and (window := planner.next()):
                rank = (PAGE, self.scope, *place, next(numbers))
                source = self._window(window, within or window, rank)
                ahead = Ahead(self.pool, rank, source, PAGES_AHEAD)
                reading.append(_Reading(window, rank, ahead, planner))
            if not reading:
                return total
            current = reading.popleft()
            window = current.window
            try:
                rows = yield from self._read_window(current, within)
            except OutOfRangeError:
                # Raised by the first request of a window, before any row of it was yielded.
                reading.clear()
                self._raise_floor(window.start, searched=searched)
                searched = True
                planner.start_at(max(window.start, self.bounds.floor))
                continue
            total += rows
            planner.learn(window, rows)
            yield Frontier(min(window.end, self.now))

    def _read_window(
        self, current: _Reading, within: Window | None
    ) -> Generator[Sightings | Frontier, None, int]:
        """Yield the pages of a window; of one that proves far too dense, its older part first."""
        window, total = current.window, 0
        first, is_all = current.pages.first(PAGES_AHEAD)
        is_all = is_all or first[-1].is_last
        cut = None if is_all else self._cut(window, first)
        if cut is None:
            for page in current.pages:
                total += len(page.rows)
                yield page
            return total
        current.pages.stop()
        newest = [seen for page in first for seen in page.rows]
        planner = current.planner.before(window.start, cut, density(newest))
        total += yield from self.read(planner, within or window, current.rank[2:])
        for page in first:
            # The second of the cut may go on in the next page: the older part has it whole.
            rows = [seen for seen in page.rows if not seen.is_sent or seen.moment >= cut]
            total += len(rows)
            yield Sightings(rows, page.seconds)
        return total

    def _cut(self, window: Window, first: list[Sightings]) -> datetime | None:
        """Return where to cut a window that has more pages, or None where it cannot be cut."""
        if not self.bounds.reads_seconds:
            return None
        oldest = min((s.moment for page in first for s in page.rows if s.is_sent), default=None)
        cut = oldest + SECOND if oldest else None
        return cut if cut and cut < window.end else None

    def _window(self, window: Window, within: Window, rank: Rank) -> Iterator[Sightings]:
        last = window.end

        def open_list() -> Iterator[Page]:
            return self.messages.pages(self.bounds.around(window.start, last))

        for page in without_loss(open_list, PAGES_REMEMBERED):
            sighted = self.messages.sighted(page.rows, window.start)
            # Whatever a row claims, the list goes on below where it was.
            last = min(last, last_sent(sighted) or last)
            wanted = [s for s in sighted if s.moment in (window if s.is_sent else within)]
            self.arrived(wanted, (CHILD, *rank[1:]))
            yield Sightings(wanted, page.seconds, page.is_last)

    def ask(self, params: dict[str, str]) -> Page:
        """Return the first page of the list by some parameters, read by the pool."""
        task = partial(self.messages.ask, params)
        return self.pool.result(self.pool.submit((PAGE, self.scope), task))

    def _raise_floor(self, refused: datetime, *, searched: bool) -> None:
        if searched:
            self.bounds.floor = refused + DAY
        else:
            self.bounds.find_floor(self.ask, refused, self.now)
        logger.warning(
            "account %s: Twilio lists no messages sent before %s for this account (code 20004); "
            "they cannot be read",
            self.messages.account_sid,
            written(self.bounds.floor, "seconds"),
        )
