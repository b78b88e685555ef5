"""One request, whatever the network and Twilio make of it."""

from __future__ import annotations

import base64
import itertools
import logging
import re
import socket
import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from typing_extensions import override

from tap_twilio_media.client import outcomes, patience, session
from tap_twilio_media.client.errors import (
    GoneError,
    InvalidRequestError,
    OutOfRangeError,
    RefusedError,
    StoppedError,
    TwilioError,
    UnavailableError,
)
from tap_twilio_media.client.hosts import join
from tap_twilio_media.client.network import Credentials
from tap_twilio_media.client.outcomes import TRIES_TO_REACH
from tests.client.asking import ACCOUNT_SID, PASSWORD, Answer, Clock, Server, Waits, client_of
from tests.simulator import Fault, Simulator, World, seeded_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tap_twilio_media.client.session import Client, Reply

BACKOFF = 10.0
BUDGET = 35.0
"""Seconds: room for a first try and three more after a backoff each."""

TOKEN = "t0ken-of-a-page"
TEXT = "what somebody wrote to somebody"


@pytest.fixture
def world() -> World:
    return seeded_world(messages=5, conversations=0)


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    """The address of a port where nobody listens, held so that nobody else takes it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    """Waits that take no time: each backoff is of ten seconds on a clock of our own."""
    clock = Clock()
    monkeypatch.setattr(session, "time", clock)
    monkeypatch.setattr(patience, "time", clock)
    monkeypatch.setattr(patience, "backoff", lambda _: BACKOFF)
    return Waits(clock)


def path_of(sim: Simulator) -> str:
    return f"/2010-04-01/Accounts/{sim.world.account_sid}/Messages.json"


def client_for(sim: Simulator, *, known: bool = True, **kwargs: Any) -> Client:
    """Return a client of the main account; of a host that has answered before, unless not known."""
    kwargs.setdefault("reached", {urlsplit(sim.api_url).netloc} if known else set())
    return client_of(sim.api_url, sim.world.account_sid, sim.world.auth_token, **kwargs)


def ask(sim: Simulator, **kwargs: Any) -> Reply:
    with closing(client_for(sim, **kwargs)) as client:
        return client.get(join(sim.api_url, path_of(sim)), {"PageToken": ""}, rows="messages")


def ask_server(server: Server, **kwargs: Any) -> Reply:
    with closing(client_of(server.url, **kwargs)) as client:
        url = join(server.url, f"/list.json?PageToken={TOKEN}")
        return client.get(url, {"PageSize": "7"}, rows="rows")


def status(number: int, **kwargs: Any) -> Fault:
    return Fault("status", status=number, code=20999, **kwargs)


# ---- what each fault comes to


@pytest.mark.parametrize(
    "fault",
    [
        Fault("429"),
        Fault("429", retry_after=3),
        Fault("500"),
        Fault("502"),
        Fault("503"),
        Fault("503", retry_after=3),
        Fault("reset"),
        Fault("truncate"),
        Fault("bad_json"),
        Fault("wrong_length"),
        Fault("hang"),
        Fault("401"),
        Fault("404"),
        Fault("401", times=2),
        Fault("404", times=2),
        status(408),
        status(599),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}-{fault.retry_after}-{fault.times}",
)
def test_what_passes_is_tried_again(sim: Simulator, waits: Waits, fault: Fault) -> None:
    sim.faults.add(fault)
    reply = ask(sim, timeout=0.2, stop=waits)
    assert len(reply.body["messages"]) == 5
    assert fault.times is not None
    assert sim.count() == 1 + fault.times
    assert waits.lengths == [BACKOFF] * fault.times


LASTING: list[tuple[Fault, type[TwilioError], int, int | None, int | None]] = [
    (Fault("429", times=None), UnavailableError, 4, 429, 20429),
    (Fault("429", times=None, retry_after=3), UnavailableError, 4, 429, 20429),
    (Fault("500", times=None), UnavailableError, 4, 500, 20500),
    (Fault("502", times=None), UnavailableError, 4, 502, None),
    (Fault("503", times=None), UnavailableError, 4, 503, None),
    (Fault("reset", times=None), UnavailableError, 4, None, None),
    (Fault("truncate", times=None), UnavailableError, 4, None, None),
    (Fault("bad_json", times=None), UnavailableError, 4, None, None),
    (Fault("wrong_length", times=None), UnavailableError, 4, None, None),
    (Fault("hang", times=None), UnavailableError, 4, None, None),
    (status(408, times=None), UnavailableError, 4, 408, 20999),
    (Fault("401", times=None), RefusedError, 3, 401, 20003),
    (Fault("403", times=None), RefusedError, 1, 403, 20403),
    (Fault("404", times=None), GoneError, 3, 404, 20404),
    (Fault("20004", times=None), OutOfRangeError, 1, 400, 20004),
    (status(400, times=None), InvalidRequestError, 1, 400, 20999),
    (status(418, times=None), InvalidRequestError, 1, 418, 20999),
]


@pytest.mark.parametrize(
    ("fault", "kind", "requests", "http_status", "code"),
    LASTING,
    ids=[f"{fault.kind}-{fault.status}-{fault.retry_after}" for fault, *_ in LASTING],
)
def test_what_lasts_ends_as_the_table_says(  # noqa: PLR0913, PLR0917
    sim: Simulator,
    waits: Waits,
    fault: Fault,
    kind: type[TwilioError],
    requests: int,
    http_status: int | None,
    code: int | None,
) -> None:
    sim.faults.add(fault)
    with pytest.raises(TwilioError) as caught:
        ask(sim, timeout=0.1, budget=BUDGET, stop=waits)
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.code) == (http_status, code)
    assert sim.count() == requests
    assert waits.lengths == [BACKOFF] * (requests - 1)
    if requests > 1:
        assert f"after {requests} tries" in str(caught.value)
    assert ("max_retry_seconds" in str(caught.value)) == (kind is UnavailableError)


@pytest.mark.parametrize(
    "body",
    [
        {"other": []},
        {"rows": None},
        {"rows": {}},
        {"rows": [{}, 1]},
        {"rows": ["text"]},
        [],
        [{"rows": []}],
        None,
        "",
        "<html></html>",
        '{"rows": [',
    ],
    ids=str,
)
def test_a_reply_without_the_rows_counts_as_damaged(waits: Waits, body: object) -> None:
    with Server(Answer(body), Answer({"rows": [{"sid": "1"}]})) as server:
        assert ask_server(server, stop=waits).body == {"rows": [{"sid": "1"}]}
    assert len(server.heard) == 2


def test_an_object_need_hold_rows_only_if_they_are_asked_for(waits: Waits) -> None:
    with Server(Answer({"sid": "1"})) as server, closing(client_of(server.url)) as client:
        assert client.get(join(server.url, "/one")).body == {"sid": "1"}
    assert (len(server.heard), waits.lengths) == (1, [])


# ---- how long it is tried


def test_the_waits_grow_with_the_tries(
    sim: Simulator, waits: Waits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "backoff", float)
    sim.faults.add(Fault("503", times=4))
    ask(sim, stop=waits)
    assert waits.lengths == [1, 2, 3, 4]


@pytest.mark.parametrize(("backoff", "waited"), [(0.01, 7.0), (9.0, 9.0)])
def test_retry_after_is_the_least_wait(
    sim: Simulator, waits: Waits, monkeypatch: pytest.MonkeyPatch, backoff: float, waited: float
) -> None:
    monkeypatch.setattr(patience, "backoff", lambda _: backoff)
    sim.faults.add(Fault("429", retry_after=7))
    ask(sim, stop=waits)
    assert waits.lengths == [waited]


def test_retry_after_may_be_a_date(waits: Waits) -> None:
    moment = datetime.now(timezone.utc) + timedelta(seconds=100)
    again = {"Retry-After": format_datetime(moment, usegmt=True)}
    with Server(Answer("", 503, again), Answer()) as server:
        ask_server(server, stop=waits)
    assert len(waits.lengths) == 1
    assert 60 < waits.lengths[0] <= 100


def test_the_budget_holds_all_tries_retry_after_included(sim: Simulator, waits: Waits) -> None:
    sim.faults.add(Fault("429", times=None, retry_after=20))
    with pytest.raises(UnavailableError, match=r"after 3 tries and the time of max_retry_seconds"):
        ask(sim, budget=59, stop=waits)
    assert (sim.count(), waits.lengths) == (3, [20, 20])


def test_a_retry_after_beyond_the_budget_gives_up_at_once(sim: Simulator, waits: Waits) -> None:
    sim.faults.add(Fault("429", times=None, retry_after=61))
    with pytest.raises(UnavailableError, match="429"):
        ask(sim, budget=60, stop=waits)
    assert (sim.count(), waits.lengths) == (1, [])


def test_a_budget_of_nothing_is_one_try(sim: Simulator, waits: Waits) -> None:
    sim.faults.add(Fault("503", times=None))
    with pytest.raises(UnavailableError):
        ask(sim, budget=0, stop=waits)
    assert sim.count() == 1


def test_every_request_has_a_budget_of_its_own(sim: Simulator, waits: Waits) -> None:
    sim.faults.add(Fault("503", times=None, every=2))
    with closing(client_for(sim, budget=BUDGET, stop=waits)) as client:
        for _ in range(10):
            client.get(join(sim.api_url, path_of(sim)))
    assert sum(waits.lengths) > BUDGET


def test_a_host_never_reached_is_given_up_soon(silent: str, waits: Waits) -> None:
    host = urlsplit(silent).netloc
    with (
        closing(client_of(silent, stop=waits)) as client,
        pytest.raises(
            UnavailableError, match=rf"^cannot reach {host} \(ConnectionError\), .*check region"
        ),
    ):
        client.get(join(silent, "/list.json"))
    assert len(waits.lengths) == TRIES_TO_REACH - 1


def test_giving_up_a_host_takes_seconds_only() -> None:
    longest = sum(outcomes.FIRST_WAIT * 2**number for number in range(TRIES_TO_REACH - 1))
    assert longest == pytest.approx(0.014), "conftest shortens the first wait to 2 ms"
    assert 0.5 * longest / outcomes.FIRST_WAIT < 5


@pytest.mark.parametrize("kind", ["reset", "hang", "truncate"])
def test_a_broken_connection_shows_that_a_host_is_there(
    sim: Simulator, waits: Waits, kind: str
) -> None:
    sim.faults.add(Fault(kind, times=None))
    with pytest.raises(UnavailableError, match="the connection broke"):
        ask(sim, known=False, timeout=0.1, budget=95, stop=waits)
    assert sim.count() > TRIES_TO_REACH


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drip", delay=0.02),
        Fault("slow", delay=0.05, drops=100_000),
        Fault("slow", delay=0.05, drops=40),
    ],
    ids=["headers", "body", "faster body"],
)
def test_a_reply_that_drips_is_given_up(sim: Simulator, waits: Waits, fault: Fault) -> None:
    """However often a byte comes: a timeout of a socket is for one read."""
    sim.faults.add(replace(fault))
    started = time.monotonic()
    assert ask(sim, timeout=0.2, stop=waits).body["messages"]
    assert time.monotonic() - started < 4
    assert sim.count() == 2


def test_a_reply_that_drips_keeps_to_the_budget(sim: Simulator, waits: Waits) -> None:
    sim.faults.add(Fault("slow", times=None, delay=0.05, drops=100_000))
    with pytest.raises(UnavailableError, match="the connection broke"):
        ask(sim, timeout=0.2, budget=BACKOFF + 5, stop=waits)
    assert sim.count() == 2


def test_a_reply_that_is_slow_but_comes(sim: Simulator) -> None:
    sim.faults.add(Fault("slow", delay=0.05, drops=12))
    assert ask(sim, timeout=0.3).body["messages"]
    assert sim.count() == 1


def test_a_host_once_reached_is_tried_for_the_whole_budget(sim: Simulator, waits: Waits) -> None:
    reached: set[str] = set()
    ask(sim, reached=reached, stop=waits)
    sim.faults.add(Fault("reset", times=None))
    # Another client of the same run knows it too.
    with pytest.raises(UnavailableError, match="the connection broke") as caught:
        ask(sim, reached=reached, budget=95, stop=waits)
    assert sim.count() == 1 + 10
    assert "region" not in str(caught.value)


def test_a_refusal_too_shows_that_a_host_is_there(sim: Simulator, waits: Waits) -> None:
    sim.faults.add(Fault("503"), Fault("reset", times=None))
    with pytest.raises(UnavailableError, match="the connection broke"):
        ask(sim, known=False, budget=95, stop=waits)
    assert sim.count() == 10


# ---- the end of a run


def test_a_run_that_is_ending_asks_nothing(sim: Simulator) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(StoppedError):
        ask(sim, stop=stop)
    assert sim.count() == 0


def test_the_stop_event_ends_a_wait_at_once(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stop(threading.Event):
        @override
        def wait(self, timeout: float | None = None) -> bool:
            threading.Thread(target=self.set).start()
            return super().wait(timeout)

    monkeypatch.setattr(patience, "backoff", lambda _: 60.0)
    sim.faults.add(Fault("503", times=None))
    started = time.monotonic()
    with pytest.raises(StoppedError):
        ask(sim, stop=Stop())
    assert time.monotonic() - started < 5
    assert sim.count() == 1


# ---- what is sent, and where


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(code: int) -> None:
    with (
        Server(Answer()) as elsewhere,
        Server(Answer("", code, {"Location": f"{elsewhere.url}/list.json"})) as server,
        pytest.raises(InvalidRequestError, match=rf"^/list.json: HTTP {code}; check the"),
    ):
        ask_server(server)
    assert (len(server.heard), elsewhere.heard) == (1, [])


@pytest.mark.parametrize(("username", "is_key"), [(ACCOUNT_SID, False), ("SK" + "1" * 32, True)])
def test_requests_carry_the_credentials_and_the_name(username: str, *, is_key: bool) -> None:
    with Server(Answer()) as server:
        ask_server(server, username=username)
    sent = server.heard[0].headers
    expected = base64.b64encode(f"{username}:{PASSWORD}".encode()).decode()
    assert sent.get_all("Authorization") == [f"Basic {expected}"]
    assert sent.get_all("User-Agent") == ["tap-twilio-media/test"]
    assert sent.get_all("Accept") == ["application/json"]
    assert server.targets == [f"/list.json?PageToken={TOKEN}&PageSize=7"]
    assert Credentials(username, PASSWORD).is_api_key is is_key


def test_either_pair_is_accepted(sim: Simulator) -> None:
    account = sim.world.accounts[sim.world.account_sid]
    for pair in (
        (account.sid, account.auth_token),
        (account.api_key_sid, account.api_key_secret),
    ):
        with closing(client_of(sim.api_url, *pair)) as client:
            client.get(join(sim.api_url, path_of(sim)), rows="messages")
    assert [request.username for request in sim.requests] == [account.sid, account.api_key_sid]


def test_netrc_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with Server(Answer()) as server:
        ask_server(server)
    scheme, _, encoded = str(server.heard[0].headers["Authorization"]).partition(" ")
    assert (scheme, base64.b64decode(encoded).decode()) == ("Basic", f"{ACCOUNT_SID}:{PASSWORD}")


# ---- what comes back


def test_a_reply_tells_twilios_clock(sim: Simulator) -> None:
    reply = ask(sim)
    assert reply.date == sim.world.now
    assert reply.date is not None
    assert reply.date.tzinfo is timezone.utc
    assert 0 < reply.seconds < 10


def test_twilios_clock_is_told_in_utc() -> None:
    with Server(Answer(headers={"Date": "Sat, 31 Jan 2026 05:00:00 -0700"})) as server:
        date = ask_server(server).date
    assert date == datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
    assert date is not None
    assert date.tzinfo is timezone.utc


@pytest.mark.parametrize("headers", [{}, {"Date": "yesterday"}, {"Date": ""}])
def test_a_reply_may_lack_a_date(headers: dict[str, str]) -> None:
    with Server(Answer(headers=headers)) as server:
        assert ask_server(server).date is None


# ---- what is said of a failure


def refusal(code: int, twilio_code: int | None = 20999) -> Answer:
    body = {"status": code, "code": twilio_code, "message": "As Twilio says", "body": TEXT}
    return Answer(body, code, {"Twilio-Request-Id": "RQ123"})


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (refusal(400), "report this with the request id"),
        (refusal(400, 20004), "set a later start_date"),
        (refusal(401), "check that account_sid and auth_token, or api_key_sid and api_key_secret"),
        (refusal(403), "give the API key permission"),
        (refusal(404), "check that the credentials may see it"),
        (refusal(418), "check the *_url settings"),
        (refusal(429), "run again later"),
        (refusal(500), "run again later"),
    ],
    ids=lambda part: str(part.status) if isinstance(part, Answer) else part[:10],
)
def test_an_error_names_what_helps(waits: Waits, answer: Answer, advice: str) -> None:
    assert isinstance(answer.body, dict)
    code = answer.body["code"]
    with Server(answer) as server, pytest.raises(TwilioError) as caught:
        ask_server(server, budget=15, stop=waits)
    text = str(caught.value)
    said = f"/list.json: HTTP {answer.status}, code {code}: As Twilio says (request RQ123)"
    assert text.startswith(said)
    assert advice in text
    assert "\n" not in text


def test_an_error_makes_do_with_what_was_said() -> None:
    with (
        Server(Answer("", 403)) as server,
        pytest.raises(RefusedError, match=r"^/list\.json: HTTP 403; give the API key") as caught,
    ):
        ask_server(server)
    assert (caught.value.status, caught.value.code) == (403, None)


def test_what_twilio_says_is_cut_to_a_length() -> None:
    answer = Answer({"message": "x" * 5_000, "code": "20004"}, 400)
    with Server(answer) as server, pytest.raises(InvalidRequestError) as caught:
        ask_server(server)
    assert len(str(caught.value)) < 400
    assert "20004" not in str(caught.value), "a code is a number"


@pytest.mark.parametrize(
    "answer",
    [
        refusal(400),
        refusal(401),
        refusal(404),
        refusal(429),
        Answer({"rows": [TEXT]}),
        Answer(f'{{"rows": [{{"body": "{TEXT}"'),
        Answer(f"<html>{TEXT} {PASSWORD}</html>", 503),
        Answer(f'["{TEXT}"]', 500),
        Answer("", 302, {"Location": f"http://127.0.0.1:1/?{TOKEN}"}),
    ],
    ids=lambda answer: f"{answer.status}-{str(answer.body)[:12]}",
)
def test_neither_errors_nor_the_log_give_anything_away(
    waits: Waits, caplog: pytest.LogCaptureFixture, answer: Answer
) -> None:
    caplog.set_level(logging.DEBUG, logger="tap-twilio-media")
    with Server(answer) as server, pytest.raises(TwilioError) as caught:
        ask_server(server, budget=15, stop=waits)
    assert_nothing_given_away(caught.value, caplog)


@pytest.mark.parametrize("kind", ["reset", "truncate", "hang"])
@pytest.mark.parametrize("known", [True, False])
def test_nor_does_a_broken_connection(
    sim: Simulator, waits: Waits, caplog: pytest.LogCaptureFixture, kind: str, *, known: bool
) -> None:
    caplog.set_level(logging.DEBUG, logger="tap-twilio-media")
    sim.faults.add(Fault(kind, times=None))
    with (
        closing(client_for(sim, known=known, timeout=0.1, budget=15, stop=waits)) as client,
        pytest.raises(UnavailableError) as caught,
    ):
        client.get(join(sim.api_url, path_of(sim)), {"PageToken": TOKEN})
    assert len(waits.lengths) == 1
    assert sim.world.auth_token not in str(caught.value) + caplog.text
    assert_nothing_given_away(caught.value, caplog)


def test_nor_does_a_host_that_is_not_there(
    silent: str, waits: Waits, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="tap-twilio-media")
    with closing(client_of(silent, stop=waits)) as client, pytest.raises(TwilioError) as caught:
        client.get(join(silent, f"/list.json?PageToken={TOKEN}"), {"To": TEXT})
    assert_nothing_given_away(caught.value, caplog)


def assert_nothing_given_away(error: TwilioError, caplog: pytest.LogCaptureFixture) -> None:
    own = [r.getMessage() for r in caplog.records if r.name.startswith("tap-twilio-media")]
    told = "\n".join([str(error), repr(error), *own])
    pair = base64.b64encode(f"{ACCOUNT_SID}:{PASSWORD}".encode()).decode()
    for secret in (PASSWORD, TOKEN, TEXT, TEXT.split(maxsplit=1)[0] + "+", "PageToken", pair):
        assert secret not in told
    # The texts of the exceptions of requests hold whole URLs: a traceback must not show them.
    assert error.__cause__ is None
    assert error.__context__ is None


def test_credentials_are_not_shown() -> None:
    assert PASSWORD not in repr(Credentials(ACCOUNT_SID, PASSWORD))
    assert PASSWORD not in repr(vars(client_of("http://127.0.0.1:1"))["credentials"])


def test_a_long_wait_is_told_and_a_short_one_is_not(
    sim: Simulator, waits: Waits, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="tap-twilio-media.client")
    lengths = itertools.chain([4.9, 5.0])
    monkeypatch.setattr(patience, "backoff", lambda _: next(lengths))
    sim.faults.add(Fault("503", times=2))
    ask(sim, stop=waits)
    told = [r for r in caplog.records if r.name == "tap-twilio-media.client"]
    assert [record.levelno for record in told] == [logging.DEBUG, logging.INFO]
    pattern = rf"{path_of(sim)}: HTTP 503 \(request RQ\w+\); trying again in 5\.0 s"
    assert re.fullmatch(pattern, told[1].getMessage())
