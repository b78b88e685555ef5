"""What a person sees of a run, what a log holds, and how much memory it takes."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.download.downloading import records_of, rows_of
from tests.download.test_killed import MB
from tests.running import clean_environ
from tests.simulator import Fault, seeded_world
from tests.target.running import (
    TARGET,
    lines_of,
    record,
    run_target,
    schema,
    send,
    settings_of,
    started,
    text_of,
    wait_until,
)
from tests.test_secrets import DEBUG, SIGNED, secrets_of

if TYPE_CHECKING:
    from tests.simulator import Simulator, World

STREAM = "message_media"


def test_lines_in_a_log(sim: Simulator, world: World, tmp_path: Path) -> None:
    records = records_of(world, STREAM)[:30]
    size = sum(len(world.media_bytes(row["sid"])) for _, row in records[:29])
    folder = tmp_path / "files"
    assert run_target(tmp_path, settings_of(sim, folder), lines_of(records[:5])).code == 0
    world.delete_media(records[29][1]["sid"])
    sim.faults.add(Fault("slow", "signed_content", times=None, delay=0.05))
    done = run_target(tmp_path, settings_of(sim, folder), lines_of(records))
    so_far = re.findall(r"files so far: (\d+) downloaded", done.log)
    assert len(so_far) > 1
    assert so_far == sorted(so_far, key=int)
    (last,) = re.findall(r"files: (.*)", done.log)
    assert re.fullmatch(
        r"24 downloaded \([\d.]+ KiB\), 5 there already \([\d.]+ KiB\), 1 not_found", last
    )
    # Rounded to a tenth of a KiB, twice.
    assert abs(sum(float(n) for n in re.findall(r"([\d.]+) KiB", last)) - size / 1_024) < 0.2


@pytest.mark.parametrize("size", [80, 40])
def test_a_bar_on_a_terminal(sim: Simulator, world: World, tmp_path: Path, size: int) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(settings_of(sim, tmp_path / "files")))
    sim.faults.add(Fault("slow", "signed_content", times=None, delay=0.05))
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, size, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", TARGET, "--config", str(config)],
        env=clean_environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        assert process.stdin
        process.stdin.write(text_of(lines_of(records_of(world, STREAM)[:30])).encode())
        process.stdin.close()
        shown = b""
        with contextlib.suppress(OSError):  # what Linux says when nobody has it open any more
            while piece := os.read(master, 65_536):
                shown += piece
        assert process.wait(60) == 0
    os.close(master)
    text = shown.decode()
    assert "30 files: " in text
    assert "B/s" in text
    assert "files so far" not in text
    assert re.search(r"files: 30 downloaded \([\d.]+ KiB\)", text)


def test_no_secret_in_the_loudest_log(sim: Simulator, world: World, tmp_path: Path) -> None:
    sim.faults.add(
        Fault("truncate", "signed_content", times=None, rate=0.1),
        Fault("503", "signed_content", times=None, rate=0.1),
        Fault("redirect", "media_content", times=3, location="https://evil.example/?Signature=x"),
        Fault("redirect", "media_content", times=3, location="http://127.0.0.1:1/?Signature=x"),
        Fault("403", "signed_content", times=8),
    )
    settings = settings_of(sim, tmp_path / "files", max_retry_seconds=1)
    done = run_target(tmp_path, settings, lines_of(records_of(world), every=5), environ=DEBUG)
    assert "DEBUG" in done.log
    rows = (tmp_path / "files" / "manifest").glob("*.jsonl")
    written = done.log + done.text + "".join(path.read_text() for path in rows)
    assert not SIGNED.search(written)
    for secret in secrets_of(world):
        assert secret not in written


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to look at")
@pytest.mark.long
def test_memory_is_flat(sim: Simulator, tmp_path: Path) -> None:
    world = sim.world = seeded_world(messages=400, conversations=0)
    world.media_url = sim.media_url
    sim.faults.add(Fault("flood", "signed_content", size=16 * MB, times=None))
    records = records_of(world, STREAM)[:100]
    assert len(records) == 100
    folder = tmp_path / "files"
    settings = settings_of(sim, folder, max_concurrency=20)
    with started(tmp_path, settings, module=TARGET) as process:
        send(process, schema(), *(record(*item) for item in records))
        wait_until(lambda: len(rows_of(folder)) == len(records), 300)
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.communicate(timeout=30)
        assert process.returncode == 0
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1_024
    assert peak < 150 * MB
    assert {row["bytes"] for row in rows_of(folder)} == {16 * MB}
