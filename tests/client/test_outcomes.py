"""The table of outcomes, and the waits between tries."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_twilio_media.client import outcomes
from tap_twilio_media.client.errors import (
    GoneError,
    InvalidRequestError,
    OutOfRangeError,
    RefusedError,
    TwilioError,
    UnavailableError,
)
from tap_twilio_media.client.outcomes import LONGEST_WAIT, backoff, outcome_of, retry_after

NOW = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("status", "code", "error", "tries"),
    [
        (400, None, InvalidRequestError, 1),
        (400, 20001, InvalidRequestError, 1),
        (400, 20004, OutOfRangeError, 1),
        (401, 20003, RefusedError, 3),
        (403, None, RefusedError, 1),
        (404, 20404, GoneError, 3),
        (408, None, UnavailableError, None),
        (429, 20429, UnavailableError, None),
        (500, None, UnavailableError, None),
        (502, None, UnavailableError, None),
        (503, None, UnavailableError, None),
        (504, None, UnavailableError, None),
        (599, None, UnavailableError, None),
        # The code counts with its status only.
        (405, 20004, InvalidRequestError, 1),
        (404, 20004, GoneError, 3),
        (503, 20004, UnavailableError, None),
        # What is not in the table is not repeated.
        (204, None, InvalidRequestError, 1),
        (302, None, InvalidRequestError, 1),
        (410, None, InvalidRequestError, 1),
        (418, None, InvalidRequestError, 1),
        (499, None, InvalidRequestError, 1),
    ],
)
def test_each_status_has_its_outcome(
    status: int, code: int | None, error: type[TwilioError], tries: int | None
) -> None:
    outcome = outcome_of(status, code)
    assert outcome.error is error
    assert outcome.tries == tries
    assert outcome.advice


@given(st.integers(100, 999), st.none() | st.integers())
def test_every_status_has_an_outcome(status: int, code: int | None) -> None:
    outcome = outcome_of(status, code)
    assert (outcome.tries is None) == (outcome.error is UnavailableError)
    assert (outcome.error is UnavailableError) == (status in {408, 429} or status >= 500)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("0", 0),
        ("7", 7),
        (" 7 ", 7),
        ("3600", 3600),
        ("-7", 0),
        ("soon", 0),
        ("7 apples", 0),
        ("Sat, 31 Jan 2026 12:00:30 GMT", 30),
        ("Sat, 31 Jan 2026 13:00:30 +0100", 30),
        ("Sat, 31 Jan 2026 12:00:30 -0000", 30),
        ("Sat, 31 Jan 2026 11:59:30 GMT", 0),
        ("Sat, 32 Jan 2026 12:00:00 GMT", 0),
    ],
)
def test_retry_after_has_two_forms(header: str | None, seconds: float) -> None:
    assert retry_after(header, NOW) == seconds


def test_retry_after_counts_from_now() -> None:
    header = format_datetime(datetime.now(timezone.utc) + timedelta(hours=1), usegmt=True)
    assert 3_500 < retry_after(header) <= 3_600


@given(st.integers(0, 10**9))
def test_retry_after_in_seconds_is_taken_as_it_is(seconds: int) -> None:
    assert retry_after(str(seconds)) == seconds


@given(st.integers(0, 10**6))
def test_retry_after_as_a_date_is_the_time_until_then(seconds: int) -> None:
    header = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)
    assert retry_after(header, NOW) == seconds


@given(st.text())
def test_retry_after_is_never_negative(header: str) -> None:
    assert retry_after(header, NOW) >= 0


@given(st.integers(1, 10_000))
def test_the_backoff_doubles_within_bounds(tries: int) -> None:
    bound = min(LONGEST_WAIT, outcomes.FIRST_WAIT * 2 ** min(tries - 1, 20))
    assert 0 <= backoff(tries) <= bound


def test_the_backoff_has_full_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "FIRST_WAIT", 0.5)
    bounds: list[tuple[float, float]] = []

    def uniform(_: object, low: float, high: float) -> float:
        bounds.append((low, high))
        return high

    monkeypatch.setattr("random.Random.uniform", uniform)
    assert [backoff(tries) for tries in (1, 2, 3, 7, 8, 100)] == [0.5, 1, 2, 32, 60, 60]
    assert {low for low, _ in bounds} == {0}


def test_the_backoff_varies() -> None:
    assert len({backoff(5) for _ in range(50)}) > 1
