"""Bodies of replies as the JSON objects they should be."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import msgspec

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[][{}]', re.DOTALL)
_MOST_LEVELS = 200
"""So deep may a body be nested; no decoder takes any depth."""
_MOST_DIGITS = 1_000
"""A longer integer is kept as a Decimal: Python refuses to count so far."""


def decoded(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a body, numbers with a fraction exact; None if it is not one.

    One odd value shall not cost the rows beside it: halves of characters have become U+FFFD, and
    what is nested too deeply null.
    """
    try:
        body = _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        body = _mended(_shallow(content))
    return body if isinstance(body, dict) else None


def _mended(content: bytes) -> object:
    """Return JSON in which halves of characters have become U+FFFD, or None if it is not JSON.

    A text that was cut between the halves of an emoji is no text that can be passed on.
    """

    def whole(value: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, str):
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if isinstance(value, dict):
            return {whole(name): whole(member) for name, member in value.items()}
        return [whole(member) for member in value] if isinstance(value, list) else value

    text = content.decode("utf-8", "replace")
    try:
        return whole(json.loads(text, parse_float=Decimal, parse_int=_integer, strict=False))
    except (ValueError, ArithmeticError, RecursionError):
        return None


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) < _MOST_DIGITS else Decimal(text)


def _shallow(content: bytes) -> bytes:
    """Return JSON with null in place of what lies too deep."""
    parts, depth, kept_to = [], 0, 0
    for match in _TOKEN.finditer(content):
        if match[0] in {b"[", b"{"}:
            depth += 1
            if depth == _MOST_LEVELS + 1:
                parts += [content[kept_to : match.start()], b"null"]
        elif match[0] in {b"]", b"}"}:
            if depth == _MOST_LEVELS + 1:
                kept_to = match.end()
            depth -= 1
    if depth <= _MOST_LEVELS:
        parts.append(content[kept_to:])
    return b"".join(parts)
