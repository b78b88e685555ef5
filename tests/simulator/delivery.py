"""How replies go out: properly, or as a fault has it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import struct
import time
from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.simulator.faults import Fault
    from tests.simulator.replies import Reply

_PAGE: Final = b'<?xml version="1.0"?><Error><Code>InternalError</Code></Error>'
_PIECE: Final = bytes(65_536)


def response(reply: Reply, headers: Mapping[str, str]) -> web.Response:
    """Return a reply as a proper HTTP response.

    Args:
        reply: The reply.
        headers: Headers that every response has.

    Returns:
        The response.
    """
    content = {"Content-Type": reply.content_type}
    return web.Response(
        status=reply.status, body=reply.body, headers={**headers, **reply.headers, **content}
    )


class Line:
    """The line that all files share: so many bytes a second, whoever asks."""

    def __init__(self, bandwidth: float) -> None:
        """Begin free.

        Args:
            bandwidth: Bytes a second.
        """
        self._bandwidth = bandwidth
        self._free_at = 0.0

    async def send(
        self, request: web.BaseRequest, reply: Reply, headers: Mapping[str, str]
    ) -> web.StreamResponse:
        """Send a reply as fast as the line is."""
        content = {"Content-Type": reply.content_type, "Content-Length": str(len(reply.body))}
        stream = web.StreamResponse(
            status=reply.status, headers={**headers, **reply.headers, **content}
        )
        await stream.prepare(request)
        for start in range(0, len(reply.body), len(_PIECE)):
            piece = reply.body[start : start + len(_PIECE)]
            now = time.monotonic()
            self._free_at = max(now, self._free_at) + len(piece) / self._bandwidth
            await asyncio.sleep(self._free_at - now)
            await stream.write(piece)
        return stream


async def spoiled(
    request: web.BaseRequest, reply: Reply, headers: Mapping[str, str], fault: Fault
) -> web.StreamResponse:
    """Send a reply the way a fault spoils it.

    Args:
        request: The request that is answered.
        reply: What would have been sent.
        headers: Headers that every response has.
        fault: What goes wrong.

    Returns:
        A response that was sent, or that can no longer be.
    """
    _change(reply, fault)
    if fault.kind == "reset":
        _reset(request)
    elif fault.kind == "drip":
        await _drip_headers(request, fault.delay)
    elif fault.kind == "overrun":
        return await _overrun(request, reply, headers)
    elif fault.kind in {"truncate", "slow", "stall"}:
        return await _drip(request, reply, headers, fault)
    elif fault.kind in {"chunked", "flood"}:
        return await _pour(request, reply, headers, fault)
    return response(reply, headers)


def _change(reply: Reply, fault: Fault) -> None:
    if fault.kind == "bad_json":
        reply.body = reply.body[: len(reply.body) // 2]
    elif fault.kind == "wrong_length":
        reply.body = reply.body[: max(len(reply.body) - 7, 0)]
    elif fault.kind == "change" and fault.change:
        fault.change(reply)
    elif fault.kind == "empty":
        reply.body = b""
    elif fault.kind == "page":
        reply.body, reply.content_type = _PAGE, fault.content_type


def _reset(request: web.BaseRequest) -> None:
    if request.transport is not None:
        # A socket that lingers for no time at all says RST instead of FIN.
        wire = request.transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()


async def _drip_headers(request: web.BaseRequest, delay: float) -> None:
    """Send headers byte by byte until the client leaves."""
    for byte in itertools.chain(b"HTTP/1.1 200 OK\r\n", itertools.cycle(b"X-Header: value\r\n")):
        if request.transport is not None:
            request.transport.write(bytes([byte]))
        await asyncio.sleep(delay)


async def _overrun(
    request: web.BaseRequest, reply: Reply, headers: Mapping[str, str]
) -> web.StreamResponse:
    announced = max(len(reply.body) - 7, 0)
    content = {"Content-Type": reply.content_type, "Content-Length": str(announced)}
    stream = web.StreamResponse(
        status=reply.status, headers={**headers, **reply.headers, **content}
    )
    await stream.prepare(request)
    await stream.write(reply.body[:announced])
    await stream.write_eof()
    if request.transport is not None:
        # Beside the library, which would not send more than it announced.
        request.transport.write(reply.body[announced:])
    return stream


async def _drip(
    request: web.BaseRequest, reply: Reply, headers: Mapping[str, str], fault: Fault
) -> web.StreamResponse:
    content = {"Content-Type": reply.content_type, "Content-Length": str(len(reply.body))}
    stream = web.StreamResponse(
        status=reply.status, headers={**headers, **reply.headers, **content}
    )
    await stream.prepare(request)
    if fault.kind == "truncate":
        await stream.write(reply.body[: len(reply.body) // 2])
        if request.transport is not None:
            request.transport.close()
        return stream
    if fault.kind == "stall":
        await stream.write(reply.body[: len(reply.body) // 2])
        await asyncio.Event().wait()
    step = max(1, -(-len(reply.body) // fault.drops))
    for start in range(0, len(reply.body), step):
        await stream.write(reply.body[start : start + step])
        await asyncio.sleep(fault.delay)
    return stream


async def _pour(
    request: web.BaseRequest, reply: Reply, headers: Mapping[str, str], fault: Fault
) -> web.StreamResponse:
    content = {"Content-Type": reply.content_type}
    if fault.kind == "flood" and fault.announced:
        content["Content-Length"] = str(fault.size)
    stream = web.StreamResponse(
        status=reply.status, headers={**headers, **reply.headers, **content}
    )
    if "Content-Length" not in content:
        stream.enable_chunked_encoding()
    await stream.prepare(request)
    if fault.kind == "chunked":
        await stream.write(reply.body)
    else:
        with contextlib.suppress(ConnectionError):  # nobody has to take it all
            for start in range(0, fault.size, len(_PIECE)):
                await stream.write(_PIECE[: fault.size - start])
    return stream
