"""The figures of the marts are those of Twilio, by way of the tap and dbt, on both databases."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.test_docs import blocks
from tests.transform.counted import Twilio, address_channel, channel, family, loaded, with_old_media
from tests.transform.projects import ROOT, described_models, documented_columns
from tests.transform.warehouses import GOOD, DuckDb, PostgresWarehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import Postgres
    from tests.transform.warehouses import Warehouse

DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def twilio() -> Twilio:
    return with_old_media()


@pytest.fixture(scope="module")
def records(
    twilio: Twilio, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, Any]]]:
    return loaded(twilio, tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module", params=["postgres", pytest.param("duckdb", marks=pytest.mark.long)])
def built(
    request: pytest.FixtureRequest,
    twilio: Twilio,
    records: dict[str, list[dict[str, Any]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Warehouse]:
    """A warehouse after the first build, which no test of dbt may fail or skip."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    warehouse: Warehouse
    if request.param == "postgres":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = {"TARGET_POSTGRES_SQLALCHEMY_URL": odd_url(postgres)}
        warehouse = PostgresWarehouse(folder, postgres, **url)
    else:
        warehouse = DuckDb(folder)
    with warehouse:
        warehouse.load_all(records, twilio.world.now.replace(tzinfo=None))
        nodes = warehouse.dbt("build")
        assert {node.status for node in nodes} == GOOD
        yield warehouse


def odd_url(postgres: Postgres) -> str:
    """Where the database is, for somebody whose name and password are hard to put in a URL."""
    name, password = "an@lyst", "p@ss:w/rd?%5C\\é#"
    postgres.query(f"create role \"{name}\" superuser login password '{password}'")
    who = f"{quote(name, safe='')}:{quote(password, safe='')}"
    return f"postgresql+psycopg://{who}@127.0.0.1:{postgres.port}/postgres?sslmode=disable"


def counted(warehouse: Warehouse, sql: str) -> dict[Any, Any]:
    """Rows as what their first columns say of the last."""
    return {row[0] if len(row) == 2 else row[:-1]: row[-1] for row in warehouse.query(sql)}


class TestMedia:
    def test_by_channel(self, built: Warehouse, twilio: Twilio) -> None:
        wanted = Counter(
            ("message", channel(message, has_media=True), message.direction)
            for message, _ in twilio.media()
        )
        for message, _ in twilio.files():
            via = address_channel(message.author) or "chat"
            direction = "unknown" if via == "chat" else "inbound"
            wanted["conversation", via, direction] += 1
        assert {"mms", "chat", "whatsapp"} <= {via for _, via, _ in wanted}
        found = counted(
            built,
            "select service, channel, direction, sum(media)"
            " from analytics.media_usage_daily group by service, channel, direction",
        )
        assert found == wanted

    def test_bytes_by_family(self, built: Warehouse, twilio: Twilio) -> None:
        """Of images all that were downloaded; of others what Conversations say."""
        wanted: Counter[str] = Counter()
        for _, media in twilio.media():
            if media.content_type.startswith("image/"):
                wanted[family(media.content_type)] += media.size
        for _, file in twilio.files():
            wanted[family(file.content_type)] += file.size
        found = counted(
            built,
            "select content_family, sum(bytes) from analytics.media_usage_daily"
            " group by content_family having sum(bytes) > 0",
        )
        assert found == wanted

    def test_by_day(self, built: Warehouse, twilio: Twilio) -> None:
        moments = [media.date_created for _, media in twilio.media()]
        # MCS has forgotten when those came that it has no more: their message tells.
        known = twilio.world.mcs_media
        moments += [
            (file if file.sid in known else message).date_created
            for message, file in twilio.files()
        ]
        found = counted(
            built, "select day, sum(media) from analytics.media_usage_daily group by day"
        )
        assert found == Counter(moment.date() for moment in moments)

    def test_cost_is_that_of_their_messages(self, built: Warehouse, twilio: Twilio) -> None:
        wanted: dict[str, Decimal] = defaultdict(Decimal)
        for message in twilio.messages:
            if message.media and message.price:
                wanted[str(message.price_unit)] -= Decimal(message.price)
        found = counted(
            built,
            "select price_unit, sum(cost) from analytics.media_usage_daily"
            " where cost is not null group by price_unit",
        )
        assert found == wanted

    def test_messages_and_failures(self, built: Warehouse, twilio: Twilio) -> None:
        with_media = [message for message in twilio.messages if message.media]
        failed = [each for each in with_media if each.status in {"failed", "undelivered"}]
        assert failed
        found = built.query(
            "select count(distinct message_sid),"
            " count(distinct case when message_status in ('failed', 'undelivered')"
            " then message_sid end) from analytics.media_items where service = 'message'"
        )
        assert found == [(len(with_media), len(failed))]
        ((failures,),) = built.query("select sum(failures) from analytics.media_usage_daily")
        # One with files of two families counts in both.
        assert failures == len(
            {(m.sid, family(media.content_type)) for m in failed for media in m.media}
        )


class TestDelivery:
    def test_mix(self, built: Warehouse, twilio: Twilio) -> None:
        wanted = Counter(
            (
                channel(message, has_media=bool(message.num_media)),
                message.direction,
                message.status,
                message.error_code,
            )
            for message in twilio.messages
        )
        found = counted(
            built,
            "select channel, direction, status, error_code, sum(messages)"
            " from analytics.message_delivery_daily"
            " group by channel, direction, status, error_code",
        )
        assert found == wanted

    def test_cost(self, built: Warehouse, twilio: Twilio) -> None:
        prices = [Decimal(each.price) for each in twilio.messages if each.price]
        segments = sum(each.num_segments for each in twilio.messages)
        found = built.query("select sum(cost), sum(segments) from analytics.message_delivery_daily")
        assert found == [(-sum(prices), segments)]


class TestStorage:
    def test_ends_with_everything(self, built: Warehouse, twilio: Twilio) -> None:
        wanted: Counter[str] = Counter()
        wanted.update(message.account_sid for message, _ in twilio.media())
        wanted.update(message.account_sid for message, _ in twilio.files())
        found = counted(
            built,
            "select account_sid, media_total from analytics.storage_growth where day = as_of",
        )
        assert found == wanted

    def test_knows_what_is_about_to_expire(self, built: Warehouse, twilio: Twilio) -> None:
        today = twilio.world.now.date()
        expiring = [
            media
            for _, media in twilio.media()
            if today < media.date_created.date() + 400 * DAY <= today + 30 * DAY
            and not media.content_type.startswith("image/")
        ]
        assert len(expiring) >= 2
        ((found, as_of),) = built.query(
            "select sum(expiring_media), max(as_of) from analytics.storage_growth"
        )
        assert (found, as_of) == (len(expiring), today)


class TestColumns:
    def test_are_those_that_are_documented(self, built: Warehouse) -> None:
        rows = built.query(
            "select table_name, column_name from information_schema.columns"
            " where table_schema = 'analytics' order by table_name, ordinal_position"
        )
        found = defaultdict(list)
        for table, column in rows:
            found[table].append(column)
        assert found == {model: documented_columns(model) for model in described_models()}

    def test_have_the_types_that_are_documented(self, built: Warehouse) -> None:
        if built.target == "duckdb":
            names = {"numeric": "DECIMAL(38,10)", "jsonb": "JSON", "text": "VARCHAR"}
            names |= {"date[]": "DATE[]"}
        else:
            names = {"timestamp": "timestamp without time zone", "date[]": "ARRAY"}
        rows = built.query(
            "select table_name, column_name, data_type from information_schema.columns"
            " where table_schema = 'analytics'"
        )
        found = {(table, column): kind.lower() for table, column, kind in rows}
        wanted = {}
        for name, model in described_models().items():
            for column in model["columns"]:
                kind = column["data_type"]
                wanted[name, column["name"]] = names.get(kind, kind).lower()
        assert found == wanted


class TestQuestions:
    """Those of docs/analytics.md."""

    SQL = blocks((ROOT / "docs" / "analytics.md").read_text(), "sql")

    def test_are_many(self) -> None:
        assert len(self.SQL) >= 10

    @pytest.mark.parametrize("sql", SQL, ids=range(len(SQL)))
    def test_have_answers(self, built: Warehouse, sql: str) -> None:
        assert built.query(sql.rstrip().rstrip(";"))
