"""Fixtures for all tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tap_twilio_media.client import outcomes
from tests.running import clean_environ
from tests.simulator import Simulator, World, seeded_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser import Browser


# A slow machine is no failure; and what CI runs must not depend on luck.
settings.register_profile("ours", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("ours")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run the tests that take minutes")


TOGETHER = {"test_demo": "meltano", "test_meltano": "meltano"}
"""Modules that use one Meltano project, one after the other."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        # A module's fixtures are made once, and what installs a browser runs once.
        group = "gallery" if item.path.parent.name == "gallery" else str(item.path)
        item.add_marker(pytest.mark.xdist_group(TOGETHER.get(item.path.stem, group)))
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a developer's own Twilio settings out of the tests."""
    for name in set(os.environ) - set(clean_environ()):
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let retries in this process follow each other quickly; how long they wait is tested apart."""
    monkeypatch.setattr(outcomes, "FIRST_WAIT", 0.002)


@pytest.fixture
def world() -> World:
    """A seeded world with every oddity."""
    return seeded_world(seed=7)


@pytest.fixture
def sim(world: World) -> Iterator[Simulator]:
    """A simulator that serves the world."""
    with Simulator(world) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium; where none can be had, the test fails."""
    from tests.browser import Browser  # noqa: PLC0415 - most runs look at no page

    with Browser() as browser:
        yield browser
