"""Who asks, how patiently, and what all clients of a run share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from typing_extensions import override

from tap_twilio_media.client.connections import Adapter
from tap_twilio_media.client.hosts import is_loopback
from tap_twilio_media.client.quiet import keep_queries_quiet
from tap_twilio_media.client.throttle import Throttle

if TYPE_CHECKING:
    import threading


@dataclass(frozen=True, slots=True)
class Credentials:
    """A pair for Basic auth: Account SID with Auth Token, or API key SID with its secret."""

    username: str
    password: str = field(repr=False)

    @property
    def is_api_key(self) -> bool:
        """Whether this is an API key, which may read less than an Auth Token."""
        return self.username.startswith("SK")


@dataclass(frozen=True, slots=True)
class Manners:
    """How the client behaves.

    Attributes:
        user_agent: Value of the User-Agent header.
        request_timeout: Seconds to wait for a connection, for the head of a reply and for more of
            its body.
        max_retry_seconds: Seconds for one request with all its tries and waits.
    """

    user_agent: str
    request_timeout: float = 60.0
    max_retry_seconds: float = 600.0


class Session(requests.Session):
    """A session that leaves redirects and cookies alone, and asks the environment once for a host.

    Whatever is on this machine is asked without a proxy.

    Even when told not to follow it, requests reads the whole body of a redirect into memory and
    breaks on a Location that is no address. And it looks through all variables of the environment
    for proxies, which is a quarter of what a request costs. Requests of a session differ in their
    addresses and credentials alone, so the rest is prepared once.
    """

    def __init__(self) -> None:
        """Know nothing of the environment yet."""
        super().__init__()
        self._surroundings: dict[tuple[object, ...], Any] = {}
        self._prepared: dict[object, requests.PreparedRequest] = {}

    @override
    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        if request.auth not in self._prepared:
            self._prepared[request.auth] = super().prepare_request(request)
        prepared = self._prepared[request.auth].copy()
        prepared.prepare_url(request.url, request.params)
        return prepared

    @override
    def merge_environment_settings(self, *args: Any) -> Any:
        url, _, *rest = args
        parts = urlsplit(url)
        key = parts.scheme, parts.netloc, *rest
        if key not in self._surroundings:
            found = super().merge_environment_settings(*args)
            if is_loopback(parts.hostname or ""):
                # Plain http is for this machine: a proxy would be shown the credentials.
                found["proxies"] = {}
            self._surroundings[key] = found
        return self._surroundings[key]

    @override
    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


@dataclass
class Network:
    """What the clients of a run share.

    Attributes:
        throttle: Holds the number of requests in flight.
        stop: Ends every wait when set.
        adapter: The pool of connections.
        reached: Hosts that have answered.
    """

    throttle: Throttle
    stop: threading.Event
    adapter: Adapter
    reached: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, most: int, stop: threading.Event) -> Network:
        """Return a network for so many requests at once."""
        keep_queries_quiet()
        return cls(Throttle(most, stop), stop, Adapter(pool_connections=8, pool_maxsize=most))
