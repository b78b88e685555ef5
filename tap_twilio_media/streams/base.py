"""What all streams share, and where they differ from the SDK's ways."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk import Stream, StreamSchema
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import SameRecordTransform
from singer_sdk.metrics import Metric, Point, Status, Tag
from singer_sdk.schema.source import SchemaDirectory
from singer_sdk.singerlib import RecordMessage
from singer_sdk.singerlib.catalog import REPLICATION_FULL_TABLE
from typing_extensions import override

from tap_twilio_media.bookmarks import REPLICATION_KEY
from tap_twilio_media.client.errors import StoppedError
from tap_twilio_media.errors import TapError
from tap_twilio_media.records import Typer
from tap_twilio_media.schemas import SCHEMAS_DIR
from tap_twilio_media.texts import is_sid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import timedelta

    from singer_sdk.helpers.types import Context, Record

    from tap_twilio_media.run import Run
    from tap_twilio_media.tap import TapTwilioMedia
    from tap_twilio_media.times import Precision


PRIMARY_KEYS = ("sid",)
CONTEXTS_AHEAD = 4
"""So many accounts, or services, are begun at once."""


class TwilioStream(Stream):
    """A stream whose records are typed here and whose bookmarks are moved by its family."""

    primary_keys: Sequence[str] = PRIMARY_KEYS
    schema: ClassVar[StreamSchema] = StreamSchema(SchemaDirectory(SCHEMAS_DIR))
    precision: ClassVar[Precision] = "seconds"

    # Records leave `Typer` as the schema says; the SDK's second pass would only cost time.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    # The SDK adds the partition of its state to every record; the schemas say what belongs there.
    state_partitioning_keys: ClassVar[Sequence[str]] = ()

    parents: Sequence[Any] = ()
    """The rows of the parent stream that the next `sync` reads the children of. They are not in
    the context, because the SDK puts that into logs and state."""

    _schema_is_written = False

    @property
    def run(self) -> Run:
        """What the run shares."""
        return cast("TapTwilioMedia", self._tap).run

    @cached_property
    def typed(self) -> Typer:
        """Turns a row into a record."""
        on_odd = None if self.run.settings.strict else self._tell_odd
        return Typer(
            self.name, self.effective_schema, self.precision, known=self.schema, on_odd=on_odd
        )

    def _tell_odd(self, sid: str, field: str) -> None:
        self.run.count(f"{self.name}: {field} is not of the type expected, left null", sid)

    @cached_property
    def passes_all(self) -> bool:
        """Whether no stream map of the user can keep a row back."""
        return any(isinstance(each, SameRecordTransform) for each in self.stream_maps)

    def passes(self, row: Mapping[str, Any]) -> bool:
        """Return whether a stream map of the user lets this row, and so its children, through.

        A row can go out under several names, each with a map of its own.
        """
        if self.passes_all:
            return True
        record = self.typed(row)
        return any(each.get_filter_result(record) for each in self.stream_maps)

    def askable(self, sids: Iterable[str]) -> list[str]:
        """Return the keys of rows by which Twilio can be asked for more; the others are told."""
        found = []
        for sid in sids:
            if is_sid(sid):
                found.append(sid)
            else:
                self.run.count(f"{self.name}: a sid is none, nothing was asked for by it", sid)
        return found

    def sync_children_of(self, rows: Sequence[Any], context: Context) -> None:
        """Read the children of a page of rows, when any child is selected."""
        if rows and self.has_selected_descendents:
            for child in self.child_streams:
                cast("TwilioStream", child).parents = rows
            self._sync_children(context)

    def prepare(self, context: Context) -> None:
        """Have the first requests for a context made ahead of its turn. Asked again, do nothing."""

    def sync_children_in(self, contexts: Sequence[Context]) -> Iterator[None]:
        """Read the children in one context after the other, the next ones on their way already.

        Yields:
            After each.
        """
        children = [c for c in self.child_streams if c.selected or c.has_selected_descendents]
        for index, context in enumerate(contexts):
            for ahead in contexts[index : index + CONTEXTS_AHEAD]:
                for child in children:
                    cast("TwilioStream", child).prepare(ahead)
            self._sync_children(context)
            yield

    def contained(
        self, context: Context, scope: int, read: Callable[[Context], Iterable[Record]]
    ) -> Iterable[Record]:
        """Yield what `read` yields; should it fail, this stream and those below end, no others.

        Args:
            context: Account, or account and service.
            scope: The scope of its tasks in the pool.
            read: Takes the context.
        """
        try:
            yield from read(context)
        except StoppedError:
            raise
        except TapError as error:
            names = [s.name for s in (self, *self.descendent_streams) if s.selected]
            self.run.fail(context["account_sid"], names, error)
        finally:
            self.run.pool.drop(scope)

    def tell_request(self, seconds: float, endpoint: str, context: Context | None) -> None:
        """Put out the METRIC line of one page."""
        tags: dict[str, Any] = {
            Tag.STREAM: self.name,
            Tag.ENDPOINT: endpoint,
            Tag.STATUS: Status.SUCCEEDED,
            Tag.CONTEXT: context,
        }
        self._log_metric(Point("timer", Metric.HTTP_REQUEST_DURATION, seconds, tags))

    @override
    def log(self, message: str, *args: Any, level: int = logging.INFO, **kwargs: Any) -> None:
        # The SDK's own words come with every page of parents, and its error line with each level
        # of streams that an exception passes; the tap tells both once.
        super().log(message, *args, level=logging.DEBUG, **kwargs)

    @override
    def _write_schema_message(self) -> None:
        if not self._schema_is_written:
            self._schema_is_written = True
            super()._write_schema_message()

    @override
    def generate_child_contexts(
        self, record: Record, context: Context | None
    ) -> Iterable[Context | None]:
        return ()  # children are read a page of parents at a time, see sync_children_of

    @cached_property
    def _is_whole(self) -> bool:
        return all(self.mask.values())

    @override
    def _write_record_message(self, record: Record) -> None:
        # Where no property is deselected, looking at each of every record finds nothing.
        if not self._is_whole:
            super()._write_record_message(record)
            return
        for stream_map in self.stream_maps:
            if (mapped := stream_map.transform(record)) is not None:
                now = datetime.now(timezone.utc)
                message = RecordMessage(stream_map.stream_alias, mapped, time_extracted=now)
                self._tap.write_message(message)
        self.state_manager.is_flushed = False

    # The state is changed by `Bookmarks` alone, when a window is complete. Everything by which
    # the SDK would move or promote bookmarks along with records is therefore off.

    @property
    @override
    def partitions(self) -> list[dict[str, Any]] | None:
        return None

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        return None

    @override
    def _write_starting_replication_value(self, context: Context | None) -> None: ...

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None: ...

    @override
    def _finalize_state(self, state: dict[str, Any] | None = None) -> None: ...

    @override
    def finalize_state_progress_markers(self, state: dict[str, Any] | None = None) -> None: ...

    @override
    def _write_state_message(self) -> None: ...


class IncrementalStream(TwilioStream):
    """A stream with a bookmark on date_created."""

    replication_key = REPLICATION_KEY

    @property
    def lookback(self) -> timedelta:
        """How far behind its bookmark the stream reads again."""
        return self.run.settings.lookback

    @property
    def keeps_bookmark(self) -> bool:
        """Whether the stream is incremental; a user can force it to FULL_TABLE."""
        return self.replication_method != REPLICATION_FULL_TABLE
