"""What the client is tested with: a clock that waits move, and a server that says anything."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_twilio_media.client.hosts import Hosts
from tap_twilio_media.client.network import Credentials, Manners, Network
from tap_twilio_media.client.session import Client

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message as Headers
    from types import TracebackType

    from typing_extensions import Self

ACCOUNT_SID = "AC" + "0" * 32
PASSWORD = "pa55word-of-the-account"


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


class Waits(threading.Event):
    """A stop event that notes every wait and lets it pass at once on a clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.lengths: list[float] = []

    @override
    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.lengths.append(timeout)
        self._clock.now += timeout
        return self.is_set()


@dataclass(frozen=True)
class Answer:
    """What a server says.

    Attributes:
        body: Text as it is, or an object to send as JSON.
        status: The HTTP status.
        headers: The headers, all but the length.
    """

    body: object = field(default_factory=lambda: {"rows": []})
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Heard:
    """A request as it came: path with query, and headers."""

    target: str
    headers: Headers


class Server:
    """Gives the answers it was made with, one after the other; the last one again and again."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.heard: list[Heard] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.heard.append(Heard(self.path, self.headers))
                more = len(server.answers) > 1
                answer = server.answers.pop(0) if more else server.answers[0]
                text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
                self.send_response_only(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def targets(self) -> list[str]:
        """Path with query of each request."""
        return [heard.target for heard in self.heard]

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


def client_of(  # noqa: PLR0913 - a test names what it is about
    url: str,
    username: str = ACCOUNT_SID,
    password: str = PASSWORD,
    *,
    timeout: float = 10.0,
    budget: float = 600.0,
    stop: threading.Event | None = None,
    reached: set[str] | None = None,
) -> Client:
    """Return a client of a server."""
    network = Network.of(10, stop or threading.Event())
    network.reached = set() if reached is None else reached
    return Client(
        Hosts(url, url, url),
        Credentials(username, password),
        Manners("tap-twilio-media/test", timeout, budget),
        network,
    )
