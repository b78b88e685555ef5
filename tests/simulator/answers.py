"""From a request to its reply: routing, credentials and the media host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.simulator import auth, dates, routes, rows
from tests.simulator.replies import ApiError, Ask, Reply, not_found

if TYPE_CHECKING:
    from tests.simulator.recording import RecordedRequest
    from tests.simulator.world import World

UNKNOWN = "unknown"
_SIGNED = re.compile(r"/(ME[0-9a-f]{32})")


def endpoint_of(host: str, path: str) -> str:
    """Return the name of the endpoint that a path leads to."""
    if host == "media":
        return "signed_content" if _SIGNED.fullmatch(path) else UNKNOWN
    found = routes.find(host, path)
    return found[0].name if found else UNKNOWN


def answer(
    world: World, request: RecordedRequest, pair: tuple[str, str] | None, base_url: str
) -> Reply:
    """Answer a request to one of the three APIs.

    Args:
        world: What Twilio holds.
        request: The request.
        pair: The credentials.
        base_url: The address of the host, for absolute links.

    Returns:
        The reply, which may be a refusal.
    """
    path, query = request.path, request.query
    with world.lock:
        try:
            caller = auth.authenticate(world, pair)
            if (found := routes.find(request.host, path)) is None:
                raise not_found(path)
            route, params = found
            return route.answer(world, Ask(route.name, path, params, query, caller, base_url))
        except ApiError as error:
            return error.reply()


def signed_content(world: World, request: RecordedRequest, *, authorized: bool) -> Reply:
    """Serve a file from the media host, which knows signatures and no credentials.

    Args:
        world: What Twilio holds.
        request: The request, with the signature in its query.
        authorized: Whether the request carries an Authorization header: storage services
            refuse those, since the signature is the authorization.

    Returns:
        The reply, which may be a refusal.
    """
    if authorized:
        return _refusal(400, "InvalidArgument", "Only one auth mechanism allowed")
    expires = request.query.get("Expires", "")
    with world.lock:
        match = _SIGNED.fullmatch(request.path)
        valid = match and request.query.get("Signature") == rows.signature(world, match[1], expires)
        if not match or not valid:
            return _refusal(403, "AccessDenied", "Access denied")
        if int(expires) <= world.now.timestamp():
            return _refusal(403, "AccessDenied", "Request has expired")
        sid = match[1]
        if sid not in world.mcs_media and sid not in world.media_parents:
            return _refusal(404, "NoSuchKey", "The specified key does not exist")
        media = world.mcs_media.get(sid) or world.find_media(sid)
        body = world.media_bytes(sid)
    headers = {
        "Content-Disposition": f'inline; filename="{sid[:8]}.bin"',
        "ETag": f'"{sid[2:]}"',
        "Last-Modified": dates.http_date(media.date_created),
    }
    return Reply(200, body, media.content_type, headers)


def _refusal(status: int, code: str, message: str) -> Reply:
    body = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Reply(status, body.encode(), "application/xml")
