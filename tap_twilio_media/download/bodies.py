"""Bytes of a reply as they come: in pieces, never for too long, and whether they are a file."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from urllib3.exceptions import ReadTimeoutError

from tap_twilio_media.client.errors import StoppedError
from tap_twilio_media.download.names import essence_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    import requests

PIECE = 131_072
"""Bytes read at once, at most."""
SLOWEST = 1_024
"""Bytes a second: what comes more slowly, over the time of a timeout, has stalled."""

_ERROR_TYPES = frozenset({"application/json", "application/xml", "text/html", "text/xml"})
_BINARY = ("image/", "audio/", "video/", "font/")
_BINARY_TYPES = frozenset({"application/pdf", "application/zip", "application/vnd.apple.pkpass"})
_PAGE = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<\?xml|<!doctype|<html|<error|<twilioresponse)", re.IGNORECASE
)
_OBJECT = re.compile(rb'\s*\{\s*"')


def pieces(response: requests.Response, timeout: float, stop: threading.Event) -> Iterator[bytes]:
    """Yield the body of a reply as it comes.

    Args:
        response: A streamed response.
        timeout: Seconds in which `SLOWEST` bytes for each of them must come.
        stop: Ends the reading when set.

    Raises:
        HTTPError: Of urllib3: the connection broke, or the body is shorter than announced.
        StoppedError: The run is ending.
    """
    begun, count = time.monotonic(), 0
    # One read of the socket at a time: waiting for a full piece would not see a drip.
    while piece := response.raw.read1(PIECE, decode_content=True):
        if stop.is_set():
            raise StoppedError("stopped")
        yield piece
        count += len(piece)
        now = time.monotonic()
        if now - begun >= timeout:
            if count < SLOWEST * (now - begun):
                raise ReadTimeoutError(None, None, "too slow")  # type: ignore[arg-type]
            begun, count = now, 0


def small(response: requests.Response, most: int, timeout: float, stop: threading.Event) -> bytes:
    """Return a body that should be small, or as much of it as is allowed.

    Args:
        response: A streamed response. Its connection is given up if there is more.
        most: Bytes to read, about.
        timeout: As in `pieces`.
        stop: As in `pieces`.
    """
    body = b""
    for piece in pieces(response, timeout, stop):
        body += piece
        if len(body) > most:
            response.close()
            break
    return body


def is_error_page(announced: str | None, served: str | None, head: bytes) -> bool:
    """Return whether a body looks like an error that was sent in place of the file.

    Args:
        announced: Content type that Twilio gives for the file.
        served: Content type of the reply.
        head: The first bytes of the body.
    """
    expected, got = essence_of(announced), essence_of(served)
    if expected.endswith(("+xml", "+json")):
        return False
    looks = bool(_PAGE.match(head) or _OBJECT.match(head))
    if expected.startswith(_BINARY) or expected in _BINARY_TYPES:
        return looks or got in _ERROR_TYPES
    if not expected or expected in _ERROR_TYPES:
        return False
    return looks and got in _ERROR_TYPES
