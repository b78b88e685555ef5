"""DateSent bounds: parameters that surely include a window, whatever Twilio makes of them.

Twilio documents them as dates alone; in practice a time is read too, but nobody promises it, and
whether a bound includes what it names is not known. So more is asked than is wanted, and cut.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from tap_twilio_media.client.errors import InvalidRequestError, OutOfRangeError
from tap_twilio_media.times import EPOCH, written
from tap_twilio_media.windows import EDGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_twilio_media.client.pages import Page
    from tap_twilio_media.readers.sightings import Sighting

    Ask = Callable[[dict[str, str]], Page]

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


class Bounds:
    """What is known of how Twilio reads DateSent.

    Attributes:
        reads_seconds: Whether it reads the time of a bound. Days are always safe, so this is so
            only once `probe` has shown it.
        floor: A bound that lies before it is refused with error 20004.
    """

    def __init__(self) -> None:
        """Know nothing."""
        self.reads_seconds = False
        self.floor = EPOCH

    @property
    def shortest(self) -> timedelta:
        """The shortest window worth asking for. Around days, two more come with each request."""
        return SECOND if self.reads_seconds else 5 * DAY

    def around(self, lower: datetime | None, upper: datetime | None) -> dict[str, str]:
        """Return the parameters that surely include [lower, upper)."""
        slack = SECOND if self.reads_seconds else DAY
        bounds = {}
        if lower:
            bounds["DateSent>"] = max(self._written(lower - slack), self._written_up(self.floor))
        if upper:
            bounds["DateSent<"] = self._written(upper + slack)
        return bounds

    def probe(self, ask: Ask, newest: Sequence[Sighting]) -> None:
        """Find out whether Twilio reads the time of a bound.

        Asks for the second of a row that is not the newest of its day: a Twilio that reads days
        alone answers with another row.

        Args:
            ask: Returns the first page for some parameters.
            newest: The newest page.
        """
        sent = [seen for seen in newest if seen.is_sent]
        for newer, seen in pairwise(sent[:-1]):
            alone = sum(other.moment == seen.moment for other in sent) == 1
            if alone and newer.moment.date() == seen.moment.date():
                second = written(seen.moment, "seconds")
                bounds = {"DateSent>": second, "DateSent<": second, "PageSize": "1"}
                try:
                    rows = ask(bounds).rows
                except InvalidRequestError:
                    return
                self.reads_seconds = [row.get("sid") for row in rows] == [seen.row.get("sid")]
                return

    def find_floor(self, ask: Ask, refused: datetime, now: datetime) -> None:
        """Raise the floor to the first moment that is listed, when one was refused.

        The owner of an account keeps messages for a whole number of days, 7 to 400 (Twilio: "New
        Data Controls"), so the number of days is bisected: nine requests at most.

        Args:
            ask: Returns the first page for some parameters.
            refused: The moment that was refused.
            now: The start of the run.
        """
        listed, too_many = 0, -((refused - now) // DAY)
        while too_many - listed > 1:
            days = (listed + too_many) // 2
            try:
                ask({"DateSent>": self._written_up(now - days * DAY + EDGE), "PageSize": "1"})
            except OutOfRangeError:
                too_many = days
            else:
                listed = days
        self.floor = max(refused + EDGE, now - listed * DAY + EDGE)

    def _written(self, moment: datetime) -> str:
        """Return a bound, as precise as Twilio reads it."""
        return written(moment, "seconds") if self.reads_seconds else moment.date().isoformat()

    def _written_up(self, moment: datetime) -> str:
        """Return the first bound that does not lie before a moment."""
        return self._written(moment if self.reads_seconds else moment + DAY - SECOND)
