"""The manifest: a row for every file and what became of it, in JSON Lines beside the files.

Each run writes files of its own, whose names sort by time; of several rows for a sid the last one
counts. A million rows take no memory: what earlier runs wrote lies in a temporary database.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import msgspec

from tap_twilio_media.download.names import MANIFESTS
from tap_twilio_media.download.storage import is_inside

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_twilio_media.download.storage import Storage

logger = logging.getLogger("tap-twilio-media.download")

MOST_HELD_BACK = 10_000
"""Rows: an object store gets them at the latest when they are so many."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is written of a file. Names as in the manifest."""

    stream: str
    sid: str
    account_sid: str
    message_sid: str | None
    conversation_sid: str | None
    chat_service_sid: str | None
    date_created: str | None
    filename: str | None
    path: str | None
    bytes: int | None
    sha256: str | None
    content_type: str | None
    content_type_served: str | None
    status: str
    detail: str | None
    attempts: int
    at: str
    run: str


_TOO_MANY = 2**63
"""Bytes that no database takes, and no file has."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a file from its newest row; attributes as in `Row`."""

    status: str
    path: str | None
    bytes: int | None
    sha256: str | None
    detail: str | None
    run: str


def name_of_run(now: datetime | None = None) -> str:
    """Return a name for a run: the order of names is that of time, and no two are the same."""
    moment = (now or datetime.now(timezone.utc)).astimezone(timezone.utc)
    return f"{moment:%Y%m%dT%H%M%S}{moment.microsecond:06}Z-{secrets.token_hex(4)}"


class Manifest:
    """Reads what earlier runs wrote, once, and writes what this one does. Usable by any thread."""

    def __init__(self, storage: Storage, run: str | None = None) -> None:
        """Read nothing yet.

        Args:
            storage: Where the files are.
            run: The name of this run.
        """
        self.run = run or name_of_run()
        self._storage = storage
        self._lock = threading.Lock()
        self._held_back: list[bytes] = []
        self._written = 0
        self._known: sqlite3.Connection | None = None

    def newest(self, sid: str) -> Entry | None:
        """Return what the newest row of a file says, or None.

        Raises:
            StorageError: The manifests cannot be read.
        """
        with self._lock:
            return self._newest(sid)

    def append(self, row: Row, when: Callable[[Entry | None], bool] = lambda _: True) -> None:
        """Write a row; on an object store it is held back until `flush`.

        Args:
            row: The row.
            when: Given what the newest row of the file says; False for nothing to be written.

        Raises:
            StorageError: It cannot be written; then nothing of it is.
        """
        line = msgspec.json.encode(row) + b"\n"
        with self._lock:
            if not when(self._newest(row.sid)):
                return
            database = self._database()
            if self._storage.appends:
                self._storage.append(f"{MANIFESTS}/{self.run}.jsonl", line)
            else:
                self._held_back.append(line)
                if len(self._held_back) >= MOST_HELD_BACK:
                    self._flush()
            _keep(database, msgspec.to_builtins(row))

    def confirm(self, sid: str) -> None:
        """Note that this run found the newest row of a file still true; nothing is written."""
        with self._lock:
            self._database().execute("UPDATE known SET run = ? WHERE sid = ?", (self.run, sid))

    def flush(self) -> None:
        """Write what is held back.

        Raises:
            StorageError: It cannot be written; it stays held back.
        """
        with self._lock:
            self._flush()

    def close(self) -> None:
        """Give up the temporary database. What is held back is not written."""
        with self._lock:
            if self._known is not None:
                self._known.close()
                self._known = None

    def _newest(self, sid: str) -> Entry | None:
        query = "SELECT status, path, bytes, sha256, detail, run FROM known WHERE sid = ?"
        found = self._database().execute(query, (sid,)).fetchone()
        return Entry(*found) if found else None

    def _flush(self) -> None:
        if not self._held_back:
            return
        path = f"{MANIFESTS}/{self.run}-{self._written + 1:06}.jsonl"
        with self._storage.draft(path) as draft:
            draft.write(b"".join(self._held_back))
            draft.commit()
        self._written += 1
        self._held_back.clear()

    def _database(self) -> sqlite3.Connection:
        if self._known is None:
            # Without a name it lies in a temporary file, of which only parts are in memory.
            database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
            database.execute(
                "CREATE TABLE known (sid TEXT PRIMARY KEY, status TEXT, path TEXT, bytes INTEGER, "
                "sha256 TEXT, detail TEXT, run TEXT) WITHOUT ROWID"
            )
            database.execute("PRAGMA synchronous = OFF")
            database.execute("BEGIN")
            self._read(database)
            database.execute("COMMIT")
            self._known = database
        return self._known

    def _read(self, database: sqlite3.Connection) -> None:
        damaged = 0
        for name in self._storage.names(MANIFESTS):
            if not name.endswith(".jsonl") or name.startswith("."):
                continue
            for line in self._storage.lines(f"{MANIFESTS}/{name}"):
                if line.strip() and not _keep(database, _decoded(line)):
                    damaged += 1
        if damaged:
            logger.warning(
                "%d lines of the manifests cannot be read and are passed over, as those that a "
                "killed run leaves",
                damaged,
            )


def _decoded(line: bytes) -> object:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _keep(database: sqlite3.Connection, row: object) -> bool:
    """Take a row as the newest of its file, if it is one."""
    if not isinstance(row, dict):
        return False
    sid, status, path, size = (row.get(name) for name in ("sid", "status", "path", "bytes"))
    if not isinstance(sid, str) or not isinstance(status, str):
        return False
    if status == "stored" and not (
        isinstance(path, str) and is_inside(path) and type(size) is int and 0 <= size < _TOO_MANY
    ):
        return False
    rest = [row.get(name) for name in ("sha256", "detail", "run")]
    texts: list[Any] = [value if isinstance(value, str) else None for value in rest]
    path, size = (path, size) if status == "stored" else (None, None)
    database.execute(
        "INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?, ?, ?, ?)",
        (sid, status, path, size, *texts),
    )
    return True
