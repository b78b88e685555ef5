"""Fixtures for the tests of the dbt project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("server") / "server") as server:
        # What a session's time zone does to times must not depend on luck.
        server.query("alter role postgres set timezone = 'America/New_York'")
        yield server
