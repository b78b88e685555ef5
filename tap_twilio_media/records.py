"""A row as Twilio sent it becomes a record as the schema says: once, and for good."""

from __future__ import annotations

import json
import logging
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tap_twilio_media.errors import TapError
from tap_twilio_media.texts import told
from tap_twilio_media.times import Precision, rewritten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

logger = logging.getLogger("tap-twilio-media")

NEVER_EMITTED = frozenset({"auth_token", "content_direct_temporary"})
"""Fields known to Twilio's replies that open an account or a file to whoever reads them."""


_TEXT_OR_NONE = {str, type(None)}
_ODD = (ValueError, TypeError, ArithmeticError, RecursionError)

MOST_NAMED = 20
"""So many fields that are not known are named; others are left out without a word."""
MOST_LEVELS = 100
"""So deep may a value be nested: what is read of more, somebody else cannot read."""
MOST_DIGITS = 100
"""Digits of a number, before or after the point."""
_WIDEST = range(-(1 << 63), 1 << 63)
"""The integers that databases hold."""


class RecordError(TapError):
    """A row cannot be typed as its schema says."""


class Typer:
    """Turns the rows of one stream into records."""

    def __init__(
        self,
        stream: str,
        schema: Mapping[str, Any],
        precision: Precision,
        *,
        known: Mapping[str, Any],
        on_odd: Callable[[str, str], None] | None = None,
    ) -> None:
        """Prepare the conversions once.

        Args:
            stream: Name of the stream, for messages.
            schema: The effective schema; only its properties are emitted.
            precision: The form of the stream's times.
            known: The tap's own schema of the stream: a field outside it is new from Twilio.
            on_odd: Told of the sid and the field of a value that is not what the schema says, which
                then becomes null; without it such a row is refused.
        """
        self._stream = stream
        self._on_odd = on_odd
        converters = {
            name: _converter(field, precision) for name, field in schema["properties"].items()
        }
        self._names = tuple(converters)
        self._declared = converters.keys()
        self._texts = tuple(name for name, convert in converters.items() if convert is _text)
        self._others = tuple(
            (name, convert)
            for name, convert in converters.items()
            if convert is not None and convert is not _text
        )
        self._known = set(known["properties"]) | NEVER_EMITTED
        self._unknown = 0

    def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the record of a row: each declared field, null where Twilio sent none.

        Raises:
            RecordError: A value is not what the schema says, and nobody wants to be told. The value
                is not in the text.
        """
        if row.keys() == self._declared:
            record = dict(row)
        else:
            self._tell_unknown(row)
            record = {name: row.get(name) for name in self._names}
        try:
            if not _TEXT_OR_NONE.issuperset(map(type, map(record.get, self._texts))):
                for name in self._texts:
                    if record[name] is not None:
                        record[name] = _text(record[name])
            for name, convert in self._others:
                value = record[name]
                if value is not None:
                    record[name] = convert(value)
        except _ODD:
            self._convert_one_by_one(row, record)
        return record

    def _convert_one_by_one(self, row: Mapping[str, Any], record: dict[str, Any]) -> None:
        texts = ((name, _text) for name in self._texts)
        for name, convert in (*texts, *self._others):
            value = row.get(name)
            try:
                record[name] = None if value is None else convert(value)
            except _ODD:
                if self._on_odd is None:
                    sid = told(row.get("sid"))
                    msg = f"{self._stream} {sid}: {name} is not of the type expected"
                    raise RecordError(msg) from None
                record[name] = None
                self._on_odd(str(row.get("sid")), name)

    def _tell_unknown(self, row: Mapping[str, Any]) -> None:
        for name in sorted(row.keys() - self._known):
            if self._unknown == MOST_NAMED:
                return
            self._unknown += 1
            self._known.add(name)
            logger.warning(
                "%s: Twilio sends a field not known here, left out: %s%s",
                self._stream,
                told(name),
                "; of more nothing is said" if self._unknown == MOST_NAMED else "",
            )


def _converter(
    schema: Mapping[str, Any], precision: Precision, *, within: bool = False
) -> Callable[[Any], Any] | None:
    """Return the conversion for a property, or None where a value is passed on as it is."""
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if schema.get("format") == "date-time":
        return _times(precision)
    text = _text_within if within else _text
    kinds = {"integer": _integer, "number": _number, "boolean": _boolean, "string": text}
    for kind, convert in kinds.items():
        if kind in types:
            return convert
    if "properties" in schema:
        return _members(schema["properties"], precision)
    if "object" in types:
        return _without_nul if {"array", "string"} & set(types) else _object
    if "items" in schema and (item := _converter(schema["items"], precision)):
        nullable = "null" in schema["items"].get("type", [])
        return lambda value: [
            None if each is None else item(each)
            for each in _list(value)
            if nullable or each is not None
        ]
    return None


def _members(properties: Mapping[str, Any], precision: Precision) -> Callable[[Any], Any]:
    """Return the conversion for an object of which only the declared members are emitted."""
    fields = [
        (name, _converter(field, precision, within=True)) for name, field in properties.items()
    ]
    return lambda value: {
        name: convert(value[name]) if convert and value[name] is not None else value[name]
        for name, convert in fields
        if name in _dict(value)
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(_without_nul(value), default=str)


def _text_within(value: object) -> str:
    # PostgreSQL's JSON has no NUL, and target-postgres mends texts of the top level alone: a
    # sender could stop the load for good by the name of a file.
    return _text(value).replace("\x00", "\ufffd")


def _without_nul(value: Any, levels: int = MOST_LEVELS) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if not levels:
        raise ValueError
    if isinstance(value, dict):
        return {
            name.replace("\x00", "\ufffd"): (
                member
                if type(member) is str and "\x00" not in member
                else _without_nul(member, levels - 1)
            )
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_without_nul(member, levels - 1) for member in value]
    return _decimal(str(value)) if isinstance(value, Decimal) else value


def _object(value: object) -> dict[str, Any]:
    found: dict[str, Any] = _without_nul(_dict(value))
    return found


def _integer(value: object) -> int | None:
    return _counted(value) if type(value) is str else _whole(value)


@lru_cache(maxsize=4_096)
def _counted(text: str) -> int | None:
    """Return the number that a text names; most counts are small."""
    return _whole(text)


def _whole(value: object) -> int | None:
    number = _number(value)
    if number is not None and (number != int(number) or int(number) not in _WIDEST):
        raise ValueError
    return None if number is None else int(number)


def _number(value: object) -> Decimal | None:
    if type(value) is str:
        return _decimal(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise TypeError
    return _decimal(str(value))


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _times(precision: Precision) -> Callable[[object], str | None]:
    def time(value: object) -> str | None:
        if type(value) is not str:
            raise TypeError
        return rewritten(value, precision) if value else None

    return time


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _dict(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError
    return value


@lru_cache(maxsize=4_096)
def _decimal(text: str) -> Decimal | None:
    """Return the exact number that a text names; a sync sees few different prices."""
    if not text:
        return None
    number = Decimal(text)
    if not number.is_finite() or "_" in text:
        raise InvalidOperation
    # A few characters can stand for more digits than fit into memory.
    last = number.as_tuple().exponent
    if max(abs(number.adjusted()), abs(int(last))) > MOST_DIGITS:
        raise InvalidOperation
    return number
