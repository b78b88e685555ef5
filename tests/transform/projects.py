"""The files of the dbt project."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "transform"


@cache
def described_models() -> dict[str, dict[str, Any]]:
    """What the project says of its models, by name."""
    files = [yaml.safe_load(path.read_text()) for path in (PROJECT / "models").rglob("*.yml")]
    return {model["name"]: model for file in files for model in file.get("models", ())}


def documented_columns(model: str) -> list[str]:
    """The columns that a model is said to have, in their order."""
    return [column["name"] for column in described_models()[model]["columns"]]
