"""Connections on which the head of a reply comes in time or not at all.

The timeout of a socket is for one read: a byte now and then would keep a request for ever. Bodies
are watched where they are read, as a large one may take longer than any head.
"""

from __future__ import annotations

import http.client
import io
import time
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from typing_extensions import override
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager, ProxyManager

if TYPE_CHECKING:
    import socket

    from typing_extensions import Buffer


class _Bytes(io.RawIOBase):
    """The bytes that a socket receives; up to the end of the head, all within one timeout."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._timeout = sock.gettimeout()
        self._until: float | None = None
        if self._timeout is not None:
            self._until = time.monotonic() + self._timeout
        self._is_late = False

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer, /) -> int | None:
        # Nearly every head comes in one read, which has its time already.
        if self._until is not None and self._is_late:
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError("the head of the reply drips")
            self._sock.settimeout(left)
        self._is_late = True
        return self._raw.readinto(buffer)

    def end_head(self) -> None:
        """Give each read of the body a timeout of its own."""
        if self._until is not None:
            self._until = None
            self._sock.settimeout(self._timeout)

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class _Reply(http.client.HTTPResponse):
    """A reply whose head comes in time."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._bytes = _Bytes(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._bytes)

    @override
    def begin(self) -> None:
        super().begin()
        self._bytes.end_head()


class _Connection(HTTPConnection):
    response_class = _Reply


class _TlsConnection(HTTPSConnection):
    response_class = _Reply


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class Adapter(HTTPAdapter):
    """A pool of such connections, with or without a proxy."""

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _use_ours(self.poolmanager)

    @override
    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(*args, **kwargs)
        # One for SOCKS has connections of its own kind.
        if type(manager) is ProxyManager:
            _use_ours(manager)
        return manager


def _use_ours(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
