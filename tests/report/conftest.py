"""Fixtures for the tests of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.report.marts import made_up, write_duckdb

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DuckDB file with the marts of an account made up, to be read only."""
    return write_duckdb(tmp_path_factory.mktemp("marts") / "marts.duckdb", made_up())
