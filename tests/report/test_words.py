"""Small things: names of senders, shares, amounts of money, periods, colours."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import math
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tap_twilio_media.report
from tap_twilio_media.report.channels import OUTCOMES, outcome_of
from tap_twilio_media.report.errors import ReportError
from tap_twilio_media.report.parts import share
from tap_twilio_media.report.periods import Period, periods
from tap_twilio_media.report.plots.timelines import ticks
from tap_twilio_media.report.senders import UNKNOWN, names_of_senders
from tap_twilio_media.report.tables import exact

NUMBER = "+15551234567"


class TestSenders:
    def test_have_other_names_on_every_page(self) -> None:
        one, other = names_of_senders(None), names_of_senders(None)
        assert one(NUMBER) == one(NUMBER) != other(NUMBER)
        assert one(NUMBER) != one("+15551234568")
        assert re.fullmatch(r"[0-9a-f]{10}", one(NUMBER))

    def test_have_the_same_names_with_a_salt(self) -> None:
        salt = "a secret of the company"
        assert names_of_senders(salt)(NUMBER) == names_of_senders(salt)(NUMBER)
        assert names_of_senders(salt)(NUMBER) != names_of_senders(salt + "!")(NUMBER)

    def test_are_not_what_everybody_can_compute(self) -> None:
        name = names_of_senders(None)(NUMBER)
        for algorithm in ("md5", "sha1", "sha256", "sha512"):
            assert not hashlib.new(algorithm, NUMBER.encode()).hexdigest().startswith(name)

    def test_need_a_salt_that_keeps_them(self) -> None:
        with pytest.raises(ReportError, match="at least 16 characters"):
            names_of_senders("short")

    @pytest.mark.parametrize("sender", ["", None])
    def test_may_be_unknown(self, sender: str | None) -> None:
        assert names_of_senders(None)(sender) == names_of_senders(None, plain=True)(sender)
        assert names_of_senders(None)(sender) == UNKNOWN

    def test_are_shown_when_that_is_wanted(self) -> None:
        assert names_of_senders(None, plain=True)(NUMBER) == NUMBER

    @given(st.text(min_size=1))
    def test_may_be_any_text(self, sender: str) -> None:
        assert re.fullmatch(r"[0-9a-f]{10}", names_of_senders(None)(sender))


@pytest.mark.parametrize(
    ("part", "whole", "wanted"),
    [
        (0, 0, "0%"),
        (0, 9, "0%"),
        (1, 1_000, "under 1%"),
        (1, 3, "33%"),
        (999, 1_000, "over 99%"),
        (9, 9, "100%"),
    ],
)
def test_a_share(part: int, whole: int, wanted: str) -> None:
    assert share(part, whole) == wanted


@pytest.mark.parametrize(
    ("amount", "wanted"),
    [
        ("0", "0.00"),
        ("12345.678900", "12,345.6789"),
        ("-0.0075", "-0.0075"),
        ("3", "3.00"),
        ("1E-7", "0.0000001"),
        ("120", "120.00"),
    ],
)
def test_an_amount_of_money(amount: str, wanted: str) -> None:
    assert exact(Decimal(amount)) == wanted


@given(st.dates(dt.date(2015, 1, 1), dt.date(2035, 1, 1)), st.integers(1, 2_000))
def test_periods_are_all_days_in_order(last: dt.date, days: int) -> None:
    first = last - dt.timedelta(days=days - 1)
    cut = periods(Period(first, last))
    assert (cut.each[0].first, cut.each[-1].last) == (first, last)
    assert len(cut.each) <= 110
    for one, following in itertools.pairwise(cut.each):
        assert following.first - one.last == dt.timedelta(days=1)
    for period in cut.each:
        assert cut.first_of(period.first) == cut.first_of(period.last) == period.first


@given(st.just(0.0) | st.floats(0.001, 1e18), st.booleans())
def test_ticks_are_few_and_round(top: float, whole: bool) -> None:  # noqa: FBT001 - is drawn
    found = ticks(top, whole=whole)
    assert found[0] == 0
    assert found[-1] >= top * (1 - 1e-9)
    assert 2 <= len(found) <= 7
    steps = {f"{one - other:.6g}" for other, one in itertools.pairwise(found)}
    assert len(steps) == 1
    assert f"{float(steps.pop()):e}"[0] in "125"
    if whole:
        assert all(tick == int(tick) for tick in found)


def test_every_status_of_twilio_has_an_outcome() -> None:
    known = (
        *("accepted", "scheduled", "canceled", "queued", "sending", "sent", "failed", "delivered"),
        *("undelivered", "receiving", "received", "read", "partially_delivered"),
    )
    found = {outcome_of(status) for status in known}
    assert found == set(OUTCOMES) - {"unknown"}
    assert outcome_of("teleported") == "unknown"


# What those see who lack one kind of cones, on linear RGB (Machado, Oliveira, Fernandes 2009).
SIGHTS = {
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
STYLE = Path(tap_twilio_media.report.__file__).with_name("style.css").read_text()


def palette(*, dark: bool) -> dict[str, tuple[float, ...]]:
    """Return the named colours of the style sheet, in linear RGB."""
    block = STYLE.partition("@media (prefers-color-scheme: dark)")[2 if dark else 0]
    block = block.partition("html")[0]
    found = re.findall(r"--(\w+): #([0-9a-f]{6});", block)
    return {
        name: tuple(linear(int(digits[n : n + 2], 16) / 255) for n in (0, 2, 4))
        for name, digits in found
    }


def linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def luminance(colour: tuple[float, ...]) -> float:
    return sum(w * part for w, part in zip((0.2126, 0.7152, 0.0722), colour, strict=True))


def lab(colour: tuple[float, ...]) -> tuple[float, float, float]:
    """Return a colour of linear RGB in CIELAB, where distances are what one sees."""
    rows = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    x, y, z = (
        cubic(max(sum(w * part for w, part in zip(row, colour, strict=True)), 0) / white)
        for row, white in zip(rows, (0.95047, 1, 1.08883), strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def cubic(part: float) -> float:
    return part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116


@pytest.mark.parametrize("dark", [False, True])
class TestColours:
    def test_stand_out_from_the_card(self, *, dark: bool) -> None:
        colours = palette(dark=dark)
        for name in OUTCOMES.values():
            low, high = sorted(map(luminance, (colours[name], colours["card"])))
            assert (high + 0.05) / (low + 0.05) >= 3, name

    @pytest.mark.parametrize("sight", SIGHTS)
    def test_are_told_apart(self, sight: str, *, dark: bool) -> None:
        seen = {
            name: lab(
                tuple(
                    sum(w * part for w, part in zip(row, palette(dark=dark)[name], strict=True))
                    for row in SIGHTS[sight]
                )
            )
            for name in OUTCOMES.values()
        }
        for one, other in itertools.combinations(seen, 2):
            assert math.dist(seen[one], seen[other]) > 20, (one, other)
