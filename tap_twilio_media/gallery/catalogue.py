"""All files of an archive in order, on disk rather than in memory."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from tap_twilio_media.gallery.entries import STORED, Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from types import TracebackType

    from typing_extensions import Self

_BATCH = 1_000

_TABLE = """
CREATE TABLE files (
  sid TEXT PRIMARY KEY, day TEXT, time TEXT, thread_kind TEXT, thread TEXT, filename TEXT,
  path TEXT, bytes INTEGER, content_type TEXT, status TEXT, detail TEXT, present INTEGER DEFAULT 0
) WITHOUT ROWID
"""
_ADD = """
INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
"""
# Days, within a day the threads by their last file, and within a thread the files: newest first.
_ORDERED = """
SELECT *, MAX(time) OVER (PARTITION BY day, thread_kind, thread) AS last FROM files
ORDER BY day DESC, last DESC, thread_kind, thread, time DESC, sid
"""


class Item(NamedTuple):
    """A file, and whether it is where its row says."""

    entry: Entry
    present: bool


class Totals(NamedTuple):
    """What an archive holds, in files; `bytes` counts those that are present."""

    present: int
    bytes: int
    missing: int
    not_stored: int


class Catalogue:
    """The last word on each file, from `with` to the end of its block.

    The table lies in a temporary file of SQLite's own, which is gone when it is closed.
    """

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("PRAGMA cache_size = -65536")  # KiB
        self._db.execute(_TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()

    def add(self, entries: Iterable[Entry]) -> None:
        """Take entries in; a later one of the same sid replaces an earlier one."""
        self._db.execute("BEGIN")
        self._db.executemany(_ADD, (tuple(map(_storable, entry)) for entry in entries))
        self._db.execute("COMMIT")

    def look_for_files(self, is_present: Callable[[str], bool]) -> None:
        """Note which of the stored files are there, by a function of their path."""
        self._db.create_function("is_present", 1, is_present)
        self._db.execute("UPDATE files SET present = is_present(path) WHERE status = ?", (STORED,))

    def totals(self) -> Totals:
        """Return the figures of the whole archive."""
        row = self._db.execute(
            "SELECT TOTAL(present), SUM(present * bytes),"
            " TOTAL(status = :stored AND NOT present), TOTAL(status <> :stored) FROM files",
            {"stored": STORED},
        ).fetchone()
        return Totals(*(int(value or 0) for value in row))

    def days(self) -> list[tuple[str, int]]:
        """Return each day and its number of files, in the order of `items`."""
        return self._db.execute(
            "SELECT day, COUNT(*) FROM files GROUP BY day ORDER BY day DESC"
        ).fetchall()

    def items(self) -> Generator[Item]:
        """Yield all files: days, then threads, then files, each newest first."""
        with closing(self._db.execute(_ORDERED)) as rows:
            while batch := rows.fetchmany(_BATCH):
                for row in batch:
                    yield Item(Entry(*row[:-2]), bool(row[-2]))


def _storable(value: str | int | None) -> str | int | None:
    # A lone half of a surrogate pair is text in JSON and not in UTF-8.
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
