"""What becomes of a record, by its stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from singer_sdk import Sink
from typing_extensions import override

if TYPE_CHECKING:
    from singer_sdk import Target

    from tap_twilio_media.target.target import TargetTwilioMedia

MOST_AT_ONCE = 1 << 60


class PassedOver(Sink):
    """Records without a file: read and forgotten."""

    max_size = MOST_AT_ONCE
    validate_schema = False

    @override
    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        return record  # whoever makes use of a field looks at it

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None: ...

    @override
    def process_batch(self, context: dict[str, Any]) -> None: ...


class FileSink(PassedOver):
    """Records of media: each becomes a file."""

    def __init__(self, target: Target, **kwargs: Any) -> None:
        """Keep the target, whose downloads all sinks share."""
        super().__init__(target, **kwargs)
        self._downloads = cast("TargetTwilioMedia", target).downloads

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        self._downloads.add(self.stream_name, record)
