"""Processes that are killed at any moment, starved of disk, or given large files."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.download.downloading import (
    assert_whole,
    files_below,
    newest_rows,
    records_of,
    references_of,
    rows_of,
    sha256_of,
)
from tests.running import clean_environ
from tests.simulator import Fault, seeded_world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator import Simulator, World

MB = 1_000_000


def given(
    sim: Simulator, folder: Path, records: list[Any], *, threads: int = 10, **more: Any
) -> str:
    accounts = sim.world.accounts.values()
    return json.dumps(
        {
            "output_path": str(folder),
            "hosts": [sim.api_url, sim.conversations_url, sim.mcs_url],
            "credentials": {account.sid: [account.sid, account.auth_token] for account in accounts},
            "records": records,
            "threads": threads,
            **more,
        }
    )


def start(text: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.download.driver"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environ(),
    )
    assert process.stdin
    process.stdin.write(text)
    process.stdin.close()
    process.stdin = None
    return process


def run(text: str) -> tuple[int, dict[str, Any]]:
    process = start(text)
    output, log = process.communicate(timeout=300)
    assert "Traceback" not in log, log
    result: dict[str, Any] = json.loads(output)
    return process.returncode, result


def check_after_a_kill(world: World, folder: Path) -> set[str]:
    """Check what lies in a folder; return the sids of the files that are there."""
    newest = newest_rows_of_whole_lines(folder)
    held = set()
    for path in files_below(folder):
        name = path.rpartition("/")[2]
        if name.startswith("."):
            assert name.endswith(".part")
            continue
        sid = name.partition(".")[0]
        assert (folder / path).read_bytes() == world.media_bytes(sid), "half under a final name"
        held.add(sid)
    for sid, row in newest.items():
        assert row["status"] == "stored"
        assert sid in held, "a row without its file"
        assert row["sha256"] == sha256_of(world.media_bytes(sid))
    return held


def newest_rows_of_whole_lines(folder: Path) -> dict[str, dict[str, Any]]:
    newest = {}
    for file in sorted((folder / "manifest").glob("*.jsonl")):
        for line in file.read_bytes().split(b"\n"):
            with contextlib.suppress(ValueError):
                row = json.loads(line)
                newest[row["sid"]] = row
    return newest


@pytest.mark.parametrize(
    "kills", [10, pytest.param(100, marks=pytest.mark.long)], ids=["short", "long"]
)
def test_kills_at_random_moments(sim: Simulator, world: World, tmp_path: Path, kills: int) -> None:
    references = [r for r in references_of(world) if r.stream == "message_media"][:40]
    wanted = {reference.sid for reference in references}
    records = [record for record in records_of(world) if record[1]["sid"] in wanted]
    chance = random.Random(kills)  # noqa: S311 - chance, not secrecy
    # So that bodies are on their way for most of the time.
    sim.faults.add(Fault("slow", "signed_content", times=None, delay=0.002))
    killed_in_the_middle = 0
    folder = tmp_path / "0"
    for number in range(kills):
        sim.reset()
        held_before = check_after_a_kill(world, folder) if folder.exists() else set()
        process = start(given(sim, folder, records, threads=4))
        # Killed when so many answers have been given: from before the first to after the last.
        due = chance.randrange(1, 2 * (len(records) - len(held_before)) + 2)
        while process.poll() is None and sim.count() < due:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.001)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.random() * 0.05)
        process.kill()
        process.communicate()
        held = check_after_a_kill(world, folder)
        killed_in_the_middle += held != wanted
        assert held_before <= held
        asked = {request.path.rpartition("/")[2] for request in sim.requests}
        assert not asked & held_before, "a whole file was asked for again"
        if chance.random() < 0.5 or held == wanted:
            # Now and then a run is left alone: everything is there, and nothing else.
            code, result = run(given(sim, folder, records))
            assert (code, result["fetched"]) == (0, len(wanted - held))
            assert_whole(world, folder, references)
            folder = tmp_path / str(number + 1)
    assert killed_in_the_middle > kills // 3


@pytest.mark.parametrize("largest_file", [1, 3_000])
def test_a_full_disk(sim: Simulator, world: World, tmp_path: Path, largest_file: int) -> None:
    """A limit of file sizes refuses a write just as a full disk does, and needs no disk."""
    records = records_of(world, "message_media")
    code, result = run(given(sim, tmp_path, records, largest_file=largest_file))
    assert code == 1
    assert result["error"].startswith("output_path: cannot write")
    assert result["error"].isprintable()
    for path in files_below(tmp_path):
        sid = path.rpartition("/")[2].partition(".")[0]
        assert (tmp_path / path).read_bytes() == world.media_bytes(sid)
    assert all(row["status"] == "stored" for row in rows_of(tmp_path))
    assert not [path for path in files_below(tmp_path) if path.endswith(".part")]
    code, _ = run(given(sim, tmp_path, records))
    assert code == 0
    assert_whole(world, tmp_path, references_of(world, "message_media"))


def test_a_file_in_place_of_the_folder(sim: Simulator, world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    code, result = run(given(sim, tmp_path / "file" / "x", records_of(world)[:5]))
    assert code == 1
    assert "output_path: cannot" in result["error"]
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.long
def test_memory_is_flat(sim: Simulator, world: World, tmp_path: Path) -> None:
    world = seeded_world(messages=400, conversations=0)
    sim.world = world
    world.media_url = sim.media_url
    sim.faults.add(Fault("flood", "signed_content", size=16 * MB, times=None))
    records = records_of(world, "message_media")[:100]
    code, result = run(given(sim, tmp_path, records, threads=20))
    assert (code, result["fetched"]) == (0, len(records))
    assert result["peak"] < 150 * MB
    assert {row["bytes"] for row in newest_rows(tmp_path).values()} == {16 * MB}


def test_ten_gigabytes_are_not_read(sim: Simulator, world: World, tmp_path: Path) -> None:
    records = records_of(world, "message_media")[:4]
    sim.faults.add(
        Fault("flood", "signed_content", size=10_000 * MB, times=2),
        Fault("flood", "signed_content", size=10_000 * MB, announced=False, times=None),
    )
    code, result = run(given(sim, tmp_path, records))
    assert code == 0
    assert set(result["statuses"]) == {"too_large"}
    assert result["peak"] < 150 * MB
    assert files_below(tmp_path) == set()
