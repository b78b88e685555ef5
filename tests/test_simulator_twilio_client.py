"""Twilio's own library as a client of the simulator, which keeps the simulator honest."""

from __future__ import annotations

import datetime as dt
import email.utils
from typing import TYPE_CHECKING, Any

import pytest
from twilio.base.exceptions import (  # type: ignore[import-untyped]
    TwilioException,
    TwilioRestException,
)
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from tests.simulator import Simulator, World, seeded_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio.http.response import Response  # type: ignore[import-untyped]

NOW = dt.datetime(2026, 3, 15, 12, 0, 0, tzinfo=dt.timezone.utc)


class Rerouted(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's HTTP client, led to the simulator."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(pool_connections=True)
        self._hosts = {
            "https://api.twilio.com": simulator.api_url,
            "https://conversations.twilio.com": simulator.conversations_url,
        }

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Response:
        """Send a request to where the simulator answers it."""
        for public, local in self._hosts.items():
            url = url.replace(public, local, 1)
        return super().request(method, url, *args, **options)


@pytest.fixture(params=["self", "public"])
def world(request: pytest.FixtureRequest) -> World:
    """A seeded world, whose next pages are linked in either way."""
    grown = seeded_world(seed=7, now=NOW)
    grown.behaviour.next_page_host = request.param
    return grown


@pytest.fixture
def twilio(world: World) -> Iterator[Client]:
    """Twilio's client for the main account."""
    with Simulator(world) as simulator:
        http = Rerouted(simulator)
        yield Client(world.account_sid, world.auth_token, http_client=http)
        assert http.session is not None
        http.session.close()


def as_row(resource: object, row: dict[str, Any]) -> dict[str, Any]:
    """Return what the library made of a row, said as the API says it."""
    return {name: _said(getattr(resource, _attribute(name)), row[name]) for name in row}


def _attribute(name: str) -> str:
    return "from_" if name == "from" else name


def _said(value: object, told: object) -> object:
    if not (isinstance(value, dt.datetime) and isinstance(told, str)):
        return value
    if told.endswith("Z"):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return email.utils.format_datetime(value.astimezone(dt.timezone.utc))


def check(resources: list[Any], rows: list[dict[str, Any]], *unknown: str) -> None:
    """Compare resources with rows, but for the fields that the library does not know."""
    assert rows
    wanted = [{name: row[name] for name in row if name not in unknown} for row in rows]
    by_sid = {resource.sid: resource for resource in resources}
    assert len(by_sid) == len(resources) == len(rows)
    assert [as_row(by_sid[row["sid"]], row) for row in wanted] == wanted


def test_accounts(twilio: Client, world: World) -> None:
    rows = world.rows("accounts")
    check(twilio.api.v2010.accounts.list(page_size=2), rows)
    check([twilio.api.v2010.accounts(row["sid"]).fetch() for row in rows], rows)


def test_messages(twilio: Client, world: World) -> None:
    rows = world.rows("messages")
    listed = twilio.messages.list(page_size=17)
    assert [message.sid for message in listed] == [row["sid"] for row in rows]
    check(listed, rows)
    check([twilio.messages(row["sid"]).fetch() for row in rows[:20]], rows[:20])


def test_messages_of_a_subaccount(twilio: Client, world: World) -> None:
    subaccount = list(world.accounts)[1]
    listed = twilio.api.v2010.accounts(subaccount).messages.list(page_size=30)
    check(listed, world.rows("messages", subaccount))


def test_messages_sent_after_a_time(twilio: Client, world: World) -> None:
    since = NOW - dt.timedelta(days=3)
    rows = [
        row
        for row in world.rows("messages")
        if row["date_sent"] and email.utils.parsedate_to_datetime(row["date_sent"]) >= since
    ]
    check(twilio.messages.list(date_sent_after=since, page_size=9), rows)


def test_media(twilio: Client, world: World) -> None:
    rows = world.rows("message_media")
    listed = [
        media
        for row in world.rows("messages")
        if row["num_media"] != "0"
        for media in twilio.messages(row["sid"]).media.list(page_size=3)
    ]
    check(listed, rows)
    check([twilio.messages(row["parent_sid"]).media(row["sid"]).fetch() for row in rows], rows)


def test_services(twilio: Client, world: World) -> None:
    rows = world.rows("conversation_services")
    check(twilio.conversations.v1.services.list(page_size=1), rows)
    check([twilio.conversations.v1.services(row["sid"]).fetch() for row in rows], rows)
    configuration = twilio.conversations.v1.configuration().fetch()
    assert configuration.default_chat_service_sid == world.main.default_service_sid


def test_conversations_and_their_messages(twilio: Client, world: World) -> None:
    conversations, messages = [], []
    for service in twilio.conversations.v1.services.list():
        listed = service.conversations.list(page_size=4)
        conversations += listed
        for conversation in listed:
            messages += conversation.messages.list(page_size=50, order="desc")
    check(conversations, world.rows("conversations"))
    check(messages, world.rows("conversation_messages"))
    row = world.rows("conversation_messages")[0]
    service = twilio.conversations.v1.services(row["chat_service_sid"])
    conversation = service.conversations(row["conversation_sid"])
    assert conversation.fetch().sid == row["conversation_sid"]
    assert conversation.messages(row["sid"]).fetch().body == row["body"]


def test_conversations_of_the_default_service(twilio: Client, world: World) -> None:
    default = world.main.default_service_sid
    rows = [row for row in world.rows("conversations") if row["chat_service_sid"] == default]
    check(twilio.conversations.v1.conversations.list(page_size=3), rows)
    closed = [row for row in rows if row["state"] == "closed"]
    check(twilio.conversations.v1.conversations.list(state="closed"), closed)


def test_refusals(twilio: Client, world: World) -> None:
    with pytest.raises(TwilioRestException) as refusal:
        twilio.messages("SM" + "0" * 32).fetch()
    assert (refusal.value.status, refusal.value.code) == (404, 20404)
    world.behaviour.retention_days = 30
    with pytest.raises(TwilioException, match=r"HTTP 400 .*20004"):
        twilio.messages.list(date_sent_after=NOW - dt.timedelta(days=31))
