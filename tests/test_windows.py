"""Windows of time, and where a stream starts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from tap_twilio_media.times import EPOCH
from tap_twilio_media.windows import (
    EDGE,
    RETENTION,
    SCHEDULING_HORIZON,
    Window,
    first_listed,
    starting_point,
)

DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)
MOMENTS = st.datetimes(
    datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(timezone.utc),
)
LOOKBACKS = st.timedeltas(timedelta(0), 4_000 * DAY)
NOW = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def test_a_window_holds_its_start_and_not_its_end() -> None:
    window = Window(NOW, NOW + DAY)
    assert NOW in window
    assert NOW + DAY - MICROSECOND in window
    assert NOW + DAY not in window
    assert NOW - MICROSECOND not in window


@given(MOMENTS, MOMENTS, MOMENTS, MOMENTS)
def test_adjoining_windows_hold_a_moment_once(
    one: datetime, two: datetime, three: datetime, moment: datetime
) -> None:
    start, middle, end = sorted((one, two, three))
    parts = [moment in Window(start, middle), moment in Window(middle, end)]
    assert sum(parts) == (moment in Window(start, end))
    assert moment not in Window(moment, moment)


def test_twilio_lists_400_days_less_a_margin() -> None:
    assert RETENTION == 400 * DAY
    oldest = NOW - 400 * DAY
    assert timedelta(0) < first_listed(NOW) - oldest <= timedelta(hours=1)
    assert first_listed(NOW) - NOW == EDGE - RETENTION


def test_a_message_may_be_sent_35_days_and_10_hours_late() -> None:
    longest = timedelta(days=35, hours=10)
    assert longest <= SCHEDULING_HORIZON


def test_a_stream_starts_where_its_bookmark_and_its_settings_say() -> None:
    start_date = NOW - 100 * DAY
    assert starting_point(None, None, 3 * DAY) == EPOCH
    assert starting_point(None, start_date, 3 * DAY) == start_date
    assert starting_point(NOW, start_date, 3 * DAY) == NOW - 3 * DAY
    assert starting_point(NOW, None, 3 * DAY) == NOW - 3 * DAY
    assert starting_point(NOW, None, timedelta(0)) == NOW
    assert starting_point(NOW, start_date, 101 * DAY) == start_date
    assert starting_point(NOW, NOW + DAY, 3 * DAY) == NOW + DAY


@given(st.none() | MOMENTS, st.none() | MOMENTS, LOOKBACKS)
def test_a_start_is_never_before_the_start_date(
    bookmark: datetime | None, start_date: datetime | None, lookback: timedelta
) -> None:
    start = starting_point(bookmark, start_date, lookback)
    assert start >= (start_date or EPOCH)
    # Without a bookmark everything is wanted; with one nothing that it covers twice, bar lookback.
    if bookmark is None:
        assert start == (start_date or EPOCH)
    else:
        assert start in {start_date or EPOCH, bookmark - lookback}
        assert start >= bookmark - lookback


@given(MOMENTS, st.none() | MOMENTS, LOOKBACKS)
def test_a_start_leaves_no_gap_behind_the_bookmark(
    bookmark: datetime, start_date: datetime | None, lookback: timedelta
) -> None:
    start = starting_point(bookmark, start_date, lookback)
    assert start <= max(bookmark, start_date or EPOCH)


@given(MOMENTS, MOMENTS, st.none() | MOMENTS, LOOKBACKS, LOOKBACKS)
def test_a_start_follows_bookmark_and_lookback(
    one: datetime,
    other: datetime,
    start_date: datetime | None,
    short: timedelta,
    long: timedelta,
) -> None:
    earlier, later = sorted((one, other))
    short, long = sorted((short, long))
    assert starting_point(earlier, start_date, short) <= starting_point(later, start_date, short)
    assert starting_point(one, start_date, long) <= starting_point(one, start_date, short)


def test_a_lookback_beyond_the_calendar_reads_everything() -> None:
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    floor = now - timedelta(days=9)
    assert starting_point(now, floor, timedelta(days=10**6)) == floor
