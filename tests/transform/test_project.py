"""The dbt project says what it holds, and asks for nothing from elsewhere."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.running import STREAMS
from tests.test_schemas import load
from tests.transform.projects import PROJECT, ROOT, described_models

FILES = sorted((PROJECT / "models").rglob("*.sql"))
SETTINGS: dict[str, Any] = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())
LOCK = (ROOT / "requirements" / "dbt.txt").read_text()


class TestDocumentation:
    def test_is_there_for_every_model(self) -> None:
        assert {path.stem for path in FILES} == described_models().keys()
        assert {f"stg_{stream}" for stream in STREAMS} <= described_models().keys()

    @pytest.mark.parametrize("name", described_models())
    def test_tells_every_column_and_its_type(self, name: str) -> None:
        model = described_models()[name]
        assert model["description"]
        for column in model["columns"]:
            assert column["description"].endswith("."), column["name"]
            assert column["data_type"], column["name"]

    @pytest.mark.parametrize("stream", STREAMS)
    def test_of_staging_is_that_of_the_schema(self, stream: str) -> None:
        columns = described_models()[f"stg_{stream}"]["columns"]
        assert columns[-1]["name"] == "loaded_at"
        found = {
            column.get("config", {}).get("meta", {}).get("source", column["name"]): column
            for column in columns[:-1]
        }
        properties = load(stream)["properties"]
        assert found.keys() == properties.keys()
        for name, schema in properties.items():
            assert found[name]["description"] == schema["description"]


class TestNothingFromElsewhere:
    def test_no_word_is_sent(self) -> None:
        assert SETTINGS["flags"]["send_anonymous_usage_stats"] is False

    def test_no_package_is_needed(self) -> None:
        names = {path.name for path in PROJECT.iterdir()}
        assert not names & {"packages.yml", "dependencies.yml", "package-lock.yml"}

    def test_dbt_is_the_last_that_comes_whole(self) -> None:
        (version,) = re.findall(r"^dbt-core==(\S+)", LOCK, re.MULTILINE)
        assert version.startswith("1.11.")
        assert SETTINGS["require-dbt-version"] == [">=1.11.0", "<1.12.0"]
