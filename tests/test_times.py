"""Moments: read in every form that occurs, written in one."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_twilio_media.times import Precision, parsed, rewritten, written

if TYPE_CHECKING:
    from collections.abc import Sequence

PRECISIONS: Sequence[Precision] = get_args(Precision)
WIDTHS = {
    "seconds": len("2026-01-31T12:00:00Z"),
    "microseconds": len("2026-01-31T12:00:00.000000Z"),
}

UTC = timezone.utc
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(
    datetime(1, 1, 2),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(9999, 12, 30),  # noqa: DTZ001
    timezones=OFFSETS,
)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        # RFC 2822, as the 2010 API writes it
        ("Sat, 31 Jan 2026 12:34:56 +0000", datetime(2026, 1, 31, 12, 34, 56, tzinfo=UTC)),
        ("Sat, 31 Jan 2026 12:34:56 -0700", datetime(2026, 1, 31, 19, 34, 56, tzinfo=UTC)),
        ("Sat, 31 Jan 2026 12:34:56 +0530", datetime(2026, 1, 31, 7, 4, 56, tzinfo=UTC)),
        ("Sat, 31 Jan 2026 12:34:56 GMT", datetime(2026, 1, 31, 12, 34, 56, tzinfo=UTC)),
        ("Sat, 31 Jan 2026 12:34:56", datetime(2026, 1, 31, 12, 34, 56, tzinfo=UTC)),
        ("Sat, 31 Jan 2026 12:34:56 -0000", datetime(2026, 1, 31, 12, 34, 56, tzinfo=UTC)),
        ("31 Jan 2026 12:34:56 +0000", datetime(2026, 1, 31, 12, 34, 56, tzinfo=UTC)),
        ("Wed, 31 Dec 2025 23:30:00 -0100", datetime(2026, 1, 1, 0, 30, tzinfo=UTC)),
        # ISO 8601, as Conversations, MCS and people write it
        ("2026-01-31T12:34:56Z", datetime(2026, 1, 31, 12, 34, 56, tzinfo=UTC)),
        ("2026-01-31T12:34:56+00:00", datetime(2026, 1, 31, 12, 34, 56, tzinfo=UTC)),
        ("2026-01-31T12:34:56-07:00", datetime(2026, 1, 31, 19, 34, 56, tzinfo=UTC)),
        ("2026-01-31T12:34:56-0700", datetime(2026, 1, 31, 19, 34, 56, tzinfo=UTC)),
        ("2026-01-31T12:34:56", datetime(2026, 1, 31, 12, 34, 56, tzinfo=UTC)),
        ("2026-01-31 12:34:56", datetime(2026, 1, 31, 12, 34, 56, tzinfo=UTC)),
        ("2026-01-31T12:34Z", datetime(2026, 1, 31, 12, 34, tzinfo=UTC)),
        ("2026-01-31T12:34:56.1Z", datetime(2026, 1, 31, 12, 34, 56, 100_000, tzinfo=UTC)),
        ("2026-01-31T12:34:56.123456Z", datetime(2026, 1, 31, 12, 34, 56, 123_456, tzinfo=UTC)),
        ("2026-01-31T05:34:56.123456-07:00", datetime(2026, 1, 31, 12, 34, 56, 123456, tzinfo=UTC)),
        ("2026-01-31T12:34:56.123456789Z", datetime(2026, 1, 31, 12, 34, 56, 123456, tzinfo=UTC)),
        ("1969-12-31T23:59:59.5Z", datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2024-02-29", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_every_form_names_its_moment(text: str, moment: datetime) -> None:
    assert parsed(text) == moment
    assert parsed(text).utcoffset() == timedelta(0)
    assert type(parsed(text)) is datetime


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "now",
        "yesterday",
        "2026",
        "2026-01",
        "2026-1-5",
        "20260131",
        "2026-W05-1",
        "01/31/2026",
        "31.01.2026",
        "Jan 31 2026",
        "12:34:56",
        "1769862896",
        "P1D",
        "2025-02-29",
        "2026-13-01",
        "2026-01-31T25:00:00Z",
        "2026-01-31T12:34:56 nonsense",
        "2026-01-31T12:34:56+99:00",
        "2026-01-31T12:00:00Z/2026-02-01T12:00:00Z",
        "2026-01-31T12:00:00Z/P1D",
        "Sat, 32 Jan 2026 12:34:56 +0000",
        "Sat, 31 Jan 2026 25:34:56 +0000",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
    ],
)
def test_what_is_no_moment_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parsed(text)


NEARLY = st.lists(
    st.sampled_from(
        [*"0123456789-:.+/TZ ,", "2026", "-01-31", "T12:34", ":56", "Sat, ", "31 Jan 2026 ", "P1D"]
    ),
    max_size=12,
).map("".join)


@given(st.text() | NEARLY)
def test_any_text_is_a_moment_or_a_value_error(text: str) -> None:
    try:
        moment = parsed(text)
    except ValueError:
        return
    assert moment.tzinfo is UTC


@given(MOMENTS)
def test_iso_is_read_to_the_microsecond(moment: datetime) -> None:
    assert parsed(moment.isoformat()) == moment


@given(MOMENTS.filter(lambda moment: moment.year >= 1000))
def test_rfc_2822_is_read_to_the_second(moment: datetime) -> None:
    assert parsed(format_datetime(moment)) == moment.replace(microsecond=0)


@pytest.mark.parametrize(
    ("text", "seconds", "microseconds"),
    [
        (
            "Sat, 31 Jan 2026 12:34:56 -0700",
            "2026-01-31T19:34:56Z",
            "2026-01-31T19:34:56.000000Z",
        ),
        (
            "2026-01-31T05:34:56.120000-07:00",
            "2026-01-31T12:34:56Z",
            "2026-01-31T12:34:56.120000Z",
        ),
        ("2026-01-31", "2026-01-31T00:00:00Z", "2026-01-31T00:00:00.000000Z"),
    ],
)
def test_a_time_is_rewritten_in_the_form_of_its_stream(
    text: str, seconds: str, microseconds: str
) -> None:
    assert rewritten(text, "seconds") == seconds
    assert rewritten(text, "microseconds") == microseconds


@pytest.mark.parametrize("precision", PRECISIONS)
@given(MOMENTS)
def test_the_width_is_fixed(precision: Precision, moment: datetime) -> None:
    text = written(moment, precision)
    assert len(text) == WIDTHS[precision]
    assert text.endswith("Z")
    back = parsed(text)
    kept = moment if precision == "microseconds" else moment.replace(microsecond=0)
    assert back == kept
    assert back <= moment, "a bookmark may be written early, never late"


@pytest.mark.parametrize("precision", PRECISIONS)
@given(MOMENTS, MOMENTS | st.timedeltas(timedelta(0), timedelta(days=2)))
def test_the_order_of_texts_is_the_order_of_time(
    precision: Precision, one: datetime, other: datetime | timedelta
) -> None:
    if isinstance(other, timedelta):
        # Close neighbours, seen from another offset.
        other = (one - other).astimezone(timezone(timedelta(hours=-7)))
    texts = written(one, precision), written(other, precision)
    if precision == "microseconds":
        assert (texts[0] < texts[1]) == (one < other)
        assert (texts[0] == texts[1]) == (one == other)
    elif one <= other:
        assert texts[0] <= texts[1]
    else:
        assert texts[0] >= texts[1]


@pytest.mark.parametrize("year", ["99999999999999999999", "2026 00:00:00 +99999999999999999999"])
def test_beyond_the_calendar(year: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parsed(f"Mon, 1 Jan {year} 00:00:00 +0000")
