"""The manifest: what it says of a file, whoever was killed while writing it."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import asdict, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from tap_twilio_media.download.folder import Folder
from tap_twilio_media.download.manifest import Manifest, Row, name_of_run

if TYPE_CHECKING:
    from pathlib import Path

ROW = Row(
    stream="message_media",
    sid="ME1",
    account_sid="AC1",
    message_sid="MM1",
    conversation_sid=None,
    chat_service_sid=None,
    date_created=None,
    filename="caf\u00e9 \U0001f600\n\u2028.jpg",
    path="a/b.jpg",
    bytes=5,
    sha256="0" * 64,
    content_type="image/jpeg",
    content_type_served="image/jpeg",
    status="stored",
    detail=None,
    attempts=1,
    at="2026-01-31T00:00:00.000000Z",
    run="",
)


def manifest_of(folder: Path, run: str | None = None) -> Manifest:
    return Manifest(Folder(str(folder)), run)


def test_a_row_comes_back(tmp_path: Path) -> None:
    writer = manifest_of(tmp_path)
    row = replace(ROW, run=writer.run)
    writer.append(row)
    for manifest in (writer, manifest_of(tmp_path)):
        entry = manifest.newest("ME1")
        assert entry is not None
        assert (entry.status, entry.path, entry.bytes) == ("stored", "a/b.jpg", 5)
        assert (entry.sha256, entry.run) == ("0" * 64, writer.run)
        assert manifest.newest("ME2") is None
    (line,) = (tmp_path / "manifest" / f"{writer.run}.jsonl").read_text().split("\n")[:-1]
    assert json.loads(line) == asdict(row)


def test_nothing_is_written_without_a_row(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path / "new")
    assert manifest.newest("ME1") is None
    manifest.flush()
    manifest.close()
    assert not (tmp_path / "new").exists()


def test_the_newest_row_counts(tmp_path: Path) -> None:
    for run, path in (("20260102T0-b", "second"), ("20260101T0-c", "first")):
        manifest_of(tmp_path, run).append(replace(ROW, path=path, run=run))
    entry = manifest_of(tmp_path).newest("ME1")
    assert entry is not None
    assert entry.path == "second"
    last = manifest_of(tmp_path, "20260103T0-a")
    last.append(replace(ROW, path="third"))
    last.append(replace(ROW, status="not_found", path=None, bytes=None))
    entry = manifest_of(tmp_path).newest("ME1")
    assert entry is not None
    assert (entry.status, entry.path) == ("not_found", None)


def test_a_row_that_depends_on_the_newest_one(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path)
    invalid = replace(ROW, status="invalid", path=None, bytes=None)
    manifest.append(invalid, lambda entry: entry is None)
    manifest.append(ROW, lambda entry: entry is not None and entry.status == "invalid")
    manifest.append(invalid, lambda entry: entry is None or entry.status != "stored")
    entry = manifest.newest("ME1")
    assert entry is not None
    assert entry.status == "stored"
    assert (tmp_path / "manifest" / f"{manifest.run}.jsonl").read_text().count("\n") == 2


def test_names_of_runs_sort_by_time() -> None:
    moments = [
        datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=timezone.utc),
        datetime(2026, 2, 1, tzinfo=timezone.utc),
        datetime(2026, 2, 1, 0, 0, 0, 1, tzinfo=timezone.utc),
        datetime(2026, 2, 1, 0, 0, 1, tzinfo=timezone.utc),
    ]
    names = [name_of_run(moment) for moment in moments]
    assert sorted(names) == names
    assert len({len(name) for name in names}) == 1
    assert name_of_run(moments[0]) != name_of_run(moments[0])


GOOD = b'{"sid": "ME1", "status": "stored", "path": "a", "bytes": 1}'


@pytest.mark.parametrize(
    "line",
    [
        b'{"sid": "ME1", "status": "sto',
        b"\xff\xfe",
        b"\x00" * 100,
        b"null",
        b"[1]",
        b"{}",
        b'{"sid": 5, "status": "stored"}',
        b'{"sid": "ME1", "status": "stored"}',
        b'{"sid": "ME1", "status": "stored", "path": "../x", "bytes": 1}',
        b'{"sid": "ME1", "status": "stored", "path": "/x", "bytes": 1}',
        b'{"sid": "ME1", "status": "stored", "path": "x", "bytes": true}',
        b'{"sid": "ME1", "status": "stored", "path": "x", "bytes": 99999999999999999999}',
        b"[" * 100_000,
    ],
    ids=lambda line: repr(line[:60]),
)
def test_lines_that_cannot_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, line: bytes
) -> None:
    (tmp_path / "manifest").mkdir()
    (tmp_path / "manifest" / "1.jsonl").write_bytes(b"\n".join([GOOD, b"", line, line]))
    (tmp_path / "manifest" / "notes.txt").write_text("hello")
    with caplog.at_level(logging.WARNING):
        entry = manifest_of(tmp_path).newest("ME1")
    assert entry is not None
    assert entry.path == "a"
    (record,) = caplog.records
    assert "2 lines" in record.getMessage()


def test_rows_of_many_threads_are_whole(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path)

    def write(number: int) -> None:
        for turn in range(50):
            manifest.append(replace(ROW, sid=f"ME{number}-{turn}", detail="x" * 5_000))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (file,) = (tmp_path / "manifest").iterdir()
    sids = {json.loads(line)["sid"] for line in file.read_text().split("\n")[:-1]}
    assert len(sids) == 400
