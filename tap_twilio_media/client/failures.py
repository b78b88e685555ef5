"""A try that failed: what it means, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationValueError,
    NewConnectionError,
    ProxyError,
    SSLError,
)

from tap_twilio_media.client.errors import UnavailableError
from tap_twilio_media.client.outcomes import (
    TOO_LARGE,
    TRANSIENT,
    UNREACHED,
    Outcome,
    outcome_of,
    retry_after,
)
from tap_twilio_media.errors import lack_of
from tap_twilio_media.texts import told

HIGHEST_CODE = 999_999
"""Twilio's have five digits; nothing longer is told."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One try that failed, and what that means."""

    text: str
    outcome: Outcome
    tries: int | None
    retry_after: float = 0.0
    status: int | None = None
    code: int | None = None

    @classmethod
    def of_unreached(cls, host: str, kind: str) -> Failure:
        """Return a failure to connect to a host that never answered."""
        return cls(f"cannot reach {host} ({kind})", UNREACHED, UNREACHED.tries)

    @classmethod
    def of_network(cls, path: str, kind: str) -> Failure:
        """Return a failure of a connection to a host that is there."""
        return cls(f"{told(path)}: the connection broke ({kind})", TRANSIENT, None)

    @classmethod
    def of_reply(
        cls, path: str, response: requests.Response, body: dict[str, Any] | None
    ) -> Failure:
        """Return what a reply other than 200 means."""
        code = body.get("code") if body else None
        code = code if type(code) is int and 0 < code <= HIGHEST_CODE else None
        outcome = outcome_of(response.status_code, code)
        said = f"HTTP {response.status_code}"
        if code:
            said += f", code {code}"
        if body and isinstance(body.get("message"), str):
            said += f": {told(body['message'])}"
        if request_id := response.headers.get("Twilio-Request-Id"):
            said += f" (request {told(request_id)})"
        wait = retry_after(response.headers.get("Retry-After"))
        return cls(
            f"{told(path)}: {said}", outcome, outcome.tries, wait, response.status_code, code
        )

    @classmethod
    def of_body(cls, path: str) -> Failure:
        """Return a reply that is cut or not what was asked for."""
        return cls(f"{told(path)}: the reply was not the JSON expected", TRANSIENT, None)

    @classmethod
    def of_length(cls, path: str, most: int) -> Failure:
        """Return a reply that was not read to its end."""
        text = f"{told(path)}: the reply has more than {most} bytes"
        return cls(text, TOO_LARGE, TOO_LARGE.tries)

    def error(self, tries: int, *, out_of_time: bool) -> Exception:
        """Return what to raise when no more tries are made."""
        text = self.text
        if tries > 1:
            text += f", after {tries} tries"
        if out_of_time and self.outcome.error is UnavailableError:
            text += " and the time of max_retry_seconds"
        text += f"; {self.outcome.advice}"
        return self.outcome.error(text, status=self.status, code=self.code)


def kind_of(error: Exception) -> str:
    """Return what to call an exception of the network, as its text may hold a whole URL.

    What lacks on this side is called by its name: nobody finds it by looking at the network.
    """
    return lack_of(error) or type(error).__name__


def is_of_connecting(error: Exception) -> bool:
    """Return whether no connection came about; a broken one shows that the host is there."""
    if isinstance(error, requests.ConnectionError) and error.args:
        reason = getattr(error.args[0], "reason", None)
        return isinstance(reason, (NewConnectionError, ConnectTimeoutError, SSLError, ProxyError))
    return isinstance(error, (requests.exceptions.InvalidURL, LocationValueError))
