"""The SDK's own test suite for targets: foreign streams, odd schemas, broken input."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from singer_sdk.testing import get_target_test_class

from tap_twilio_media.target.target import TargetTwilioMedia
from tests.simulator import Simulator, seeded_world

if TYPE_CHECKING:
    from collections.abc import Iterator

# The suite takes the settings while tests are collected; the simulator's replace these.
_CONFIG: dict[str, Any] = {"account_sid": f"AC{0:032x}", "auth_token": "x", "output_path": "x"}


@pytest.fixture(scope="module", autouse=True)
def served() -> Iterator[Simulator]:
    with Simulator(seeded_world(seed=7)) as sim, tempfile.TemporaryDirectory() as folder:
        _CONFIG.update(sim.config(), output_path=folder)
        yield sim
        assert sim.count() == 0, "these streams have no files"
        assert not list(Path(folder).iterdir())


TestTarget = get_target_test_class(TargetTwilioMedia, config=_CONFIG)
