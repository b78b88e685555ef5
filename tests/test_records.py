"""Rows become records: typed, complete, and nothing that was not asked for."""

from __future__ import annotations

import copy
import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_twilio_media.records import NEVER_EMITTED, RecordError, Typer

if TYPE_CHECKING:
    from tap_twilio_media.times import Precision

SID = "SM" + "0" * 32
TIME = {"type": ["string", "null"], "format": "date-time"}
SCHEMA: dict[str, Any] = {
    "properties": {
        "sid": {"type": "string"},
        "text": {"type": ["string", "null"]},
        "count": {"type": ["integer", "null"]},
        "price": {"type": ["number", "null"]},
        "flag": {"type": ["boolean", "null"]},
        "moment": TIME,
        "anything": {},
        "links": {
            "type": ["object", "null"],
            "properties": {
                "name": {"type": ["string", "null"]},
                "size": {"type": ["integer", "null"]},
                "inner": {"type": ["object", "null"], "properties": {"moment": TIME}},
            },
        },
        "items": {
            "type": ["array", "null"],
            "items": {
                "type": ["object", "null"],
                "properties": {"sid": {"type": "string"}, "size": {"type": "integer"}},
            },
        },
        "numbers": {"type": ["array", "null"], "items": {"type": ["number", "null"]}},
        "plain": {"type": ["array", "null"], "items": {}},
        "open": {"type": ["object", "null"]},
    }
}


def typer(precision: Precision = "seconds", schema: dict[str, Any] | None = None) -> Typer:
    return Typer("messages", schema or SCHEMA, precision, known=SCHEMA)


def field(name: str, value: object, precision: Precision = "seconds") -> object:
    return typer(precision)({"sid": SID, name: value})[name]


# ---- which fields


def test_a_record_has_every_declared_field() -> None:
    record = typer()({"sid": SID})
    assert list(record) == list(SCHEMA["properties"])
    assert {name for name, value in record.items() if value is not None} == {"sid"}


def test_only_fields_of_the_effective_schema_are_emitted(caplog: pytest.LogCaptureFixture) -> None:
    some = {"properties": {name: SCHEMA["properties"][name] for name in ("sid", "count")}}
    assert typer(schema=some)({"sid": SID, "count": "1", "text": "x", "price": "no number"}) == {
        "sid": SID,
        "count": 1,
    }
    assert caplog.text == "", "a field that the catalog lacks is none that Twilio added"


@pytest.mark.parametrize("name", sorted(NEVER_EMITTED))
def test_what_opens_an_account_is_left_out_without_a_word(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    record = typer()({"sid": SID, name: "zqsecret"})
    assert name not in record
    assert "zqsecret" not in str(record)
    assert caplog.text == ""


def test_what_opens_an_account_is_known_by_name() -> None:
    assert {"auth_token", "content_direct_temporary"} <= NEVER_EMITTED


def test_a_field_that_twilio_adds_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="tap-twilio-media")
    convert = typer()
    for _ in range(3):
        assert "added" not in convert({"sid": SID, "added": "zqvalue"})
    convert({"sid": SID, "added": "zqvalue", "another": "zqvalue"})
    told = [record.getMessage() for record in caplog.records]
    assert [text.rpartition(": ")[2] for text in told] == ["added", "another"]
    assert all(text.startswith("messages: ") and "zqvalue" not in text for text in told)
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_another_stream_names_it_for_itself(caplog: pytest.LogCaptureFixture) -> None:
    for name in ("messages", "conversations"):
        Typer(name, SCHEMA, "seconds", known=SCHEMA)({"sid": SID, "added": 1})
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "messages",
        "conversations",
    ]


# ---- numbers


@pytest.mark.parametrize(
    ("value", "number"),
    [("0", 0), ("10", 10), (10, 10), ("-1", -1), (0, 0), ("", None), (None, None)],
)
def test_integers_come_from_text(value: object, number: int | None) -> None:
    result = field("count", value)
    assert result == number
    assert type(result) is type(number)


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_are_exact(number: int) -> None:
    assert field("count", str(number)) == number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("-0.00750", "-0.00750"),
        ("0.1", "0.1"),
        ("-0.12345678901234567890", "-0.12345678901234567890"),
        ("100", "100"),
        (5, "5"),
        (0.1, "0.1"),
        (-0.0075, "-0.0075"),
    ],
)
def test_prices_are_exact(value: object, text: str) -> None:
    price = field("price", value)
    assert isinstance(price, Decimal)
    assert str(price) == text


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_no_digit_of_a_decimal_is_lost(number: Decimal) -> None:
    result = field("price", str(number))
    assert isinstance(result, Decimal)
    assert result.as_tuple() == number.as_tuple()


@given(st.integers(0, 10**40), st.integers(0, 40))
def test_no_digit_of_a_long_text_is_lost(digits: int, places: int) -> None:
    text = f"{digits:041d}"
    text = f"{text[: 41 - places]}.{text[41 - places :]}" if places else text
    result = field("price", text)
    assert isinstance(result, Decimal)
    assert int("".join(map(str, result.as_tuple().digits))) == digits
    assert result.as_tuple().exponent == -places


@pytest.mark.parametrize("value", ["", None])
def test_no_price_is_null(value: object) -> None:
    assert field("price", value) is None


# ---- times, text, and what is passed on


@pytest.mark.parametrize(
    ("precision", "written"),
    [("seconds", "2026-01-31T19:34:56Z"), ("microseconds", "2026-01-31T19:34:56.123456Z")],
)
def test_times_are_utc_in_the_form_of_the_stream(precision: Precision, written: str) -> None:
    assert field("moment", "2026-01-31T12:34:56.123456-07:00", precision) == written
    nested = {"inner": {"moment": "2026-01-31T12:34:56.123456-07:00"}}
    assert field("links", nested, precision) == {"inner": {"moment": written}}


def test_times_of_the_2010_api_are_rewritten_too() -> None:
    assert field("moment", "Sat, 31 Jan 2026 12:34:56 -0700") == "2026-01-31T19:34:56Z"


@pytest.mark.parametrize("value", ["", None])
def test_no_time_is_null(value: object) -> None:
    assert field("moment", value) is None


@pytest.mark.parametrize("value", ["", " ", "0010", "null", "a\nb", "\0", "🏢", "new status"])
def test_text_stays_as_it_is(value: str) -> None:
    assert field("text", value) == value


def test_a_nul_is_replaced_where_a_loader_would_put_json() -> None:
    assert field("links", {"name": "a\0b\0"}) == {"name": "a\ufffdb\ufffd"}
    assert field("links", {"name": "\\u0000"}) == {"name": "\\u0000"}


@pytest.mark.parametrize(
    ("value", "text"), [({"a": [1, None]}, '{"a": [1, null]}'), (5, "5"), (True, "true")]
)
def test_what_is_declared_as_text_becomes_text(value: object, text: str) -> None:
    assert field("text", value) == text


@pytest.mark.parametrize("value", [True, False, None])
def test_booleans_pass(value: object) -> None:
    assert field("flag", value) is value


@pytest.mark.parametrize("name", ["anything", "open", "plain"])
def test_what_has_no_declared_form_passes(name: str) -> None:
    value = [{"a": "1"}, None] if name == "plain" else {"a": {"b": "1"}}
    assert field(name, value) == value


# ---- objects and arrays


def test_of_an_object_only_the_declared_members_are_emitted() -> None:
    links = {
        "name": "n",
        "size": "10",
        "auth_token": "zqsecret",
        "content_direct_temporary": "zqsecret",
        "inner": {"moment": "2026-01-31", "other": 1},
    }
    assert field("links", links) == {
        "name": "n",
        "size": 10,
        "inner": {"moment": "2026-01-31T00:00:00Z"},
    }


def test_members_that_are_null_or_missing_stay_so() -> None:
    assert field("links", {"name": None, "inner": None}) == {"name": None, "inner": None}
    assert field("links", {"inner": {"moment": None}}) == {"inner": {"moment": None}}
    assert field("links", {}) == {}
    assert field("links", None) is None


def test_elements_of_an_array_are_converted_and_null_stays() -> None:
    items = [{"sid": "ME1", "size": "5", "url": "zqsecret"}, None, {"sid": "ME2"}]
    assert field("items", items) == [{"sid": "ME1", "size": 5}, None, {"sid": "ME2"}]
    assert field("numbers", ["0.10", None, 5, ""]) == [Decimal("0.10"), None, Decimal(5), None]
    assert field("items", []) == []


# ---- what cannot be typed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", "zqten"),
        ("count", "1.5"),
        ("count", []),
        ("count", {"zq": 1}),
        ("price", "zqfree"),
        ("price", "NaN"),
        ("price", "Infinity"),
        ("price", "-inf"),
        ("price", "sNaN"),
        ("price", "1,5"),
        ("price", ["zq"]),
        ("price", True),
        ("moment", "zqsoon"),
        ("moment", "2026-13-01"),
        ("moment", 1769862896),
        ("moment", ["zq"]),
        ("moment", {"zq": 1}),
        ("links", 5),
        ("links", {"size": "zqten"}),
        ("links", {"inner": {"moment": "zqsoon"}}),
        ("items", 5),
        ("items", [{"size": "zqten"}]),
        ("numbers", ["zqfree"]),
    ],
)
def test_a_value_of_another_type_is_named_and_not_shown(name: str, value: object) -> None:
    with pytest.raises(RecordError) as caught:
        field(name, value)
    assert str(caught.value) == f"messages {SID}: {name} is not of the type expected"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(SCHEMA["properties"], JSON)))
def test_any_row_is_typed_or_refused_and_never_changed(row: dict[str, Any]) -> None:
    before = copy.deepcopy(row)
    try:
        record = typer()(row)
    except RecordError as error:
        assert "\n" not in str(error).replace(str(row.get("sid")), "")  # noqa: PT017
    else:
        assert list(record) == list(SCHEMA["properties"])
        assert isinstance(record["count"], (int, type(None)))
        assert isinstance(record["price"], (Decimal, type(None)))
        assert isinstance(record["text"], (str, type(None)))
    assert row == before


def test_a_row_that_is_typed_is_not_changed() -> None:
    row = {
        "sid": SID,
        "count": "1",
        "price": "-0.1",
        "moment": "2026-01-31",
        "links": {"size": "1", "other": 2, "inner": {"moment": "2026-01-31"}},
        "items": [{"size": "1", "other": 2}, None],
        "numbers": ["1"],
        "auth_token": "zqsecret",
    }
    before = copy.deepcopy(row)
    typer()(row)
    assert row == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("links", "text"),
        ("links", []),
        ("links", ["a"]),
        ("items", "text"),
        ("items", {"a": 1}),
        ("items", ["text"]),
        ("count", 2.5),
        ("count", True),
        ("count", "1_0"),
        ("count", float("inf")),
        ("price", "1_0"),
        ("moment", 0),
        ("moment", []),
        ("moment", False),
        ("moment", "Mon, 1 Jan 99999999999999999999 00:00:00 +0000"),
        ("flag", "yes"),
        ("flag", 5),
    ],
)
def test_wrong_types_are_refused(name: str, value: object) -> None:
    with pytest.raises(RecordError):
        field(name, value)
