"""Lists of several pages, in both of Twilio's ways."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tap_twilio_media.client.errors import (
    GoneError,
    InvalidRequestError,
    PageLostError,
    PagingLoopError,
    RefusedError,
    TwilioError,
    UnavailableError,
)
from tap_twilio_media.client.pages import Page, pages
from tests.client.asking import Answer, Server, client_of
from tests.simulator import Simulator, World, seeded_world

if TYPE_CHECKING:
    from collections.abc import Mapping

ROWS = [{"sid": str(number)} for number in range(10)]


@pytest.fixture
def world() -> World:
    return seeded_world(messages=23, conversations=5)


def page(rows: list[dict[str, str]], link: object, *, newer: bool = False) -> Answer:
    """Return the answer of one of the two ways, with totals that nobody should trust."""
    totals = {"page": 0, "page_size": 0, "end": 0, "total": 0, "num_pages": 1}
    if newer:
        return Answer({"rows": rows, "meta": totals | {"next_page_url": link}})
    return Answer(totals | {"rows": rows, "next_page_uri": link})


def read(
    server: Server,
    prefix: str = "",
    params: Mapping[str, str] | None = None,
    budget: float = 600,
) -> list[Page]:
    base = server.url + prefix
    with closing(client_of(base, budget=budget)) as client:
        return list(pages(client, base, "/list", "rows", params))


def sids(found: list[Page]) -> list[str]:
    return [row["sid"] for one in found for row in one.rows]


# ---- against the simulator


@pytest.mark.parametrize("size", [1, 5, 23, 1000])
def test_lists_of_the_2010_api_are_read_whole(sim: Simulator, size: int) -> None:
    path = f"/2010-04-01/Accounts/{sim.world.account_sid}/Messages.json"
    rows = sim.world.rows("messages")
    with closing(client_of(sim.api_url, sim.world.account_sid, sim.world.auth_token)) as client:
        found = list(pages(client, sim.api_url, path, "messages", {"PageSize": str(size)}))
    assert [row for one in found for row in one.rows] == rows
    assert len(found) == sim.count() == -(-len(rows) // size)
    assert [one.is_last for one in found] == [False] * (len(found) - 1) + [True]
    assert {one.date for one in found} == {sim.world.now}
    assert {request.query["PageSize"] for request in sim.requests} == {str(size)}


@pytest.mark.parametrize("size", [1, 2, 100])
def test_lists_of_conversations_are_read_whole(sim: Simulator, size: int) -> None:
    services = [row["chat_service_sid"] for row in sim.world.rows("conversations")]
    service = max(services, key=services.count)
    rows = [r for r in sim.world.rows("conversations") if r["chat_service_sid"] == service]
    with closing(client_of(sim.api_url, sim.world.account_sid, sim.world.auth_token)) as client:
        found = list(
            pages(
                client,
                sim.conversations_url,
                f"/v1/Services/{service}/Conversations",
                "conversations",
                {"PageSize": str(size)},
            )
        )
    assert len(rows) > 1
    assert sorted(sids(found)) == sorted(row["sid"] for row in rows)
    assert sim.count("conversations") == len(found)
    assert [one.is_last for one in found] == [False] * (len(found) - 1) + [True]


# ---- links


@pytest.mark.parametrize("newer", [False, True])
def test_a_page_is_asked_for_only_when_the_one_before_was_taken(*, newer: bool) -> None:
    answers = [page(ROWS[:1], "/list?Page=1", newer=newer), page(ROWS[1:2], None, newer=newer)]
    with Server(*answers) as server, closing(client_of(server.url)) as client:
        found = pages(client, server.url, "/list", "rows")
        assert server.targets == []
        assert next(found).rows == ROWS[:1]
        assert server.targets == ["/list"]
        assert next(found).rows == ROWS[1:2]
        assert server.targets == ["/list", "/list?Page=1"]
        assert next(found, None) is None
        assert len(server.targets) == 2


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize(
    "link",
    [
        "/list?Page=1&PageToken=PA%2B1",
        "{own}/list?Page=1&PageToken=PA%2B1",
        "{other}/list?Page=1&PageToken=PA%2B1",
        "https://api.twilio.com/list?Page=1&PageToken=PA%2B1",
        "http://somebody:secret@localhost:1/list?Page=1&PageToken=PA%2B1",
    ],
)
def test_of_a_link_only_path_and_query_count(link: str, *, newer: bool) -> None:
    with Server(page(ROWS, None)) as other, Server(Answer()) as server:
        link = link.format(own=server.url, other=other.url)
        server.answers = [page(ROWS[:1], link, newer=newer), page(ROWS[1:2], None, newer=newer)]
        assert sids(read(server, params={"PageSize": "7"})) == ["0", "1"]
    assert server.targets == ["/list?PageSize=7", "/list?Page=1&PageToken=PA%2B1"]
    assert other.heard == []


@pytest.mark.parametrize(
    "link", ["/list?Page=1", "/proxy/list?Page=1", "https://x/proxy/list?Page=1"]
)
def test_the_prefix_of_a_base_is_kept_once(link: str) -> None:
    with Server(page(ROWS[:1], link), page(ROWS[1:2], None)) as server:
        assert sids(read(server, "/proxy")) == ["0", "1"]
    assert server.targets == ["/proxy/list", "/proxy/list?Page=1"]


def test_the_links_carry_the_query_on() -> None:
    with Server(page(ROWS[:1], "/list?Page=1"), page(ROWS[1:2], None)) as server:
        read(server, params={"PageSize": "7", "DateSent>": "2026-01-31"})
    query = parse_qs(urlsplit(server.targets[0]).query)
    assert query == {"PageSize": ["7"], "DateSent>": ["2026-01-31"]}
    assert server.targets[1] == "/list?Page=1"


def test_empty_pages_do_not_end_a_list() -> None:
    answers = [
        page([], "/list?Page=1"),
        page(ROWS[:1], "/list?Page=2"),
        page([], "/list?Page=3"),
        page(ROWS[1:2], "/list?Page=4"),
        page([], None),
    ]
    with Server(*answers) as server:
        found = read(server)
    assert [len(one.rows) for one in found] == [0, 1, 0, 1, 0]
    assert [one.is_last for one in found] == [False] * 4 + [True]


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("link", [None, ""])
def test_a_list_may_be_empty(link: str | None, *, newer: bool) -> None:
    with Server(page([], link, newer=newer)) as server:
        (found,) = read(server)
    assert (found.rows, found.is_last) == ([], True)
    assert found.seconds > 0


def test_a_list_without_a_word_on_pages_is_one_page() -> None:
    with Server(Answer({"rows": ROWS})) as server:
        assert [one.is_last for one in read(server)] == [True]


# ---- loops


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize("link", ["/list", "{own}/list", "https://elsewhere/list"])
def test_a_page_that_links_to_itself_is_an_error(link: str, *, newer: bool) -> None:
    with Server(Answer()) as server:
        server.answers = [page(ROWS, link.format(own=server.url), newer=newer)]
        with pytest.raises(PagingLoopError, match=r"^/list: Twilio linked to a page"):
            read(server)
    assert len(server.heard) == 1


def test_a_loop_of_pages_is_an_error() -> None:
    links = ["/list?Page=1", "/list?Page=2", "/list?Page=3", "/list?Page=1"]
    answers = [page(ROWS, link) for link in links]
    with Server(*answers) as server, pytest.raises(PagingLoopError):
        read(server, params={"PageSize": "7"})
    assert len(server.heard) == 4


def test_a_page_that_links_to_itself_is_yielded_before_the_error() -> None:
    with (
        Server(page(ROWS, "/list?Page=1"), page(ROWS, "/list?Page=1")) as server,
        closing(client_of(server.url)) as client,
    ):
        found = pages(client, server.url, "/list", "rows")
        assert [next(found).is_last, next(found).is_last] == [False, False]
        with pytest.raises(PagingLoopError):
            next(found)


# ---- refusals


def refused(status: int) -> Answer:
    return Answer({"code": 20999, "message": "Gone"}, status, {"Twilio-Request-Id": "RQ1"})


@pytest.mark.parametrize("params", [None, {"PageSize": "7"}])
@pytest.mark.parametrize(
    ("status", "first", "requests"), [(400, InvalidRequestError, 1), (404, GoneError, 3)]
)
def test_a_later_page_that_is_refused_is_lost(
    params: dict[str, str] | None, status: int, first: type[TwilioError], requests: int
) -> None:
    with Server(refused(status)) as server, pytest.raises(TwilioError) as plain:
        read(server, params=params)
    assert type(plain.value) is first
    assert len(server.heard) == requests

    answers = [page(ROWS, "/list?Page=1"), refused(status)]
    with Server(*answers) as server, pytest.raises(TwilioError) as lost:
        read(server, params=params)
    assert type(lost.value) is PageLostError
    assert (lost.value.status, lost.value.code) == (status, 20999)
    assert str(lost.value) == str(plain.value)
    assert len(server.heard) == 1 + requests
    assert lost.value.__cause__ is None


@pytest.mark.parametrize(
    ("status", "error"), [(401, RefusedError), (403, RefusedError), (503, UnavailableError)]
)
def test_other_failures_of_a_later_page_stay_what_they_are(
    status: int, error: type[TwilioError]
) -> None:
    answers = [page(ROWS, "/list?Page=1"), refused(status)]
    with Server(*answers) as server, pytest.raises(TwilioError) as caught:
        read(server, budget=60 if error is RefusedError else 0.1)
    assert type(caught.value) is error


def test_a_damaged_page_is_asked_for_again() -> None:
    damaged: dict[str, Any] = {"next_page_uri": None}
    answers = [page(ROWS[:1], "/list?Page=1"), Answer(damaged), page(ROWS[1:2], None)]
    with Server(*answers) as server:
        assert sids(read(server)) == ["0", "1"]
    assert server.targets == ["/list", "/list?Page=1", "/list?Page=1"]
