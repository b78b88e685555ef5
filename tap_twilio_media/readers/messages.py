"""The messages of one account: the newest stretch unfiltered, older ones in windows of date_sent.

Twilio filters messages by DateSent alone and lists the newest first. A row that was not sent yet
has no date_sent; where such rows stand in the list, and whether a filter returns them, is not
documented. So the newest stretch is read without a filter, which finds them, and every window is
cut here, row by row, so that it makes no difference whether Twilio's bounds are inclusive.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

from tap_twilio_media.client.errors import InvalidRequestError, OutOfRangeError
from tap_twilio_media.client.hosts import API_VERSION
from tap_twilio_media.client.pages import pages
from tap_twilio_media.readers.lists import check_account, without_loss
from tap_twilio_media.times import EPOCH, parsed, written
from tap_twilio_media.windows import EDGE, WINDOW, Window, first_listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from tap_twilio_media.client.pages import Page
    from tap_twilio_media.client.session import Client

logger = logging.getLogger("tap-twilio-media.messages")

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A message as it was met in the list.

    Attributes:
        row: The row as Twilio sent it.
        moment: Its date_sent or, for a row without one, its date_created.
        is_sent: Whether it has a date_sent.
    """

    row: dict[str, Any]
    moment: datetime
    is_sent: bool


@dataclass(frozen=True, slots=True)
class Sightings:
    """The messages of one page that belong to the stretch being read, in the order of the list.

    Attributes:
        rows: The messages.
        seconds: How long the request took.
    """

    rows: list[Sighting]
    seconds: float


@dataclass(frozen=True, slots=True)
class Frontier:
    """A window is complete: everything sent before `until` has been yielded.

    Attributes:
        until: The end of the window.
        is_newest: Whether this was the newest stretch, the one that shows rows not sent.
    """

    until: datetime
    is_newest: bool = False


class MessagesReader:
    """Reads the messages of one account, ascending window by window."""

    def __init__(self, client: Client, account_sid: str, page_size: int) -> None:
        """Ask for nothing yet."""
        self._client = client
        self._account_sid = account_sid
        self._path = f"{API_VERSION}/Accounts/{account_sid}/Messages.json"
        self._page_size = page_size
        self._reads_seconds = False  # until the probe has shown it: days are always safe
        self._floor = EPOCH
        self._unsent: set[str] = set()
        self._newest_pages: Iterator[Page] = iter(())
        self._newest: list[Sighting] = []
        self._is_all = False

    def open(self) -> datetime | None:
        """Ask for the newest page, which tells whether it is all there is.

        It is kept, and read as part of the last stretch.

        Returns:
            Twilio's clock.
        """
        listing = self._list({})
        page = next(listing)
        self._newest_pages = chain([page], listing)
        self._newest = self._sighted(page)
        self._is_all = page.is_last
        return page.date

    def read(
        self, start: datetime, newest_start: datetime, end: datetime | None, now: datetime
    ) -> Iterator[Sightings | Frontier]:
        """Yield the messages sent from `start` on, and a frontier after each complete window.

        Args:
            start: The first moment wanted.
            newest_start: Where the newest stretch starts, which is read unfiltered.
            end: Read up to this moment, in windows; None: to the newest.
            now: The start of the run; no frontier lies behind it.
        """
        self._floor = first_listed(now)
        reaches_start = any(seen.is_sent and seen.moment < start for seen in self._newest)
        if self._is_all or reaches_start:
            newest_start = start
        elif end is not None:
            newest_start = end
        if start < newest_start:
            self._reads_seconds = self._probe()
            yield from self._read_windows(start, newest_start, now)
        if newest_start != end:
            yield from self._read_newest(newest_start, end)
            yield Frontier(now if end is None else min(end, now), is_newest=end is None)

    def read_all(self, now: datetime) -> Iterator[Sightings | Frontier]:
        """Yield every message that Twilio lists: one pass, no filter, no stop rule."""
        yield from self._read_newest(None, None)
        yield Frontier(now, is_newest=True)

    def _read_newest(self, start: datetime | None, end: datetime | None) -> Iterator[Sightings]:
        """Read unfiltered, newest first, until a page whose sent rows all lie before the start."""
        stretch = Window(start or EPOCH, end) if end else None
        last: datetime | None = None
        opened = False

        def open_list() -> Iterator[Page]:
            nonlocal opened
            if not opened:
                opened = True
                return self._newest_pages
            return self._list(self._filter(None, last))

        for page in without_loss(open_list):
            sighted = self._sighted(page)
            last = _last_sent(sighted) or last
            yield Sightings(
                [
                    seen
                    for seen in sighted
                    if (stretch is None or seen.moment in stretch)
                    and (start is None or not seen.is_sent or seen.moment >= start)
                    and self._is_news(seen)
                ],
                page.seconds,
            )
            # Rows without a date_sent may lie anywhere, so they never decide this.
            sent = [seen.moment for seen in sighted if seen.is_sent]
            if start is not None and sent and max(sent) < start:
                return

    def _read_windows(
        self, start: datetime, end: datetime, now: datetime
    ) -> Iterator[Sightings | Frontier]:
        """Read [start, end) in ascending windows, from the first moment that Twilio still lists."""
        searched = False
        while start < end:
            window = Window(start, min(start + WINDOW, end))
            try:
                yield from self._read_window(window)
            except OutOfRangeError:
                # Raised by the first request of a window, before any row of it was yielded.
                self._floor = start + DAY if searched else self._first_listed(start, now)
                searched = True
                start = min(end, self._floor)
                logger.warning(
                    "account %s: Twilio lists no messages sent before %s for this account "
                    "(code 20004); they cannot be read",
                    self._account_sid,
                    written(start, "seconds"),
                )
                continue
            yield Frontier(min(window.end, now))
            start = window.end

    def _read_window(self, window: Window) -> Iterator[Sightings]:
        last = window.end

        def open_list() -> Iterator[Page]:
            return self._list(self._filter(window.start, last))

        for page in without_loss(open_list):
            sighted = self._sighted(page)
            last = _last_sent(sighted) or last
            wanted = [seen for seen in sighted if seen.moment in window and self._is_news(seen)]
            yield Sightings(wanted, page.seconds)

    def _first_listed(self, refused: datetime, now: datetime) -> datetime:
        """Return the first moment that may be asked for, when the one given was refused.

        The owner of an account keeps messages for a whole number of days, 7 to 400 (Twilio: "New
        Data Controls"), so the number of days is bisected: at most nine requests.
        """
        listed, too_many = 0, -((refused - now) // DAY)
        while too_many - listed > 1:
            days = (listed + too_many) // 2
            try:
                bound = self._written_up(now - days * DAY + EDGE)
                next(self._list({"DateSent>": bound, "PageSize": "1"}))
            except OutOfRangeError:
                too_many = days
            else:
                listed = days
        return max(refused + EDGE, now - listed * DAY + EDGE)

    def _probe(self) -> bool:
        """Return whether Twilio reads the time of a DateSent bound, or its day alone.

        Asks for the second of a row of the newest page that is not the newest of its day: a
        Twilio that reads days alone answers with another row.
        """
        sent = [seen for seen in self._newest if seen.is_sent]
        for newer, seen in pairwise(sent):
            same_second = sum(other.moment == seen.moment for other in sent) > 1
            if (
                newer.moment.date() == seen.moment.date()
                and not same_second
                and seen is not sent[-1]
            ):
                second = written(seen.moment, "seconds")
                bounds = {"DateSent>": second, "DateSent<": second, "PageSize": "1"}
                try:
                    rows = next(self._list(bounds)).rows
                except InvalidRequestError:
                    return False
                return [row.get("sid") for row in rows] == [seen.row.get("sid")]
        return False

    def _filter(self, lower: datetime | None, upper: datetime | None) -> dict[str, str]:
        """Return bounds that surely include [lower, upper), whatever Twilio makes of them."""
        slack = SECOND if self._reads_seconds else DAY
        bounds = {}
        if lower:
            # A bound before what Twilio lists would be refused, whatever it is good for.
            asked, floor = self._written(lower - slack), self._written_up(self._floor)
            bounds["DateSent>"] = max(asked, floor)
        if upper:
            bounds["DateSent<"] = self._written(upper + slack)
        return bounds

    def _written(self, moment: datetime) -> str:
        """Return a bound, as precise as Twilio reads it."""
        if self._reads_seconds:
            return written(moment, "seconds")
        return moment.date().isoformat()

    def _written_up(self, moment: datetime) -> str:
        """Return the first bound that does not lie before a moment."""
        return self._written(moment if self._reads_seconds else moment + DAY - SECOND)

    def _list(self, params: dict[str, str]) -> Iterator[Page]:
        params = {"PageSize": str(self._page_size)} | params
        return pages(self._client, self._client.hosts.api, self._path, "messages", params)

    def _sighted(self, page: Page) -> list[Sighting]:
        return [self._sighting(row) for row in page.rows]

    def _sighting(self, row: dict[str, Any]) -> Sighting:
        check_account(row, self._account_sid, "message")
        sent = row.get("date_sent")
        moment = sent or row.get("date_created")
        return Sighting(row, parsed(moment) if moment else EPOCH, bool(sent))

    def _is_news(self, seen: Sighting) -> bool:
        """Return False for a row without date_sent that an earlier stretch of this run showed."""
        if seen.is_sent:
            return True
        sid = seen.row["sid"]
        if sid in self._unsent:
            return False
        self._unsent.add(sid)
        return True


def _last_sent(sighted: Iterable[Sighting]) -> datetime | None:
    return next((seen.moment for seen in reversed(list(sighted)) if seen.is_sent), None)
