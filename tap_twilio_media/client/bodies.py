"""Bodies of replies as they come: in pieces, and never for too long."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from urllib3.exceptions import ReadTimeoutError

from tap_twilio_media.client.errors import StoppedError

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    import requests

PIECE = 131_072
"""Bytes read at once, at most."""
SLOWEST = 1_024
"""Bytes a second: what comes more slowly, over the time of a timeout, has stalled."""


class TooLongError(Exception):
    """A body has more bytes than are read."""


def pieces(
    response: requests.Response,
    timeout: float,
    stop: threading.Event,
    *,
    longest: float = math.inf,
) -> Iterator[bytes]:
    """Yield the body of a reply as it comes.

    Args:
        response: A streamed response.
        timeout: Seconds in which `SLOWEST` bytes for each of them must come.
        stop: Ends the reading when set.
        longest: Seconds for the whole body; the read under way may end later.

    Raises:
        HTTPError: Of urllib3: the connection broke, or the body is shorter than announced.
        StoppedError: The run is ending.
    """
    started = begun = time.monotonic()
    count = 0
    # One read of the socket at a time: waiting for a full piece would not see a drip.
    while piece := response.raw.read1(PIECE, decode_content=True):
        if stop.is_set():
            raise StoppedError("stopped")
        yield piece
        count += len(piece)
        now = time.monotonic()
        is_slow = now - begun >= timeout and count < SLOWEST * (now - begun)
        if is_slow or now - started >= longest:
            raise ReadTimeoutError(None, None, "too slow")  # type: ignore[arg-type]
        if now - begun >= timeout:
            begun, count = now, 0


def whole(
    response: requests.Response,
    most: int,
    timeout: float,
    stop: threading.Event,
    *,
    longest: float = math.inf,
) -> bytes:
    """Return a whole body.

    Args:
        response: A streamed response. What is left of it is the caller's to close.
        most: Bytes, when unpacked.
        timeout: As in `pieces`.
        stop: As in `pieces`.
        longest: As in `pieces`.

    Raises:
        TooLongError: There are more.
        HTTPError: As in `pieces`.
        StoppedError: As in `pieces`.
    """
    parts, count = [], 0
    for piece in pieces(response, timeout, stop, longest=longest):
        count += len(piece)
        if count > most:
            raise TooLongError
        parts.append(piece)
    return b"".join(parts)
