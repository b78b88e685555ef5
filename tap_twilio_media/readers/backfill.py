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
WINDOWS_AHEAD = 5
"""and so many windows at once: enough to keep a processor busy, few enough to stay small."""
LEAST_AHEAD = 2
"""and so many at least, when others wait already behind a window that proved too dense."""

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
        self,
        planner: Planner,
        within: Window | None = None,
        place: Rank = (),
        most_ahead: int = WINDOWS_AHEAD,
    ) -> Generator[Sightings | Frontier, None, int]:
        """Yield the pages of the windows planned and a frontier after each; return the row count.

        Args:
            planner: The windows.
            within: The window that these are cut from. Its rows that were not sent may turn up in
                any part of it.
            place: The place of that window among others.
            most_ahead: So many windows are read at once; what waits besides them counts already.
        """
        reading: deque[_Reading] = deque()
        numbers = count()
        # More are read at once as windows prove to be of the right length.
        ahead = 1
        total, searched = 0, False
        while True:
            while len(reading) < ahead and (window := planner.next()):
                rank = (PAGE, self.scope, *place, next(numbers))
                source = self._window(window, within or window, rank)
                pages = Ahead(self.pool, rank, source, PAGES_AHEAD)
                reading.append(_Reading(window, rank, pages, planner))
            if not reading:
                return total
            current = reading.popleft()
            window = current.window
            try:
                room = max(LEAST_AHEAD, most_ahead - len(reading) - 1)
                rows, was_cut = yield from self._read_window(current, within, room)
            except OutOfRangeError:
                # Raised by the first request of a window, before any row of it was yielded.
                reading.clear()
                self._raise_floor(window.start, searched=searched)
                searched = True
                planner.start_at(max(window.start, self.bounds.floor))
                continue
            total += rows
            ahead = 1 if was_cut else min(2 * ahead, most_ahead)
            planner.learn(window, rows)
            yield Frontier(min(window.end, self.now))

    def _read_window(
        self, current: _Reading, within: Window | None, room: int
    ) -> Generator[Sightings | Frontier, None, tuple[int, bool]]:
        """Yield the pages of a window; where it proves far too dense, what is older in parts.

        Returns:
            How many rows it had, and whether it was cut.
        """
        window, total, cut, rate = current.window, 0, None, 0.0
        for page in current.pages:
            total += len(page.rows)
            cut, rate = page.cut, density(page.rows)
            yield page
            del page  # the older parts take their time
        if cut is None:
            return total, False
        planner = current.planner.before(window.start, cut, rate)
        older = yield from self.read(planner, within or window, current.rank[2:], room)
        return total + older, True

    def _window(self, window: Window, within: Window, rank: Rank) -> Iterator[Sightings]:
        """Read a window, newest first, to its end or to where it is to be cut."""
        last = window.end

        def open_list() -> Iterator[Page]:
            return self.messages.pages(self.bounds.around(window.start, last))

        for page in without_loss(open_list, PAGES_REMEMBERED):
            sighted = self.messages.sighted(page.rows, window.start)
            # Whatever a row claims, the list goes on below where it was.
            last = min(last, last_sent(sighted) or last)
            wanted = [s for s in sighted if s.moment in (window if s.is_sent else within)]
            cut = None if page.is_last else self._cut(window, wanted)
            if cut:
                # The second of the cut may go on in the next page: the older part has it whole.
                wanted = [seen for seen in wanted if not seen.is_sent or seen.moment >= cut]
            self.arrived(wanted, (CHILD, *rank[1:]))
            yield Sightings(wanted, page.seconds, cut)
            if cut:
                return

    def _cut(self, window: Window, newest: list[Sighting]) -> datetime | None:
        """Return where to cut a window that goes on after its newest rows.

        None where it cannot be cut, or is about to end: a page more is read by its token.
        """
        if not self.bounds.reads_seconds:
            return None
        oldest = min((seen.moment for seen in newest if seen.is_sent), default=None)
        if oldest is None or oldest + SECOND >= window.end:
            return None
        left = density(newest) * (oldest - window.start).total_seconds()
        return oldest + SECOND if left > self.messages.page_size else None

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
