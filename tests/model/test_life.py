"""Whatever happens to an account and its runs, the tables come to hold what Twilio holds."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tap_twilio_media import bookmarks
from tests.model.life import Life


@pytest.fixture(autouse=True)
def _every_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put out each state, however soon after the one before."""
    monkeypatch.setattr(bookmarks, "SECONDS_BETWEEN_STATES", 0)


@pytest.mark.parametrize(
    ("lives", "steps"),
    [
        pytest.param(16, 20, id="short"),
        pytest.param(100, 40, id="long", marks=pytest.mark.long),
    ],
)
def test_a_life(lives: int, steps: int) -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
        ),
    )
