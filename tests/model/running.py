"""Running the tap in this process, and killing it wherever it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.encoding.simple import SimpleSingerWriter
from typing_extensions import override

from tap_twilio_media.errors import TapError
from tap_twilio_media.tap import TapTwilioMedia
from tests.running import Output, catalog_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from singer_sdk.singerlib.messages import Message

KILLED = -9


class KilledError(BaseException):
    """The process is gone."""


class _Target(SimpleSingerWriter):
    """Takes so many messages."""

    def __init__(self, most: int | None) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._most = most

    @override
    def write_message(self, message: Message) -> None:
        # Whatever ends with the run may try to write once more: of a dead process nothing comes.
        if self._most is not None and len(self.lines) >= self._most:
            raise KilledError
        self.lines.append(self.format_message(message))


def run_until(
    config: Mapping[str, Any],
    select: Collection[str],
    state: Mapping[str, Any],
    most: int | None = None,
) -> Output:
    """Run the tap to its end or until it has put out so many messages."""
    target = _Target(most)
    tap = TapTwilioMedia(
        config=dict(config),
        catalog=catalog_of(*select),
        state=json.loads(json.dumps(state)),
        message_writer=target,
    )
    error, code = None, 0
    try:
        tap.sync_all()
    except TapError as caught:
        error, code = caught, 1
    except KilledError:
        code = KILLED
    finally:
        tap._stop.set()  # noqa: SLF001 - as a signal does
        if "run" in vars(tap):
            tap.run.pool.close()
    return Output.of("\n".join(target.lines), code=code, error=error)
