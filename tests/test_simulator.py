"""The simulator itself: what everything else is tested against must be right first."""

from __future__ import annotations

import dataclasses
import datetime as dt
import email.utils
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.parse
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import hypothesis
import hypothesis.strategies as st
import pytest
import requests

from tests.simulator import Behaviour, Fault, Simulator, World, dates, seeded_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.simulator import Account, RecordedRequest

Order: TypeAlias = Literal["top", "bottom", "created"]

NOW = dt.datetime(2026, 3, 15, 12, 0, 0, tzinfo=dt.timezone.utc)
DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)
STREAMS = (
    "accounts",
    "messages",
    "message_media",
    "conversation_services",
    "conversations",
    "conversation_messages",
    "mcs_media",
)


class Client:
    """A plain HTTP client with the main account's Auth Token."""

    def __init__(self, simulator: Simulator) -> None:
        world = simulator.world
        self.simulator = simulator
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = (world.account_sid, world.auth_token)
        self.base = f"/2010-04-01/Accounts/{world.account_sid}"

    def get(self, path: str, **options: Any) -> requests.Response:
        """Get a path of the API host, or an address."""
        url = path if path.startswith("http") else self.simulator.api_url + path
        return self.session.get(url, **{"timeout": 10} | options)

    def pages(self, path: str, key: str, **query: str) -> list[list[dict[str, Any]]]:
        """Get all pages of a list of the 2010 API."""
        link = f"{path}?{urllib.parse.urlencode(query)}"
        found = []
        while link:
            body = self.get(link).json()
            found.append(body[key])
            link = body["next_page_uri"]
        return found

    def messages(self, query: dict[str, str] | None = None) -> list[dict[str, Any]]:
        """Get all messages under filters."""
        pages = self.pages(f"{self.base}/Messages.json", "messages", **(query or {}))
        return [row for page in pages for row in page]

    def product(self, path: str, key: str, **query: str) -> list[dict[str, Any]]:
        """Get all rows of a list of Conversations."""
        link = f"{self.simulator.conversations_url}{path}?{urllib.parse.urlencode(query)}"
        found: list[dict[str, Any]] = []
        while link:
            body = self.get(link).json()
            assert body["meta"]["key"] == key
            found += body[key]
            link = body["meta"]["next_page_url"]
        return found


@pytest.fixture
def world() -> World:
    """A seeded world, as small as holds every oddity."""
    return seeded_world(seed=7, now=NOW)


@pytest.fixture
def empty() -> World:
    """A world without messages."""
    return World(seed=1, now=NOW)


@pytest.fixture
def simulator(world: World) -> Iterator[Simulator]:
    """A simulator that serves the seeded world."""
    with Simulator(world) as running:
        yield running


@pytest.fixture
def client(simulator: Simulator) -> Iterator[Client]:
    """A client of the seeded world."""
    one = Client(simulator)
    yield one
    one.session.close()


@pytest.fixture
def bare(empty: World) -> Iterator[Client]:
    """A client of the empty world."""
    with Simulator(empty) as running:
        one = Client(running)
        yield one
        one.session.close()


# The world


def test_the_same_seed_grows_the_same_world() -> None:
    first, second = (seeded_world(seed=3, now=NOW, messages=60) for _ in range(2))
    other = seeded_world(seed=4, now=NOW, messages=60)
    for stream in STREAMS:
        assert first.rows(stream) == second.rows(stream)
        assert first.rows(stream) != other.rows(stream)
    assert first.auth_token == second.auth_token != other.auth_token


def test_the_seeded_messages_hold_every_oddity(world: World) -> None:
    rows = world.rows("messages")
    assert len(rows) == 200
    unsent = Counter(row["status"] for row in rows if row["date_sent"] is None)
    assert {"scheduled", "canceled", "failed", "accepted", "queued"} <= set(unsent)
    assert {row["direction"] for row in rows} == {
        "inbound",
        "outbound-api",
        "outbound-call",
        "outbound-reply",
    }
    bodies = "".join(row["body"] for row in rows)
    assert all(text in bodies for text in ("\x00", "\n", '"', "\u202e", "👋"))
    assert any(not row["body"] for row in rows)
    senders = {row["from"] for row in rows}
    assert {None, "ACME Alerts", "72975", "whatsapp:+14155238886"} <= senders
    for field in ("price", "error_code", "messaging_service_sid"):
        assert {row[field] is None for row in rows} == {True, False}
    assert {(row["sid"][:2], row["num_media"] != "0") for row in rows} == {
        ("SM", False),
        ("SM", True),
        ("MM", False),
        ("MM", True),
    }
    per_second = Counter(row["date_sent"] for row in rows if row["date_sent"])
    assert max(per_second.values()) >= 5
    messages = world.main.messages.values()
    assert {len(message.media) for message in messages} >= {0, 1, 2, 3, 10}
    assert any((message.num_media or 0) > len(message.media) > 0 for message in messages)
    assert any((message.num_media or 0) > len(message.media) == 0 for message in messages)
    waits = [message.date_sent - message.date_created for message in messages if message.date_sent]
    assert max(waits) > 35 * DAY
    assert min(message.date_created for message in messages) < NOW - 370 * DAY
    assert any(";" in row["content_type"] for row in world.rows("message_media"))


def test_the_seeded_conversations_hold_every_oddity(world: World) -> None:
    services = world.rows("conversation_services")
    conversations = world.rows("conversations")
    messages = world.rows("conversation_messages")
    files = world.rows("mcs_media")
    assert len(services) == 3
    assert len({row["chat_service_sid"] for row in conversations}) == 2
    assert {row["state"] for row in conversations} == {
        "initializing",
        "active",
        "inactive",
        "closed",
    }
    created = {row["sid"]: row["date_created"] for row in conversations}
    assert any(row["date_created"] < created[row["conversation_sid"]] for row in messages)
    assert any(row["date_updated"] is None for row in messages)
    assert any(row["date_updated"] > row["date_created"] for row in messages if row["date_updated"])
    named = [file for row in messages for file in row["media"] or []]
    assert {"media", "body", "history"} == {file["category"] for file in named}
    assert any(file["filename"] is None for file in named)
    assert {file["sid"] for file in files} < {file["sid"] for file in named}
    assert {"content_direct_temporary" in file["links"] for file in files} == {True, False}
    assert {file["message_sid"] is None for file in files} == {True, False}
    assert all(file["date_created"].endswith("-07:00") for file in files)
    indexes = [row["index"] for row in messages]
    assert any(later - index > 1 for index, later in itertools.pairwise(indexes))


def test_files_have_the_bytes_that_their_rows_announce(world: World) -> None:
    for file in world.mcs_media.values():
        assert len(world.media_bytes(file.sid)) == file.size
    for message in world.main.messages.values():
        for media in message.media:
            assert len(world.media_bytes(media.sid)) == media.size
    png = next(file for file in world.mcs_media.values() if file.content_type == "image/png")
    assert world.media_bytes(png.sid).startswith(b"\x89PNG")


def test_naive_times_are_refused(empty: World) -> None:
    with pytest.raises(ValueError, match="aware"):
        empty.now = NOW.replace(tzinfo=None)


def test_fields_that_do_not_exist_are_refused(empty: World) -> None:
    message = empty.add_message()
    with pytest.raises(AttributeError):
        empty.update_message(message.sid, colour="red")
    assert len(empty.rows("messages")) == 1


# Order and pages


@pytest.mark.parametrize("unsent_order", ["top", "bottom", "created"])
@pytest.mark.parametrize("size", [1, 7, 50, 1000])
def test_pages_of_any_size_make_the_whole_list(
    client: Client, world: World, size: int, unsent_order: Order
) -> None:
    world.behaviour.unsent_order = unsent_order
    pages = client.pages(f"{client.base}/Messages.json", "messages", PageSize=str(size))
    assert [row for page in pages for row in page] == world.rows("messages")
    assert {len(page) for page in pages[:-1]} <= {size}


@pytest.mark.parametrize("unsent_order", ["top", "bottom", "created"])
def test_messages_are_listed_newest_first(world: World, unsent_order: Order) -> None:
    world.behaviour.unsent_order = unsent_order
    rows = world.rows("messages")

    def place(row: dict[str, Any]) -> tuple[int, float, float, str]:
        sent, created = (
            email.utils.parsedate_to_datetime(text).timestamp() if text else None
            for text in (row["date_sent"], row["date_created"])
        )
        assert created is not None
        rank = {"top": 1, "bottom": -1, "created": 0}[unsent_order]
        if sent is None:
            return rank, created, created, row["sid"]
        return 0, sent, created, row["sid"]

    assert rows == sorted(rows, key=place, reverse=True)


def test_order_follows_edits(bare: Client, empty: World) -> None:
    old = empty.add_message(date_sent=NOW - 2 * DAY)
    waiting = empty.add_message(date_sent=None, date_created=NOW - DAY, status="queued")
    young = empty.add_message(date_sent=NOW - SECOND)
    assert [row["sid"] for row in bare.messages()] == [waiting.sid, young.sid, old.sid]
    empty.update_message(waiting.sid, date_sent=NOW - DAY, status="sent")
    assert [row["sid"] for row in bare.messages()] == [young.sid, waiting.sid, old.sid]
    assert bare.messages()[1]["status"] == "sent"
    empty.delete_message(young.sid)
    assert [row["sid"] for row in bare.messages()] == [waiting.sid, old.sid]


def test_rows_that_arrive_do_not_shift_pages(bare: Client, empty: World) -> None:
    for number in range(10):
        empty.add_message(date_sent=NOW - number * SECOND)
    expected = {row["sid"] for row in empty.rows("messages")}
    body = bare.get(f"{bare.base}/Messages.json?PageSize=4").json()
    first = [row["sid"] for row in body["messages"]]
    empty.add_message()
    body = bare.get(body["next_page_uri"].replace("PageSize=4", "PageSize=100")).json()
    rest = [row["sid"] for row in body["messages"]]
    assert len(first + rest) == 10
    assert set(first + rest) == expected


@pytest.mark.parametrize(("status", "code"), [(404, 20404), (400, 20001)])
def test_a_token_whose_row_is_gone(
    client: Client, world: World, status: Literal[400, 404], code: int
) -> None:
    world.behaviour.page_token_gone = status
    body = client.get(f"{client.base}/Messages.json?PageSize=3").json()
    world.delete_message(body["messages"][-1]["sid"])
    reply = client.get(body["next_page_uri"])
    assert (reply.status_code, reply.json()["code"]) == (status, code)


@pytest.mark.parametrize("unsent_order", ["top", "bottom", "created"])
def test_paging_goes_on_from_where_its_anchor_is_now(
    bare: Client, empty: World, unsent_order: Order
) -> None:
    empty.behaviour.unsent_order = unsent_order
    for number in range(6):
        empty.add_message(date_sent=NOW - number * DAY, body=str(number))
    body = bare.get(f"{bare.base}/Messages.json?PageSize=2").json()
    empty.update_message(body["messages"][-1]["sid"], date_sent=NOW - 3.5 * DAY)
    rest = bare.get(body["next_page_uri"]).json()["messages"]
    assert [row["body"] for row in rest] == ["4", "5"]


def test_an_anchor_that_left_the_filter_still_holds(bare: Client, empty: World) -> None:
    service = empty.add_service(default=True)
    sids = sorted(empty.add_conversation(service.sid).sid for _ in range(5))
    path = f"{bare.simulator.conversations_url}/v1/Conversations?State=active&PageSize=2"
    body = bare.get(path).json()
    empty.close_conversation(sids[1])
    after = bare.get(body["meta"]["next_page_url"]).json()
    assert [row["sid"] for row in after["conversations"]] == sids[2:4]
    empty.delete_conversation(sids[3])
    assert bare.get(after["meta"]["next_page_url"]).status_code == 404


@pytest.mark.parametrize("query", ["PageSize=0", "PageSize=x", "PageToken=nonsense"])
def test_nonsense_paging_is_refused(client: Client, query: str) -> None:
    assert client.get(f"{client.base}/Messages.json?{query}").json()["code"] == 20001


def test_an_envelope_links_itself_and_keeps_filters(client: Client) -> None:
    query = {"PageSize": "2", "DateSent>": "2026-01-01", "Nonsense": "1"}
    body = client.get(f"{client.base}/Messages.json", params=query).json()
    assert (body["page"], body["page_size"], body["start"], body["end"]) == (0, 2, 0, 1)
    assert "DateSent%3E=2026-01-01" in body["next_page_uri"]
    assert body["next_page_uri"].endswith(f"&Page=1&PageToken=PA{body['messages'][-1]['sid']}")
    assert client.get(body["next_page_uri"]).json()["start"] == 2


# Filters


def minutes(bare: Client, query: dict[str, str]) -> list[int]:
    """Return which of the messages of the `calendar` fixture come, None as -1."""
    return sorted(int(row["body"]) for row in bare.messages(query))


@pytest.fixture
def calendar(bare: Client, empty: World) -> Client:
    """Messages around the 10th of March: 0 and 1 before, 2 at midnight, ..., -1 never sent."""
    midnight = dt.datetime(2026, 3, 10, tzinfo=dt.timezone.utc)
    offsets = (-DAY, -SECOND, 0 * DAY, SECOND, DAY - SECOND, DAY, 2 * DAY)
    for number, offset in enumerate(offsets):
        empty.add_message(date_sent=midnight + offset, body=str(number))
    empty.add_message(date_sent=None, date_created=midnight, body="-1", status="canceled")
    return bare


@pytest.mark.parametrize(
    ("bounds", "date_filter", "query", "expected"),
    [
        ("inclusive", "seconds", {"DateSent>": "2026-03-10"}, [2, 3, 4, 5, 6]),
        ("inclusive", "seconds", {"DateSent<": "2026-03-10"}, [0, 1, 2, 3, 4]),
        ("inclusive", "seconds", {"DateSent": "2026-03-10"}, [2, 3, 4]),
        ("inclusive", "seconds", {"DateSent>": "2026-03-10T00:00:01Z"}, [3, 4, 5, 6]),
        ("inclusive", "seconds", {"DateSent<": "2026-03-10T00:00:01Z"}, [0, 1, 2, 3]),
        ("exclusive", "seconds", {"DateSent>": "2026-03-10T00:00:01Z"}, [4, 5, 6]),
        ("exclusive", "seconds", {"DateSent<": "2026-03-10T00:00:01Z"}, [0, 1, 2]),
        ("inclusive", "days", {"DateSent>": "2026-03-10T13:00:00Z"}, [2, 3, 4, 5, 6]),
        ("inclusive", "days", {"DateSent<": "2026-03-10T13:00:00Z"}, [0, 1, 2, 3, 4]),
        ("exclusive", "days", {"DateSent>": "2026-03-10T13:00:00Z"}, [5, 6]),
        ("exclusive", "days", {"DateSent<": "2026-03-10T13:00:00Z"}, [0, 1]),
        ("exclusive", "days", {"DateSent>": "2026-03-09", "DateSent<": "2026-03-11"}, [2, 3, 4]),
    ],
)
def test_date_filters(
    calendar: Client,
    bounds: Literal["inclusive", "exclusive"],
    date_filter: Literal["seconds", "days"],
    query: dict[str, str],
    expected: list[int],
) -> None:
    behaviour = Behaviour(bounds=bounds, date_filter=date_filter)
    calendar.simulator.world.behaviour = behaviour
    orders: tuple[Order, ...] = ("top", "bottom", "created")
    for order in orders:
        behaviour.unsent_order = order
        behaviour.filters_return_unsent = False
        assert minutes(calendar, query) == expected
        behaviour.filters_return_unsent = True
        assert minutes(calendar, query | {"PageSize": "2"}) == [-1, *expected]


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-10T00:00:01Z",
        "2026-03-10T00:00:01",
        "2026-03-10 00:00:01",
        "2026-03-10 00:00:01Z",
        "2026-03-10 00:00:01.000",
        "2026-03-10T02:00:01+02:00",
        "2026-03-09T17:00:01-0700",
        "Tue, 10 Mar 2026 00:00:01 +0000",
        "Tue, 10 Mar 2026 00:00:01 -0000",
        "03/09/2026 17:00:01 MST",
    ],
)
def test_one_second_in_every_format(calendar: Client, value: str) -> None:
    assert minutes(calendar, {"DateSent": value}) == [3]


@hypothesis.given(st.text(alphabet="0123456789-:/TZ+ .MarSunWed,", max_size=30))
def test_a_date_filter_is_read_or_refused(text: str) -> None:
    try:
        start, end = dates.parse_span(text)
    except (ValueError, OverflowError):
        return
    assert start < end
    wide = dates.whole_days((start, end))
    assert wide[0] <= start < end <= wide[1]


@hypothesis.given(st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2100, 1, 1)))  # noqa: DTZ001
def test_what_the_apis_write_can_be_read(naive: dt.datetime) -> None:
    moment = dates.as_utc(naive.replace(tzinfo=dt.timezone.utc))
    for text in (dates.rfc2822(moment), dates.iso8601(moment), f"{moment:%Y-%m-%d %H:%M:%SZ}"):
        assert text is not None
        assert dates.parse_span(text) == (moment, moment + SECOND)
    assert dt.datetime.fromisoformat(dates.mcs_time(moment)) == moment


def test_a_month_is_a_range(calendar: Client) -> None:
    assert minutes(calendar, {"DateSent": "2026-03"}) == [0, 1, 2, 3, 4, 5, 6]
    assert minutes(calendar, {"DateSent": "2026-02"}) == []


@pytest.mark.parametrize("value", [">=2026-03-10", "yesterday", "2026-13-01", "2026-02-30", "20"])
def test_what_is_no_date_is_refused(bare: Client, value: str) -> None:
    reply = bare.get(f"{bare.base}/Messages.json", params={"DateSent": value})
    assert (reply.status_code, reply.json()["code"]) == (400, 20001)


def test_filters_by_number(bare: Client, empty: World) -> None:
    one = empty.add_message(to="+15551", from_="ACME")
    empty.add_message(to="+15551", from_="Other")
    empty.add_message(to="+15552", from_="ACME")
    rows = bare.messages({"To": "+15551", "From": "ACME", "DateCreated>": "2030-01-01"})
    assert [row["sid"] for row in rows] == [one.sid]


def test_a_range_before_what_is_retained_fails_as_a_whole(client: Client, world: World) -> None:
    world.behaviour.retention_days = 30
    oldest = NOW - 30 * DAY
    for name in ("DateSent>", "DateSent"):
        query = {name: f"{oldest - SECOND:%Y-%m-%dT%H:%M:%SZ}"}
        reply = client.get(f"{client.base}/Messages.json", params=query)
        assert (reply.status_code, reply.json()["code"]) == (400, 20004)
        assert "30 days" in reply.json()["message"]
        query = {name: f"{oldest:%Y-%m-%dT%H:%M:%SZ}"}
        assert client.get(f"{client.base}/Messages.json", params=query).ok
    query = {"DateSent<": "2020-01-01"}
    assert client.get(f"{client.base}/Messages.json", params=query).json()["messages"] == []


# Credentials


def token(account: Account) -> tuple[str, str]:
    """Return an account's Auth Token credentials."""
    return account.sid, account.auth_token


def key(account: Account) -> tuple[str, str]:
    """Return an account's API key credentials."""
    return account.api_key_sid, account.api_key_secret


def test_who_may_read_what(simulator: Simulator, world: World) -> None:
    main = world.main
    busy, suspended, _ = list(world.accounts.values())[1:]

    def ask(
        auth: tuple[str, str] | None, path: str, base: str = simulator.api_url
    ) -> int | tuple[int, int]:
        url = base + path
        with requests.Session() as session:
            session.trust_env = False
            reply = session.get(url, auth=auth, timeout=10)
        return 200 if reply.ok else (reply.status_code, reply.json()["code"])

    accounts = "/2010-04-01/Accounts.json"
    account = "/2010-04-01/Accounts/{}.json"
    messages = "/2010-04-01/Accounts/{}/Messages.json"
    refused, missing = (401, 20003), (404, 20404)
    services, conversations = "/v1/Services", simulator.conversations_url
    unlike = (main.sid, main.api_key_secret)
    for auth, path, expected in [
        (token(main), accounts, 200),
        (token(main), account.format(busy.sid), 200),
        (token(main), messages.format(main.sid), 200),
        (token(main), messages.format(busy.sid), 200),
        (token(main), messages.format(suspended.sid), refused),
        (token(main), messages.format("AC" + "0" * 32), missing),
        (token(suspended), messages.format(suspended.sid), refused),
        (token(busy), messages.format(busy.sid), 200),
        (token(busy), messages.format(main.sid), refused),
        (key(main), accounts, refused),
        (key(main), account.format(main.sid), refused),
        (key(main), messages.format(main.sid), 200),
        (key(main), messages.format(busy.sid), missing),
        (key(busy), messages.format(busy.sid), 200),
        (key(suspended), messages.format(suspended.sid), refused),
        (unlike, messages.format(main.sid), refused),
        (None, messages.format(main.sid), refused),
    ]:
        assert ask(auth, path) == expected, (auth, path)
    theirs = f"{services}/{world.rows('conversation_services', busy.sid)[0]['sid']}"
    for auth, path, expected in [
        (token(main), services, 200),
        (key(main), services, 200),
        (token(main), theirs, missing),
        (token(busy), theirs, 200),
        (token(suspended), services, refused),
    ]:
        assert ask(auth, path, conversations) == expected, (auth, path)


def test_what_a_subaccount_sees(client: Client, world: World) -> None:
    busy = list(world.accounts.values())[1]
    client.session.auth = (busy.sid, busy.auth_token)
    listed = client.get("/2010-04-01/Accounts.json").json()["accounts"]
    assert [row["sid"] for row in listed] == [busy.sid]
    assert listed == world.rows("accounts", busy.sid)


@pytest.mark.parametrize("path", ["/", "/2010-04-01/Accounts/AC1/Messages.json", "/v1/Services"])
def test_unknown_paths_are_not_found(client: Client, path: str) -> None:
    reply = client.get(path)
    assert reply.status_code == 404
    assert set(reply.json()) == {"code", "message", "more_info", "status"}


# Rows


def test_single_resources_equal_their_rows(client: Client, world: World) -> None:
    for row in [*world.rows("messages"), *world.rows("accounts"), *world.rows("message_media")]:
        assert client.get(row["uri"]).json() == row
    for row in [*world.rows("conversations"), *world.rows("conversation_messages")]:
        path = urllib.parse.urlsplit(row["url"]).path
        assert client.get(client.simulator.conversations_url + path).json() == row
    for row in world.rows("mcs_media"):
        assert client.get(client.simulator.mcs_url + row["url"]).json() == row


def test_media_lists_equal_their_rows(client: Client, world: World) -> None:
    found = []
    for row in world.rows("messages"):
        for page in client.pages(row["subresource_uris"]["media"], "media_list", PageSize="4"):
            found += page
    assert found == world.rows("message_media")


def test_dates_and_numbers_are_text_as_with_twilio(bare: Client, empty: World) -> None:
    empty.add_message(num_media=2, price=None)
    row = bare.messages()[0]
    assert row["date_sent"] == "Sun, 15 Mar 2026 12:00:00 +0000"
    assert (row["num_media"], row["num_segments"], row["price"]) == ("2", "1", None)
    reply = bare.get(f"{bare.base}/Messages.json")
    assert reply.headers["Date"] == "Sun, 15 Mar 2026 12:00:00 GMT"
    assert reply.headers["Twilio-Request-Id"].startswith("RQ")
    empty.now += DAY
    assert bare.get("/").headers["Date"] == "Mon, 16 Mar 2026 12:00:00 GMT"


def test_cached_rows_follow_edits(bare: Client, empty: World) -> None:
    message = empty.add_message(num_media=1)
    assert bare.messages()[0]["num_media"] == "1"
    empty.now += DAY
    empty.update_message(message.sid, price="-1", body="new")
    row = bare.messages()[0]
    assert (row["price"], row["body"]) == ("-1", "new")
    assert row["date_updated"] == "Mon, 16 Mar 2026 12:00:00 +0000"
    empty.delete_media(message.media[0].sid)
    assert bare.messages()[0]["num_media"] == "1"
    assert empty.rows("message_media") == []


# Conversations


def test_conversations_of_all_services(client: Client, world: World) -> None:
    found: list[dict[str, Any]] = []
    talk: list[dict[str, Any]] = []
    services = client.product("/v1/Services", "services", PageSize="2")
    assert services == world.rows("conversation_services")
    for service in services:
        path = f"/v1/Services/{service['sid']}/Conversations"
        mine = client.product(path, "conversations", PageSize="3")
        found += mine
        for conversation in mine:
            inside = f"{path}/{conversation['sid']}/Messages"
            rows = client.product(inside, "messages", PageSize="100")
            talk += rows
            assert client.product(inside, "messages", Order="desc", PageSize="9") == rows[::-1]

    def by_sid(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return sorted(rows, key=lambda row: str(row["sid"]))

    assert by_sid(found) == by_sid(world.rows("conversations"))
    assert by_sid(talk) == by_sid(world.rows("conversation_messages"))


def test_the_short_path_leads_to_the_default_service(client: Client, world: World) -> None:
    configuration = client.get(f"{client.simulator.conversations_url}/v1/Configuration").json()
    default = configuration["default_chat_service_sid"]
    rows = client.product("/v1/Conversations", "conversations")
    assert {row["chat_service_sid"] for row in rows} == {default}
    world.behaviour.services_list_has_default = False
    assert default not in {row["sid"] for row in client.product("/v1/Services", "services")}
    assert client.get(f"{client.simulator.conversations_url}/v1/Services/{default}").ok


def test_filters_of_conversations(client: Client, world: World) -> None:
    start, end = NOW - 200 * DAY, NOW - 5 * DAY
    query = {
        "StartDate": f"{start:%Y-%m-%dT00:00:00Z}",
        "EndDate": f"{end:%Y-%m-%dT23:59:59Z}",
        "State": "inactive",
    }
    rows = client.product("/v1/Conversations", "conversations", **query)
    assert rows == [
        row
        for row in world.rows("conversations")
        if row["chat_service_sid"] == world.main.default_service_sid
        and row["state"] == "inactive"
        and query["StartDate"] <= row["date_created"] <= query["EndDate"]
    ]
    assert rows


@pytest.mark.parametrize(
    "path",
    [
        "/v1/Services?PageSize=101",
        "/v1/Conversations?PageSize=1000",
        "/v1/Conversations?StartDate=x",
    ],
)
def test_conversations_refuse_what_is_out_of_bounds(client: Client, path: str) -> None:
    reply = client.get(client.simulator.conversations_url + path)
    assert (reply.status_code, reply.json()["code"]) == (400, 20001)


def test_the_next_page_may_be_on_the_public_host(client: Client, world: World) -> None:
    world.behaviour.next_page_host = "public"
    meta = client.get(f"{client.simulator.conversations_url}/v1/Services?PageSize=1").json()["meta"]
    assert meta["next_page_url"].startswith("https://conversations.twilio.com/v1/Services?")


def test_edits_of_conversations(bare: Client, empty: World) -> None:
    service = empty.add_service(default=True)
    conversation = empty.add_conversation(service.sid, state="inactive")
    messages = [empty.add_conversation_message(conversation.sid, media=1) for _ in range(3)]
    assert conversation.state == "active"
    path = f"/v1/Conversations/{conversation.sid}/Messages"
    empty.now += DAY
    empty.delete_conversation_message(messages[1].sid)
    empty.update_conversation_message(messages[2].sid, body="edited")
    rows = bare.product(path, "messages")
    assert [(row["index"], row["body"]) for row in rows] == [(0, "Hello"), (2, "edited")]
    assert rows[1]["date_updated"] == "2026-03-16T12:00:00Z"
    empty.close_conversation(conversation.sid)
    row = bare.product("/v1/Conversations", "conversations")[0]
    assert (row["state"], row["timers"]) == ("closed", {"date_closed": "2026-03-16T12:00:00Z"})
    file = messages[0].media[0].sid
    assert empty.mcs_parents(file) == (conversation.sid, messages[0].sid, service.sid)
    empty.delete_mcs_media(file)
    where = f"{bare.simulator.mcs_url}/v1/Services/{service.sid}/Media/{file}"
    assert bare.get(where).status_code == bare.get(f"{where}/Content").status_code == 404
    empty.delete_conversation(conversation.sid)
    for stream in ("conversations", "conversation_messages", "mcs_media"):
        assert empty.rows(stream) == []


# Files


def content_url(world: World) -> tuple[str, str]:
    """Return the sid and the content path of a file of a message."""
    row = world.rows("message_media")[0]
    return row["sid"], row["uri"].removesuffix(".json")


@pytest.mark.parametrize("status", [302, 307])
def test_a_file_is_a_redirect_away(client: Client, world: World, status: int) -> None:
    world.behaviour.redirect_status = status
    sid, path = content_url(world)
    reply = client.get(path, allow_redirects=False)
    assert reply.status_code == status
    assert reply.headers["Content-Type"] == "application/xml"
    location = urllib.parse.urlsplit(reply.headers["Location"])
    assert f"{location.scheme}://{location.netloc}" == client.simulator.media_url
    assert set(urllib.parse.parse_qs(location.query)) == {"Expires", "Signature", "Key-Pair-Id"}
    reply = client.get(path)
    assert reply.content == world.media_bytes(sid)
    assert client.simulator.leaked_authorizations == 0


def test_a_signed_address_expires_and_cannot_be_forged(client: Client, world: World) -> None:
    client.simulator.signed_url_seconds = 60
    _, path = content_url(world)
    signed = client.get(path, allow_redirects=False).headers["Location"]
    client.session.auth = None
    assert client.get(signed).status_code == 200
    assert client.get(signed.replace("Expires=", "Expires=9")).status_code == 403
    assert client.get(signed.partition("?")[0]).status_code == 403
    world.now += 60 * SECOND
    assert client.get(signed).status_code == 403


def test_a_leaked_authorization_is_noticed(client: Client, world: World) -> None:
    _, path = content_url(world)
    signed = client.get(path, allow_redirects=False).headers["Location"]
    assert client.get(signed).status_code == 400
    assert client.simulator.leaked_authorizations == 1


def test_deleted_files_are_gone_everywhere(client: Client, world: World) -> None:
    sid, path = content_url(world)
    signed = client.get(path, allow_redirects=False).headers["Location"]
    world.delete_media(sid)
    assert client.get(path).status_code == client.get(f"{path}.json").status_code == 404
    client.session.auth = None
    assert client.get(signed).status_code == 404


def test_files_of_conversations(client: Client, world: World) -> None:
    row = next(row for row in world.rows("mcs_media") if len(row["links"]) == 2)
    url = client.simulator.mcs_url + row["links"]["content"]
    assert client.get(url).content == world.media_bytes(row["sid"])
    world.behaviour.mcs_content = "bytes"
    reply = client.get(url, allow_redirects=False)
    assert (reply.status_code, len(reply.content)) == (200, row["size"])
    with requests.Session() as stranger:
        stranger.trust_env = False
        reply = stranger.get(row["links"]["content_direct_temporary"], timeout=10)
    assert reply.content == world.media_bytes(row["sid"])


def test_mcs_spells_the_file_name_either_way(client: Client, world: World) -> None:
    world.behaviour.mcs_field = "file_name"
    row = world.rows("mcs_media")[0]
    assert "filename" not in row
    assert client.get(client.simulator.mcs_url + row["url"]).json()["file_name"] == row["file_name"]


# Faults


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("429", 429, 20429),
        ("500", 500, 20500),
        ("502", 502, None),
        ("503", 503, None),
        ("401", 401, 20003),
        ("403", 403, 20403),
        ("404", 404, 20404),
        ("20004", 400, 20004),
    ],
)
def test_faults_that_refuse(client: Client, kind: str, status: int, code: int | None) -> None:
    client.simulator.faults.add(Fault(kind, retry_after=2))
    reply = client.get(f"{client.base}/Messages.json")
    assert (reply.status_code, reply.headers["Retry-After"]) == (status, "2")
    if code:
        assert reply.json()["code"] == code
    else:
        assert reply.headers["Content-Type"] == "text/html"
    assert client.get(f"{client.base}/Messages.json").ok
    assert [request.status for request in client.simulator.requests] == [status, 200]


def test_faults_that_break_the_connection(client: Client) -> None:
    path = f"{client.base}/Messages.json"
    whole = client.get(path).content
    client.simulator.faults.add(Fault("reset"))
    with pytest.raises(requests.ConnectionError):
        client.get(path)
    client.simulator.faults.add(Fault("truncate"))
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        client.get(path)
    assert client.get(path).content == whole


def test_faults_that_spoil_the_body(client: Client, world: World) -> None:
    path = f"{client.base}/Messages.json"
    client.simulator.faults.add(Fault("bad_json"))
    with pytest.raises(json.JSONDecodeError):
        json.loads(client.get(path).content)
    client.simulator.faults.add(Fault("overrun"))
    with pytest.raises(json.JSONDecodeError):
        json.loads(client.get(path).content)
    client.simulator.faults.add(Fault("drip", delay=0.001))
    with pytest.raises(requests.ConnectionError, match="more than 100 headers"):
        client.get(path)
    client.simulator.faults.add(Fault("slow", delay=0.001))
    assert client.get(path).json()["messages"] == world.rows("messages")[:50]
    client.simulator.faults.add(Fault("wrong_length", endpoint="signed_content"))
    sid, file = content_url(world)
    assert client.get(file).content == world.media_bytes(sid)[:-7]


def test_a_hanging_request_ends_when_its_client_leaves(client: Client) -> None:
    client.simulator.faults.add(Fault("hang"))
    with pytest.raises(requests.ReadTimeout):
        client.get(f"{client.base}/Messages.json", timeout=0.1)
    assert client.get(f"{client.base}/Messages.json").ok
    assert [request.status for request in client.simulator.requests] == [0, 200]


def test_a_hanging_request_ends_with_the_simulator(world: World) -> None:
    arrived = threading.Event()
    with ThreadPoolExecutor(1) as pool, Simulator(world) as running:
        client = Client(running)
        running.faults.add(Fault("call", call=lambda _: arrived.set()), Fault("hang"))
        answer = pool.submit(client.get, f"{client.base}/Messages.json")
        assert arrived.wait(10)
        running.stop()
        assert isinstance(answer.exception(10), requests.ConnectionError)
        client.session.close()


def statuses(client: Client, fault: Fault, count: int) -> list[int]:
    """Return the statuses of as many requests under a fault."""
    client.simulator.faults.add(fault)
    return [
        client.get(f"{client.base}/Messages.json?N={number}").status_code for number in range(count)
    ]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault("500", times=2), [500, 500, 200, 200, 200, 200]),
        (Fault("500", after=3), [200, 200, 200, 500, 200, 200]),
        (Fault("500", every=2, times=None), [200, 500, 200, 500, 200, 500]),
        (Fault("500", every=3, after=1, times=1), [200, 200, 200, 500, 200, 200]),
        (Fault("500", match="N=4", times=None), [200, 200, 200, 200, 500, 200]),
        (Fault("500", endpoint="media", times=None), [200] * 6),
        (Fault("500", endpoint="messages", rate=1, times=None), [500] * 6),
        (Fault("500", rate=0, times=None), [200] * 6),
        (Fault("status", status=418, code=1), [418, 200, 200, 200, 200, 200]),
    ],
)
def test_when_faults_happen(client: Client, fault: Fault, expected: list[int]) -> None:
    assert statuses(client, fault, 6) == expected


def test_faults_at_a_rate_happen_sometimes(client: Client) -> None:
    found = Counter(statuses(client, Fault("500", rate=0.5, times=None), 60))
    assert set(found) == {200, 500}
    client.simulator.faults.clear()
    assert client.get(f"{client.base}/Messages.json").ok


def test_a_lot_decides_for_each_try_of_each_address(client: Client) -> None:
    fault = Fault("500", rate=0.5, lot=3, times=None)
    once = statuses(client, dataclasses.replace(fault), 20)
    assert set(once) == {200, 500}
    client.simulator.faults.clear()
    client.simulator.faults.add(fault)
    paths = [f"{client.base}/Messages.json?N={number}" for number in range(20)]
    backwards = [client.get(path).status_code for path in reversed(paths)]
    assert backwards[::-1] == once
    again = [client.get(path).status_code for path in paths]
    assert again != once, "another try, another chance"


def test_a_fault_for_one_name_alone(client: Client, world: World) -> None:
    fault = Fault("403", username=world.api_key_sid, times=None)
    assert statuses(client, fault, 3) == [200] * 3
    client.session.auth = (world.api_key_sid, world.api_key_secret)
    assert client.get(f"{client.base}/Messages.json").status_code == 403


def test_a_connection_may_serve_one_request_alone(client: Client) -> None:
    client.simulator.keeps_alive = False
    reply = client.get(f"{client.base}/Messages.json")
    assert reply.headers["Connection"] == "close"
    assert client.get(f"{client.base}/Messages.json").ok


def test_a_call_changes_the_world_before_the_answer(client: Client, world: World) -> None:
    seen: list[RecordedRequest] = []

    def delete_anchor(request: RecordedRequest) -> None:
        seen.append(request)
        world.delete_message(request.query["PageToken"].removeprefix("PA"))

    client.simulator.faults.add(Fault("call", match="PageToken", call=delete_anchor))
    link = client.get(f"{client.base}/Messages.json?PageSize=5").json()["next_page_uri"]
    assert client.get(link).status_code == 404
    assert seen[0].endpoint == "messages"


@pytest.mark.parametrize("arguments", [{"kind": "nonsense"}, {"kind": "call"}])
def test_faults_that_make_no_sense_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="fault"):
        Fault(**arguments)


# Recording and concurrency


def test_requests_are_recorded(client: Client, world: World) -> None:
    client.get(f"{client.base}/Messages.json", params={"DateSent>": "2026-03-01"})
    client.get(content_url(world)[1])
    client.get("/nowhere")
    first = client.simulator.requests[0]
    assert (first.host, first.endpoint, first.status) == ("api", "messages", 200)
    assert first.query == {"DateSent>": "2026-03-01"}
    assert first.username == world.account_sid
    assert [request.endpoint for request in client.simulator.requests[1:]] == [
        "media_content",
        "signed_content",
        "unknown",
    ]
    assert client.simulator.requests[2].username is None
    assert client.simulator.count() == 4
    assert client.simulator.count("messages") == client.simulator.max_in_flight == 1
    client.simulator.reset()
    assert client.simulator.count() == client.simulator.max_in_flight == 0


def test_more_requests_than_allowed_at_once_are_refused(world: World) -> None:
    world.behaviour = Behaviour(max_concurrent=3, retry_after=1)
    arrived = threading.Semaphore(0)
    with Simulator(world) as running, ThreadPoolExecutor(3) as pool:
        clients = [Client(running) for _ in range(4)]
        path = f"{clients[0].base}/Messages.json"
        note = Fault("call", times=3, call=lambda _: arrived.release())
        running.faults.add(note, Fault("hang", times=3))
        waiting = [pool.submit(client.get, path) for client in clients[:3]]
        assert all(arrived.acquire(timeout=10) for _ in waiting)
        refused = clients[3].get(path)
        assert (refused.status_code, refused.json()["code"]) == (429, 20429)
        assert refused.headers["Retry-After"] == "1"
        assert running.max_in_flight == 4
        assert running.requests[-1].in_flight == 4
        running.stop()
        assert all(answer.exception(10) for answer in waiting)
        for client in clients:
            client.session.close()


def test_the_world_may_change_while_it_is_read(client: Client, world: World) -> None:
    kept = {row["sid"] for row in world.rows("messages")}
    done = threading.Event()

    def stir() -> None:
        while not done.is_set():
            sid = world.add_message(num_media=1).sid
            world.update_message(sid, date_sent=None)
            world.delete_message(sid)

    with ThreadPoolExecutor(1) as pool:
        stirring = pool.submit(stir)
        for _ in range(10):
            page = client.get(f"{client.base}/Messages.json?PageSize=1000").json()["messages"]
            assert kept <= {row["sid"] for row in page}
        done.set()
        stirring.result(10)


# A process of its own


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_simulator_as_a_process(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "tests.simulator", "--seed", "7", "--messages", "3"]
    command += ["--now", NOW.isoformat()]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout is not None
            about = json.loads(process.stdout.readline())
            url = f"{about['api_url']}/2010-04-01/Accounts/{about['account_sid']}/Messages.json"
            with requests.Session() as session:
                session.trust_env = False
                auth = (about["account_sid"], about["auth_token"])
                body = session.get(url, auth=auth, timeout=10).json()
            expected = seeded_world(seed=7, now=NOW, messages=3).rows("messages")
            assert body["messages"] == expected
        finally:
            process.send_signal(number)
        assert process.wait(10) == 0
