"""Streams whose rows name a file each, which may be downloaded as they pass."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_twilio_media.pool import FIRST
from tap_twilio_media.streams.base import IncrementalStream

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from singer_sdk.helpers.types import Record

    from tap_twilio_media.streams.family import Family


class FileStream(IncrementalStream):
    """A stream of media."""

    family: Family
    """The one whose turn it is, set by the parent like its scope in the pool."""
    scope: int

    @property
    @override
    def lookback(self) -> timedelta:
        return self.run.settings.media_lookback

    def keep_ahead(self, row: dict[str, Any]) -> None:
        """Have the file of a row stored, ahead of its turn and in any thread."""
        if self.run.files and self.passes_all:
            self.run.files.keep(self.name, row)

    def finished(self, rows: Iterable[dict[str, Any]]) -> Iterable[Record]:
        """Yield the records of rows, each with what became of its file."""
        files, pool = self.run.files, self.run.pool
        if files and not self.passes_all:
            rows = list(rows)
            # A user's filter is not for many threads, so these files waited for their turn.
            wanted = [partial(files.keep, self.name, row) for row in rows if self.passes(row)]
            for task in [pool.submit((FIRST, self.scope), keep) for keep in wanted]:
                pool.result(task)
        for row in rows:
            if row.get("file_status") == "unavailable":
                self.family.miss_file(row["sid"])
            yield self.typed(row)
