"""The loaded tables, the states that go with them, and what both must hold."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tap_twilio_media.times import parsed
from tests.model.history import FILE_COLUMNS, Mark
from tests.model.unseen import SENTENCES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from tests.model.history import History, Key, Known
    from tests.model.unseen import Reading
    from tests.simulator import World

BOOKMARK: Final = "replication_key_value"
FILES: Final = "files"


@dataclass
class Saved:
    """A state, and what had been missed by the runs that led to it.

    Attributes:
        state: What the tap wrote.
        missed: What a moment promises and a sentence of the README excuses: by the name of the
            moment and the row, the change that was missed.
        begun: Readings of runs that were cut short and will be gone on with.
    """

    state: dict[str, Any] = field(default_factory=dict)
    missed: dict[tuple[str, Key], datetime] = field(default_factory=dict)
    begun: dict[Mark, Reading] = field(default_factory=dict)

    def marks(self) -> dict[Mark, datetime]:
        """Return the moments of the state."""
        return dict(marks_of(self.state))


def marks_of(state: Mapping[str, Any]) -> Iterator[tuple[Mark, datetime]]:
    """Yield the moments in a state."""
    for stream, entry in state.get("bookmarks", {}).items():
        for part in entry.get("partitions", []):
            context = tuple(sorted(part["context"].items()))
            for name, value in part.items():
                if name not in {"context", "replication_key"}:
                    # What the settings of files are, which is here always the same, is cut out.
                    short = re.sub(rf"^{FILES}_[^_]+", FILES, name)
                    yield (stream, context, short), parsed(value)


class Tables:
    """A warehouse that upserts by key, in the order of the output."""

    def __init__(self, world: World, history: History) -> None:
        """Hold nothing."""
        self._world = world
        self._history = history
        self._held: dict[Key, dict[str, Any]] = {}
        self._files: dict[Key, dict[str, Any]] = {}
        self.told: Counter[str] = Counter()

    def load(self, stream: str, record: dict[str, Any]) -> None:
        """Upsert a record, which must be what Twilio showed at some time."""
        key = stream, record["sid"]
        files = {name: record.pop(name) for name in FILE_COLUMNS if name in record}
        assert key in self._history.rows, f"{key}: never shown"
        assert record in self._history.rows[key].versions, f"{key}: never shown so"
        self._held[key] = record
        if files.get("file_status"):
            self._files[key] = {str(name): value for name, value in files.items()}

    def has(self, row: Known) -> bool:
        """Return whether a row is held as Twilio shows it."""
        return self._held.get(row.key) == row.record

    def has_file(self, row: Known) -> bool:
        """Return whether the file of a row was stored whole."""
        files = self._files.get(row.key)
        if files is None or files["file_status"] != "stored":
            return False
        content = self._world.media_bytes(row.key[1])
        digest = hashlib.sha256(content).hexdigest()
        return (files["file_size"], files["file_sha256"]) == (len(content), digest)

    def rows_of(self, stream: str) -> set[str]:
        """Return the keys that a table holds."""
        return {sid for name, sid in self._held if name == stream}

    def check_promise(
        self, mark: Mark, until: datetime, reading: Reading, saved: Saved, *, unsent: bool
    ) -> None:
        """Fail if a moment of a state promises a row that is not held and that no sentence excuses.

        Args:
            mark: The moment's place in the state.
            until: The moment: what changed before it and lies before it is promised.
            reading: How the stream was read up to there.
            saved: What was missed so far; what is missed now is added.
            unsent: Whether rows without date_sent are promised, too.
        """
        stream, context, name = mark
        for row in self._history.there():
            if row.key[0] != stream or row.context != context or row.changed >= until:
                continue
            if row.moment >= until if row.is_sent else not unsent:
                continue
            if self.has(row) if name == BOOKMARK else self.has_file(row):
                continue
            before = saved.missed.get((name, row.key)) == row.changed
            for sentence in SENTENCES:
                if sentence.where(row, reading, self._world) and (
                    before or sentence.when(row, reading, self._world)
                ):
                    break
            else:
                raise AssertionError(f"lost: {row} by {mark} until {until}, {reading}")
            self.told[sentence.text] += 1
            saved.missed[name, row.key] = row.changed
