"""Answers and addresses that no sane peer sends: each ends in an error of ours, or an answer."""

from __future__ import annotations

import logging
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tap_twilio_media.client.errors import (
    InvalidRequestError,
    OutOfRangeError,
    TwilioError,
    UnavailableError,
)
from tap_twilio_media.client.outcomes import retry_after
from tests.client.asking import Answer, Clock, Server, Waits, client_of
from tests.client.test_pages import ROWS, page, read
from tests.client.test_session import ask, ask_server
from tests.simulator import Fault

if TYPE_CHECKING:
    from tests.simulator import Simulator


@pytest.fixture
def waits() -> Waits:
    """Waits that take no time, on a clock of their own."""
    return Waits(Clock())


BEYOND_THE_CALENDAR = "Mon, 1 Jan 99999999999999999999 00:00:00 +0000"


@pytest.mark.parametrize(("kind", "tries"), [("403", 1), ("20004", 1), ("401", 3), ("404", 3)])
@pytest.mark.parametrize("before", [1, 2, 3, 5])
def test_tries_count_for_each_outcome(
    sim: Simulator, waits: Waits, kind: str, tries: int, before: int
) -> None:
    sim.faults.add(Fault("503", times=before), Fault(kind, times=None))
    with pytest.raises(TwilioError):
        ask(sim, budget=600, stop=waits)
    assert sim.count() == before + tries


def test_one_weak_401_among_other_faults_is_survived(sim: Simulator, waits: Waits) -> None:
    sim.faults.add(Fault("503", times=2), Fault("401"))
    ask(sim, stop=waits)


def test_dates_beyond_the_calendar() -> None:
    assert retry_after(BEYOND_THE_CALENDAR) == 0
    with Server(Answer(headers={"Date": BEYOND_THE_CALENDAR})) as server:
        assert ask_server(server).date is None


def test_headers_that_cannot_be_read_show_no_address(caplog: pytest.LogCaptureFixture) -> None:
    """The library beneath would warn of them, with the address and the headers in full."""
    answer = Answer(headers={"A": "b\r\nLocation https://media.example/x?Signature=zq"})
    with caplog.at_level(logging.DEBUG), Server(answer) as server:
        ask_server(server)
    told = [record for record in caplog.records if record.name.startswith("urllib3")]
    assert told
    assert not any(record.exc_info or "?" in record.getMessage() for record in told)
    assert "zq" not in caplog.text


@pytest.mark.parametrize("host", ["a..b.example", "a" * 64 + ".example"])
def test_a_host_name_that_cannot_be(host: str) -> None:
    with (
        closing(client_of(f"https://{host}", stop=Waits(Clock()))) as client,
        pytest.raises(UnavailableError),
    ):
        client.get(f"https://{host}/x")


def test_a_hang_ends_within_the_budget(sim: Simulator) -> None:
    sim.faults.add(Fault("hang", times=None))
    started = time.monotonic()
    with pytest.raises(UnavailableError):
        ask(sim, timeout=30, budget=0.3)
    assert time.monotonic() - started < 15


def test_a_budget_of_nothing_leaves_one_whole_try(sim: Simulator) -> None:
    sim.latency = 0.4
    ask(sim, timeout=30, budget=0)
    assert sim.count() == 1


def test_what_twilio_says_stays_in_one_line() -> None:
    answer = Answer({"code": 1, "message": "a\nb\r\x1b[31mc"}, 400)
    with Server(answer) as server, pytest.raises(TwilioError) as caught:
        ask_server(server)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("said", ["RQ\x1b[31m\x9b2J", "RQ\r\n folded", "RQ" + "x" * 60_000])
def test_so_does_the_id_of_a_request(said: str) -> None:
    answer = Answer({}, 403, {"Twilio-Request-Id": said})
    with Server(answer) as server, pytest.raises(TwilioError, match=r"\(request RQ") as caught:
        ask_server(server)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("code", [True, 1.5, "20003", [1], -1, 10**30])
def test_what_is_no_code_is_none(code: object) -> None:
    answer = Answer({"code": code}, 400)
    with Server(answer) as server, pytest.raises(InvalidRequestError) as caught:
        ask_server(server)
    assert caught.value.code is None
    assert "code" not in str(caught.value)


def test_advice_is_given_whatever_twilio_says() -> None:
    answer = Answer({"code": 1, "message": "Please check your plan"}, 403)
    with Server(answer) as server, pytest.raises(TwilioError, match="permission"):
        ask_server(server)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer({}, 418), InvalidRequestError),
        (Answer({}, 302), InvalidRequestError),
        (Answer({"code": 20004}, 400), OutOfRangeError),
    ],
)
def test_other_refusals_of_a_later_page_are_what_they_are(
    answer: Answer, error: type[TwilioError]
) -> None:
    with Server(page(ROWS, "/list?Page=1"), answer) as server, pytest.raises(error) as caught:
        read(server)
    assert type(caught.value) is error


def test_a_redirect_to_what_is_no_address() -> None:
    answer = Answer({}, 302, {"Location": "http://[::1/"})
    with Server(answer) as server, pytest.raises(InvalidRequestError):
        ask_server(server)


@pytest.mark.parametrize("link", [5, True, ["/x"], {}, "http://[x"])
def test_a_link_that_is_no_address(link: Any) -> None:  # noqa: ANN401 - any JSON
    with Server(page(ROWS, link)) as server, pytest.raises(InvalidRequestError, match="no address"):
        read(server)


def test_json_too_deep_is_a_damaged_reply(waits: Waits) -> None:
    with Server(Answer("[" * 100_000), Answer()) as server:
        ask_server(server, stop=waits)
