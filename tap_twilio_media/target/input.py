"""Singer messages as they come in, each looked at before anything makes use of it."""

from __future__ import annotations

import sys
from collections import Counter
from typing import IO, TYPE_CHECKING, Any

import msgspec
from singer_sdk.contrib.msgspec import MsgSpecReader, decoder
from singer_sdk.exceptions import MissingKeyPropertiesError, RecordsWithoutSchemaException
from typing_extensions import override

from tap_twilio_media.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Callable

_FIELDS: dict[str, dict[str, type]] = {
    "SCHEMA": {"stream": str, "schema": dict},
    "RECORD": {"stream": str, "record": dict},
    "STATE": {"value": object},
    "ACTIVATE_VERSION": {"stream": str},
}
_NO_MESSAGE = "no Singer message; look at what the tap writes"
_NO_SCHEMA = "a record whose schema did not come before it; look at what the tap writes"
_NO_KEY = "a record without its key properties; have the tap select them"
_BATCH = "a BATCH, and only records can be read; remove batch_config from the tap's settings"


class InputError(TapError):
    """The input is not what a tap writes. The text names a line and holds nothing of it."""


class NoSchemaError(InputError, RecordsWithoutSchemaException):
    """A record comes before its schema."""


class NoKeyError(InputError, MissingKeyPropertiesError):
    """A record lacks a key property."""


class Input(MsgSpecReader):
    """Reads up to the first line that is no message, and quotes nothing of it.

    What came before it is as good as if the input had ended there, so it is settled first.

    Attributes:
        error: What is wrong with that line, to be raised when all before it is settled.
    """

    def __init__(self, give_up: Callable[[], None]) -> None:
        """Read nothing yet.

        Args:
            give_up: Called when the run ends in the middle of the input.
        """
        super().__init__()
        self.error: InputError | None = None
        self._give_up = give_up

    @override
    def process_lines(
        self, file_input: IO[str] | None, callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        try:
            return self._process(file_input or sys.stdin, callbacks)
        except BaseException:
            self._give_up()
            raise

    def _process(
        self, lines: IO[str], callbacks: dict[str, Callable[[dict[str, Any]], None]]
    ) -> Counter[str]:
        counts: Counter[str] = Counter()
        # Bytes: JSON is UTF-8, whatever the locale says.
        for number, line in enumerate(getattr(lines, "buffer", lines), 1):
            kind: type[InputError] = InputError
            try:
                message = _message_of(line)
                callbacks[message["type"]](message)
            except InputError as error:
                text = str(error)
            except RecordsWithoutSchemaException:
                kind, text = NoSchemaError, _NO_SCHEMA
            except MissingKeyPropertiesError:
                kind, text = NoKeyError, _NO_KEY
            else:
                counts[message["type"]] += 1
                continue
            self.error = kind(f"line {number} of the input is {text}")
            break
        return counts


def _message_of(line: str | bytes) -> dict[str, Any]:
    """Return the message in a line, of a shape that the SDK can work with.

    Raises:
        InputError: There is none.
    """
    try:
        message: Any = decoder.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise InputError(_NO_MESSAGE) from None
    if not isinstance(message, dict):
        raise InputError(_NO_MESSAGE)
    kind = message.get("type")
    if kind == "BATCH":
        raise InputError(_BATCH)
    fields = _FIELDS.get(kind) if isinstance(kind, str) else None
    if fields is None or not all(
        name in message and isinstance(message[name], of) for name, of in fields.items()
    ):
        raise InputError(_NO_MESSAGE)
    if kind == "SCHEMA":
        keys = message.get("key_properties") or []
        are_keys = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
        if not are_keys or not isinstance(message["schema"].get("properties"), dict):
            raise InputError(_NO_MESSAGE)
    return message
