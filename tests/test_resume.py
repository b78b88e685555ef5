"""A run that is cut short goes on where it was: nothing lost, little read twice."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tap_twilio_media import bookmarks
from tap_twilio_media.times import parsed
from tests.expecting import by_sid, expected
from tests.promises import assert_promises_kept
from tests.running import Output, catalog_of, clean_environ, run_tap
from tests.simulator import Fault, Simulator, World, seeded_world
from tests.simulator import listing as simulated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tests.simulator import Conversation, Service

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
FAMILY = ("messages", "message_media")
TALKS = ("conversation_messages", "mcs_media")
MARKS = {"read_since", "read_back_to"}


# ---- a command that is killed


class Command:
    """The tap's command, run again and again in a folder, each time from the last state."""

    def __init__(self, sim: Simulator, folder: Path, select: Sequence[str], **config: Any) -> None:
        self.sim = sim
        self.outputs: list[Output] = []
        self.folder = folder
        (folder / "config.json").write_text(json.dumps(sim.config() | config))
        (folder / "catalog.json").write_text(json.dumps(catalog_of(*select)))

    @property
    def state(self) -> dict[str, Any]:
        """The last whole state of all runs."""
        states = [output.state for output in self.outputs if output.of_type("STATE")]
        return states[-1] if states else {}

    @property
    def state_before(self) -> dict[str, Any]:
        """The state that the last run started from."""
        state: dict[str, Any] = json.loads((self.folder / "state.json").read_text())
        return state

    def held(self, stream: str) -> set[str]:
        """The keys of all records of a stream."""
        return {sid for output in self.outputs for sid in output.sids(stream)}

    def run(self, kill_after: int | None = None, number: signal.Signals = signal.SIGKILL) -> int:
        """Run until so many requests came, or to the end; return the exit code."""
        (self.folder / "state.json").write_text(json.dumps(self.state))
        path = self.folder / f"out-{len(self.outputs)}.jsonl"
        files = [f"--{name}={name}.json" for name in ("config", "catalog", "state")]
        with (
            path.open("wb") as out,
            subprocess.Popen(
                [sys.executable, "-m", "tap_twilio_media", *files],
                cwd=self.folder,
                env=clean_environ(),
                stdout=out,
                stderr=subprocess.DEVNULL,
            ) as process,
        ):
            deadline = time.monotonic() + 60
            while process.poll() is None:
                assert time.monotonic() < deadline
                if kill_after is not None and self.sim.count() >= kill_after:
                    process.send_signal(number)
                    break
                time.sleep(0.002)
            code = process.wait(30)
        text = path.read_text()
        # A line that was cut short never reached anybody.
        self.outputs.append(Output.of(text[: text.rfind("\n") + 1], code=code))
        return code

    def run_killed(self, times: int, chance: random.Random, most: int) -> int:
        """Run and kill so often at most, and then to the end; return how many were killed."""
        limits = [chance.randrange(1, most) for _ in range(times)]
        for killed, limit in enumerate((*limits, None)):
            self.sim.reset()
            code = self.run(limit)
            if code == 0:
                return killed
            assert code == -signal.SIGKILL
        raise AssertionError("it never came to its end")


def jobs(
    sim: Simulator, folder: Path, select: Sequence[str], kills: int, **config: Any
) -> Iterator[Command]:
    """Yield whole jobs, each killed now and then, until so many runs were killed."""
    chance = random.Random(kills)  # noqa: S311 - chance, not secrecy
    killed = 0
    while killed < kills:
        own = folder / f"job-{killed}-{chance.randrange(10**6)}"
        own.mkdir()
        command = Command(sim, own, select, **config)
        killed += command.run_killed(kills - killed, chance, most=300)
        yield command


KILLS = [
    pytest.param(6, id="short"),
    pytest.param(40, id="long", marks=pytest.mark.long),
]


@pytest.mark.parametrize("kills", KILLS)
def test_messages_killed_at_any_moment(tmp_path: Path, kills: int) -> None:
    world = seeded_world(messages=0, conversations=0)
    chance = random.Random(1)  # noqa: S311 - chance, not secrecy
    for number in range(2_000):
        # Busy weeks and quiet ones.
        age = 398 * DAY * (number / 2_000) ** chance.choice((1, 3))
        world.add_message(date_sent=world.now - age, num_media=int(number % 5 == 0))
    with Simulator(world, latency=0.03) as sim:
        for job in jobs(sim, tmp_path, FAMILY, kills, page_size=50, lookback_days=0.01):
            assert_promises_kept(job.outputs, world)
            last = [row for output in job.outputs for row in output.records("messages")]
            assert by_sid(last) == expected(sim, "messages")
            assert job.held("message_media") == set(expected(sim, "message_media"))
            # Of the last run: what came before it was not asked for again.
            since = world.now - 400 * DAY
            for part in parts_of(job.state_before, "messages"):
                since = parsed(part["replication_key_value"]) - 0.01 * DAY
            rows = [m for m in world.main.messages.values() if m.date_sent and m.date_sent >= since]
            # A window cut in two shows the second of the cut in both parts.
            assert sim.count("media_list") <= sum(m.num_media or 0 for m in rows) + 20
            # Windows hold 37 rows if all is even, and some are cut anew where it is not.
            assert sim.count("messages") <= 2.5 * len(rows) / 37 + 25


def conversation_world(count: int) -> tuple[World, Service]:
    """Return a world with one service and so many conversations, half a day apart."""
    world = World(seed=1)
    service = world.add_service(default=True)
    for number in range(count):
        talk = world.add_conversation(service.sid, date_created=world.now - (number + 1) * DAY / 2)
        for minute in range(2):
            moment = talk.date_created + minute * HOUR
            files = int(minute == 0 and number % 3 == 0)
            world.add_conversation_message(talk.sid, date_created=moment, media=files)
    return world, service


def parts_of(state: dict[str, Any], stream: str) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = state.get("bookmarks", {}).get(stream, {}).get("partitions", [])
    return parts


def assert_marks_kept(outputs: Iterable[Output], service: Service) -> None:
    """Fail if a state claims messages of conversations that no output before it held."""
    talks = service.conversations.values()
    promised = {
        "conversation_messages": {m: t for t in talks for m in t.messages},
        "mcs_media": {f.sid: t for t in talks for m in t.messages.values() for f in m.media},
    }
    held: dict[str, set[str]] = {stream: set() for stream in TALKS}
    for output in outputs:
        for message in output.messages:
            if message["type"] == "RECORD" and message["stream"] in held:
                held[message["stream"]].add(message["record"]["sid"])
            elif message["type"] == "STATE":
                for stream in TALKS:
                    for part in parts_of(message["value"], stream):
                        if "replication_key_value" in part:
                            due = set(promised[stream])
                        else:
                            back_to = parsed(part["read_back_to"])
                            claims = promised[stream].items()
                            due = {sid for sid, talk in claims if talk.date_created > back_to}
                        assert due <= held[stream], stream


@pytest.mark.parametrize("kills", KILLS)
def test_conversations_killed_at_any_moment(tmp_path: Path, kills: int) -> None:
    world, service = conversation_world(320)
    talks = service.conversations.values()
    with Simulator(world, latency=0.03) as sim:
        for job in jobs(sim, tmp_path, TALKS, kills, page_size=10):
            assert_marks_kept(job.outputs, service)
            for stream in TALKS:
                assert job.held(stream) == set(expected(sim, stream))
            left = list(talks)
            for part in parts_of(job.state_before, "conversation_messages"):
                if "read_back_to" in part:
                    back_to = parsed(part["read_back_to"])
                    left = [talk for talk in talks if talk.date_created <= back_to]
            # The list is asked for by the day, so that of one day some are read again.
            assert sim.count("conversation_messages") <= len(left) + 2
            (part,) = parts_of(job.state, "conversation_messages")
            assert not MARKS & set(part)


# ---- a first read of conversations that is cut short, step by step


COUNT = 160
"""So many conversations, each with two messages, ten to a page."""


@pytest.fixture
def every_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put out each state, however soon after the one before."""
    monkeypatch.setattr(bookmarks, "SECONDS_BETWEEN_STATES", 0)


@pytest.fixture
def talks() -> Iterator[tuple[Simulator, Service]]:
    world, service = conversation_world(COUNT)
    with Simulator(world) as sim:
        yield sim, service


def run_until(sim: Simulator, count: int, state: dict[str, Any] | None = None) -> Output:
    """Run until the messages of so many conversations were asked for, and all fails from there."""
    sim.faults.add(Fault("500", endpoint="conversation_messages", after=count, times=None))
    config = sim.config() | {"page_size": 10, "max_retry_seconds": 0, "max_concurrency": 4}
    output = run_tap(config, select=TALKS, state=state)
    sim.faults.clear()
    assert output.error is not None
    return output


def finish(sim: Simulator, state: dict[str, Any], **config: Any) -> Output:
    output = run_tap(sim.config() | {"page_size": 10} | config, select=TALKS, state=state)
    assert output.error is None
    return output


def assert_whole(sim: Simulator, *outputs: Output) -> None:
    for stream in TALKS:
        held: dict[str, Any] = {}
        for output in outputs:
            held |= by_sid(output.records(stream))
        assert held == expected(sim, stream)


@pytest.mark.usefixtures("every_state")
class TestAFirstRead:
    def test_it_goes_on_where_it_was(self, talks: tuple[Simulator, Service]) -> None:
        sim, service = talks
        first = run_until(sim, COUNT // 2)
        second = finish(sim, first.state)
        assert_whole(sim, first, second)
        assert_marks_kept([first, second], service)
        assert sim.count("conversation_messages") < 1.5 * COUNT
        assert len(second.records("conversation_messages")) < 0.7 * 2 * COUNT

    def test_again_and_again(self, talks: tuple[Simulator, Service]) -> None:
        sim, service = talks
        outputs = [run_until(sim, COUNT // 4)]
        for _ in range(3):
            outputs.append(run_until(sim, COUNT // 4, outputs[-1].state))
        outputs.append(finish(sim, outputs[-1].state))
        assert_whole(sim, *outputs)
        assert_marks_kept(outputs, service)

    def test_its_state_is_small_and_then_gone(self, talks: tuple[Simulator, Service]) -> None:
        sim, service = talks
        first = run_until(sim, COUNT * 2 // 3)
        assert len(json.dumps(first.state)) < 1_000
        for stream in TALKS:
            (part,) = parts_of(first.state, stream)
            assert set(part) == {"context"} | MARKS
        second = finish(sim, first.state)
        for stream in TALKS:
            (part,) = parts_of(second.state, stream)
            assert set(part) == {"context", "replication_key", "replication_key_value"}
        assert service.sid in str(second.state)

    def test_its_bookmark_is_the_start_of_the_first_attempt(
        self, talks: tuple[Simulator, Service]
    ) -> None:
        sim, service = talks
        # The world's clock is behind the real one, so that it decides.
        sim.world.now -= 2 * HOUR
        started = sim.world.now
        first = run_until(sim, COUNT // 2)
        sim.world.now += HOUR
        # In a conversation that was complete: a bookmark of the second start would pass it by.
        newest = max(service.conversations.values(), key=lambda talk: talk.date_created)
        late = sim.world.add_conversation_message(newest.sid, media=1)
        fresh = sim.world.add_conversation(service.sid)
        spoken = sim.world.add_conversation_message(fresh.sid)
        second = finish(sim, first.state)
        for stream in TALKS:
            assert parsed(second.bookmark(stream) or "") == started
        sim.world.now += HOUR / 2
        third = finish(sim, second.state, lookback_days=0)
        assert {late.sid, spoken.sid} <= set(third.sids("conversation_messages"))
        assert late.media[0].sid in third.sids("mcs_media")
        assert_whole(sim, first, second, third)

    def test_a_run_that_is_not_cut_short_leaves_no_marks(
        self, talks: tuple[Simulator, Service]
    ) -> None:
        sim, _ = talks
        output = finish(sim, {})
        assert not MARKS & set(str(output.state).split("'"))
        sim.reset()
        later = finish(sim, output.state)
        assert not [s for s in later.of_type("STATE") if "read_back_to" in str(s)]
        asked = [r.query for r in sim.requests if r.endpoint == "conversations"]
        assert not any("EndDate" in query for query in asked), "all of them are asked for changes"

    def test_a_list_in_no_order_makes_no_marks(
        self, talks: tuple[Simulator, Service], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sim, _ = talks

        def in_no_order(talks: Iterable[Conversation]) -> list[Conversation]:
            return sorted(talks, key=lambda talk: talk.sid)

        monkeypatch.setattr(simulated, "by_creation", in_no_order)
        first = run_until(sim, COUNT // 2)
        assert not any("read_back_to" in str(state) for state in first.of_type("STATE"))
        assert first.bookmark("conversation_messages") is None
        second = finish(sim, first.state)
        assert_whole(sim, second)

    def test_an_ascending_list_makes_no_marks(
        self, talks: tuple[Simulator, Service], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sim, _ = talks

        def ascending(talks: Iterable[Conversation]) -> list[Conversation]:
            return sorted(talks, key=lambda talk: talk.date_created)

        monkeypatch.setattr(simulated, "by_creation", ascending)
        first = run_until(sim, COUNT // 2)
        assert not any("read_back_to" in str(state) for state in first.of_type("STATE"))
        assert_whole(sim, finish(sim, first.state))

    def test_a_stream_selected_later_is_read_from_the_start(
        self, talks: tuple[Simulator, Service]
    ) -> None:
        """The attempt of one stream says nothing of the other."""
        sim, _ = talks
        sim.faults.add(Fault("500", endpoint="conversation_messages", after=COUNT // 2, times=None))
        config = sim.config() | {"page_size": 10, "max_retry_seconds": 0}
        first = run_tap(config, select=TALKS[:1])
        assert "read_back_to" in str(first.state)
        sim.faults.clear()
        second = finish(sim, first.state)
        assert by_sid(second.records("mcs_media")) == expected(sim, "mcs_media")
        assert_whole(sim, first, second)

    def test_a_full_scan_reads_all_whatever_was_marked(
        self, talks: tuple[Simulator, Service]
    ) -> None:
        sim, _ = talks
        first = run_until(sim, COUNT // 2)
        second = finish(sim, first.state, full_scan=True)
        assert_whole(sim, second)
        assert "read_back_to" not in str(second.state)


# ---- a signal


def hanging(sim: Simulator, endpoint: str) -> int:
    """Return how many requests of an endpoint have no answer yet."""
    return sum(r.endpoint == endpoint and not r.status for r in sim.requests)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("endpoint", "select"),
    [
        ("media_list", FAMILY),
        ("conversation_messages", TALKS),
        ("mcs_media", TALKS),
    ],
    ids=["media_list", "conversation_messages", "mcs_media"],
)
def test_a_signal_ends_twenty_requests(
    tmp_path: Path, number: signal.Signals, endpoint: str, select: Sequence[str]
) -> None:
    world, _ = conversation_world(60)
    for age in range(60):
        world.add_message(date_sent=world.now - age * DAY, num_media=1)
    with Simulator(world) as sim:
        # The limit rises with every success, so some must pass before twenty hang at once.
        after = 0 if endpoint == "mcs_media" else 15
        sim.faults.add(Fault("hang", endpoint=endpoint, after=after, times=None))
        (tmp_path / "config.json").write_text(json.dumps(sim.config() | {"max_concurrency": 20}))
        (tmp_path / "catalog.json").write_text(json.dumps(catalog_of(*select)))
        files = ("--config=config.json", "--catalog=catalog.json")
        with (
            (tmp_path / "out.jsonl").open("w") as out,
            subprocess.Popen(
                [sys.executable, "-m", "tap_twilio_media", *files],
                cwd=tmp_path,
                env=clean_environ(),
                stdout=out,
                stderr=subprocess.PIPE,
                text=True,
            ) as process,
        ):
            deadline = time.monotonic() + 30
            while hanging(sim, endpoint) < 20:
                assert time.monotonic() < deadline
                time.sleep(0.005)
            process.send_signal(number)
            sent = time.monotonic()
            _, log = process.communicate(timeout=30)
            assert time.monotonic() - sent < 2
        assert process.returncode == 128 + number
        assert "Traceback" not in log
        first = Output.of((tmp_path / "out.jsonl").read_text())
        assert_promises_kept([first], world)
        sim.faults.clear()
        second = run_tap(sim.config(), select=select, state=first.state)
        for stream in select:
            held = by_sid(first.records(stream)) | by_sid(second.records(stream))
            assert held == expected(sim, stream)
