"""One request to Twilio, repeated until it has an answer that counts."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from tap_twilio_media.client.bodies import TooLongError, whole
from tap_twilio_media.client.decoding import decoded
from tap_twilio_media.client.failures import Failure, is_of_connecting, kind_of
from tap_twilio_media.client.network import Session
from tap_twilio_media.client.patience import patience_for_body, patience_for_try, persist

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_twilio_media.client.hosts import Hosts
    from tap_twilio_media.client.network import Credentials, Manners, Network

ASKED_TO_SLOW_DOWN = frozenset({429, 503})
LARGEST_REPLY = 64 * 1_048_576
"""Bytes, unpacked: a thousand of the longest messages are a third of it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply that counts.

    Attributes:
        body: The decoded JSON object.
        date: Twilio's clock when it answered, aware UTC; None without a Date header.
        seconds: How long the successful try took.
    """

    body: dict[str, Any]
    date: datetime | None
    seconds: float


class Client:
    """Asks Twilio with one pair of credentials."""

    def __init__(
        self,
        hosts: Hosts,
        credentials: Credentials,
        manners: Manners,
        network: Network,
    ) -> None:
        """Prepare a connection pool; nothing is asked yet.

        Args:
            hosts: The base URLs.
            credentials: The pair for Basic auth.
            manners: Timeouts, the retry budget and the name to go by.
            network: What it shares with the other clients of a run.
        """
        self.hosts = hosts
        self.credentials = credentials
        self._manners = manners
        self._network = network
        self._sessions = threading.local()

    def get(
        self, url: str, params: Mapping[str, str] | None = None, *, rows: str | None = None
    ) -> Reply:
        """Return the JSON object at an address below one of the three hosts.

        Args:
            url: The address, made by `hosts.join`.
            params: Query parameters to add.
            rows: Name of the list that the object must hold. An object without it counts as a
                damaged reply.

        Raises:
            UnavailableError: No answer within the budget, or the host was never reached.
            RefusedError: 401 (three times) or 403.
            GoneError: 404 (three times).
            OutOfRangeError: 400 with code 20004.
            InvalidRequestError: Any other status that a repetition does not change, or a reply
                that is too large.
            StoppedError: The run is ending.
        """
        return persist(
            lambda deadline: self._try(url, params, rows, deadline),
            self._manners.max_retry_seconds,
            self._network.stop,
        )

    def close(self) -> None:
        """Close the connections."""
        self._network.adapter.close()

    @property
    def _session(self) -> requests.Session:
        """The session of this thread: only the pool of connections below may be shared."""
        session: requests.Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = self._sessions.session = Session()
            session.headers["User-Agent"] = self._manners.user_agent
            session.headers["Accept"] = "application/json"
            session.auth = (self.credentials.username, self.credentials.password)
            for scheme in ("http://", "https://"):
                session.mount(scheme, self._network.adapter)
        return session

    def _try(
        self, url: str, params: Mapping[str, str] | None, rows: str | None, deadline: float
    ) -> Reply | Failure:
        network, timeout = self._network, self._manners.request_timeout
        where = urlsplit(url)
        try:
            with network.throttle.place() as started:
                response = self._session.get(
                    url,
                    params=params,
                    timeout=patience_for_try(timeout, deadline),
                    allow_redirects=False,
                    stream=True,
                )
                longest = patience_for_body(timeout, deadline)
                with response:
                    content = whole(response, LARGEST_REPLY, timeout, network.stop, longest=longest)
        except TooLongError:
            network.reached.add(where.netloc)
            return Failure.of_length(where.path, LARGEST_REPLY)
        except (requests.RequestException, HTTPError) as error:
            kind = kind_of(error)
            if where.netloc not in network.reached and is_of_connecting(error):
                return Failure.of_unreached(where.netloc, kind)
            return Failure.of_network(where.path, kind)
        network.reached.add(where.netloc)
        if response.status_code in ASKED_TO_SLOW_DOWN:
            network.throttle.slow_down(started)
        body = decoded(content)
        if response.status_code != requests.codes.ok:
            return Failure.of_reply(where.path, response, body)
        if body is None or (rows is not None and not _holds_rows(body, rows)):
            return Failure.of_body(where.path)
        network.throttle.speed_up()
        return Reply(body, _date(response), time.monotonic() - started)


def _holds_rows(body: dict[str, Any], key: str) -> bool:
    rows = body.get(key)
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


def _date(response: requests.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers["Date"]).astimezone(timezone.utc)
    except (KeyError, ValueError, OverflowError):
        return None
