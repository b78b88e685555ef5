"""How many requests are in flight, and what Twilio's refusals change about that."""

from __future__ import annotations

import logging
import random
import threading
import time
from contextlib import ExitStack, suppress
from datetime import timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from tap_twilio_media.client import throttle as module
from tap_twilio_media.client.errors import StoppedError
from tap_twilio_media.client.throttle import Throttle
from tests.client.asking import Clock
from tests.expecting import by_sid, expected
from tests.running import run_tap
from tests.simulator import Fault, Simulator, World, seeded_world

LOW = 8
"""More than so many at once would be no careful start."""
MINUTE = timedelta(minutes=1)
FAMILY = ("messages", "message_media")


class Full(Exception):  # noqa: N818 - it is no error that a place is taken
    """There is no free place."""


class Unwaiting(threading.Condition):
    """Tells of a wait in place of waiting."""

    @override
    def wait(self, timeout: float | None = None) -> bool:
        raise Full


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def still(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time stands still, and nobody waits for a place."""
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module, "threading", SimpleNamespace(Condition=Unwaiting))


def throttle_of(most: int) -> Throttle:
    return Throttle(most, threading.Event())


def fill(throttle: Throttle, stack: ExitStack) -> list[float]:
    """Take every free place, and return when each was got."""
    got = []
    with suppress(Full):
        while True:
            got.append(stack.enter_context(throttle.place()))
    return got


def limit_of(throttle: Throttle) -> int:
    """Return how many requests may be in flight when none is."""
    with ExitStack() as stack:
        return len(fill(throttle, stack))


def refuse_all(throttle: Throttle, clock: Clock) -> None:
    """Have a full house refused, by one burst."""
    with ExitStack() as stack:
        got = fill(throttle, stack)
        clock.now += 1
        for since in got:
            throttle.slow_down(since)


def climb(throttle: Throttle) -> int:
    """Return how many successes it takes to raise the limit by one."""
    before, successes = limit_of(throttle), 0
    while limit_of(throttle) == before:
        throttle.speed_up()
        successes += 1
        assert successes < 10_000
    return successes


@pytest.mark.usefixtures("still")
class TestTheLimit:
    @pytest.mark.parametrize("most", [1, 2, 7, 8, 9, 50])
    def test_it_starts_low(self, most: int) -> None:
        assert 1 <= limit_of(throttle_of(most)) <= min(most, LOW)

    @pytest.mark.parametrize("most", [1, 2, 7, 8, 9, 50])
    def test_every_success_raises_it_until_the_first_refusal(self, most: int) -> None:
        throttle = throttle_of(most)
        while (before := limit_of(throttle)) < most:
            throttle.speed_up()
            assert limit_of(throttle) == before + 1
        for _ in range(100):
            throttle.speed_up()
        assert limit_of(throttle) == most

    def test_a_burst_of_refusals_cuts_it_once(self, clock: Clock) -> None:
        throttle = throttle_of(50)
        for _ in range(42):
            throttle.speed_up()
        with ExitStack() as stack:
            got = fill(throttle, stack)
            assert len(got) == 50
            clock.now += 1
            throttle.slow_down(got[20])
            with pytest.raises(Full), throttle.place():
                """What is in flight is beyond the limit already."""
            clock.now += 1
            for since in got:
                throttle.slow_down(since)
        limit = limit_of(throttle)
        assert 25 <= limit < 50
        clock.now += 1
        with throttle.place() as since:
            clock.now += 1
        # Those that come late were sent before the cut: they say nothing about it.
        for old in got:
            throttle.slow_down(old)
        assert limit_of(throttle) == limit
        with ExitStack() as stack:
            fill(throttle, stack)
            throttle.slow_down(since)
        assert limit_of(throttle) < limit, "one that was sent after the cut counts"

    def test_a_cut_starts_from_what_was_in_flight(self, clock: Clock) -> None:
        throttle = throttle_of(50)
        for _ in range(50):
            throttle.speed_up()
        with ExitStack() as stack:
            got = [stack.enter_context(throttle.place()) for _ in range(10)]
            clock.now += 1
            throttle.slow_down(got[0])
        assert 5 <= limit_of(throttle) < 10

    def test_it_climbs_more_slowly_after_every_cut(self, clock: Clock) -> None:
        throttle = throttle_of(50)
        taken = [climb(throttle)]
        for _ in range(4):
            refuse_all(throttle, clock)
            clock.now += 1
            climb(throttle)  # from wherever it was cut to
            taken.append(climb(throttle))
        assert taken == sorted(set(taken))
        assert taken[0] == 1
        assert taken[1] >= 20

    def test_it_never_falls_below_one(self, clock: Clock) -> None:
        throttle = throttle_of(50)
        for _ in range(50):
            refuse_all(throttle, clock)
            clock.now += 1
        assert limit_of(throttle) == 1
        throttle = throttle_of(1)
        refuse_all(throttle, clock)
        assert limit_of(throttle) == 1

    def test_one_refusal_with_nothing_else_in_flight(self, clock: Clock) -> None:
        throttle = throttle_of(50)
        with throttle.place() as since:
            clock.now += 1
        throttle.slow_down(since)
        assert limit_of(throttle) == 1

    @given(st.integers(1, 60), st.lists(st.sampled_from("+++++-"), max_size=200))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_it_stays_within_its_bounds(self, clock: Clock, most: int, steps: list[str]) -> None:
        throttle = throttle_of(most)
        for step in steps:
            before = limit_of(throttle)
            if step == "+":
                throttle.speed_up()
                assert before <= limit_of(throttle) <= min(before + 1, most)
            else:
                refuse_all(throttle, clock)
                clock.now += 1
                assert 1 <= limit_of(throttle) <= max(1, before - 1)


@pytest.mark.usefixtures("still")
class TestWhatIsTold:
    def test_once_a_change(self, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
        throttle = throttle_of(20)
        with caplog.at_level(logging.INFO):
            for _ in range(100):
                throttle.speed_up()
            assert not caplog.messages, "a good start is no news"
            refuse_all(throttle, clock)
            assert len(caplog.messages) == 1
            assert f"{limit_of(throttle)} requests" in caplog.messages[0]
            clock.now += 1
            refuse_all(throttle, clock)
            assert len(caplog.messages) == 2
            for _ in range(10_000):
                throttle.speed_up()
            assert limit_of(throttle) == 20
            assert len(caplog.messages) == 3
            assert "20 requests" in caplog.messages[2]
        assert {record.levelname for record in caplog.records} == {"INFO"}


class TestThreads:
    @pytest.mark.parametrize("most", [1, 3, 10])
    def test_never_more_than_allowed(self, most: int) -> None:
        throttle, lock = throttle_of(most), threading.Lock()
        in_flight, seen, chance = [0], [0], random.Random(most)  # noqa: S311 - chance, not secrecy

        def ask() -> None:
            for _ in range(20):
                with throttle.place():
                    with lock:
                        in_flight[0] += 1
                        seen.append(in_flight[0])
                    time.sleep(chance.uniform(0, 0.001))
                    with lock:
                        in_flight[0] -= 1
                throttle.speed_up()

        started = time.monotonic()
        threads = [threading.Thread(target=ask, daemon=True) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(seen) == 401, "each had its turn"
        assert max(seen) <= most
        # Whoever waits is told of a free place: one look in half a second would be 200 s.
        assert time.monotonic() - started < 10

    def test_a_raised_limit_lets_one_more_in_at_once(self) -> None:
        throttle, got = throttle_of(50), threading.Event()

        def ask() -> None:
            with throttle.place():
                got.set()

        with ExitStack() as stack:
            for _ in range(LOW):
                stack.enter_context(throttle.place())
            threading.Thread(target=ask, daemon=True).start()
            throttle.speed_up()
            assert got.wait(5)

    def test_a_free_place_is_given_on_at_once(self) -> None:
        throttle = throttle_of(1)
        handed_on: list[float] = []

        def ask() -> None:
            with throttle.place():
                handed_on.append(time.monotonic())
                time.sleep(0.02)  # the others wait by now

        threads = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        # Who only looks twice a second gets a place after a quarter of one, on average.
        assert len(handed_on) == 8
        assert max(handed_on) - min(handed_on) < 0.45

    def test_a_place_is_given_back_when_the_request_fails(self) -> None:
        throttle = throttle_of(1)
        for _ in range(3):
            with pytest.raises(ValueError, match="x"), throttle.place():
                raise ValueError("x")
        with throttle.place():
            pass

    def test_a_stop_ends_the_wait(self) -> None:
        stop, ended = threading.Event(), threading.Event()
        throttle = Throttle(1, stop)

        def ask() -> None:
            with pytest.raises(StoppedError), throttle.place():
                """Never reached."""
            ended.set()

        with throttle.place():
            threading.Thread(target=ask, daemon=True).start()
            assert not ended.is_set()
            stop.set()
            assert ended.wait(1), "far below the two seconds in which a run must end"
        with pytest.raises(StoppedError), throttle.place():
            """There is room, but no time."""


class TestOnTwilio:
    """Twilio's ceiling is not known beforehand."""

    @pytest.fixture
    def world(self) -> World:
        world = seeded_world(messages=0, conversations=0)
        for number in range(800):
            world.add_message(date_sent=world.now - number * MINUTE, num_media=1)
        return world

    @pytest.fixture
    def slow(self, sim: Simulator) -> Simulator:
        sim.latency = 0.02
        return sim

    def refused(self, sim: Simulator) -> int:
        return sum(request.status in {429, 503} for request in sim.requests)

    def test_it_finds_the_ceiling_and_loses_nothing(
        self, slow: Simulator, caplog: pytest.LogCaptureFixture
    ) -> None:
        slow.world.behaviour.max_concurrent = 8
        with caplog.at_level(logging.INFO, logger=module.logger.name):
            output = run_tap(slow.config() | {"max_concurrency": 50}, select=FAMILY)
        assert output.error is None
        for stream in FAMILY:
            assert by_sid(output.records(stream)) == expected(slow, stream)
        # Measured: 0.4 %, the learning at the start included.
        assert 1 <= self.refused(slow) < 0.02 * slow.count()
        told = [r for r in caplog.records if r.name == module.logger.name]
        assert 1 <= len(told) <= self.refused(slow) + 1, "once a change"

    def test_without_a_ceiling_it_uses_what_is_allowed(self, slow: Simulator) -> None:
        output = run_tap(slow.config() | {"max_concurrency": 30}, select=FAMILY)
        assert output.error is None
        assert slow.max_in_flight == 30

    def test_a_503_counts_too(self, slow: Simulator, caplog: pytest.LogCaptureFixture) -> None:
        slow.faults.add(Fault("503", endpoint="media_list", after=100, times=10))
        with caplog.at_level(logging.INFO, logger=module.logger.name):
            output = run_tap(slow.config() | {"max_concurrency": 20}, select=FAMILY)
        assert output.error is None
        assert by_sid(output.records("message_media")) == expected(slow, "message_media")
        cuts = [r for r in caplog.records if "slow down" in r.getMessage()]
        assert 1 <= len(cuts) <= 3, "one for a burst, however many it refuses"
