"""One request to Twilio, repeated until it has an answer that counts."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProxyError,
    SSLError,
)

from tap_twilio_media.client.errors import StoppedError, UnavailableError
from tap_twilio_media.client.outcomes import (
    TRANSIENT,
    UNREACHED,
    Outcome,
    backoff,
    outcome_of,
    retry_after,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from tap_twilio_media.client.hosts import Hosts

logger = logging.getLogger("tap-twilio-media.client")

WORTH_TELLING = 5.0
"""Seconds: a wait of this length is told at INFO."""


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
        request_timeout: Seconds to wait for a connection, and for more data on it.
        max_retry_seconds: Seconds for one request with all its tries and waits.
    """

    user_agent: str
    request_timeout: float = 60.0
    max_retry_seconds: float = 600.0


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
        *,
        stop: threading.Event,
        reached: set[str],
    ) -> None:
        """Prepare a connection pool; nothing is asked yet.

        Args:
            hosts: The base URLs.
            credentials: The pair for Basic auth.
            manners: Timeouts, the retry budget and the name to go by.
            stop: Ends every wait when set.
            reached: Hosts that have answered before; shared between the clients of a run.
        """
        self.hosts = hosts
        self.credentials = credentials
        self._manners = manners
        self._stop = stop
        self._reached = reached
        self._session = requests.Session()
        self._session.headers.update(
            {"User-Agent": manners.user_agent, "Accept": "application/json"}
        )

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
            InvalidRequestError: Any other status that a repetition does not change.
            StoppedError: The run is ending.
        """
        deadline = time.monotonic() + self._manners.max_retry_seconds
        tries = 0
        ended: Counter[Outcome] = Counter()
        while True:
            tries += 1
            answer = self._try(url, params, rows, deadline)
            if isinstance(answer, Reply):
                return answer
            ended[answer.outcome] += 1
            wait = max(backoff(tries), answer.retry_after)
            out_of_time = time.monotonic() + wait > deadline
            # A weak 401 among other faults is as weak as one alone, so each outcome counts apart.
            if out_of_time or ended[answer.outcome] == answer.tries:
                raise answer.error(tries, out_of_time=out_of_time)
            level = logging.INFO if wait >= WORTH_TELLING else logging.DEBUG
            logger.log(level, "%s; trying again in %.1f s", answer.text, wait)
            if self._stop.wait(wait):
                msg = "stopped"
                raise StoppedError(msg)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _try(
        self, url: str, params: Mapping[str, str] | None, rows: str | None, deadline: float
    ) -> Reply | _Failure:
        if self._stop.is_set():
            msg = "stopped"
            raise StoppedError(msg)
        where = urlsplit(url)
        started = time.monotonic()
        try:
            response = self._session.get(
                url,
                params=params,
                auth=(self.credentials.username, self.credentials.password),
                timeout=min(self._manners.request_timeout, max(0.1, deadline - started)),
                allow_redirects=False,
            )
        except (requests.RequestException, HTTPError) as error:
            # The text of these exceptions holds whole URLs, so only their kind is told.
            kind = type(error).__name__
            if where.netloc not in self._reached and _is_of_connecting(error):
                return _Failure.of_unreached(where.netloc, kind)
            return _Failure.of_network(where.path, kind)
        self._reached.add(where.netloc)
        body = _decoded(response)
        if response.status_code != requests.codes.ok:
            return _Failure.of_reply(where.path, response, body)
        if body is None or (rows is not None and not _holds_rows(body, rows)):
            return _Failure.of_body(where.path)
        return Reply(body, _date(response), time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class _Failure:
    """One try that failed, and what that means."""

    text: str
    outcome: Outcome
    tries: int | None
    retry_after: float = 0.0
    status: int | None = None
    code: int | None = None

    @classmethod
    def of_unreached(cls, host: str, kind: str) -> _Failure:
        return cls(f"cannot reach {host} ({kind})", UNREACHED, UNREACHED.tries)

    @classmethod
    def of_network(cls, path: str, kind: str) -> _Failure:
        return cls(f"{path}: the connection broke ({kind})", TRANSIENT, None)

    @classmethod
    def of_reply(
        cls, path: str, response: requests.Response, body: dict[str, Any] | None
    ) -> _Failure:
        code = body.get("code") if body else None
        code = code if isinstance(code, int) else None
        outcome = outcome_of(response.status_code, code)
        said = f"HTTP {response.status_code}"
        if code:
            said += f", code {code}"
        if body and isinstance(body.get("message"), str):
            said += f": {_in_one_line(body['message'])}"
        if request_id := response.headers.get("Twilio-Request-Id"):
            said += f" (request {request_id})"
        wait = retry_after(response.headers.get("Retry-After"))
        return cls(f"{path}: {said}", outcome, outcome.tries, wait, response.status_code, code)

    @classmethod
    def of_body(cls, path: str) -> _Failure:
        return cls(f"{path}: the reply was not the JSON expected", TRANSIENT, None)

    def error(self, tries: int, *, out_of_time: bool) -> Exception:
        text = self.text
        if tries > 1:
            text += f", after {tries} tries"
        if out_of_time and self.outcome.error is UnavailableError:
            text += " and the time of max_retry_seconds"
        text += f"; {self.outcome.advice}"
        return self.outcome.error(text, status=self.status, code=self.code)


def _is_of_connecting(error: Exception) -> bool:
    """Return whether no connection came about; a broken one shows that the host is there."""
    if isinstance(error, requests.ConnectionError) and error.args:
        reason = getattr(error.args[0], "reason", None)
        return isinstance(reason, (NewConnectionError, ConnectTimeoutError, SSLError, ProxyError))
    return isinstance(error, (requests.exceptions.InvalidURL, HTTPError))


def _in_one_line(text: str) -> str:
    """Return what Twilio said, short and without anything that a terminal would act on."""
    return "".join(char for char in " ".join(text.split()) if char.isprintable())[:200]


def _decoded(response: requests.Response) -> dict[str, Any] | None:
    try:
        body = json.loads(response.content, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _holds_rows(body: dict[str, Any], key: str) -> bool:
    rows = body.get(key)
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)


def _date(response: requests.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers["Date"]).astimezone(timezone.utc)
    except (KeyError, ValueError, OverflowError):
        return None
