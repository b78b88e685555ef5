"""Bytes of a reply: as many of them as are wanted, and whether they are a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tap_twilio_media.client.bodies import pieces
from tap_twilio_media.download.names import essence_of

if TYPE_CHECKING:
    import threading

    import requests

_ERROR_TYPES = frozenset({"application/json", "application/xml", "text/html", "text/xml"})
_BINARY = ("image/", "audio/", "video/", "font/")
_BINARY_TYPES = frozenset({"application/pdf", "application/zip", "application/vnd.apple.pkpass"})
_PAGE = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<\?xml|<!doctype|<html|<error|<twilioresponse)", re.IGNORECASE
)
_OBJECT = re.compile(rb'\s*\{\s*"')


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
