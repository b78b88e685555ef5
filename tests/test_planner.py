"""How a stretch of time is cut into windows."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tap_twilio_media.windows import (
    MOST_GROWTH,
    MOST_SHRINKING,
    RETENTION,
    Lengths,
    Planner,
    Window,
)

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
START = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)
ROWS = st.integers(0, 5_000)


class Stretch(NamedTuple):
    """What to plan."""

    start: datetime
    end: datetime
    lengths: Lengths
    rows_per_second: float

    def planner(self) -> Planner:
        return Planner(*self)


def lengths(rows: int, shortest: int, more: int) -> Lengths:
    longest = min(RETENTION, (shortest + more) * SECOND)
    return Lengths(rows, shortest * SECOND, longest)


LENGTHS = st.builds(
    lengths, st.integers(1, 1000), st.sampled_from([1, 5 * 86_400]), st.integers(0, 400 * 86_400)
)
STRETCHES = st.builds(
    lambda start, seconds, lengths, density: Stretch(
        START + start * SECOND, START + (start + seconds) * SECOND, lengths, density
    ),
    st.integers(-(10**7), 10**7),
    st.integers(-5, 400 * 86_400),
    LENGTHS,
    st.floats(1e-9, 1e6),
)


def length_of(window: Window) -> timedelta:
    return window.end - window.start


@given(STRETCHES, st.lists(ROWS, max_size=60))
def test_windows_follow_each_other_without_a_gap(stretch: Stretch, rows: list[int]) -> None:
    planner, bounds = stretch.planner(), stretch.lengths
    until = stretch.start
    for count in rows:
        window = planner.next()
        if window is None:
            assert until >= stretch.end
            assert planner.next() is None
            return
        assert window.start == until
        assert window.start < window.end <= stretch.end
        assert window.end.microsecond == 0
        assert length_of(window) <= max(bounds.longest, bounds.shortest)
        if window.end < stretch.end:
            assert length_of(window) >= bounds.shortest
        planner.learn(window, count)
        until = window.end
    # Dense as it may be, it comes to an end.
    while (left := planner.next()) and until < stretch.end:
        assert left.start == until
        planner.learn(left, 0)
        until = left.end
    assert until >= stretch.end


@given(STRETCHES, ROWS)
def test_it_learns_within_its_factors(stretch: Stretch, rows: int) -> None:
    planner, bounds = stretch.planner(), stretch.lengths
    window = planner.next()
    if window is None:
        return
    planner.learn(window, rows)
    following = planner.next()
    if following is None:
        return
    before, after = length_of(window), length_of(following)
    assert after <= max(bounds.shortest, MOST_GROWTH * before)
    if following.end < stretch.end:
        assert after >= min(bounds.longest, max(bounds.shortest, before * MOST_SHRINKING - SECOND))
        if rows > bounds.rows:
            assert after <= max(before, bounds.shortest)
        if rows < bounds.rows:
            assert after >= min(before, bounds.longest)


def test_it_aims_at_so_many_rows() -> None:
    plan = Lengths(rows=100, shortest=SECOND)
    planner = Planner(START, START + 400 * DAY, plan, 100 / 86_400)
    window = planner.next()
    assert window == Window(START, START + DAY)
    for rows, factor in ((100, 1), (200, 0.5), (25, 4), (0, MOST_GROWTH), (10**6, MOST_SHRINKING)):
        planner.learn(window, rows)
        following = planner.next()
        assert following is not None
        assert length_of(following) == DAY * factor


def test_a_cap_is_kept_whatever_it_learns() -> None:
    plan = Lengths(rows=100, shortest=SECOND, longest=2 * DAY)
    planner = Planner(START, START + 30 * DAY, plan, 1e-9)
    seen = []
    while window := planner.next():
        seen.append(length_of(window))
        planner.learn(window, 0)
    assert seen == [2 * DAY] * 15


@given(STRETCHES, st.lists(st.tuples(ROWS, st.integers(1, 5)), max_size=30))
def test_the_same_rows_make_the_same_plan(stretch: Stretch, rounds: list[tuple[int, int]]) -> None:
    """Also when several windows are planned before the first of them was read."""

    def planned() -> list[Window]:
        planner, windows = stretch.planner(), list[Window]()
        for rows, count in rounds:
            fresh = [window for _ in range(count) if (window := planner.next())]
            windows += fresh
            for window in fresh[:1]:
                planner.learn(window, rows)
        return windows

    assert planned() == planned()


@given(STRETCHES, st.floats(1e-9, 1e6))
def test_before_a_burst_windows_grow_with_their_distance(stretch: Stretch, density: float) -> None:
    longest = max(stretch.lengths.longest, stretch.lengths.shortest)
    end = min(stretch.end, stretch.start + 200 * longest).replace(microsecond=0)
    planner, bounds = stretch.planner().before(stretch.start, end, density), stretch.lengths
    windows = []
    while window := planner.next():
        windows.append(window)
    if stretch.start >= end:
        assert not windows
        return
    edges = [window.start for window in windows] + [end]
    assert edges[0] == stretch.start
    assert edges[1:] == [window.end for window in windows], "without a gap"
    nearest = bounds.of(bounds.rows / density)
    assert length_of(windows[-1]) == min(nearest, end - stretch.start)
    for farther, nearer in pairwise(windows[1:]):
        expected = min(length_of(nearer) * MOST_GROWTH, max(bounds.longest, bounds.shortest))
        assert length_of(farther) == expected


def test_a_short_burst_costs_few_windows() -> None:
    plan = Lengths(rows=100, shortest=SECOND)
    planner = Planner(START, START + 400 * DAY, plan, 1).before(START, START + 400 * DAY, 1)
    assert len(list(iter(planner.next, None))) == 10  # of 100 s, 400 s, ... 4 ** 9 * 100 s


@given(STRETCHES, st.integers(0, 10**7))
def test_it_goes_on_where_it_is_told(stretch: Stretch, seconds: int) -> None:
    for planner in (
        stretch.planner(),
        stretch.planner().before(stretch.start, stretch.end, stretch.rows_per_second),
    ):
        check_it_goes_on(planner, stretch, seconds)


def check_it_goes_on(planner: Planner, stretch: Stretch, seconds: int) -> None:
    for _ in range(3):
        planner.next()
    moment = stretch.start + seconds * SECOND
    planner.start_at(moment)
    window = planner.next()
    if moment >= stretch.end:
        assert window is None
    else:
        assert window is not None
        assert window.start == moment
