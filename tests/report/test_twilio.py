"""The whole way: what Twilio has, through the tap and dbt, is what stands on the page."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tap_twilio_media.report.channels import name_of_channel, name_of_way
from tap_twilio_media.report.places import DuckPlace, PostgresPlace
from tap_twilio_media.report.report import Wishes, write_report
from tap_twilio_media.report.senders import UNKNOWN
from tests.postgres import Postgres
from tests.report.reading import Page, number
from tests.transform.counted import Twilio, address_channel, channel, family, loaded, with_old_media
from tests.transform.warehouses import DuckDb, PostgresWarehouse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_twilio_media.report.places import Place
    from tests.transform.warehouses import Warehouse

pytestmark = pytest.mark.long

DAYS = 3_000
DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module")
def twilio() -> Twilio:
    return with_old_media()


@pytest.fixture(scope="module")
def records(
    twilio: Twilio, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[dict[str, Any]]]:
    return loaded(twilio, tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def page(
    request: pytest.FixtureRequest,
    twilio: Twilio,
    records: dict[str, list[dict[str, Any]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Page]:
    """The page of all days."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    with Postgres(folder / "server") as postgres:
        warehouse: Warehouse = DuckDb(folder / "dbt")
        place: Place = DuckPlace(folder / "dbt" / "warehouse.duckdb")
        if request.param == "postgres":
            warehouse = PostgresWarehouse(folder / "dbt", postgres)
            place = PostgresPlace(url=postgres.dsn)
        with warehouse:
            warehouse.load_all(records, twilio.world.now.replace(tzinfo=None))
            warehouse.dbt("run")
        write_report(place, folder / "page.html", Wishes(days=DAYS, plain=True))
        yield Page((folder / "page.html").read_text())


def channels_of(twilio: Twilio) -> Counter[str]:
    """Count the media of each channel."""
    found = Counter(channel(message, has_media=True) for message, _ in twilio.media())
    found.update(address_channel(message.author) or "chat" for message, _ in twilio.files())
    return found


def test_media_by_channel(page: Page, twilio: Twilio) -> None:
    header, *_, total = page.tables["media-table"]
    found = dict(zip(header[1:-1], map(number, total[1:-1]), strict=True))
    assert found == {name_of_channel(via): n for via, n in channels_of(twilio).items()}
    assert number(total[-1]) == channels_of(twilio).total()


def test_bytes_by_family(page: Page, twilio: Twilio) -> None:
    wanted: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for _, media in twilio.media():
        known = media.content_type.startswith("image/")
        sums = wanted[family(media.content_type)]
        sums[:] = sums[0] + 1, sums[1] + known, sums[2] + known * media.size
    for _, file in twilio.files():
        sums = wanted[family(file.content_type)]
        sums[:] = sums[0] + 1, sums[1] + 1, sums[2] + file.size
    found = {name: list(map(number, cells)) for name, cells in page.rows("families-table").items()}
    assert found.pop("All") == [sum(column) for column in zip(*wanted.values(), strict=True)]
    assert found == wanted


def test_top_senders(page: Page, twilio: Twilio) -> None:
    wanted = Counter(message.from_ or UNKNOWN for message, _ in twilio.media())
    wanted.update(message.author or UNKNOWN for message, _ in twilio.files())
    _, *lines = page.tables["senders-table"]
    assert [number(line[1]) for line in lines] == [n for _, n in wanted.most_common(10)]
    for sender, media, *_ in lines:
        assert wanted[sender] == number(media)


def test_delivery_mix(page: Page, twilio: Twilio) -> None:
    wanted: Counter[tuple[str, str]] = Counter()
    for message in twilio.messages:
        via = channel(message, has_media=bool(message.num_media))
        wanted[message.status, name_of_way(via, message.direction)] += 1
    header, *lines, total = page.tables["delivery-table"]
    found = {
        (line[0], way): number(cell)
        for line in lines
        for way, cell in zip(header[1:-1], line[1:-1], strict=True)
        if cell != "0"
    }
    assert found == wanted
    assert number(total[-1]) == len(twilio.messages)
    codes = Counter(message.error_code for message in twilio.messages if message.error_code)
    found_codes: Counter[int] = Counter()
    for code, _, messages in page.tables["errors-table"][1:]:
        found_codes[int(code)] += number(messages)
    assert found_codes == codes


def test_costs(page: Page, twilio: Twilio) -> None:
    wanted: dict[str, Decimal] = defaultdict(Decimal)
    for message in twilio.messages:
        if message.price:
            wanted[str(message.price_unit)] -= Decimal(message.price)
    found: dict[str, Decimal] = defaultdict(Decimal)
    for _, _, _, unit, cost, _ in page.tables["cost-table"][1:]:
        if cost != "\N{EN DASH}":
            found[unit] += Decimal(cost.replace(",", ""))
    assert found == wanted


def test_storage_and_what_expires(
    page: Page, twilio: Twilio, records: dict[str, list[dict[str, Any]]]
) -> None:
    newest = page.tables["storage-table"][1]
    assert number(newest[1]) == channels_of(twilio).total()
    rows = [*records["message_media"], *records["mcs_media"]]
    stored = [row["file_size"] for row in rows if row["file_status"] == "stored"]
    assert number(newest[3]) == len(stored) > 50
    assert number(newest[4]) == sum(stored)
    today = twilio.world.now.date()
    expiring = Counter(
        media.date_created.date() + 400 * DAY
        for _, media in twilio.media()
        if today < media.date_created.date() + 400 * DAY <= today + 30 * DAY
        and not media.content_type.startswith("image/")
    )
    found = page.rows("expiry-table")
    assert number(found.pop("All")[0]) == expiring.total() >= 2
    assert {day: number(cells[0]) for day, cells in found.items()} == {
        str(day): n for day, n in expiring.items()
    }
