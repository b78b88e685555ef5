"""Fixtures for the tests of the contact sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gallery.archives import Archive

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An empty archive."""
    return Archive(tmp_path / "archive")
