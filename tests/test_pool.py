"""Work done ahead of its turn: which task runs next, and what is never read too early."""

from __future__ import annotations

import itertools
import threading
import time
import weakref
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tap_twilio_media import pool as module
from tap_twilio_media.errors import TapError
from tap_twilio_media.pool import Ahead, Lookahead, Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_twilio_media.pool import Rank

T = TypeVar("T")

LAST: Rank = (9, 99)
"""A rank behind that of every other task."""
RANKS = st.lists(st.integers(0, 2), min_size=1, max_size=3).map(tuple)


def timely(work: Callable[[], T], seconds: float = 20) -> T:
    """Return what work returns, or raise what it raises; fail if it hangs."""
    future: Future[T] = Future()

    def do() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised in the test
            future.set_exception(error)

    threading.Thread(target=do, daemon=True).start()
    return future.result(seconds)


class Gate:
    """The one thread of a pool, held up until the gate opens."""

    def __init__(self, rank: Rank = (0, 0)) -> None:
        self.pool = Pool(1)
        self.open = threading.Event()
        begun = threading.Event()

        def hold() -> str:
            begun.set()
            assert self.open.wait(20)
            return "held"

        self.held = self.pool.submit(rank, hold)
        assert begun.wait(20)


def settle(pool: Pool) -> None:
    """Wait until a pool of one thread has nothing left to do."""
    pool.submit(LAST, int).result(20)


# ---- the pool


@given(st.lists(RANKS, max_size=12))
@settings(max_examples=40)
def test_the_lowest_rank_runs_first_and_of_equal_rank_the_earliest(ranks: list[Rank]) -> None:
    gate = Gate()
    ran: list[int] = []
    tasks = [
        gate.pool.submit(rank, lambda number=number: ran.append(number))  # type: ignore[misc]
        for number, rank in enumerate(ranks)
    ]
    gate.open.set()
    for task in tasks:
        task.result(20)
    assert ran == sorted(range(len(ranks)), key=lambda number: ranks[number])


def test_a_drop_cancels_what_was_not_begun_of_its_scope_alone() -> None:
    gate = Gate(rank=(0, 1))
    ran: list[str] = []
    pool = gate.pool
    mine = [pool.submit((kind, 1, 5), lambda: ran.append("mine")) for kind in (0, 1, 2)]
    others = [pool.submit(rank, lambda: ran.append("other")) for rank in ((0, 2), (1, 0), (1, 2))]
    pool.drop(1)
    assert all(task.cancelled() for task in mine)
    gate.open.set()
    for task in others:
        task.result(20)
    assert gate.held.result(20) == "held", "what was begun goes on"
    settle(pool)
    assert ran == ["other"] * 3
    with pytest.raises(CancelledError):
        pool.result(mine[0])


def test_order_is_kept_by_a_drop() -> None:
    gate = Gate()
    ran: list[int] = []
    for number in (5, 3, 9, 1, 7, 2, 8):
        gate.pool.submit((1, number % 2, number), lambda number=number: ran.append(number))  # type: ignore[misc]
    gate.pool.drop(0)
    gate.open.set()
    settle(gate.pool)
    assert ran == [1, 3, 5, 7, 9]


def test_what_a_task_raises_is_raised_where_its_result_is_taken() -> None:
    pool, error = Pool(1), TapError("x")

    def fail() -> None:
        raise error

    failed, fine = pool.submit((0, 0), fail), pool.submit((0, 0), lambda: "fine")
    assert timely(lambda: pool.result(fine)) == "fine", "the thread goes on"
    with pytest.raises(TapError) as caught:
        pool.result(failed)
    assert caught.value is error


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_a_fault_of_the_program_is_raised_at_once_and_ends_the_others(error: BaseException) -> None:
    pool, never, began = Pool(2), threading.Event(), threading.Event()

    def fail() -> None:
        assert began.wait(20)
        raise error

    def hang() -> None:
        began.set()
        never.wait(60)

    done = pool.submit((0, 0), int)
    assert timely(lambda: pool.result(done)) == 0
    hanging = pool.submit((0, 0), hang)
    pool.submit((0, 0), fail)
    queued = [pool.submit((0, 0), hang) for _ in range(3)]
    # It is raised while another result is waited for, and by one that is there already.
    futures: list[Future[Any]] = [hanging, done, *queued]
    for future in futures:
        with pytest.raises(type(error)) as caught:
            timely(partial(pool.result, future))
        assert caught.value is error
    assert not any(future.running() for future in queued)
    never.set()


def test_before_a_wait_the_caller_is_told_and_not_without_one() -> None:
    begun, told = threading.Event(), []

    def tell() -> None:
        told.append(1)
        begun.set()

    pool = Pool(1, tell)
    # This task can end only once it is known that somebody waits for it.
    slow = pool.submit((0, 0), lambda: begun.wait(20))
    assert timely(lambda: pool.result(slow)) is True
    assert len(told) == 1
    assert pool.result(slow) is True
    done = pool.submit((0, 0), lambda: 5)
    done.result(20)
    assert pool.result(done) == 5
    assert len(told) == 1


def test_a_long_wait_is_told_again_and_again_and_ends_with_what_that_raises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SECONDS_BETWEEN_LOOKS", 0.01)
    told = []

    def tell() -> None:
        told.append(1)
        if len(told) == 3:
            raise BrokenPipeError

    pool, never = Pool(1, tell), threading.Event()
    hanging = pool.submit((0, 0), never.wait)
    with pytest.raises(BrokenPipeError):
        timely(lambda: pool.result(hanging))
    never.set()
    assert len(told) == 3


@pytest.mark.parametrize("size", [1, 2, 5])
def test_as_many_tasks_at_once_as_there_are_threads(size: int) -> None:
    pool, barrier = Pool(size), threading.Barrier(size)
    lock, counts, now = threading.Lock(), [0], itertools.count()

    def task() -> None:
        with lock:
            counts.append(counts[-1] + 1)
        if next(now) < size:  # the first so many meet
            barrier.wait(20)
        with lock:
            counts.append(counts[-1] - 1)

    for future in [pool.submit((0, 0), task) for _ in range(20 * size)]:
        future.result(20)
    assert max(counts) == size


def test_the_threads_of_a_pool_do_not_keep_a_process_alive() -> None:
    daemons = Pool(2).submit((0, 0), lambda: threading.current_thread().daemon)
    assert daemons.result(20)


# ---- a sequence read ahead


class Source:
    """A sequence that counts how far it was read, and may fail."""

    def __init__(self, count: int, fails_at: int | None = None) -> None:
        self.read = 0
        self.alone = threading.Lock()
        self._count = count
        self._fails_at = fails_at

    def __iter__(self) -> Iterator[int]:
        for number in range(self._count):
            assert self.alone.acquire(blocking=False), "one task at a time advances it"
            self.read += 1
            self.alone.release()
            if number == self._fails_at:
                raise TapError(number)
            yield number


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_at_most_so_many_elements_wait(depth: int) -> None:
    pool, source = Pool(1), Source(20)
    ahead = Ahead(pool, (0, 0), iter(source), depth)
    elements = iter(ahead)
    settle(pool)
    assert source.read == depth
    for number in range(20):
        assert next(elements) == number
        settle(pool)
        assert source.read == min(20, number + 1 + depth)
    assert not list(elements)


def test_a_failure_comes_in_its_turn() -> None:
    elements = iter(Ahead(Pool(1), (0, 0), iter(Source(5, fails_at=1)), 2))
    assert timely(lambda: next(elements)) == 0
    with pytest.raises(TapError, match="1"):
        timely(lambda: next(elements))


def test_the_rank_of_a_sequence_is_that_of_its_tasks() -> None:
    gate = Gate()
    order: list[str] = []

    def named(name: str) -> Iterator[str]:
        for _ in range(3):
            order.append(name)
            yield name

    later = Ahead(gate.pool, (0, 2), named("later"), 3)
    sooner = Ahead(gate.pool, (0, 1), named("sooner"), 3)
    gate.open.set()
    assert timely(lambda: [*later, *sooner]) == ["later"] * 3 + ["sooner"] * 3
    assert order == ["sooner"] * 3 + ["later"] * 3


@dataclass(frozen=True)
class Sequence:
    """A sequence to read, with a task for each element, as pages have children."""

    count: int
    depth: int
    fails_at: int | None
    children: int


SEQUENCES = st.builds(
    Sequence,
    st.integers(0, 12),
    st.integers(1, 4),
    st.none() | st.integers(0, 15),
    st.integers(0, 3),
)


class Readers:
    """Sequences read in any interleaving, one taken from at a time."""

    def __init__(self, size: int, sequences: list[Sequence]) -> None:
        self.pool = Pool(size)
        self.asked = [0] * len(sequences)
        self.found: list[list[int]] = [[] for _ in sequences]
        self.ended: dict[int, int | None] = {}
        self._elements = [
            iter(Ahead(self.pool, (0, index), self._read(index, sequence), sequence.depth))
            for index, sequence in enumerate(sequences)
        ]

    def take(self, index: int) -> None:
        """Take an element of a sequence, and the results of its tasks."""
        try:
            self.asked[index] += 1
            number, children = next(self._elements[index])
        except StopIteration:
            self.ended[index] = None
        except TapError as error:
            (self.ended[index],) = error.args
        else:
            self.found[index].append(number)
            assert [self.pool.result(child) for child in children] == [number] * len(children)

    def _read(self, index: int, sequence: Sequence) -> Iterator[tuple[int, list[Future[int]]]]:
        for number in Source(sequence.count, sequence.fails_at):
            assert number < self.asked[index] + sequence.depth, "read too far ahead"
            task = partial(int, number)
            yield (
                number,
                [self.pool.submit((1, index), task) for _ in range(sequence.children)],
            )


@given(
    st.lists(SEQUENCES, min_size=1, max_size=4),
    st.integers(1, 5),
    st.lists(st.integers(0, 3), max_size=30),
)
@settings(max_examples=150, deadline=None)
def test_whatever_the_sizes_all_arrives_in_order(
    sequences: list[Sequence], size: int, turns: list[int]
) -> None:
    readers = Readers(size, sequences)

    def take_all() -> None:
        rest = [index for index in range(len(sequences)) for _ in range(20)]
        for turn in [*turns, *rest]:
            index = turn % len(sequences)
            if index not in readers.ended:
                readers.take(index)

    timely(take_all)
    for index, sequence in enumerate(sequences):
        fails_at = sequence.fails_at
        fails = fails_at is not None and fails_at < sequence.count
        assert readers.ended[index] == (fails_at if fails else None)
        assert readers.found[index] == list(range((fails_at or 0) if fails else sequence.count))


# ---- what stands in line


class Item:
    """Something that can be begun, once."""

    def __init__(self, started: list[Item]) -> None:
        self._all = started

    def start_reading(self) -> None:
        assert self not in self._all
        self._all.append(self)


def test_so_many_are_started_in_order() -> None:
    started: list[Item] = []
    items = [Item(started) for _ in range(8)]
    line = Lookahead(3)
    line.add(items[:2])
    assert started == items[:2]
    line.add(items[2:])
    assert started == items[:3]
    for count in (4, 5):
        line.done()
        assert started == items[:count]


def test_an_item_whose_turn_has_come_is_started_out_of_line() -> None:
    started: list[Item] = []
    items = [Item(started) for _ in range(6)]
    line = Lookahead(2)
    line.add(items)
    line.reach(items[0])
    assert started == items[:2], "it was started before"
    line.reach(items[3])
    assert started == [items[0], items[1], items[3]]
    line.done()
    assert len(started) == 3, "one more than allowed was started"
    line.done()
    assert started == [items[0], items[1], items[3], items[2]]
    for _ in range(9):
        line.done()
    assert started == [items[0], items[1], items[3], items[2], items[4], items[5]]


@given(st.integers(1, 5), st.lists(st.integers(0, 6), max_size=8))
def test_reaching_one_after_the_other_starts_each_once(most: int, batches: list[int]) -> None:
    started: list[Item] = []
    line = Lookahead(most)
    for batch in batches:
        items = [Item(started) for _ in range(batch)]
        line.add(items)
        for done, item in enumerate(items):
            line.reach(item)
            assert item in started
            ahead = started[len(started) - batch :] if batch else []
            assert len(set(ahead) & set(items)) <= done + most
            line.done()
    assert len(started) == sum(batches)


def test_a_line_filled_by_another_thread() -> None:
    started: list[Item] = []
    items = [Item(started) for _ in range(500)]
    line = Lookahead(4)

    def fill() -> None:
        for start in range(0, 500, 5):
            line.add(items[start : start + 5])

    def take() -> None:
        filler = threading.Thread(target=fill)
        filler.start()
        filler.join(20)
        for item in items:
            line.reach(item)
            assert item in started
            line.done()

    timely(take)
    assert started == items


def test_after_a_drop_nothing_is_taken_for_its_scope() -> None:
    gate = Gate(rank=(0, 1))  # a page that is being read when its account fails
    gate.pool.drop(1)
    assert gate.pool.submit((1, 1), int).cancelled()  # what that page brings
    gate.open.set()


def test_an_idle_thread_keeps_no_result() -> None:
    class Rows:
        """A page."""

    pool = Pool(1)
    task = pool.submit((0, 0), Rows)
    rows = weakref.ref(task.result(5))
    del task
    deadline = time.monotonic() + 5
    while rows() is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert rows() is None
