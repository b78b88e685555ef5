"""Input that no tap should write: one clear line, exit code 1, and not a word of it in the log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.download.downloading import assert_whole, files_below, records_of, references_of, rows_of
from tests.target.running import (
    Line,
    lines_of,
    record,
    run_target,
    schema,
    settings_of,
    state,
    text_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator import Simulator, World

PRIVATE = "s3cret"
STREAM = "message_media"


def broken(text: str | bytes | Line) -> bytes:
    """Return an input that has what is wrong in its third line."""
    before = text_of([schema(), state({"n": 1})]).encode()
    wrong = json.dumps(text) if isinstance(text, dict) else text
    return before + (wrong if isinstance(wrong, bytes) else wrong.encode())


NO_MESSAGES: list[str | bytes | Line] = [
    '{"type": "RECORD", "stream": "message_media", "record": {"body": "s3cret',
    '{"type": "RECORD", "stream": "message_media", "record": {"body": "s3cret"}}}\n',
    f"{PRIVATE}\n",
    f'"{PRIVATE}"\n',
    f'["type", "{PRIVATE}"]\n',
    "\n",
    b'{"type": "STATE", "value": {"s3cret": "\xff"}}\n',
    b'\xff\xfe"s3cret"\n',
    b'{"type": "STATE", "value": "s3cret\x00"}\n',
    "[" * 100_000 + PRIVATE,
    '{"type": "STATE", "value": {"s3cret": NaN}}\n',
    {"stream": STREAM, "record": {"body": PRIVATE}},
    {"type": None, "value": PRIVATE},
    {"type": [PRIVATE]},
    {"type": PRIVATE, "stream": STREAM},
    {"type": "RECORD", "record": {"body": PRIVATE}},
    {"type": "RECORD", "stream": STREAM, "s3cret": 1},
    {"type": "RECORD", "stream": [PRIVATE], "record": {}},
    {"type": "RECORD", "stream": STREAM, "record": PRIVATE},
    {"type": "RECORD", "stream": STREAM, "record": None, "s3cret": 1},
    {"type": "SCHEMA", "stream": STREAM, "s3cret": 1},
    {"type": "SCHEMA", "stream": "x", "schema": {"s3cret": 1}, "key_properties": []},
    {"type": "SCHEMA", "stream": "x", "schema": {"properties": [PRIVATE]}},
    {"type": "SCHEMA", "stream": "x", "schema": PRIVATE},
    {"type": "SCHEMA", "stream": "x", "schema": {"properties": {}}, "key_properties": PRIVATE},
    {"type": "SCHEMA", "stream": "x", "schema": {"properties": {}}, "key_properties": [{}]},
    {"type": "STATE", "s3cret": 1},
    {"type": "ACTIVATE_VERSION", "s3cret": 1},
]


@pytest.mark.parametrize("text", NO_MESSAGES, ids=lambda text: repr(text)[:60])
def test_a_line_that_is_no_message(
    sim: Simulator, tmp_path: Path, text: str | bytes | Line
) -> None:
    done = run_target(tmp_path, settings_of(sim, tmp_path / "files"), broken(text))
    assert "line 3 of the input is no Singer message" in done.error
    assert PRIVATE not in done.log + done.text
    assert done.states == [{"n": 1}]


def test_a_record_before_its_schema(sim: Simulator, tmp_path: Path) -> None:
    wrong = record(PRIVATE, {"body": PRIVATE})
    done = run_target(tmp_path, settings_of(sim, tmp_path / "files"), broken(wrong))
    assert "line 3 of the input is a record whose schema did not come before it" in done.error
    assert PRIVATE not in done.log + done.text


def test_a_record_without_its_key(sim: Simulator, tmp_path: Path) -> None:
    lines = [schema(STREAM, "sid"), record(STREAM, {PRIVATE: PRIVATE})]
    done = run_target(tmp_path, settings_of(sim, tmp_path / "files"), lines)
    assert "line 2 of the input is a record without its key properties" in done.error
    assert PRIVATE not in done.log + done.text


def test_records_in_files_of_their_own(sim: Simulator, tmp_path: Path) -> None:
    """Passed over, they would be lost without a word."""
    encoding = {"format": "jsonl", "compression": "gzip"}
    batch = {"type": "BATCH", "stream": STREAM, "encoding": encoding, "manifest": [PRIVATE]}
    done = run_target(tmp_path, settings_of(sim, tmp_path / "files"), broken(batch))
    assert "line 3 of the input is a BATCH" in done.error
    assert "batch_config" in done.error
    assert PRIVATE not in done.log + done.text


def test_versions_mean_nothing_to_files(sim: Simulator, tmp_path: Path) -> None:
    lines = [{"type": "ACTIVATE_VERSION", "stream": name, "version": 1} for name in (STREAM, "x")]
    lines = [schema(), *lines, state({"n": 1})]
    done = run_target(tmp_path, settings_of(sim, tmp_path / "files"), lines)
    assert (done.code, done.states) == (0, [{"n": 1}])
    assert "WARNING" not in done.log


def test_what_came_before_a_broken_line_is_accounted_for(
    sim: Simulator, world: World, tmp_path: Path
) -> None:
    records = records_of(world)[:30]
    text = text_of(lines_of(records, every=1)).encode() + b"{"
    folder = tmp_path / "files"
    done = run_target(tmp_path, settings_of(sim, folder), text)
    assert "is no Singer message" in done.error
    assert not [path for path in files_below(folder) if path.endswith(".part")]
    held = {row["sid"] for row in rows_of(folder) if row["status"] == "stored"}
    assert len(files_below(folder)) == len(held)
    for number in (value["n"] for value in done.states):
        assert {row["sid"] for _, row in records[:number]} <= held
    done = run_target(tmp_path, settings_of(sim, folder), lines_of(records))
    assert done.code == 0
    wanted = {row["sid"] for _, row in records}
    assert_whole(world, folder, [r for r in references_of(world) if r.sid in wanted])


TEXT = "\u2028 \x85 \x00 \x1c ünï \U0001f4ac"


@pytest.mark.parametrize("environ", [{}, {"LC_ALL": "C", "PYTHONUTF8": "0"}], ids=repr)
def test_any_text_in_records_and_states(
    sim: Simulator, world: World, tmp_path: Path, environ: dict[str, str]
) -> None:
    stream, row = records_of(world, STREAM)[0]
    value = {"text": TEXT, TEXT: [1.5, 10**30, None, 0.1]}
    lines = [schema(), record(stream, row | {"filename": TEXT}), state(value)]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    folder = tmp_path / "files"
    done = run_target(tmp_path, settings_of(sim, folder), text, environ=environ)
    assert done.code == 0, done.log
    assert done.states == [value]
    assert [r["filename"] for r in rows_of(folder)] == [TEXT]


@pytest.mark.parametrize("value", [None, 5, "x", [1], {}, {"a": {"b": 0.30000000000000004}}])
def test_a_state_is_whatever_a_tap_writes(
    sim: Simulator, world: World, tmp_path: Path, value: object
) -> None:
    lines = [*lines_of(records_of(world)[:3]), state(value), *lines_of(records_of(world)[:3])]
    done = run_target(tmp_path, settings_of(sim, tmp_path / "files"), lines)
    assert (done.code, done.states) == (0, [value]), done.log


def test_no_input_at_all(sim: Simulator, tmp_path: Path) -> None:
    done = run_target(tmp_path, settings_of(sim, tmp_path / "files"), b"")
    assert (done.code, done.text) == (0, "")
    assert "0 downloaded" in done.log
    assert not (tmp_path / "files").exists()
    assert sim.count() == 0


def test_input_from_a_file(sim: Simulator, world: World, tmp_path: Path) -> None:
    path = tmp_path / "input.jsonl"
    path.write_text(text_of(lines_of(records_of(world, "mcs_media")[:2])))
    folder = tmp_path / "files"
    done = run_target(tmp_path, settings_of(sim, folder), b"", "--input", str(path))
    assert done.code == 0, done.log
    assert len(files_below(folder)) == 2


def test_streams_without_files_are_passed_over(
    sim: Simulator, world: World, tmp_path: Path
) -> None:
    rows = [("messages", row) for row in world.rows("messages")]
    lines = [schema("messages"), *(record(*row) for row in rows), state({"n": 1})]
    done = run_target(tmp_path, settings_of(sim, tmp_path / "files"), lines)
    assert (done.code, done.states, sim.count()) == (0, [{"n": 1}], 0)
    assert not (tmp_path / "files").exists()
