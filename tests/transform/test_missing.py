"""Models go without what was not loaded."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.transform.projects import described_models
from tests.transform.warehouses import GOOD, DuckDb, PostgresWarehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import Postgres
    from tests.transform.warehouses import Warehouse

NOW = dt.datetime(2026, 3, 1)  # noqa: DTZ001 - warehouses hold UTC without saying so
MESSAGE = {
    "sid": "MM1",
    "account_sid": "AC1",
    "date_created": NOW,
    "num_media": 1,
    "price": "-0.01",
}
MEDIA = {"sid": "ME1", "account_sid": "AC1", "message_sid": "MM1", "date_created": NOW}


@pytest.fixture(params=["duckdb", "postgres"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    if request.param == "duckdb":
        with DuckDb(tmp_path) as duckdb:
            yield duckdb
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    for schema in ("twilio", "analytics"):
        postgres.query(f"drop schema if exists {schema} cascade")
    with PostgresWarehouse(tmp_path, postgres) as on_postgres:
        yield on_postgres


@pytest.mark.long
class TestMissing:
    def test_tables_of_streams_that_are_not_loaded(self, warehouse: Warehouse) -> None:
        """As after the hourly job alone."""
        warehouse.load("messages", [MESSAGE], NOW)
        warehouse.load("message_media", [MEDIA], NOW)
        streams = ["messages", "message_media"]
        for _ in range(2):
            nodes = warehouse.dbt("build", streams=streams)
            assert {node.status for node in nodes} == GOOD
        shares = warehouse.query("select media_sid, price_share from analytics.media_items")
        assert shares == [("ME1", Decimal("-0.01"))]
        assert warehouse.query("select count(*) from analytics.stg_conversations") == [(0,)]

    def test_tables_that_should_be_there_are_told(self, warehouse: Warehouse) -> None:
        warehouse.load("messages", [MESSAGE], NOW)
        nodes = warehouse.dbt("run")
        assert {node.status for node in nodes} == {"success"}
        log = (warehouse.folder / "logs" / "dbt.log").read_text()
        assert "is not there: stg_message_media is empty" in log
        assert warehouse.query("select sum(messages) from analytics.message_delivery_daily") == [
            (1,)
        ]

    def test_every_table(self, warehouse: Warehouse) -> None:
        warehouse.dbt("run")
        for model in described_models():
            assert warehouse.query(f"select count(*) from analytics.{model}") == [(0,)]

    def test_columns_that_were_not_selected(self, warehouse: Warehouse) -> None:
        warehouse.load_all({"messages": [MESSAGE], "message_media": [MEDIA]}, NOW)
        for column in ("body", '"from"', "price", "_sdc_extracted_at"):
            warehouse.query(f"alter table twilio.messages drop column {column}")
        warehouse.query("alter table twilio.message_media drop column _sdc_batched_at")
        for _ in range(2):
            warehouse.dbt("run")
            found = warehouse.query(
                "select sender, price_share, channel from analytics.media_items"
            )
            assert found == [(None, None, "mms")]


@pytest.mark.long
class TestLines:
    def test_that_target_jsonl_wrote_will_do(self, tmp_path: Path) -> None:
        """Appended to by two runs; rows that come again are the newer ones."""
        lines = [
            MESSAGE | {"status": status, "date_created": str(NOW)} for status in ("sent", "read")
        ]
        texts = [json.dumps(line) for line in lines]
        (tmp_path / "messages.jsonl").write_text("\n".join([*texts, ""]))
        media = json.dumps(MEDIA | {"date_created": "2026-03-01T00:00:00Z"})
        (tmp_path / "message_media.jsonl").write_text(media + "\n")
        with DuckDb(tmp_path / "duckdb") as warehouse:
            folder = json.dumps({"folder": str(tmp_path)})
            for _ in range(2):
                warehouse.dbt("run-operation", "load_jsonl", "--args", folder)
                warehouse.dbt("build", streams=["messages", "message_media"])
                assert warehouse.query(
                    "select media_sid, message_status, price_share from analytics.media_items"
                ) == [("ME1", "read", Decimal("-0.01"))]
                assert warehouse.query("select media_total from analytics.storage_growth") == [(1,)]
