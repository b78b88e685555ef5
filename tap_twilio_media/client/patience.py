"""Trying again: how often, how long, and when to give up."""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from tap_twilio_media.client.errors import StoppedError
from tap_twilio_media.client.failures import Failure
from tap_twilio_media.client.outcomes import backoff

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from tap_twilio_media.client.outcomes import Outcome

logger = logging.getLogger("tap-twilio-media.client")

WORTH_TELLING = 5.0
"""Seconds: a wait of this length is told at INFO."""

SHORTEST_TRY = 10.0
"""Seconds: a try that is begun is worth so much patience, even if the budget is nearly spent."""

LONGEST_BODY = 4
"""Timeouts: the body of an answer that still comes after so many would never end."""

T = TypeVar("T")


def patience_for_try(timeout: float, deadline: float) -> float:
    """Return the seconds that one try may wait for Twilio.

    Args:
        timeout: The usual ones.
        deadline: When the time for all tries is up, on the monotonic clock.
    """
    return min(timeout, max(SHORTEST_TRY, deadline - time.monotonic()))


def patience_for_body(timeout: float, deadline: float) -> float:
    """Return the seconds that the body of one answer may take as a whole; see above."""
    return patience_for_try(LONGEST_BODY * timeout, deadline)


def persist(attempt: Callable[[float], T | Failure], budget: float, stop: threading.Event) -> T:
    """Return what an attempt gives, repeated until it gives something other than a failure.

    Args:
        attempt: One try; it gets the moment, on the monotonic clock, when the time is up.
        budget: Seconds for all tries and the waits between them.
        stop: Ends a wait when set.

    Raises:
        TwilioError: What the outcome of the last failure says, when its tries or the budget are
            used up.
        StoppedError: The run is ending.
    """
    deadline = time.monotonic() + budget
    tries = 0
    ended: Counter[Outcome] = Counter()
    while True:
        tries += 1
        answer = attempt(deadline)
        if not isinstance(answer, Failure):
            return answer
        ended[answer.outcome] += 1
        wait = max(backoff(tries), answer.retry_after)
        out_of_time = time.monotonic() + wait > deadline
        # A weak 401 among other faults is as weak as one alone, so each outcome counts apart.
        if out_of_time or ended[answer.outcome] == answer.tries:
            raise answer.error(tries, out_of_time=out_of_time)
        level = logging.INFO if wait >= WORTH_TELLING else logging.DEBUG
        logger.log(level, "%s; trying again in %.1f s", answer.text, wait)
        if stop.wait(wait):
            msg = "stopped"
            raise StoppedError(msg)
