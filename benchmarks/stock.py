"""The SDK's stock path: `python -m benchmarks.stock OUTPUT RATE` syncs records of an output."""

from __future__ import annotations

import json
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk import Stream, Tap

from benchmarks.twilio import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class InMemory(Stream):
    """Messages that are there already, typed as the tap types them."""

    name = "messages"
    primary_keys = ("sid",)
    replication_key = "date_created"
    rows: ClassVar[list[dict[str, Any]]] = []

    def get_records(self, context: object) -> Iterable[dict[str, Any]]:  # noqa: ARG002
        """Return all."""
        return self.rows


class StockTap(Tap):
    """A tap with nothing of its own."""

    name = "stock"
    config_jsonschema: ClassVar[dict[str, Any]] = {"properties": {}}

    def discover_streams(self) -> Sequence[Stream]:
        """Return the one stream."""
        return [InMemory(self, schema=json.loads((ROOT / "schemas/messages.json").read_text()))]


def main() -> None:
    """Sync once."""
    with Path(sys.argv[1]).open() as lines:
        messages = (json.loads(line, parse_float=Decimal) for line in lines)
        InMemory.rows.extend(each["record"] for each in messages if each["type"] == "RECORD")
    tap = StockTap()
    start = time.process_time()
    tap.sync_all()
    rate = len(InMemory.rows) / (time.process_time() - start)
    Path(sys.argv[2]).write_text(f"{rate}")


if __name__ == "__main__":
    main()
