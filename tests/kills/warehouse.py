"""What a database holds, against what Twilio holds and against what a state promises."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_twilio_media.times import parsed
from tests.expecting import SCHEMAS, Row, expected
from tests.running import STREAMS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tests.postgres import Postgres
    from tests.simulator import Simulator

Key = tuple[str, str]
"""A stream and a sid."""


@dataclass(frozen=True)
class Difference:
    """How the tables of a schema differ from what Twilio holds.

    Attributes:
        lost: Rows that are missing, or not as Twilio shows them.
        doubled: Rows that are there more than once.
        foreign: Rows that Twilio does not have.
    """

    lost: set[Key]
    doubled: set[Key]
    foreign: set[Key]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.lost or self.doubled or self.foreign)


class Warehouse:
    """The tables of one schema, and what they are to hold: all of the main account.

    Args:
        postgres: The server.
        sim: What was read; its world must not change.
        schema: Name of the schema.
    """

    def __init__(self, postgres: Postgres, sim: Simulator, schema: str) -> None:
        self._postgres = postgres
        self._schema = schema
        own = [sim.world.account_sid]
        self._wanted = {stream: expected(sim, stream, own) for stream in STREAMS}

    def difference(self) -> Difference:
        """Compare every column of every table."""
        wanted = {
            (stream, sid): {name: _loaded(SCHEMAS[stream][name], row[name]) for name in row}
            for stream, rows in self._wanted.items()
            for sid, row in rows.items()
        }
        held: dict[Key, Row] = {}
        doubled: set[Key] = set()
        for key, row in self._rows():
            if key in held:
                doubled.add(key)
            held[key] = row
        lost = {key for key, row in wanted.items() if held.get(key) != row}
        return Difference(lost, doubled, held.keys() - wanted.keys())

    def broken_promises(self, state: dict[str, Any]) -> set[Key]:
        """Return what a state says is complete and is not there."""
        return set(self._promised(state)) - {key for key, _ in self._rows()}

    def _rows(self) -> Iterator[tuple[Key, Row]]:
        there = self._postgres.query(
            "select table_name from information_schema.tables where table_schema = %s",
            [self._schema],
        )
        for (stream,) in there:
            names = list(SCHEMAS[stream])
            columns = ", ".join(f'"{name}"' for name in names)
            for values in self._postgres.query(f"select {columns} from {self._schema}.{stream}"):
                row = dict(zip(names, values, strict=True))
                yield (stream, row["sid"]), row

    def _promised(self, state: dict[str, Any]) -> Iterator[Key]:
        for stream, entry in state.get("bookmarks", {}).items():
            for part in entry.get("partitions", []):
                for sid, row in self._wanted[stream].items():
                    if part["context"].items() <= row.items() and self._is_promised(
                        stream, row, part
                    ):
                        yield stream, sid

    def _is_promised(self, stream: str, row: Row, part: dict[str, Any]) -> bool:
        if stream in {"messages", "message_media"}:
            message = self._wanted["messages"][row.get("message_sid") or row["sid"]]
            return _is_before(message["date_sent"], part.get("replication_key_value"))
        message = self._wanted["conversation_messages"][row.get("message_sid") or row["sid"]]
        talk = self._wanted["conversations"][row["conversation_sid"]]
        changed = max(filter(None, (message["date_created"], message["date_updated"])))
        return _is_before(changed, part.get("replication_key_value")) or _is_before(
            part.get("read_back_to"), talk["date_created"]
        )


def _is_before(one: str | None, other: str | None) -> bool:
    return bool(one and other) and _moment(one) < _moment(other)


def _moment(text: str | None) -> datetime:
    assert text
    return parsed(text)


def _loaded(schema: Row, value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    """Return a value as target-postgres has it."""
    if value is None:
        return None
    if schema.get("format") == "date-time":
        return parsed(value).replace(tzinfo=None)
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, (dict, list)):
        return json.loads(json.dumps(value).replace("\\u0000", "\ufffd"))
    return value
