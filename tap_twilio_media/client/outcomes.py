"""The one table of what each HTTP status means, and the waits between tries."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from tap_twilio_media.client.errors import (
    GoneError,
    InvalidRequestError,
    OutOfRangeError,
    RefusedError,
    TwilioError,
    UnavailableError,
)

_chance = random.Random()  # noqa: S311 - jitter, apart from the chance that others draw from
RETENTION_CODE = 20004
FIRST_WAIT = 0.5
"""Seconds: the longest first wait. Each further one may be twice as long."""
LONGEST_WAIT = 60.0
TRIES_TO_REACH = 4
"""A host that never answered is given up after so many tries: it is likely misspelt."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a status means.

    Attributes:
        error: What is raised once the tries are used up.
        tries: How often the request is made at most; None: while the retry budget lasts.
        advice: What the user can do about it.
    """

    error: type[TwilioError]
    tries: int | None
    advice: str


TRANSIENT = Outcome(UnavailableError, None, "run again later; nothing read so far is lost")
UNREACHED = Outcome(
    UnavailableError, TRIES_TO_REACH, "check region, edge, the *_url settings and the network"
)
TOO_LARGE = Outcome(InvalidRequestError, 1, "set a smaller page_size, or check the *_url settings")
_UNEXPECTED = Outcome(InvalidRequestError, 1, "check the *_url settings, or report this")

# 401: the edge sends a few to valid credentials (Airbyte's Twilio connector met them in 2026).
# 404: a fresh row may need a moment to be readable everywhere.
OUTCOMES: dict[int, Outcome] = {
    400: Outcome(InvalidRequestError, 1, "report this with the request id"),
    401: Outcome(
        RefusedError,
        3,
        "check that account_sid and auth_token, or api_key_sid and api_key_secret, belong "
        "together, to this account and to this region",
    ),
    403: Outcome(RefusedError, 1, "give the API key permission to read this resource"),
    404: Outcome(GoneError, 3, "check that the credentials may see it"),
    408: TRANSIENT,
    429: TRANSIENT,
}


def outcome_of(status: int, code: int | None) -> Outcome:
    """Return what a reply other than 200 means.

    Args:
        status: The HTTP status.
        code: Twilio's error code from the body, if there was one.
    """
    if status == 400 and code == RETENTION_CODE:  # noqa: PLR2004 - an HTTP status
        return Outcome(OutOfRangeError, 1, "set a later start_date")
    if status >= 500:  # noqa: PLR2004 - an HTTP status
        return TRANSIENT
    return OUTCOMES.get(status, _UNEXPECTED)


def retry_after(header: str | None, now: datetime | None = None) -> float:
    """Return the seconds that a Retry-After header asks for, in either of its forms; else 0."""
    if not header:
        return 0.0
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - (now or datetime.now(timezone.utc))).total_seconds())


def backoff(tries: int) -> float:
    """Return a wait in seconds after so many failed tries: exponential, with full jitter."""
    return _chance.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(tries - 1, 16)))
