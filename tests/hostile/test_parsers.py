"""Whatever a parser is given, it returns what it should or raises what it says it raises."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator  # type: ignore[import-untyped]
from requests.structures import CaseInsensitiveDict
from singer_sdk.contrib.msgspec import encoder

from tap_twilio_media.bookmarks import Bookmarks
from tap_twilio_media.client import session
from tap_twilio_media.client.decoding import decoded
from tap_twilio_media.client.failures import Failure
from tap_twilio_media.client.hosts import Hosts, join, path
from tap_twilio_media.client.outcomes import retry_after
from tap_twilio_media.download import hosts as media_hosts
from tap_twilio_media.download import names
from tap_twilio_media.download.references import Reference
from tap_twilio_media.download.storage import is_inside
from tap_twilio_media.errors import ConfigError, StateError
from tap_twilio_media.records import Typer
from tap_twilio_media.settings import CONFIG_SCHEMA
from tap_twilio_media.sources import PREFIX, merged
from tap_twilio_media.target.input import InputError, _message_of
from tap_twilio_media.times import parsed, rewritten, written
from tests.running import STREAMS
from tests.test_schemas import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

UTC = timezone.utc
ANY_TEXT = st.text(st.characters())  # halves of characters, too
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**40), 10**40)
    | st.floats()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "\x00", "2026-01-31", "1e999999999", Decimal("1e999999"), 10**400])
)


def json_of(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Return JSON, more or less, with some texts."""
    return st.recursive(
        SCALARS | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=6,
    )


JSON = json_of(st.text())


def mutated(texts: list[str], pieces: list[str]) -> st.SearchStrategy[str]:
    """Return texts that are nearly those of a list."""

    def change(draw: tuple[str, list[tuple[int, int, str]]]) -> str:
        text, edits = draw
        for start, length, piece in edits:
            place = start % (len(text) + 1)
            text = text[:place] + piece + text[place + length :]
        return text

    edits = st.tuples(
        st.integers(0, 60), st.integers(0, 4), st.sampled_from(pieces) | st.text(max_size=2)
    )
    return st.tuples(st.sampled_from(texts), st.lists(edits, max_size=3)).map(change)


# ---- times

DATES = mutated(
    [
        "Sat, 31 Jan 2026 12:34:56 +0000",
        "Sat, 31 Jan 2026 12:34:56 GMT",
        "2026-01-31T12:34:56Z",
        "2026-01-31T05:34:56.123456-07:00",
        "9999-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00Z",
    ],
    [*"0123456789+-:., TZz", "60", "99", "0000", "9" * 30, "-2400", "+9999", "Feb", "30"],
)


def times(text: str) -> None:
    try:
        moment = parsed(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"."):
            rewritten(text, "seconds")
        return
    assert moment.tzinfo is UTC
    assert rewritten(text, "seconds") == written(moment, "seconds")
    assert rewritten(text, "microseconds") == written(moment, "microseconds")
    assert parsed(rewritten(text, "microseconds")) == moment


# ---- records

ROWS = st.sampled_from(STREAMS).flatmap(
    lambda stream: st.tuples(
        st.just(stream),
        st.fixed_dictionaries(
            {"sid": st.text(min_size=1)},
            optional=dict.fromkeys(sorted(set(load(stream)["properties"]) - {"sid"}), JSON | DATES),
        ),
    )
)


def records(given_row: tuple[str, dict[str, Any]]) -> None:
    stream, row = given_row
    schema = load(stream)
    odd: list[tuple[str, str]] = []
    record = Typer(stream, schema, "seconds", known=schema, on_odd=lambda *each: odd.append(each))(
        row
    )
    assert record.keys() == schema["properties"].keys()
    # What a loader checks before it takes a record.
    assert [error.message for error in Draft7Validator(schema).iter_errors(record)] == []
    assert all(record[name] is None for _, name in odd)
    assert {sid for sid, _ in odd} <= {row["sid"]}
    assert json.loads(encoder.encode(record))["sid"] == row["sid"]


# ---- replies

BODIES = (
    st.binary()
    | json_of(ANY_TEXT).map(lambda value: json.dumps({"a": value}, default=str).encode())
    | mutated(
        ['{"a": [1, {"b": "\\ud83d\\udc4b"}], "c": "d"}', '{"a": 1.50, "b": [[[[[]]]]]}'],
        [*'{}[]",:\\', "\\ud83d", "\\u0000", "1e9", "NaN", "9" * 5_000, "[" * 300, "]" * 300],
    ).map(lambda text: text.encode("utf-8", "surrogatepass"))
)


def bodies(content: bytes) -> None:
    body = decoded(content)
    assert body is None or isinstance(body, dict)
    if body is None:
        return
    encoder.encode(body)
    try:
        plain = json.loads(content, parse_float=Decimal)
    except (ValueError, RecursionError):
        return
    if "\ud800" not in str(plain) and not re.search(rb"NaN|Infinity|\\u[dD][89a-fA-F]", content):
        assert body == plain


HEADERS = st.text(st.characters(min_codepoint=1, max_codepoint=255)) | DATES


def replies(given_reply: tuple[int, Any, str, str, str]) -> None:
    status, body, request_id, wait, where = given_reply
    response = requests.Response()
    response.status_code = status
    response.headers = CaseInsensitiveDict({"Twilio-Request-Id": request_id, "Retry-After": wait})
    body = body if isinstance(body, dict) else None
    failure = Failure.of_reply(where, response, body)
    error = failure.error(1, out_of_time=False)
    assert str(error).isprintable()
    assert len(str(error)) < 1_000
    assert f"HTTP {status}" in str(error)
    assert failure.retry_after >= 0
    assert failure.code is None or type(failure.code) is int


def waits(header: str) -> None:
    seconds = retry_after(header)
    assert seconds >= 0
    assert not math.isnan(seconds)


def clocks(header: str) -> None:
    response = requests.Response()
    response.headers = CaseInsensitiveDict({"Date": header})
    moment = session._date(response)  # noqa: SLF001 - what the client makes of the header
    assert moment is None or moment.tzinfo is UTC


# ---- addresses

BASES = st.sampled_from(["https://h.example", "http://127.0.0.1:80/a/b", "https://[::1]:1/"])
LINKS = ANY_TEXT | mutated(
    ["https://evil.example/a?b=c", "//u:p@evil:1/x", "/2010-04-01/Accounts/AC1?Page=1#f"],
    ["\\", "/", "//", "@", ":", "?", "#", "[", "]", "..", "\n", "\t", " ", "%", "\x00"],
)


def addresses(given_link: tuple[str, str]) -> None:
    base, link = given_link
    try:
        address = join(base, link)
    except ValueError:
        return
    asked = requests.Request("GET", base).prepare()
    try:
        there = requests.Request("GET", address).prepare()
    except (requests.RequestException, UnicodeError):
        return
    assert urlsplit(str(there.url))[:2] == urlsplit(str(asked.url))[:2]


def paths(parts: list[str]) -> None:
    made = path(*parts)
    assert [unquote(part) for part in made.split("/")[1:]] == parts
    assert re.fullmatch(r"(/[0-9A-Za-z_~%-]*)+", made)


HOSTS = Hosts("https://api.twilio.com", "https://conversations.twilio.com", "https://mcs")
ALLOWED = re.compile(
    r"(.+\.)?(twilio\.com|twiliocdn\.com)|mcs|s3-external-1\.amazonaws\.com|media\.example"
)


def hops(location: str) -> None:
    routes = media_hosts.Routes(HOSTS, ["media.example"])
    try:
        target = routes.next("https://api.twilio.com/x", location)
    except media_hosts.AddressError as error:
        told = str(error)
        assert told.isprintable()
        assert "Signature" not in told
        return
    host = urlsplit(str(requests.Request("GET", target).prepare().url)).hostname
    assert host
    assert ALLOWED.fullmatch(host)


LOCATIONS = HEADERS | mutated(
    [
        "https://media.twiliocdn.com/x?Signature=1",
        "https://media.example:8443/x",
        "//media.example/x",
        "/relative",
        "https://s3-external-1.amazonaws.com/media.twiliocdn.com/x",
    ],
    ["\\", "/", "@", ":", "?", "#", "[", "]", "..", "%2e", "evil.example", ".", "\xa0", "\xff"],
).filter(lambda text: all(ord(char) < 256 for char in text))


# ---- files


def entries(entry: object) -> None:
    problem = media_hosts.problem_of(entry)
    assert problem is None or problem.isprintable()
    if problem is None:
        media_hosts.Routes(HOSTS, [str(entry)])


def templates(template: object) -> None:
    problem = names.problem_of(template)
    assert problem is None or isinstance(problem, str)
    if problem is None:
        assert isinstance(template, str)
        made = names.path_of(template, Reference.of("mcs_media", {"sid": "../x"}))
        assert is_inside(made)


TEMPLATES = JSON | mutated(
    ["{account_sid}/{sid}{ext}", "{date}/{stream}/{sid}", "{year}/{month}/{day}/{sid}"],
    [*"{}/.!:[]", "..", "{sid!r}", "{sid:>999999999}", "{0}", "{sid.x}", "{{", "\x00", ".part"],
)


def references(given_record: tuple[str, Any]) -> None:
    stream, record = given_record
    reference = Reference.of(stream, record if isinstance(record, dict) else {})
    problem = reference.problem()
    assert problem is None or problem.isprintable()
    assert is_inside(names.path_of(names.DEFAULT_TEMPLATE, reference))
    for name in ("sid", "account_sid", "message_sid", "filename"):
        str(getattr(reference, name)).encode()


FIELDS = ("sid", "account_sid", "message_sid", "chat_service_sid", "content_type", "size")
RECORDS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys((*FIELDS, "date_created", "filename"), json_of(ANY_TEXT) | DATES)
)


# ---- input

LINES = (
    st.binary()
    | JSON.map(lambda value: json.dumps(value, default=str).encode())
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["SCHEMA", "RECORD", "STATE", "BATCH", "ACTIVATE_VERSION"])},
        optional=dict.fromkeys(("stream", "record", "schema", "value", "key_properties"), JSON),
    ).map(lambda value: json.dumps(value, default=str).encode())
)


def lines(line: bytes) -> None:
    try:
        message = _message_of(line)
    except InputError as error:
        assert str(error).isprintable()  # noqa: PT017
        return
    assert isinstance(message, dict)
    assert message["type"] in {"SCHEMA", "RECORD", "STATE", "ACTIVATE_VERSION"}


CONTEXT = {"account_sid": "AC" + "0" * 32}
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "context": JSON | st.just(CONTEXT),
        "replication_key_value": JSON | DATES,
        "unsent_since": JSON | DATES,
    },
)
ENTRIES = st.fixed_dictionaries(
    {}, optional={"partitions": JSON | st.lists(PARTS | JSON, max_size=3)}
)
STATES = st.fixed_dictionaries(
    {},
    optional={
        "bookmarks": JSON
        | st.fixed_dictionaries({}, optional={"messages": JSON | ENTRIES, "x": JSON})
    },
)


def states(state: dict[str, Any]) -> None:
    marks = Bookmarks(state, lambda _: None)
    try:
        moment = marks.get("messages", CONTEXT)
        unsent = marks.get("messages", CONTEXT, "unsent_since")
        marks.mark("messages", CONTEXT, "unsent_since", datetime(2026, 1, 31, tzinfo=UTC))
        marks.advance("messages", CONTEXT, datetime(9000, 1, 1, tzinfo=UTC), "seconds")
    except StateError as error:
        told = str(error)
        assert told.isprintable()
        return
    assert all(each is None or each.tzinfo is UTC for each in (moment, unsent))
    moved = marks.get("messages", CONTEXT)
    assert moved
    assert moved >= datetime(9000, 1, 1, tzinfo=UTC)


VARIABLES = st.dictionaries(
    st.sampled_from([f"{PREFIX}{name.upper()}" for name in CONFIG_SCHEMA["properties"]]),
    st.text(max_size=20).map(lambda text: f"{text}zq")
    | JSON.map(lambda v: json.dumps(v, default=str)),
    max_size=3,
)


def variables(environ: Mapping[str, str]) -> None:
    try:
        merged({}, environ, {PREFIX: CONFIG_SCHEMA["properties"]})
    except ConfigError as error:
        assert re.fullmatch(r"environment variable [A-Z_]+ cannot be read as \w+", str(error))  # noqa: PT017


PROPERTIES: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], None]]] = {
    "times": (DATES | st.text(), times),
    "records": (ROWS, records),
    "bodies": (BODIES, bodies),
    "replies": (
        st.tuples(
            st.integers(100, 599),
            st.fixed_dictionaries({}, optional={"code": JSON, "message": json_of(ANY_TEXT)}) | JSON,
            HEADERS,
            HEADERS,
            ANY_TEXT,
        ),
        replies,
    ),
    "waits": (HEADERS, waits),
    "clocks": (HEADERS, clocks),
    "addresses": (st.tuples(BASES, LINKS), addresses),
    "paths": (st.lists(st.text(), min_size=1, max_size=4), paths),
    "hops": (LOCATIONS, hops),
    "entries": (JSON | LINKS, entries),
    "templates": (TEMPLATES, templates),
    "references": (
        st.tuples(st.sampled_from(["mcs_media", "message_media", "x"]), RECORDS | JSON),
        references,
    ),
    "lines": (LINES, lines),
    "states": (STATES, states),
    "variables": (VARIABLES, variables),
}
"""What each parser is given, and what must hold of what it makes of that."""


@pytest.mark.parametrize(
    "examples", [60, pytest.param(1_500, marks=pytest.mark.long)], ids=["short", "long"]
)
@pytest.mark.parametrize("name", PROPERTIES)
def test_any_input(name: str, examples: int) -> None:
    strategy, check = PROPERTIES[name]
    checks = settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    checks(given(strategy)(check))()
