"""A host that nobody configured: it answers anything, and keeps every byte that it is sent."""

from __future__ import annotations

import base64
import socketserver
import threading
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from tests.simulator import World

_HEADERS = ("HTTP/1.1 200 OK", "Content-Type: image/png", "Content-Length: 4", "Connection: close")
_REPLY = "\r\n".join((*_HEADERS, "", "evil")).encode()


class Evil:
    """Listens on a port of the loopback.

    Attributes:
        heard: What came over each connection, up to the end of the headers.
    """

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        evil = self

        class Handler(socketserver.StreamRequestHandler):
            @override
            def handle(self) -> None:
                said = b""
                while line := self.rfile.readline(65_536):
                    said += line
                    if not line.strip():
                        break
                evil.heard.append(said)
                self.wfile.write(_REPLY)

        class Listening(socketserver.ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Listening(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def host(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def secrets_of(world: World) -> list[str]:
    """Return all that opens an account of a world, in the forms in which it could be sent."""
    found = []
    for account in world.accounts.values():
        for name, secret in (
            (account.sid, account.auth_token),
            (account.api_key_sid, account.api_key_secret),
        ):
            found += [secret, base64.b64encode(f"{name}:{secret}".encode()).decode()]
    return found
