"""Conversations read ahead of their turn: their messages, and the files that these name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tap_twilio_media.pool import Ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from datetime import datetime

    from tap_twilio_media.pool import Pool, Rank
    from tap_twilio_media.readers.conversations import ConversationsReader

PAGES_AHEAD = 5
"""So many pages of a conversation are read at most before its turn comes."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that a message names.

    Attributes:
        sid: Its sid.
        row: Its row at MCS, being read; None stands for a file that is gone.
    """

    sid: str
    row: Future[dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a conversation.

    Attributes:
        row: The row as Twilio sent it.
        files: Its files, being read.
    """

    row: dict[str, Any]
    files: list[File]


@dataclass
class Talk:
    """A conversation whose messages are read ahead of their turn.

    Attributes:
        reader: Who reads.
        pool: Who reads ahead.
        rank: Rank of the tasks.
        row: The conversation; its chat_service_sid is the service to ask.
        start: Where to stop; None: at the end.
        files_of: Asks for the files of a message, in any thread.
    """

    reader: ConversationsReader
    pool: Pool
    rank: Rank
    row: dict[str, Any]
    start: datetime | None
    files_of: Callable[[dict[str, Any]], list[File]]
    _pages: Ahead[list[Said]] | None = field(default=None, init=False)

    def start_reading(self) -> None:
        """Ask for the newest page."""
        self._pages = Ahead(self.pool, self.rank, self._read(), PAGES_AHEAD)

    def pages(self) -> Iterator[list[Said]]:
        """Yield the messages page by page, newest first, as far as something new can follow."""
        assert self._pages is not None  # noqa: S101 - it was started
        yield from self._pages

    def _read(self) -> Iterator[list[Said]]:
        for page in self.reader.messages(self.row, self.start):
            for row in page.rows:
                row.setdefault("chat_service_sid", self.row["chat_service_sid"])
            yield [Said(row, self.files_of(row)) for row in page.rows]
