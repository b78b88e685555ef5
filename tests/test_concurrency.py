"""The tap with many requests in flight: never too many, always the same output, no hang."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from concurrent.futures import Future
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal

import pytest
from typing_extensions import Self

from tap_twilio_media.readers.conversations import ConversationsReader
from tap_twilio_media.readers.sightings import MessageList
from tap_twilio_media.streams.mcs import McsMedia
from tap_twilio_media.streams.messaging import MessageMedia
from tests.expecting import by_sid, expected
from tests.promises import assert_promises_kept
from tests.running import STREAMS, Output, catalog_of, clean_environ, run_command, run_tap
from tests.simulator import Behaviour, Fault, Simulator, World, seeded_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
FAMILY = ("messages", "message_media")


@pytest.fixture
def world() -> World:
    return seeded_world(seed=3, messages=300, conversations=24)


def everything(sim: Simulator, most: int, **config: Any) -> Output:
    world = sim.world
    busy = next(a for a in world.accounts.values() if a.services and a.sid != world.account_sid)
    own = {"account_sid": busy.sid, "auth_token": busy.auth_token}
    output = run_tap(
        sim.config()
        | {
            "page_size": 20,
            "max_concurrency": most,
            "include_subaccounts": True,
            "subaccount_credentials": [own],
        }
        | config
    )
    assert output.error is None
    return output


def emitted(output: Output) -> list[tuple[str, dict[str, Any]]]:
    """Return what was emitted, but for addresses: each simulator has its own."""
    return [
        (m["stream"], {k: v for k, v in m["record"].items() if k != "content_url"})
        for m in output.of_type("RECORD")
    ]


def hurry_at_random(sim: Simulator, seed: int, slowest: float = 0.01) -> None:
    """Give each request a latency of its own, so that answers come in any order."""
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy

    def draw(_: object) -> None:
        sim.latency = chance.uniform(0.0001, slowest)

    sim.faults.add(Fault("call", times=None, call=draw))


# ---- never too many, always the same


@pytest.mark.parametrize("most", [1, 2, 7, 20])
def test_never_more_in_flight_than_allowed(sim: Simulator, most: int) -> None:
    sim.latency = 0.003 if most < 7 else 0.015
    output = everything(sim, most)
    assert output.streams == set(STREAMS)
    assert sim.max_in_flight == most, "no more, and all that is allowed"


def test_one_at_a_time_and_twenty_emit_the_same(world: World) -> None:
    runs = []
    for seed, most in enumerate((1, 20, 20, 7)):
        with Simulator(world) as sim:
            hurry_at_random(sim, seed, slowest=0.005)
            runs.append(emitted(everything(sim, most)))
            asked = [(r.path, r.query.get("PageSize")) for r in sim.requests]
            if most == 1:
                alone = sorted(asked, key=str)
            else:
                assert sim.max_in_flight > 1
                assert sorted(asked, key=str) == alone, "the same requests, in another order"
    for run in runs[1:]:
        assert run == runs[0]


@pytest.mark.parametrize("seed", range(3))
def test_promises_are_kept_whatever_comes_first(sim: Simulator, seed: int) -> None:
    hurry_at_random(sim, seed, slowest=0.02)
    config = sim.config() | {"page_size": 7, "max_concurrency": 20}
    output = run_tap(config, select=FAMILY)
    assert output.error is None
    assert_promises_kept([output], sim.world)
    for stream in FAMILY:
        assert by_sid(output.records(stream)) == expected(sim, stream)


def test_children_are_read_while_the_next_pages_are() -> None:
    """Most of the places are taken most of the time."""
    world = seeded_world(messages=0, conversations=0)
    for number in range(300):
        world.add_message(date_sent=world.now - number * 500 * SECOND, num_media=1)
    with Simulator(world, latency=0.05) as sim:
        output = run_tap(sim.config() | {"page_size": 50, "max_concurrency": 20}, select=FAMILY)
        assert by_sid(output.records("message_media")) == expected(sim, "message_media")
        in_flight = [request.in_flight for request in sim.requests]
        assert sum(in_flight) / len(in_flight) > 6, "11 measured, the low start included"


# ---- requests for messages


class TestDensity:
    """A page holds 50 messages, so a burst of 3,000 needs 60."""

    @pytest.fixture
    def world(self) -> World:
        world = seeded_world(messages=0, conversations=0)
        for age in range(5, 399, 10):
            world.add_message(date_sent=world.now - age * DAY)
        return world

    @pytest.mark.parametrize(
        ("behaviour", "most"),
        [
            (Behaviour(), 270),
            (Behaviour(bounds="exclusive"), 90),
            (Behaviour(date_filter="days"), 90),
        ],
        ids=["seconds", "exclusive", "days"],
    )
    @pytest.mark.parametrize("age", [1, 200, 396])
    def test_a_burst_is_whole(
        self, sim: Simulator, behaviour: Behaviour, most: int, age: int
    ) -> None:
        world = sim.world
        world.behaviour = behaviour
        for number in range(3_000):
            world.add_message(date_sent=world.now - age * DAY - number * 1.2 * SECOND)
        output = run_tap(sim.config() | {"page_size": 50}, select=["messages"])
        assert output.error is None
        assert by_sid(output.records("messages")) == expected(sim, "messages")
        assert len(output.records("messages")) == 3_040
        assert_promises_kept([output], world, ["messages"])
        assert sim.count("messages") <= most

    @pytest.mark.parametrize(("precision", "most"), [("seconds", 64), ("days", 108)])
    @pytest.mark.parametrize("count", [2_000, 4_000])
    def test_an_even_account_is_read_in_windows_that_fit_a_page(
        self, precision: Literal["seconds", "days"], most: int, count: int
    ) -> None:
        """Forty pages hold all; windows of three quarters of a page are 54."""
        world = seeded_world(messages=0, conversations=0)
        world.behaviour.date_filter = precision
        for number in range(count):
            world.add_message(date_sent=world.now - number * 380 * DAY / count)
        with Simulator(world) as sim:
            output = run_tap(sim.config() | {"page_size": count // 40}, select=["messages"])
            assert by_sid(output.records("messages")) == expected(sim, "messages")
            assert sim.count("messages") <= most

    def test_a_burst_within_one_second(self, sim: Simulator) -> None:
        world = sim.world
        for number in range(500):
            world.add_message(date_sent=world.now - 100 * DAY + (number == 0) * SECOND)
        for number in range(5):  # by which the tap sees that seconds are read
            world.add_message(date_sent=world.now - number * SECOND)
        output = run_tap(sim.config() | {"page_size": 20}, select=["messages"])
        assert by_sid(output.records("messages")) == expected(sim, "messages")
        assert len(output.records("messages")) == 545
        assert any(":" in r.query.get("DateSent<", "") for r in sim.requests), "seconds were asked"

    @pytest.mark.parametrize(
        "ages", [(1, 2, 3, 200, 380), (100, 200, 300, 350, 399), (1, 1, 1, 1, 1)], ids=str
    )
    @pytest.mark.parametrize("precision", ["seconds", "days"])
    def test_few_messages_in_many_days(
        self, ages: tuple[int, ...], precision: Literal["seconds", "days"]
    ) -> None:
        world = seeded_world(messages=0, conversations=0)
        world.behaviour.date_filter = precision
        for age in ages:
            world.add_message(date_sent=world.now - age * DAY)
        with Simulator(world) as sim:
            first = run_tap(sim.config() | {"page_size": 2}, select=["messages"])
            assert len(first.records("messages")) == 5
            assert sim.count("messages") <= 22
            sim.reset()
            run_tap(sim.config() | {"page_size": 2}, select=["messages"], state=first.state)
            assert sim.count("messages") <= 4

    @pytest.mark.parametrize("precision", ["seconds", "days"])
    def test_thirty_messages_cost_at_most_three_requests(
        self, precision: Literal["seconds", "days"]
    ) -> None:
        world = seeded_world(messages=0, conversations=0)
        world.behaviour.date_filter = precision
        for number in range(30):
            world.add_message(date_sent=world.now - number * 13 * DAY)
        with Simulator(world) as sim:
            first = run_tap(sim.config(), select=["messages"])
            assert len(first.records("messages")) == 30
            assert sim.count("messages") <= 3
            sim.reset()
            run_tap(sim.config(), select=["messages"], state=first.state)
            assert sim.count("messages") <= 3

    def test_a_cap_of_windows_is_kept(self, sim: Simulator) -> None:
        world = sim.world
        for age in range(100):
            world.add_message(date_sent=world.now - 5 * DAY - age * SECOND)
        config = sim.config() | {"page_size": 20, "window_days": 30}
        output = run_tap(config, select=["messages"])
        assert by_sid(output.records("messages")) == expected(sim, "messages")
        assert sim.count("messages") >= 400 / 30


# ---- texts that are none


class Raw(ThreadingHTTPServer):
    """Answers every request with the same bytes."""

    def __init__(self, body: bytes) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response_only(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        super().__init__(("127.0.0.1", 0), Handler)

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


BODIES = [
    (rb'"\ud83d"', "\ufffd"),
    (rb'"a\ude00b"', "a\ufffdb"),
    (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
    (b'"\xff\xfe cut: \xf0\x9f\x98"', "\ufffd\ufffd cut: \ufffd"),
    (b'"\xed\xa0\xbd"', "\ufffd\ufffd\ufffd"),
    ('"whole: 😀 \u2028"'.encode(), "whole: 😀 \u2028"),
]


def test_halves_of_characters_stop_nothing(world: World, tmp_path: Path) -> None:
    rows = world.rows("messages")[: len(BODIES)]
    for number, row in enumerate(rows):
        row |= {"body": f"BODY-{number}", "num_media": "0", "price": "-0.00750", "odd": 0.1}
        row["date_sent"] = row["date_sent"] or row["date_created"]
    page = json.dumps({"messages": rows, "next_page_uri": None}).encode()
    for number, (raw, _) in enumerate(BODIES):
        page = page.replace(f'"BODY-{number}"'.encode(), raw)
    with Raw(page) as server:
        config = {
            "account_sid": world.account_sid,
            "auth_token": world.auth_token,
            "api_url": f"http://127.0.0.1:{server.server_port}",
        }
        output = run_command(tmp_path, config, catalog=catalog_of("messages"))
    assert output.code == 0, output.log
    bodies = {record["sid"]: record["body"] for record in output.records("messages")}
    assert bodies == {row["sid"]: text for row, (_, text) in zip(rows, BODIES, strict=True)}
    prices = {str(record["price"]) for record in output.records("messages")}
    assert prices == {"-0.00750"}


# ---- what nobody foresaw


class Unforeseen(Exception):  # noqa: N818 - that is what it is
    """Something that no part of the tap knows of."""


def fail(*_: object, **__: object) -> Iterator[object]:
    raise Unforeseen


WORKERS = [
    (MessageList, "sighted", "messages"),
    (MessageList, "pages", "messages"),
    (MessageMedia, "_media_of", "message_media"),
    (ConversationsReader, "services", "conversations"),
    (ConversationsReader, "default_service_sid", "conversations"),
    (ConversationsReader, "messages", "conversation_messages"),
    (McsMedia, "_read", "mcs_media"),
]


@pytest.mark.parametrize("worker", WORKERS, ids=[name for _, name, _ in WORKERS])
@pytest.mark.parametrize("most", [1, 5])
def test_what_nobody_foresaw_in_a_worker_ends_the_run(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch, worker: tuple[type, str, str], most: int
) -> None:
    owner, name, stream = worker
    monkeypatch.setattr(owner, name, fail)
    ended: Future[Output] = Future()

    def run() -> None:
        try:
            config = sim.config() | {"page_size": 20, "max_concurrency": most}
            ended.set_result(run_tap(config, select=[stream]))
        except Unforeseen as error:
            ended.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    with pytest.raises(Unforeseen):
        ended.result(20)


SCRIPT = """
import sys
import threading
from tap_twilio_media.streams.messaging import MessageMedia
from tap_twilio_media.__main__ import main
real, seen, hanging = MessageMedia._media_of, [], threading.Event()
def media_of(*args):
    seen.append(1)
    if len(seen) == 1:
        hanging.wait(10)
        raise ZeroDivisionError("a secret")
    if len(seen) == 6:
        hanging.set()
    return real(*args)
MessageMedia._media_of = media_of
main()
"""


def test_the_command_ends_too_with_requests_in_flight(tmp_path: Path) -> None:
    """The first one fails while the others hang; nobody waits for them."""
    world = seeded_world(messages=0, conversations=0)
    for number in range(40):
        world.add_message(date_sent=world.now - number * DAY, num_media=1)
    with Simulator(world) as sim:
        output = run_script(sim, tmp_path)
    assert output.code == 1
    assert "unforeseen ZeroDivisionError" in output.log
    assert "secret" not in output.log
    assert "Traceback" not in output.log
    assert output.bookmark("message_media") is None
    assert_promises_kept([output], world)


def run_script(sim: Simulator, tmp_path: Path) -> Output:
    sim.faults.add(Fault("hang", endpoint="media_list", times=None))
    (tmp_path / "config.json").write_text(json.dumps(sim.config() | {"max_concurrency": 20}))
    (tmp_path / "catalog.json").write_text(json.dumps(catalog_of(*FAMILY)))
    arguments = ("--config", "config.json", "--catalog", "catalog.json")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=tmp_path,
        env=clean_environ(),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return Output.of(done.stdout, code=done.returncode, log=done.stderr)


# ---- one after the other, but not one at a time


def test_the_next_accounts_are_on_their_way() -> None:
    world = seeded_world(messages=0, conversations=0)
    accounts = [world.account_sid, *(world.add_subaccount().sid for _ in range(6))]
    for account_sid in accounts:
        for number in range(10):
            world.add_message(account_sid, date_sent=world.now - number * DAY, num_media=1)
    with Simulator(world) as sim:
        config = sim.config() | {"account_sids": accounts, "max_concurrency": 1}
        output = run_tap(config, select=FAMILY)
        places = places_of(sim, "messages"), places_of(sim, "media_list")
    assert [len(place) for place in places] == [7, 70]
    begun = [sum(place < done for place in places[0]) for done in places[1][9::10]]
    assert begun == [4, 5, 6, 7, 7, 7, 7], "four at a time"
    assert [r["account_sid"] for r in output.records("messages")[::10]] == accounts


def test_the_next_services_are_on_their_way() -> None:
    world = seeded_world(messages=0, conversations=0)
    count = len(world.accounts[world.account_sid].services)
    for _ in range(6):
        service = world.add_service()
        for _ in range(3):
            conversation = world.add_conversation(service.sid)
            world.add_conversation_message(conversation.sid)
    with Simulator(world) as sim:
        output = run_tap(sim.config() | {"max_concurrency": 1}, select=STREAMS)
        lists = places_of(sim, "conversations")
        said = places_of(sim, "conversation_messages")
    assert [len(lists), len(said)] == [6 + count, 18]
    begun = [sum(place < done for place in lists) for done in said[2::3]]
    assert begun[0] > 1
    assert begun[-1] == 6 + count
    services = [row["chat_service_sid"] for row in output.records("conversation_messages")]
    assert services == sorted(services, key=services.index), "a service is emitted whole"


def places_of(sim: Simulator, endpoint: str) -> list[int]:
    """Return the places of the requests of an endpoint among all of them."""
    return [n for n, request in enumerate(sim.requests) if request.endpoint == endpoint]


# ---- what is asked in vain


def test_after_a_failure_what_was_not_begun_is_not_asked() -> None:
    """The next account does not stand behind the work that the failed one had left."""
    world = seeded_world(messages=0, conversations=0)
    other = next(a for a in world.accounts.values() if a.owner_sid != a.sid)
    for number in range(300):
        world.add_message(date_sent=world.now - number * DAY, num_media=1)
    for number in range(20):
        world.add_message(other.sid, date_sent=world.now - number * DAY, num_media=1)
    with Simulator(world, latency=0.01) as sim:
        sim.faults.add(Fault("403", endpoint="media_list", after=20))
        config = sim.config() | {"account_sids": [world.account_sid, other.sid]}
        output = run_tap(config, select=FAMILY)
        assert world.account_sid in str(output.error)
        assert output.bookmark("message_media", account_sid=other.sid)
        asked = [n for n, request in enumerate(sim.requests) if other.sid in request.path]
        # Its newest page was asked for ahead of its turn.
        later = [r for r in sim.requests[asked[1] :] if world.account_sid in r.path]
        assert len(later) <= 10, "what was in flight"
        assert sim.count("media_list") < 20 + 20 + 60
