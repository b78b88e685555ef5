"""The messages of one account: older stretches in windows, then the newest one unfiltered.

Twilio filters messages by DateSent alone and lists the newest first. A row that was not sent yet
has no date_sent; where such rows stand in the list, and whether a filter returns them, is not
documented. So the newest stretch is read without a filter, which finds them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

from tap_twilio_media.pool import Ahead
from tap_twilio_media.readers.backfill import CHILD, PAGE, PAGES_WANTED, Backfill
from tap_twilio_media.readers.bounds import Bounds
from tap_twilio_media.readers.lists import PAGES_REMEMBERED, without_loss
from tap_twilio_media.readers.sightings import Frontier, Sightings, density, last_sent
from tap_twilio_media.times import EPOCH
from tap_twilio_media.windows import Lengths, Planner, Window, first_listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from datetime import datetime, timedelta

    from tap_twilio_media.client.pages import Page
    from tap_twilio_media.pool import Pool, Rank
    from tap_twilio_media.readers.sightings import MessageList, Sighting

    Arrived = Callable[[list[Sighting], Rank], None]

NEWEST_AHEAD = 2
"""So many pages of the newest stretch are read before their turn comes."""

LAST = 1 << 30
"""The place of the newest stretch: after all windows."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to read of an account.

    Attributes:
        start: The first moment wanted; None: everything, in one pass without filter or stop rule.
        newest_start: Where the newest stretch starts, which is read unfiltered.
        end: Read up to this moment, in windows; None: to the newest.
        now: The start of the run; no frontier lies behind it.
        longest: The longest window.
    """

    start: datetime | None
    newest_start: datetime
    end: datetime | None
    now: datetime
    longest: timedelta


@dataclass
class MessagesReader:
    """Reads the messages of one account, ascending window by window.

    The newest page is asked for at once: it tells whether it is all there is, and how dense. It is
    kept, and read as part of the last stretch.

    Attributes:
        messages: The list.
        pool: Who reads ahead.
        scope: The scope of the tasks there.
    """

    messages: MessageList
    pool: Pool
    scope: int
    _bounds: Bounds = field(default_factory=Bounds, init=False)
    _listing: Iterator[Page] = field(init=False)
    _first: Future[Page] = field(init=False)
    _newest: list[Sighting] = field(default_factory=list, init=False)
    _is_all: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Ask for the newest page."""
        self._listing = self.messages.pages({})
        task: Callable[[], Page] = partial(next, self._listing)
        self._first = self.pool.submit((PAGE, self.scope), task)

    def open(self) -> datetime | None:
        """Take the newest page and return Twilio's clock."""
        page = self.pool.result(self._first)
        self._listing = chain([page], self._listing)
        self._newest = self.messages.sighted(page.rows, EPOCH)
        self._is_all = page.is_last
        return page.date

    def read(self, plan: Plan, arrived: Arrived) -> Iterator[Sightings | Frontier]:
        """Yield the messages of a plan, and a frontier after each complete window.

        A row without date_sent is yielded once, however many stretches show it.

        Args:
            plan: What to read.
            arrived: Told of the rows of a page when it comes, ahead of its turn and in any
                thread, with a rank for what it wants done about them.
        """
        unsent: set[str] = set()
        for event in self._read(plan, arrived):
            if isinstance(event, Frontier) or all(seen.is_sent for seen in event.rows):
                yield event
                continue
            rows = [seen for seen in event.rows if seen.is_sent or seen.row["sid"] not in unsent]
            unsent.update(seen.row["sid"] for seen in rows if not seen.is_sent)
            yield Sightings(rows, event.seconds)

    def _read(self, plan: Plan, arrived: Arrived) -> Iterator[Sightings | Frontier]:
        start, end, newest_start = plan.start, plan.end, plan.newest_start
        if start is None:
            yield from self._read_newest(None, None, arrived)
            yield Frontier(plan.now, is_newest=True)
            return
        if self._is_all or any(seen.is_sent and seen.moment < start for seen in self._newest):
            newest_start = start
        elif end is not None:
            newest_start = end
        if start < newest_start:
            self._bounds.floor = first_listed(plan.now)
            backfill = Backfill(
                self.messages, self._bounds, self.pool, self.scope, plan.now, arrived
            )
            self._bounds.probe(backfill.ask, self._newest)
            rows = max(1, int(PAGES_WANTED * self.messages.page_size))
            lengths = Lengths(rows, self._bounds.shortest, plan.longest)
            planner = Planner(start, newest_start, lengths, density(self._newest))
            yield from backfill.read(planner)
        if newest_start != end:
            yield from self._read_newest(newest_start, end, arrived)
            until = plan.now if end is None else min(end, plan.now)
            yield Frontier(until, is_newest=end is None)

    def _read_newest(
        self, start: datetime | None, end: datetime | None, arrived: Arrived
    ) -> Iterator[Sightings]:
        rank = (PAGE, self.scope, LAST)
        yield from Ahead(self.pool, rank, self._newest_stretch(start, end, arrived), NEWEST_AHEAD)

    def _newest_stretch(
        self, start: datetime | None, end: datetime | None, arrived: Arrived
    ) -> Iterator[Sightings]:
        """Read unfiltered, newest first, until a page whose sent rows all lie before the start."""
        stretch = Window(start or EPOCH, end) if end else None
        last: datetime | None = None
        met_to: datetime | None = None
        opened = False

        def open_list() -> Iterator[Page]:
            nonlocal opened, met_to
            if not opened:
                opened = True
                return self._listing
            # From the top: a filter would hide the rows without date_sent that are still to come.
            met_to = last
            return self.messages.pages({})

        for page in without_loss(open_list, PAGES_REMEMBERED):
            sighted = [
                seen
                for seen in self.messages.sighted(page.rows, start or EPOCH)
                if met_to is None or not seen.is_sent or seen.moment <= met_to
            ]
            last = last_sent(sighted) or last
            wanted = [
                seen
                for seen in sighted
                if (stretch is None or seen.moment in stretch)
                and (start is None or not seen.is_sent or seen.moment >= start)
            ]
            arrived(wanted, (CHILD, self.scope, LAST))
            yield Sightings(wanted, page.seconds)
            # Rows without a date_sent may lie anywhere, so they never decide this.
            sent = [seen.moment for seen in sighted if seen.is_sent]
            if start is not None and sent and max(sent) < start:
                return
