"""Downloads by the command: what a person sees, settings that cannot be used, and `--test`."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Any

import pytest

from tap_twilio_media import progress
from tap_twilio_media.download.counts import Counts
from tap_twilio_media.download.outcomes import Outcome
from tap_twilio_media.progress import Progress, in_words, summary
from tests.download.downloading import files_below
from tests.expecting import expected
from tests.filing import MEDIA, asked_for_bytes, assert_all_stored, with_files
from tests.running import INCREMENTAL, Output, catalog_of, clean_environ, run_command, run_tap
from tests.simulator import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator import Simulator

LOGGED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \| [A-Z]+ +\| ")
BAR = re.compile(r"([\d,]+) files: +[\d.]+[kM]?B \[")


def run_at_a_terminal(folder: Path, config: dict[str, Any]) -> tuple[Output, str]:
    """Run the command with a terminal for stderr; return its output and what was shown."""
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "catalog.json").write_text(json.dumps(catalog_of(*INCREMENTAL)))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    files = ("--config=config.json", "--catalog=catalog.json")
    with (
        (folder / "out.jsonl").open("wb") as out,
        subprocess.Popen(
            [sys.executable, "-m", "tap_twilio_media", *files],
            cwd=folder,
            env=clean_environ(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=theirs,
        ) as process,
    ):
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65_536):
                shown += piece
        except OSError:  # how Linux says that nobody writes any more
            pass
        os.close(ours)
        code = process.wait(30)
    return Output.of((folder / "out.jsonl").read_text(), code=code), shown.decode()


# ---- how far it is


def test_a_bar_at_a_terminal(sim: Simulator, tmp_path: Path) -> None:
    sim.faults.add(Fault("slow", endpoint="signed_content", every=3, times=None, delay=0.03))
    config = with_files(sim, "files") | {"max_concurrency": 4}
    output, shown = run_at_a_terminal(tmp_path, config)
    assert output.code == 0
    assert_all_stored(sim, tmp_path / "files", output)
    counts = [int(text.replace(",", "")) for text in BAR.findall(shown)]
    assert len(counts) >= 3
    assert counts == sorted(counts)
    total = sum(len(expected(sim, stream)) for stream in MEDIA)
    assert counts[-1] == total
    assert "files so far" not in shown
    assert f"files: {total - 2:,} downloaded (" in shown
    assert "KiB), 2 not_found" in shown
    # What stays on the screen of a line is what follows its last return of the carriage.
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in shown.split("\n")]
    logged = [line for line in lines if LOGGED.search(line)]
    assert len(logged) > 10
    assert all(LOGGED.match(line) for line in logged), "no line of the log behind the bar"


def test_lines_where_nobody_looks_on(
    sim: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.02)
    sim.latency = 0.005
    with caplog.at_level(logging.INFO):
        output = run_tap(with_files(sim, tmp_path), INCREMENTAL)
    assert output.error is None
    lines = [r.getMessage() for r in caplog.records if r.getMessage().startswith("files")]
    so_far = [line for line in lines if line.startswith("files so far: ")]
    counts = [int(line.split()[3]) for line in so_far]
    assert len(set(counts)) > 2
    assert counts == sorted(counts)
    summed = [
        line for line in lines if re.match(r"files: \d+ downloaded \([\d.]+ KiB\), 2 not_f", line)
    ]
    assert len(summed) == 1
    with caplog.at_level(logging.INFO):
        caplog.clear()
        run_tap(with_files(sim, tmp_path), INCREMENTAL)
    total = sum(len(expected(sim, stream)) for stream in MEDIA)
    assert f"files: 0 downloaded (0 bytes), {total - 2} there already (" in caplog.text


def test_the_sum_is_told_after_a_failure_too(sim: Simulator, tmp_path: Path) -> None:
    sim.faults.add(Fault("500", endpoint="signed_content", times=None))
    config = with_files(sim, "files") | {"max_retry_seconds": 0}
    output = run_command(tmp_path, config, catalog=catalog_of("message_media"))
    assert output.code == 1
    total = len(expected(sim, "message_media"))
    assert f"files: 0 downloaded (0 bytes), {total} unavailable" in output.log
    errors = [line for line in output.log.splitlines() if "| ERROR" in line]
    assert len(errors) == 1
    assert "Traceback" not in output.log


def test_nothing_is_told_without_downloads(sim: Simulator, tmp_path: Path) -> None:
    output = run_command(tmp_path, sim.config(), catalog=catalog_of("messages"))
    assert output.code == 0
    assert "files" not in output.log


def test_counts_in_words() -> None:
    counts = Counts()
    assert summary(counts) == "0 downloaded (0 bytes)"
    for size in (1_000, 2_000_000):
        counts.settle(Outcome("stored", "x", size, fetched=True))
        counts.settle(Outcome("stored", "x", size))
    counts.settle(Outcome("too_large"))
    counts.settle(Outcome("not_found"))
    counts.settle(Outcome("not_found"))
    assert summary(counts) == (
        "2 downloaded (1.9 MiB), 2 there already (1.9 MiB), 2 not_found, 1 too_large"
    )
    assert [in_words(size) for size in (0, 1_023, 1_024, 5 * 2**30, 3_000 * 2**40)] == [
        "0 bytes",
        "1,023 bytes",
        "1.0 KiB",
        "5.0 GiB",
        "3,000.0 TiB",
    ]


def test_progress_that_never_began_ends_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        Progress(Counts()).stop()
    assert not caplog.records


def test_progress_ends_at_once(caplog: pytest.LogCaptureFixture) -> None:
    shown = Progress(Counts())
    with caplog.at_level(logging.INFO):
        shown.start()
        begun = time.monotonic()
        shown.stop()
        shown.stop()
    assert time.monotonic() - begun < 1
    assert len(caplog.records) == 1


# ---- settings


PROBLEMS: list[tuple[object, str]] = [
    ("files", "download: must be an object"),
    (["files"], "download: must be an object"),
    ({"output_path": 5}, "download.output_path: must be a folder"),
    ({"output_path": "a\0b"}, "download.output_path: must be a folder"),
    ({"content_types": ["image/*"]}, "download.output_path is not set"),
    ({"output_path": "x", "content_types": "image/*"}, "download.content_types: must be a list"),
    ({"output_path": "x", "content_types": [""]}, "download.content_types: must be a list"),
    ({"output_path": "x", "path_template": "{sid}/.."}, "download.path_template: its parts"),
    ({"output_path": "x", "path_template": "{body}"}, "download.path_template: only these"),
    ({"output_path": "x", "path_template": ["{sid}"]}, "download.path_template: must be text"),
    ({"output_path": "x", "max_file_bytes": 0}, "max_file_bytes"),
    ({"output_path": "x", "max_file_bytes": "many"}, "max_file_bytes"),
    ({"output_path": "x", "folder": "y"}, "'folder' was unexpected"),
    ({"output_path": "nowhere://x"}, "output_path: cannot be used as a nowhere:// address"),
    ({"output_path": "gs://bucket/x"}, "install 'tap-twilio-media[gs]'"),
]


@pytest.mark.parametrize(("download", "what"), PROBLEMS)
def test_settings_that_cannot_be_used(
    sim: Simulator, tmp_path: Path, download: object, what: str
) -> None:
    output = run_command(tmp_path, sim.config() | {"download": download})
    assert output.code == 1
    (line,) = [line for line in output.log.splitlines() if "| ERROR" in line]
    assert what in line
    assert "Traceback" not in output.log
    assert not sim.requests, "nothing was asked"
    assert not output.of_type("RECORD")


@pytest.mark.parametrize("hosts", ["127.0.0.1", ["http://127.0.0.1"], [5], [""]])
def test_media_hosts_that_cannot_be_used(sim: Simulator, tmp_path: Path, hosts: object) -> None:
    output = run_command(tmp_path, with_files(sim, "files") | {"media_hosts": hosts})
    assert output.code == 1
    (line,) = [line for line in output.log.splitlines() if "| ERROR" in line]
    assert "media_hosts: each must be a host" in line
    assert not sim.requests


def test_files_of_other_hosts_are_refused_unless_named(sim: Simulator, tmp_path: Path) -> None:
    config = with_files(sim, tmp_path) | {"media_hosts": []}
    output = run_tap(config, ["message_media"])
    assert output.error is None
    records = output.records("message_media")
    assert {record["file_status"] for record in records} == {"refused_host"}
    assert not sim.count("signed_content")
    port = sim.media_url.rpartition(":")[2]
    for hosts in (["127.0.0.1"], [f"127.0.0.1:{port}"]):
        folder = tmp_path / hosts[0]
        output = run_tap(with_files(sim, folder) | {"media_hosts": hosts}, ["message_media"])
        assert_all_stored(sim, folder, output, streams=["message_media"])


@pytest.mark.parametrize("whole", [True, False])
def test_settings_by_variable(sim: Simulator, tmp_path: Path, *, whole: bool) -> None:
    environ = {
        "TAP_TWILIO_MEDIA_DOWNLOAD_OUTPUT_PATH": "files",
        "TAP_TWILIO_MEDIA_DOWNLOAD_CONTENT_TYPES": "image/*,audio/*",
    }
    if whole:
        download = {"output_path": "files", "content_types": ["image/*", "audio/*"]}
        environ = {"TAP_TWILIO_MEDIA_DOWNLOAD": json.dumps(download)}
    catalog = catalog_of("message_media")
    output = run_command(tmp_path, sim.config(), catalog=catalog, environ=environ)
    assert output.code == 0
    stored = {r["sid"] for r in output.records("message_media") if r["file_status"] == "stored"}
    rows = expected(sim, "message_media")
    wanted = {s for s, r in rows.items() if r["content_type"].startswith(("image/", "audio/"))}
    assert stored == asked_for_bytes(sim) == wanted
    assert len(files_below(tmp_path / "files")) == len(wanted)


# ---- a look at the connection


@pytest.mark.parametrize("pair", ["auth_token", "api_key"])
def test_a_test_of_the_connection_downloads_nothing(
    sim: Simulator, tmp_path: Path, pair: str
) -> None:
    config = with_files(sim, "files")
    if pair == "api_key":
        key = {"api_key_sid": sim.world.api_key_sid, "api_key_secret": sim.world.api_key_secret}
        config = config | {"auth_token": None} | key
    output = run_command(tmp_path, config, "--test")
    assert output.code == 0
    assert sim.count("messages")
    assert not asked_for_bytes(sim)
    assert not (tmp_path / "files").exists()
