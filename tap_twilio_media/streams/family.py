"""The streams that are read in one pass, each from its own start, and their bookmarks."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_twilio_media.client.errors import UnavailableError
from tap_twilio_media.times import written
from tap_twilio_media.windows import starting_point

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tap_twilio_media.run import Run
    from tap_twilio_media.streams.base import IncrementalStream

logger = logging.getLogger("tap-twilio-media")

BOOKMARK = "replication_key_value"
UNSENT_SINCE = "unsent_since"
"""Beside the bookmark of a backfill under way: rows without date_sent were not emitted from here
on. They show up in the newest stretch alone, which is read last."""

SECONDS_BETWEEN_LINES = 10.0
"""A long job tells how far it is about so often."""


@dataclass(slots=True)
class _Member:
    """What a pass is for: the rows of a stream, or the files that its rows name.

    Attributes:
        stream: The stream.
        name: Under this name the state tells how far it is complete.
        since: Where it starts.
    """

    stream: IncrementalStream
    name: str
    since: datetime

    @property
    def is_files(self) -> bool:
        """Whether this is the files."""
        return self.name != BOOKMARK


class Family:
    """Messages and their media of one account, or the same of one conversation service.

    Where files are downloaded they are one more member: their rows, which tell what became of
    them, go out from the earlier of both starts.
    """

    def __init__(
        self,
        run: Run,
        streams: Sequence[IncrementalStream],
        context: Mapping[str, str],
        *,
        floor: datetime | None = None,
    ) -> None:
        """Find the start of each member.

        Args:
            run: The run, for settings and bookmarks.
            streams: The streams; the rows of the last one name files.
            context: Account, or account and service: the bookmarks are kept for it.
            floor: The first moment that Twilio still lists.
        """
        self._run = run
        self._context = dict(context)
        self._told_at = time.monotonic()
        self._files_are_whole = True
        wanted = [(stream, BOOKMARK) for stream in streams if stream.selected]
        if run.files and streams[-1].selected:
            wanted.append((streams[-1], run.files.mark))
        self._members = [_Member(*each, self._starting_point(*each)) for each in wanted]
        if floor is not None:
            self._clamp(floor)

    @property
    def is_wanted(self) -> bool:
        """Whether any member is wanted."""
        return bool(self._members)

    @property
    def bookmarked(self) -> list[IncrementalStream]:
        """The streams that are selected and keep a bookmark."""
        return [m.stream for m in self._members if m.stream.keeps_bookmark and not m.is_files]

    @property
    def is_first_read(self) -> bool:
        """Whether a member that keeps a bookmark has none yet."""
        return any(
            self._run.bookmarks.get(member.stream.name, self._context, member.name) is None
            for member in self._members
            if member.stream.keeps_bookmark
        )

    @property
    def is_whole(self) -> bool:
        """Whether no file was missed so far."""
        return self._files_are_whole

    @property
    def start(self) -> datetime:
        """Where the pass starts: the earliest start of its members."""
        return min(member.since for member in self._members)

    def since(self, stream: IncrementalStream) -> datetime | None:
        """Return the first moment that a stream emits; None when it is not selected."""
        return min((m.since for m in self._members if m.stream is stream), default=None)

    def unsent_since(self, stream: IncrementalStream, horizon: datetime) -> datetime | None:
        """Return the first creation of a row without date_sent that a stream emits.

        Args:
            stream: A stream.
            horizon: A row created later may still be sent, so it is emitted whatever the start.
        """
        since = self.since(stream)
        if since is None:
            return None
        marked = self._run.bookmarks.get(stream.name, self._context, UNSENT_SINCE)
        return min(since, horizon, marked or since)

    def miss_file(self, sid: str) -> None:
        """Note a file that did not come: files stay complete up to here, whatever else follows."""
        self._files_are_whole = False
        name = self._members[-1].stream.name
        self._run.count(f"files of {name} that did not come", sid)
        msg = "some did not come within max_retry_seconds; the next run asks for them again"
        self._run.fail(self._context["account_sid"], [f"files of {name}"], UnavailableError(msg))

    def complete(self, until: datetime, *, is_newest: bool = True) -> None:
        """Move the bookmarks of the members to the end of a window that is wholly emitted.

        Args:
            until: The end of the window.
            is_newest: Whether the newest stretch is complete, and with it the pass.
        """
        for member in self._members:
            if not member.stream.keeps_bookmark or until <= member.since:
                continue
            if not member.is_files:
                self._move(member, until, is_newest=is_newest)
            elif self._files_are_whole:
                self._move_files(member, until)
        self._tell(until)

    def _move(self, member: _Member, until: datetime, *, is_newest: bool) -> None:
        bookmarks, stream, context = self._run.bookmarks, member.stream, self._context
        bookmark = bookmarks.get(stream.name, context)
        if is_newest:
            bookmarks.advance(stream.name, context, until, stream.precision)
            bookmarks.mark(stream.name, context, UNSENT_SINCE, None)
        elif bookmark is None or bookmark < until:
            marked = bookmarks.get(stream.name, context, UNSENT_SINCE)
            bookmarks.advance(stream.name, context, until, stream.precision)
            bookmarks.mark(stream.name, context, UNSENT_SINCE, marked or member.since)

    def _move_files(self, member: _Member, until: datetime) -> None:
        bookmarks, stream, context = self._run.bookmarks, member.stream, self._context
        reached = bookmarks.get(stream.name, context, member.name)
        if reached is None or reached < until:
            bookmarks.mark(stream.name, context, member.name, until)

    def _tell(self, until: datetime) -> None:
        if time.monotonic() - self._told_at < SECONDS_BETWEEN_LINES:
            return
        self._told_at = time.monotonic()
        where = ", ".join(f"{key} {value}" for key, value in self._context.items())
        names = ", ".join(dict.fromkeys(member.stream.name for member in self._members))
        logger.info("%s: %s complete up to %s", where, names, written(until, "seconds"))

    def _starting_point(self, stream: IncrementalStream, name: str) -> datetime:
        settings = self._run.settings
        bookmark = None
        if stream.keeps_bookmark and not settings.full_scan:
            bookmark = self._run.bookmarks.get(stream.name, self._context, name)
        return starting_point(bookmark, settings.start_date, stream.lookback)

    def _clamp(self, floor: datetime) -> None:
        wanted = min((member.since for member in self._members), default=floor)
        if wanted < floor and self._run.settings.start_date:
            logger.warning(
                "account %s: messages sent from %s to %s are out of reach: Twilio lists 400 days",
                self._context["account_sid"],
                written(wanted, "seconds"),
                written(floor, "seconds"),
            )
        for member in self._members:
            member.since = max(member.since, floor)
