"""One row of each list, and one file, hold what nobody should send: all others arrive as ever."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.hostile.answers import LISTS, assert_others_arrived, changing, in_one_row
from tests.running import STREAMS, run_command, run_tap
from tests.simulator import Simulator, seeded_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.running import Output

MARK = "zq-here-zq"
DEEP = 100_000


@pytest.fixture(scope="module")
def served() -> Iterator[Simulator]:
    """One world for all: no test here changes it."""
    with Simulator(seeded_world(seed=7, messages=60, conversations=4)) as simulator:
        yield simulator


@pytest.fixture
def sim(served: Simulator) -> Iterator[Simulator]:
    """The simulator, without faults."""
    yield served
    served.faults.clear()
    served.reset()


@pytest.fixture(scope="module")
def before(served: Simulator) -> Output:
    """What arrives from an honest Twilio."""
    output = run_tap(settings(served))
    assert output.streams == set(STREAMS)
    return output


def settings(sim: Simulator) -> dict[str, Any]:
    return sim.config() | {"max_retry_seconds": 1, "include_subaccounts": True}


RAW = {
    "100,000 levels of lists": b"[" * DEEP + b"]" * DEEP,
    "100,000 levels of objects": b'{"a":' * DEEP + b"0" + b"}" * DEEP,
    "levels, not all of one kind": b'[{"a":' * 400 + b'"]}"' + b"}]" * 400,
    "levels that some decoders take": b"[" * 150 + b"]" * 150,
    "a number with an exponent without end": b"1e999999999",
    "a text of such a number": b'"1e999999999"',
    "a small number of that kind": b"1e-999999999",
    "an integer of 5,000 digits": b"9" * 5_000,
    "an integer of 30 digits": b"9" * 30,
    "a fraction of 5,000 digits": b"0." + b"9" * 5_000,
    "not a number": b"NaN",
    "no number's end": b"-Infinity",
    "bytes that are no UTF-8": b'"\xff\xfe \xc3\x28 \xed\xa0\x80"',
    "a NUL": b'"a\\u0000b"',
    "a NUL as it is": b'"a\x00b"',
    "line breaks as they are": b'"a\r\nb\tc"',
    "half of an emoji": b'"\\ud83d"',
    "the other half": b'"\\udc4b \\udc4b\\ud83d"',
    "10 MB of text": b'"' + b"x" * 10_000_000 + b'"',
    "10 MB of escapes": b'"' + b"\\u0001" * 1_700_000 + b'"',
    "100,000 members": json.dumps({f"m{n}": n for n in range(100_000)}).encode(),
}


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW)
def test_a_value_that_nobody_expects(sim: Simulator, before: Output, raw: bytes) -> None:
    fields = ["uri", "url", "status", "num_media", "price", "delivery", "friendly_name", "size"]
    if len(raw) > 10_000_000:
        fields = fields[:2]
    sim.faults.add(*in_one_row(MARK, raw, fields))
    output = run_tap(settings(sim))
    assert output.error is None
    assert assert_others_arrived(before, output) > 3
    for line in output.text.splitlines():
        line.encode()  # what cannot be encoded would stop the target
        assert nesting(line) < 150


def nesting(line: str) -> int:
    """Return how deep a line is nested, about: brackets in texts count as well."""
    return max((len(found) for found in re.findall(r"[\[{]+", line)), default=0)


DATES: dict[str, object] = {
    "year 0": "0000-01-01T00:00:00Z",
    "year 1": "0001-01-01T00:00:00Z",
    "1970": "Thu, 01 Jan 1970 00:00:00 +0000",
    "before year 1": "0001-01-01T00:00:00+14:00",
    "the last second": "9999-12-31T23:59:59Z",
    "the last second in RFC 2822": "Fri, 31 Dec 9999 23:59:59 +0000",
    "beyond it": "9999-12-31T23:59:59-14:00",
    "30 February": "2026-02-30T00:00:00Z",
    "30 February in RFC 2822": "Mon, 30 Feb 2026 00:00:00 +0000",
    "a leap second": "2016-12-31T23:59:60Z",
    "a leap second in RFC 2822": "Sat, 31 Dec 2016 23:59:60 +0000",
    "an epoch": 1_769_862_896,
    "an epoch as text": "1769862896",
    "milliseconds": 1_769_862_896_123,
    "a fraction": 1_769_862_896.5,
    "an offset of 99 hours": "2026-01-31T00:00:00+99:00",
    "300 digits": "9" * 300,
    "a duration": "P1Y",
    "an interval": "2026-01-01/2026-02-01",
    "other digits": "\u0662\u0660\u0662\u0666-01-31T00:00:00Z",
    "a list": ["2026-01-31"],
    "words": "yesterday",
}


@pytest.mark.parametrize("value", DATES.values(), ids=DATES)
def test_dates_that_are_none(sim: Simulator, before: Output, value: object) -> None:
    fields = ("date_created", "date_sent", "date_updated", "timers")
    sim.faults.add(*in_one_row(value, fields=fields))
    output = run_tap(settings(sim))
    assert output.error is None
    assert assert_others_arrived(before, output) > 3
    for stream, since in bookmarks(output).items():
        # What a row claims moves no bookmark.
        assert since == bookmarks(before)[stream]


def bookmarks(output: Output) -> dict[tuple[str, str], str]:
    """Return the bookmarks but for the time of day, which is that of the run."""
    return {
        (stream, json.dumps(part["context"])): part["replication_key_value"][:10]
        for stream, entry in output.state["bookmarks"].items()
        for part in entry.get("partitions", [])
    }


FORMS = [
    ("2026-01-31T12:34:56Z", "2026-01-31T12:34:56"),
    ("2026-01-31t12:34:56z", None),
    ("2026-01-31 12:34:56", "2026-01-31T12:34:56"),
    ("2026-01-31T12:34:56.123456Z", "2026-01-31T12:34:56"),
    ("2026-01-31T05:34:56.123456-07:00", "2026-01-31T12:34:56"),
    ("Sat, 31 Jan 2026 12:34:56 +0000", "2026-01-31T12:34:56"),
    ("Sat, 31 Jan 2026 05:34:56 -0700", "2026-01-31T12:34:56"),
    ("Sat, 31 Jan 2026 12:34:56 GMT", "2026-01-31T12:34:56"),
]


@pytest.mark.parametrize(("text", "moment"), FORMS)
def test_dates_in_every_form(sim: Simulator, text: str, moment: str | None) -> None:
    """Whichever API sends it: the form is told by the text and not by the stream."""
    sim.faults.add(*in_one_row(text, fields=("date_updated",)))
    output = run_tap(settings(sim))
    for stream in STREAMS:
        found = [str(record["date_updated"])[:19] for record in output.records(stream)]
        assert (moment in found) is (moment is not None), stream


@pytest.mark.parametrize("value", [None, [], {}, 5, True, "", "\x1b[2J\x00\u202e"], ids=repr)
def test_a_row_of_nothing_but(sim: Simulator, before: Output, value: object) -> None:
    sim.faults.add(*in_one_row(value))
    output = run_tap(settings(sim))
    assert output.error is None
    assert assert_others_arrived(before, output) > 3


def test_fields_that_are_missing_renamed_or_more(
    sim: Simulator, before: Output, caplog: pytest.LogCaptureFixture
) -> None:
    def change(body: Any) -> None:  # noqa: ANN401 - any JSON
        for key in LISTS.values():
            for row in body.get(key, [])[:1]:
                for name in ("friendly_name", "status", "state", "content_type"):
                    row.pop(name, None)
                row["date_changed"] = row.pop("date_updated", None)
                row |= {f"zq{number}": MARK for number in range(500)}

    for endpoint in LISTS:
        sim.faults.add(changing(endpoint, change, times=1))
    output = run_tap(settings(sim))
    assert output.error is None
    assert assert_others_arrived(before, output) > 3
    assert MARK not in caplog.text
    told = [text for text in caplog.messages if "a field not known here" in text]
    assert 0 < len(told) <= 20 * len(STREAMS)


def test_what_is_left_null_is_told_with_its_sid_and_strict_ends_there(
    sim: Simulator, tmp_path: Path
) -> None:
    """Through the command, whose writer and log are those that a user has."""
    sids: set[str] = set()

    def change(body: Any) -> None:  # noqa: ANN401 - any JSON
        row = body["messages"][0]
        row["price"], row["uri"] = {"zq": "zq"}, MARK
        sids.add(row["sid"])

    deep = in_one_row(MARK, RAW["100,000 levels of lists"], ("uri",))
    sim.faults.add(changing("messages", change, times=1))
    output = run_command(tmp_path, settings(sim))
    assert output.code == 0
    (sid,) = sids
    assert f"messages: price is not of the type expected, left null: 1 ({sid})" in output.log
    assert sid in output.sids("messages")

    sim.faults.clear()
    sim.faults.add(*deep)
    output = run_command(tmp_path, settings(sim))
    assert output.code == 0
    assert "messages: uri is not of the type expected, left null: 1 (" in output.log

    sim.faults.clear()
    sim.faults.add(changing("messages", change, times=1))
    output = run_command(tmp_path, settings(sim) | {"strict": True})
    assert output.code == 1
    assert f"messages {sid}: price is not of the type expected" in output.log
    assert "zq" not in output.log
    assert len(output.sids("conversation_messages")) > 10, "other streams go on"
