"""Work done ahead of its turn: threads that take tasks by rank. Knows nothing of Twilio."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from tap_twilio_media.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Rank = tuple[int, ...]
"""The kind of a task, its scope, and its place there: lower is sooner."""

FIRST = -1
"""The kind before all others: what the thread that emits waits for and has just asked for."""

T = TypeVar("T")
_END: Any = object()
SECONDS_BETWEEN_LOOKS = 1.0


class Pool:
    """Threads that run tasks, the lowest rank first and of equal rank the earliest.

    They are daemons: a run that ends does not wait for their sockets. Tasks never wait for each
    other. Only the thread that emits takes results, so whatever it waits for is being done.

    A `TapError` is the result of its task. Any other exception is a fault of the program: it ends
    the whole pool and is raised by whatever result is asked for next.
    """

    def __init__(self, size: int, while_waiting: Callable[[], None] = lambda: None) -> None:
        """Prepare for so many threads; they start when there is work.

        Args:
            size: Threads at most.
            while_waiting: Called when a result is waited for that is not there yet, and then about
                once a second. What it raises ends the wait.
        """
        self._size = size
        self._while_waiting = while_waiting
        self._tasks: list[tuple[Rank, int, Future[Any], Callable[[], Any]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._idle = 0
        self._threads = 0
        self._dropped: set[Rank] = set()
        self._fault: Future[Any] = Future()
        self._is_closed = False

    def submit(self, rank: Rank, task: Callable[[], T]) -> Future[T]:
        """Queue a task; one of a scope that was dropped is cancelled at once.

        Args:
            rank: Its place among the others.
            task: What to do.
        """
        future: Future[T] = Future()
        with self._changed:
            if rank[1:2] in self._dropped or self._fault.done():
                future.cancel()
                return future
            heapq.heappush(self._tasks, (rank, next(self._numbers), future, task))
            if self._idle:
                self._idle -= 1
                self._changed.notify()
            elif self._threads < self._size:
                self._threads += 1
                threading.Thread(target=self._work, name="reader", daemon=True).start()
        return future

    def result(self, future: Future[T]) -> T:
        """Return what a task returned, or raise what it raised."""
        while not (future.done() or self._fault.done()):
            self._while_waiting()
            wait((future, self._fault), SECONDS_BETWEEN_LOOKS, return_when=FIRST_COMPLETED)
        if self._fault.done():
            self._fault.result()
        return future.result()

    def drop(self, scope: int) -> None:
        """Forget the tasks of a scope that were not begun: what they were for has ended."""
        with self._changed:
            self._dropped.add((scope,))
            dropped = [task for task in self._tasks if task[0][1] == scope]
            self._tasks = [task for task in self._tasks if task[0][1] != scope]
            heapq.heapify(self._tasks)
        for _, _, future, _ in dropped:
            future.cancel()

    def close(self) -> None:
        """Let the threads end: no more tasks come, and those that were not begun are forgotten."""
        with self._changed:
            self._is_closed = True
            self._tasks.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._tasks:
                    if self._is_closed:
                        return
                    self._idle += 1
                    self._changed.wait()
                _, _, future, task = heapq.heappop(self._tasks)
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(task())
                except TapError as error:
                    future.set_exception(error)
                except BaseException as error:  # noqa: BLE001 - raised where a result is taken
                    future.set_exception(error)
                    self._end(error)
            # An idle thread must not keep the last page alive.
            del future, task

    def _end(self, error: BaseException) -> None:
        with self._changed:
            self._tasks.clear()
            if not self._fault.done():
                self._fault.set_exception(error)


class Ahead(Generic[T]):
    """A sequence read ahead: each element by a task, queued when the element before has come."""

    def __init__(self, pool: Pool, rank: Rank, source: Iterator[T], depth: int) -> None:
        """Begin with the first element.

        Args:
            pool: Who reads.
            rank: Rank of the tasks.
            source: The sequence; one task at a time advances it.
            depth: So many elements wait at most to be taken.
        """
        self._pool = pool
        self._rank = rank
        self._source = source
        self._depth = depth
        self._futures: deque[Future[T]] = deque()
        self._lock = threading.Lock()
        self._is_reading = False
        self._has_ended = False
        with self._lock:
            self._go_on()

    def __iter__(self) -> Iterator[T]:
        """Yield the elements, in the one thread that takes them."""
        while self._futures:
            element = self._pool.result(self._futures[0])
            with self._lock:
                self._futures.popleft()
                self._go_on()
            if element is _END:
                return
            yield element

    def _go_on(self) -> None:
        if not (self._is_reading or self._has_ended) and len(self._futures) < self._depth:
            self._is_reading = True
            self._futures.append(self._pool.submit(self._rank, self._read_one))

    def _read_one(self) -> T:
        try:
            element = next(self._source, cast("T", _END))
        except BaseException:
            self._has_ended = True
            raise
        with self._lock:
            self._is_reading = False
            self._has_ended = self._has_ended or element is _END
            self._go_on()
        return element


class Startable(Protocol):
    """Something that can be begun."""

    def start_reading(self) -> None:
        """Begin."""


class Lookahead:
    """Starts what stands in line, in order, so much at a time."""

    def __init__(self, most: int) -> None:
        """Let so many be started that are not done."""
        self._most = most
        self._started = 0
        self._line: deque[Startable] = deque()
        self._lock = threading.Lock()

    def add(self, items: Iterable[Startable]) -> None:
        """Put items at the end of the line."""
        with self._lock:
            self._line.extend(items)
            self._start()

    def widen(self, most: int) -> None:
        """Let more be started."""
        with self._lock:
            self._most = most
            self._start()

    def reach(self, item: Startable) -> None:
        """Start an item whose turn has come, if it is still in the line."""
        with self._lock:
            if item in self._line:
                self._line.remove(item)
                self._started += 1
                item.start_reading()

    def done(self) -> None:
        """Let another item start in place of one that is done."""
        with self._lock:
            self._started -= 1
            self._start()

    def _start(self) -> None:
        while self._line and self._started < self._most:
            self._started += 1
            self._line.popleft().start_reading()
