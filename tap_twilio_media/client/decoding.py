"""Bodies of replies as the JSON objects they should be."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec

_decoder = msgspec.json.Decoder(float_hook=Decimal)


def decoded(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a body, numbers with a fraction exact; None if it is not one."""
    try:
        body = _decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        body = _mended(content)
    except RecursionError:
        return None
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

    try:
        return whole(json.loads(content.decode("utf-8", "replace"), parse_float=Decimal))
    except (ValueError, RecursionError):
        return None
