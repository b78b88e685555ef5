"""The figures on the page are those that SQL of our own finds, in either database."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pytest

from tap_twilio_media.report.places import DuckPlace, PostgresPlace
from tap_twilio_media.report.report import Wishes, write_report
from tests.postgres import Postgres
from tests.report.marts import COLUMNS, TODAY, growth, made_up, statements, write_duckdb
from tests.report.reading import Page, number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tap_twilio_media.report.places import Place

    Ask = Callable[[str], list[tuple[Any, ...]]]

DAYS = 60
SINCE = TODAY - dt.timedelta(days=DAYS - 1)
WAY = """
    case channel when 'sms' then 'SMS' when 'mms' then 'MMS' else 'WhatsApp' end
    || case direction when 'inbound' then ' in' else ' out' end
"""


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server with the same marts."""
    with Postgres(tmp_path_factory.mktemp("postgres")) as server:
        server.query("; ".join(statements(made_up())))
        yield server


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def asked(request: pytest.FixtureRequest, duck: Path) -> tuple[Place, Ask]:
    """Where the marts are, and how a test asks them."""
    if request.param == "duckdb":

        def ask(sql: str) -> list[tuple[Any, ...]]:
            with duckdb.connect(duck, read_only=True) as connection:
                return connection.execute("use analytics").execute(sql).fetchall()

        return DuckPlace(duck), ask
    server: Postgres = request.getfixturevalue("postgres")

    def query(sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(server.dsn, options="-c search_path=analytics") as connection:
            return connection.execute(sql.encode()).fetchall()

    return PostgresPlace(url=server.dsn), query


@pytest.fixture(scope="module")
def page(asked: tuple[Place, Ask], tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of 60 days."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(asked[0], path, Wishes(days=DAYS, plain=True))
    return Page(path.read_text())


@pytest.fixture(scope="module")
def ask(asked: tuple[Place, Ask]) -> Ask:
    """Ask the marts."""
    return asked[1]


def test_media_per_day_and_channel(page: Page, ask: Ask) -> None:
    # From the items, where the page goes by the sums per day.
    wanted: dict[str, dict[str, int]] = defaultdict(dict)
    for day, channel, media in ask(
        "select created_date, channel, count(*) from media_items"
        f" where created_date >= date '{SINCE}' group by 1, 2"
    ):
        wanted[str(day)][channel] = media
    header, *lines, total = page.tables["media-table"]
    assert header == ["Day", "SMS", "MMS", "WhatsApp", "RCS", "Chat", "All"]
    assert [line[0] for line in lines] == [str(TODAY - dt.timedelta(days=n)) for n in range(DAYS)]
    for day, *cells in lines:
        found = dict(zip(("sms", "mms", "whatsapp", "rcs", "chat"), cells, strict=False))
        assert {name: number(cell) for name, cell in found.items() if cell != "0"} == wanted[day]
        assert number(cells[-1]) == sum(wanted[day].values())
    assert number(total[-1]) == sum(sum(of_day.values()) for of_day in wanted.values())


def test_bytes_by_content_family(page: Page, ask: Ask) -> None:
    wanted = ask(
        "select content_family, count(*), count(size_bytes), sum(size_bytes) from media_items"
        f" where created_date >= date '{SINCE}' group by 1"
    )
    found = page.rows("families-table")
    total = found.pop("All")
    assert {name: [int(each or 0) for each in rest] for name, *rest in wanted} == {
        name: list(map(number, cells)) for name, cells in found.items()
    }
    assert number(total[2]) == sum(row[3] for row in wanted)
    sizes = [number(cells[2]) for cells in found.values()]
    assert sizes == sorted(sizes, reverse=True)


def test_top_senders(page: Page, ask: Ask) -> None:
    wanted = ask(
        "select sender, count(*), sum(size_bytes) from media_items"
        f" where created_date >= date '{SINCE}' group by 1"
    )
    of_sender = {sender: (media, int(size or 0)) for sender, media, size in wanted}
    _, *lines = page.tables["senders-table"]
    assert len(lines) == 10
    for sender, media, _, size in lines:
        assert (number(media), number(size)) == of_sender[sender]
    least = number(lines[-1][1])
    assert sorted((m for m, _ in of_sender.values()), reverse=True)[9] == least
    assert f"Of {len(of_sender)} senders" in page.text


def test_delivery_mix(page: Page, ask: Ask) -> None:
    wanted = ask(
        f"select status, {WAY}, sum(messages) from message_delivery_daily"
        f" where day >= date '{SINCE}' group by 1, 2"
    )
    header, *lines, total = page.tables["delivery-table"]
    found = {
        (line[0], way): number(cell)
        for line in lines
        for way, cell in zip(header[1:-1], line[1:-1], strict=True)
        if cell != "0"
    }
    assert found == {(status, way): int(messages) for status, way, messages in wanted}
    assert number(total[-1]) == sum(found.values())
    codes = ask(
        "select error_code, status, sum(messages) from message_delivery_daily"
        f" where day >= date '{SINCE}' and error_code is not null group by 1, 2"
    )
    _, *failures = page.tables["errors-table"]
    assert {(int(code), status, number(n)) for code, status, n in failures} == {
        (code, status, int(n)) for code, status, n in codes
    }


def test_costs_of_each_unit_apart(page: Page, ask: Ask) -> None:
    wanted = ask(
        f"select {WAY}, coalesce(price_unit, 'not priced yet'), sum(messages), sum(segments),"
        " sum(cost)"
        f" from message_delivery_daily where day >= date '{SINCE}' group by 1, 2"
    )
    _, *lines = page.tables["cost-table"]
    assert len(lines) == len(wanted)
    found = {(line[0], line[3]): line for line in lines}
    for way, unit, messages, segments, cost in wanted:
        cells = found[way, unit]
        assert (number(cells[1]), number(cells[2])) == (messages, segments)
        if cost is None:
            assert cells[4:] == ["\N{EN DASH}"] * 2
        else:
            assert Decimal(cells[4]) == cost
            each = (cost / int(segments)).quantize(Decimal("0.00001"), ROUND_HALF_UP)
            assert Decimal(cells[5]) == each
    for unit in ("EUR", "USD"):
        ((whole,),) = ask(
            "select sum(cost) from message_delivery_daily"
            f" where price_unit = '{unit}' and day >= date '{SINCE}'"
        )
        assert f"cost, {unit}{whole.normalize():f}" in page.text


def test_storage_growth_and_what_expires(page: Page, ask: Ask) -> None:
    wanted = ask(
        "select day, sum(media_total), sum(bytes_total), sum(stored_total),"
        f" sum(stored_bytes_total) from storage_growth where day >= date '{SINCE}' group by 1"
    )
    assert len(wanted) == DAYS
    assert {day: list(map(number, cells)) for day, cells in page.rows("storage-table").items()} == {
        str(day): list(map(int, rest)) for day, *rest in wanted
    }
    expiring = ask(
        "select day, expiring_media, expiring_bytes, expiring_bytes_estimate from storage_growth"
        " where expiring_media > 0"
    )
    found = page.rows("expiry-table")
    total = found.pop("All")
    assert {day: list(map(number, cells)) for day, cells in found.items()} == {
        str(day + dt.timedelta(days=400)): rest for day, *rest in expiring
    }
    assert number(total[0]) == sum(row[1] for row in expiring)
    assert f"{number(total[0])} files without a copy will be gone within 30 days" in page.text
    assert "3 files are stored more than once, 9 copies in all" in page.text
    assert "would save 1,500,000 bytes" in page.text


def made_of(rows: dict[str, list[dict[str, Any]]], folder: Path, days: int = 90) -> Page:
    """Return the page of some marts."""
    duck = write_duckdb(folder / "marts.duckdb", rows)
    write_report(DuckPlace(duck), folder / "page.html", Wishes(days=days))
    return Page((folder / "page.html").read_text())


def test_accounts_are_added_up(tmp_path: Path) -> None:
    rows = made_up(10)
    others = {
        name: [row | {"account_sid": "AC2"} for row in rows[name] if "account_sid" in row]
        for name in rows
    }
    both = {name: rows[name] + others[name] for name in rows}
    (tmp_path / "one").mkdir()
    one, two = made_of(rows, tmp_path / "one"), made_of(both, tmp_path)
    for table, column in (("media-table", -1), ("delivery-table", -1), ("expiry-table", 1)):
        pair = [number(page.tables[table][-1][column]) for page in (one, two)]
        assert pair[1] == 2 * pair[0] > 0
    assert number(two.tables["storage-table"][1][2]) == 2 * number(
        one.tables["storage-table"][1][2]
    )
    assert ", 2 accounts." in two.text
    assert "account" not in one.text


@pytest.mark.parametrize(
    ("days", "header", "lines"), [(100, "Day", 100), (101, "Week", 16), (751, "Month", 26)]
)
def test_many_days_are_weeks_or_months(tmp_path: Path, days: int, header: str, lines: int) -> None:
    usage = {"account_sid": "AC1", "channel": "mms", "content_family": "image", "bytes": 0}
    usage |= {"media_with_bytes": 0}
    rows = [
        {"day": TODAY - dt.timedelta(days=ago), "media": ago % 5, **usage} for ago in range(760)
    ]
    page = made_of({"media_usage_daily": rows}, tmp_path, days)
    table = page.tables["media-table"]
    assert table[0][0] == header
    assert len(table) - 2 == lines
    since = TODAY - dt.timedelta(days=days - 1)
    assert number(table[-1][-1]) == sum(ago % 5 for ago in range(days))
    for line in table[1:-1]:
        ends = [dt.date.fromisoformat(day) for day in line[0].split(" to ")]
        agos = range((TODAY - ends[-1]).days, (TODAY - ends[0]).days + 1)
        assert number(line[-1]) == sum(ago % 5 for ago in agos)
    # All days, none twice.
    stretches = [line[0].split(" to ") for line in table[1:-1]]
    assert stretches[-1][0] == str(since)
    assert stretches[0][-1] == str(TODAY)
    for later, earlier in pairwise(stretches):
        end = dt.date.fromisoformat(earlier[-1])
        assert dt.date.fromisoformat(later[0]) - end == dt.timedelta(days=1)


class TestNothing:
    def test_of_anything(self, tmp_path: Path) -> None:
        page = made_of({name: [] for name in COLUMNS}, tmp_path)
        assert "no messages and no media yet" in page.text
        assert page.tables == {}
        assert "svg" not in {tag for tag, _ in page.tags}

    def test_in_these_days(self, tmp_path: Path) -> None:
        rows = made_up(5)
        # Someone stopped sending: the newest day that is known of is long after the last message.
        later = TODAY + dt.timedelta(days=200)
        rows["storage_growth"] = [growth(later, 9, 900, 0, 0) | {"as_of": later}]
        page = made_of(rows, tmp_path, days=30)
        for told in (
            "No media in these days.",
            "Nobody sent media in these days.",
            "No messages in these days.",
            "Nothing that is not downloaded expires within 30 days.",
        ):
            assert told in page.text
        assert page.rows("storage-table") == {str(later): ["9", "900", "0", "0"]}

    def test_of_messages_alone(self, tmp_path: Path) -> None:
        rows = made_up(5)
        page = made_of({"message_delivery_daily": rows["message_delivery_daily"]}, tmp_path)
        assert "No media yet." in page.text
        assert set(page.tables) == {"delivery-table", "errors-table", "cost-table"}

    def test_known_of_sizes(self, tmp_path: Path) -> None:
        rows = made_up(5)
        for row in rows["media_usage_daily"]:
            row |= {"bytes": 0, "media_with_bytes": 0}
        for row in rows["storage_growth"]:
            row |= {"bytes_total": 0, "stored_bytes_total": 0, "expiring_bytes_estimate": None}
        page = made_of(rows, tmp_path)
        assert page.text.count("No size is known yet.") == 2
        assert "of unknown size" in page.text
        assert page.rows("expiry-table")["All"][-1] == "\N{EN DASH}"
