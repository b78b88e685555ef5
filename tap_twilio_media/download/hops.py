"""Requests on the way to a file: each hop by itself, with credentials for one origin alone."""

from __future__ import annotations

import threading
from dataclasses import replace
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from tap_twilio_media.client import outcomes as waits
from tap_twilio_media.client.decoding import decoded
from tap_twilio_media.client.failures import Failure, is_of_connecting, kind_of
from tap_twilio_media.client.network import Session
from tap_twilio_media.client.patience import patience_for_try
from tap_twilio_media.client.session import ASKED_TO_SLOW_DOWN
from tap_twilio_media.download import outcomes
from tap_twilio_media.download.bodies import small
from tap_twilio_media.download.hosts import AddressError, origin_of
from tap_twilio_media.texts import told

if TYPE_CHECKING:
    from tap_twilio_media.client.network import Credentials, Manners, Network
    from tap_twilio_media.client.outcomes import Outcome as Meaning
    from tap_twilio_media.download.hosts import Routes

MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRANSIENT = frozenset({408, 429})
_GONE = frozenset({404, 410})
_SMALL = 65_536
"""Bytes of a redirect or an error that are read to keep its connection."""


class FailedError(Exception):
    """A try failed; carries the failure out of what was under way."""

    def __init__(self, failure: Failure) -> None:
        """Keep the failure."""
        super().__init__(failure.text)
        self.failure = failure

    @classmethod
    def of(cls, text: str, meaning: Meaning, wait: float = 0.0) -> FailedError:
        """Return a failure that no reply spoke of."""
        return cls(Failure(text, meaning, meaning.tries, wait))


class Hops:
    """Asks for what lies at an address of one API, and wherever that sends it."""

    def __init__(self, routes: Routes, manners: Manners, network: Network) -> None:
        """Ask nothing yet.

        Args:
            routes: Where redirects may lead.
            manners: Timeouts and the name to go by.
            network: What is shared with the clients of the run.
        """
        self._routes = routes
        self._manners = manners
        self._network = network
        self._sessions = threading.local()

    def follow(
        self, url: str, base: str, credentials: Credentials, started: float, deadline: float
    ) -> requests.Response:
        """Return the reply of status 200 at the end of all redirects, its body not read.

        Args:
            url: The first address: below the base, or one that the routes let pass.
            base: The API's base URL. Only its origin gets the credentials.
            credentials: The pair.
            started: When the place for these requests was got.
            deadline: When the time for all tries is up, on the monotonic clock.

        Raises:
            FailedError: There is no such reply.
        """
        own = origin_of(urlsplit(base))
        seen = {url}
        while True:
            is_own = origin_of(urlsplit(url)) == own
            pair = (credentials.username, credentials.password) if is_own else None
            response = self._ask(url, pair, deadline)
            if is_own and response.status_code in ASKED_TO_SLOW_DOWN:
                self._network.throttle.slow_down(started)
            if response.status_code == requests.codes.ok:
                return response
            with response:
                body = self.body(response, _SMALL)
                location = response.headers.get("Location")
                if response.status_code not in _REDIRECTS or location is None:
                    raise FailedError(_failure(_told(url, is_own=is_own), response, body, is_own))
            try:
                url = self._routes.next(url, location)
            except AddressError as error:
                text = f"{_told(url, is_own=is_own)}: {error}"
                raise FailedError.of(text, outcomes.REFUSED_HOST) from None
            if url in seen or len(seen) > MOST_REDIRECTS:
                text = f"{urlsplit(base).netloc} and where it leads: redirects without end"
                raise FailedError.of(text, outcomes.REDIRECT_LOOP)
            seen.add(url)

    def body(self, response: requests.Response, most: int) -> bytes:
        """Return a small body; of a larger one its beginning.

        Raises:
            FailedError: The connection broke.
        """
        with self.telling(response.url):
            return small(response, most, self._manners.request_timeout, self._network.stop)

    def telling(self, url: str) -> _Telling:
        """Return a context in which a network error becomes a failure that names no secret."""
        return _Telling(url, self._network.reached)

    @property
    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = self._sessions.session = Session()
            session.headers["User-Agent"] = self._manners.user_agent
            # What is checked are the bytes as they are stored.
            session.headers["Accept-Encoding"] = "identity"
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            for scheme in ("http://", "https://"):
                session.mount(scheme, self._network.adapter)
        return session

    def _ask(self, url: str, pair: tuple[str, str] | None, deadline: float) -> requests.Response:
        timeout = self._manners.request_timeout
        with self.telling(url):
            response = self._session.get(
                url,
                # Without credentials, not even those of a netrc file.
                auth=pair or _unchanged,
                timeout=(patience_for_try(timeout, deadline), timeout),
                allow_redirects=False,
                stream=True,
            )
        self._network.reached.add(urlsplit(url).netloc)
        return response


class _Telling:
    """Turns network errors, whose texts hold whole URLs, into failures."""

    def __init__(self, url: str, reached: set[str]) -> None:
        self._host = urlsplit(url).netloc
        self._reached = reached

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Tell of an error by its kind and host."""
        if not isinstance(error, (requests.RequestException, HTTPError, OSError)):
            return
        kind = kind_of(error)
        if self._host not in self._reached and is_of_connecting(error):
            raise FailedError(Failure.of_unreached(self._host, kind)) from None
        raise FailedError(Failure.of_network(self._host, kind)) from None


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _told(url: str, *, is_own: bool) -> str:
    """Return what may be told of an address: of one that is not Twilio's API, the host."""
    parts = urlsplit(url)
    return told(parts.path) if is_own else parts.netloc


def _failure(where: str, response: requests.Response, body: bytes, is_own: bool) -> Failure:  # noqa: FBT001
    """Return what a reply other than 200 means for a file."""
    failure = Failure.of_reply(where, response, decoded(body) if is_own else None)
    status = response.status_code
    if status >= requests.codes.server_error or status in _TRANSIENT:
        return failure
    if is_own and status == requests.codes.unauthorized:
        return failure
    if status in _GONE:
        # A fresh file may need a moment until it is everywhere.
        wait = max(failure.retry_after, 2 * waits.FIRST_WAIT)
        meaning = outcomes.NOT_FOUND
        return replace(failure, outcome=meaning, tries=meaning.tries, retry_after=wait)
    if status < requests.codes.bad_request:
        meaning = outcomes.NOT_A_FILE
    else:
        meaning = outcomes.FORBIDDEN if is_own else outcomes.LINK_REFUSED
    return replace(failure, outcome=meaning, tries=meaning.tries)
