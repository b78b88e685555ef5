"""The streams that are read in one pass, each from its own start, and their bookmarks."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_twilio_media.errors import SyncIncompleteError
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
on, or their files did not come. They show up in the newest stretch alone, which is read last."""

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

    @property
    def prefix(self) -> str:
        """What the names of its further marks begin with."""
        return f"{self.name}_" if self.is_files else ""

    @property
    def unsent(self) -> str:
        """The name of its mark for rows that were not sent."""
        return self.prefix + UNSENT_SINCE


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
        horizon: datetime | None = None,
    ) -> None:
        """Find the start of each member.

        Args:
            run: The run, for settings and bookmarks.
            streams: The streams; the rows of the last one name files.
            context: Account, or account and service: the bookmarks are kept for it.
            floor: The first moment that Twilio still lists.
            horizon: A row without date_sent created later may still be sent, so it is emitted
                whatever the start.
        """
        self._run = run
        self._context = dict(context)
        self._told_at = time.monotonic()
        self._files_are_whole = True
        self._horizon = horizon
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
    def marks(self) -> list[tuple[str, str]]:
        """Of each member that keeps a bookmark: its stream, and what further marks begin with."""
        return [(m.stream.name, m.prefix) for m in self._members if m.stream.keeps_bookmark]

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

    def unsent_since(self, stream: IncrementalStream) -> datetime | None:
        """Return the first creation of a row without date_sent that a stream emits."""
        members = [member for member in self._members if member.stream is stream]
        return min(map(self._unsent_since, members), default=None)

    def _unsent_since(self, member: _Member) -> datetime:
        marked = self._run.bookmarks.get(member.stream.name, self._context, member.unsent)
        return min(filter(None, (member.since, self._horizon, marked)))

    def miss_file(self, sid: str) -> None:
        """Note a file that did not come: files stay complete up to here, whatever else follows."""
        self._files_are_whole = False
        name = self._members[-1].stream.name
        self._run.count(f"files of {name} that did not come", sid)
        # Only a full scan sees again what lies far behind the mark.
        again = "run again with full_scan" if self._run.settings.full_scan else "the next run asks"
        msg = f"some did not come, and the manifest tells why; {again} for them again"
        self._run.fail(self._context["account_sid"], [f"files of {name}"], SyncIncompleteError(msg))

    def complete(self, until: datetime, *, is_newest: bool = True) -> None:
        """Move the bookmarks of the members to the end of a window that is wholly emitted.

        Args:
            until: The end of the window.
            is_newest: Whether the newest stretch is complete, and with it the pass.
        """
        for member in self._members:
            if not member.stream.keeps_bookmark or until <= member.since:
                continue
            if self._files_are_whole or not member.is_files:
                self._move(member, until, is_newest=is_newest)
            elif self._horizon:
                since = self._unsent_since(member)
                self._run.bookmarks.mark(member.stream.name, self._context, member.unsent, since)
        self._tell(until)

    def _move(self, member: _Member, until: datetime, *, is_newest: bool) -> None:
        bookmarks, name, context = self._run.bookmarks, member.stream.name, self._context
        reached = bookmarks.get(name, context, member.name)
        if reached is None or reached < until:
            marked = bookmarks.get(name, context, member.unsent)
            if member.is_files:
                bookmarks.mark(name, context, member.name, until)
            else:
                bookmarks.advance(name, context, until, member.stream.precision)
            bookmarks.mark(name, context, member.unsent, marked or member.since)
        if is_newest:
            bookmarks.mark(name, context, member.unsent, None)

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
