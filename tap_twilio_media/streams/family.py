"""The streams that are read in one pass, each from its own start, and their bookmarks."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from tap_twilio_media.times import written
from tap_twilio_media.windows import starting_point

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tap_twilio_media.run import Run
    from tap_twilio_media.streams.base import IncrementalStream

logger = logging.getLogger("tap-twilio-media")

UNSENT_SINCE = "unsent_since"
"""Beside the bookmark of a backfill under way: rows without date_sent were not emitted from here
on. They show up in the newest stretch alone, which is read last."""

SECONDS_BETWEEN_LINES = 10.0
"""A long job tells how far it is about so often."""


class Family:
    """Messages and their media of one account, or the same of one conversation service."""

    def __init__(
        self,
        run: Run,
        streams: Sequence[IncrementalStream],
        context: Mapping[str, str],
        *,
        floor: datetime | None = None,
    ) -> None:
        """Find the start of each selected stream.

        Args:
            run: The run, for settings and bookmarks.
            streams: The members.
            context: Account, or account and service: the bookmarks are kept for it.
            floor: The first moment that Twilio still lists.
        """
        self._run = run
        self._context = dict(context)
        self._members = [stream for stream in streams if stream.selected]
        self._since = {stream.name: self._starting_point(stream) for stream in self._members}
        self._told_at = time.monotonic()
        if floor is not None:
            self._clamp(floor)

    @property
    def is_wanted(self) -> bool:
        """Whether any member is selected."""
        return bool(self._members)

    @property
    def bookmarked(self) -> list[IncrementalStream]:
        """The members that are selected and keep a bookmark."""
        return [stream for stream in self._members if stream.keeps_bookmark]

    @property
    def start(self) -> datetime:
        """Where the pass starts: the earliest start of its members."""
        return min(self._since.values())

    def since(self, stream: IncrementalStream) -> datetime | None:
        """Return the first moment that a stream emits; None when it is not selected."""
        return self._since.get(stream.name)

    def unsent_since(self, stream: IncrementalStream, horizon: datetime) -> datetime | None:
        """Return the first creation of a row without date_sent that a stream emits.

        Args:
            stream: A member.
            horizon: A row created later may still be sent, so it is emitted whatever the start.
        """
        since = self.since(stream)
        if since is None:
            return None
        marked = self._run.bookmarks.get(stream.name, self._context, UNSENT_SINCE)
        return min(since, horizon, marked or since)

    def complete(self, until: datetime, *, is_newest: bool = True) -> None:
        """Move the bookmarks of the members to the end of a window that is wholly emitted.

        Args:
            until: The end of the window.
            is_newest: Whether the newest stretch is complete, and with it the pass.
        """
        bookmarks = self._run.bookmarks
        for stream in self._members:
            if not stream.keeps_bookmark or until <= self._since[stream.name]:
                continue
            bookmark = bookmarks.get(stream.name, self._context)
            if is_newest:
                bookmarks.advance(stream.name, self._context, until, stream.precision)
                bookmarks.mark(stream.name, self._context, UNSENT_SINCE, None)
            elif bookmark is None or bookmark < until:
                marked = bookmarks.get(stream.name, self._context, UNSENT_SINCE)
                bookmarks.advance(stream.name, self._context, until, stream.precision)
                unsent_since = marked or self._since[stream.name]
                bookmarks.mark(stream.name, self._context, UNSENT_SINCE, unsent_since)
        self._tell(until)

    def _tell(self, until: datetime) -> None:
        if time.monotonic() - self._told_at < SECONDS_BETWEEN_LINES:
            return
        self._told_at = time.monotonic()
        where = ", ".join(f"{key} {value}" for key, value in self._context.items())
        names = ", ".join(self._since)
        logger.info("%s: %s complete up to %s", where, names, written(until, "seconds"))

    def _starting_point(self, stream: IncrementalStream) -> datetime:
        settings = self._run.settings
        bookmark = None
        if stream.keeps_bookmark and not settings.full_scan:
            bookmark = self._run.bookmarks.get(stream.name, self._context)
        return starting_point(bookmark, settings.start_date, stream.lookback)

    def _clamp(self, floor: datetime) -> None:
        wanted = min(self._since.values(), default=floor)
        if wanted < floor and self._run.settings.start_date:
            logger.warning(
                "account %s: messages sent from %s to %s are out of reach: Twilio lists 400 days",
                self._context["account_sid"],
                written(wanted, "seconds"),
                written(floor, "seconds"),
            )
        self._since = {name: max(since, floor) for name, since in self._since.items()}
