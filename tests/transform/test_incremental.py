"""Incremental models hold what they would hold if they were made anew."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.transform.changes import FIRST, HOUR, Account
from tests.transform.projects import documented_columns
from tests.transform.warehouses import MINUTE, DuckDb, PostgresWarehouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import Postgres
    from tests.transform.warehouses import Warehouse

MODELS = (
    "int_messages",
    "media_items",
    "media_usage_daily",
    "message_delivery_daily",
    "media_duplicates",
    "storage_growth",
)
# At first, and at most in a load afterwards: most days of an account have no news.
DEEDS = 400
NEWS = 6
CHANGED = ("run", "--exclude", "path:models/staging")
ITEMS_ONLY = ("run", "--select", "int_messages", "media_items")


@pytest.fixture(scope="module")
def duckdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDb]:
    with DuckDb(tmp_path_factory.mktemp("duckdb"), DBT_TIME_ZONE="America/New_York") as warehouse:
        yield warehouse


@pytest.fixture(scope="module")
def on_postgres(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres
) -> Iterator[PostgresWarehouse]:
    folder = tmp_path_factory.mktemp("postgres")
    one_by_one = {
        "TARGET_POSTGRES_SQLALCHEMY_URL": "",
        "TARGET_POSTGRES_HOST": "127.0.0.1",
        "TARGET_POSTGRES_PORT": str(postgres.port),
        "TARGET_POSTGRES_USER": "postgres",
        "TARGET_POSTGRES_PASSWORD": postgres.password,
        "TARGET_POSTGRES_DATABASE": "postgres",
    }
    zone = {"DBT_TIME_ZONE": "America/New_York"}
    with PostgresWarehouse(folder, postgres, **one_by_one, **zone) as warehouse:
        yield warehouse


def contents(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """What the models hold, but for what only the past explains."""
    found = {}
    for model in MODELS:
        columns = [name for name in documented_columns(model) if name != "earlier_dates"]
        rows = warehouse.query(f"select {', '.join(columns)} from analytics.{model}")
        found[model] = sorted(rows, key=repr)
    return found


def replay(warehouse: Warehouse, seed: int, rounds: int = 6) -> None:
    """Loads and runs in turn, as they come; then the same made anew."""
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    account = Account(chance)
    append = seed % 4 == 3
    warehouse.query("drop schema if exists twilio cascade")
    warehouse.query("create schema twilio")
    now = FIRST
    warehouse.load_all(account.changed(DEEDS), now)
    warehouse.dbt("run", "--full-refresh")
    for number in range(rounds):
        # A batch that began before the last run, and ended after it.
        late = now - chance.randrange(50) * MINUTE
        now += chance.randrange(1, 40) * HOUR
        for when in (late, now):
            for stream, rows in account.changed(chance.randrange(1, NEWS)).items():
                warehouse.load(stream, rows, when, append=append)
        # The daily models may fail for once; the last run is whole.
        whole = number == rounds - 1 or chance.random() < 0.7
        warehouse.dbt(*(CHANGED if whole else ITEMS_ONLY))
    changed = contents(warehouse)
    warehouse.dbt(*CHANGED, "--full-refresh")
    assert all(rows for model, rows in changed.items() if model != "media_duplicates")
    anew = contents(warehouse)
    for model in MODELS:
        assert changed[model] == anew[model], model


class TestReplay:
    def test_on_duckdb(self, duckdb: DuckDb) -> None:
        replay(duckdb, seed=3, rounds=3)

    @pytest.mark.long
    @pytest.mark.parametrize("seed", range(100, 120))
    def test_on_duckdb_at_length(self, duckdb: DuckDb, seed: int) -> None:
        replay(duckdb, seed)

    @pytest.mark.long
    @pytest.mark.parametrize("seed", range(200, 220))
    def test_on_postgres_at_length(self, on_postgres: PostgresWarehouse, seed: int) -> None:
        replay(on_postgres, seed)


def test_days_without_news_are_let_be(duckdb: DuckDb) -> None:
    """What was put there by hand stays until something of that day is loaded."""
    duckdb.query("drop schema if exists twilio cascade")
    duckdb.query("create schema twilio")
    old = {"sid": "MM1", "account_sid": "AC1", "date_created": FIRST, "num_media": 1}
    new = {"sid": "MM2", "account_sid": "AC1", "date_created": FIRST + 50 * HOUR, "num_media": 1}
    media = [
        {"sid": f"ME{row['sid']}", "message_sid": row["sid"], "date_created": row["date_created"]}
        for row in (old, new)
    ]
    duckdb.load_all({"messages": [old], "message_media": media[:1]}, FIRST)
    duckdb.load_all({"messages": [new], "message_media": media[1:]}, FIRST + 50 * HOUR)
    duckdb.dbt("run", "--full-refresh")
    for model in ("message_delivery_daily", "media_usage_daily"):
        duckdb.query(f"update analytics.{model} set messages = 99")
    duckdb.query("update analytics.media_items set media_count = 99")
    duckdb.load("messages", [new | {"status": "read"}], FIRST + 60 * HOUR)
    duckdb.dbt(*CHANGED)
    for model in ("message_delivery_daily", "media_usage_daily"):
        found = duckdb.query(f"select messages from analytics.{model} order by day")
        assert found == [(99,), (1,)]
    items = duckdb.query("select media_count from analytics.media_items order by media_sid")
    assert items == [(99,), (1,)]
