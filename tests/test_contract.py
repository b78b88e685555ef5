"""The SDK's own test suite for taps, pointed at the simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tap_twilio_media.tap import TapTwilioMedia
from tests.simulator import Simulator, seeded_world

if TYPE_CHECKING:
    from collections.abc import Iterator

# The suite builds a tap while tests are collected; the simulator's settings replace these.
_CONFIG: dict[str, Any] = {
    "account_sid": f"AC{0:032x}",
    "auth_token": "not-asked-yet",
    # The suite aborts each stream after so many records; smaller pages let children be reached.
    "page_size": 5,
}


@pytest.fixture(scope="module", autouse=True)
def _simulator() -> Iterator[None]:
    with Simulator(seeded_world(seed=7)) as sim:
        _CONFIG.update(sim.config())
        yield


TestTap = get_tap_test_class(
    TapTwilioMedia, config=_CONFIG, suite_config=SuiteConfig(max_records_limit=20)
)
