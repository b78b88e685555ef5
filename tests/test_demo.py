"""`script/demo`, as a stranger runs it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.running import clean_environ

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "script" / "demo"

pytestmark = pytest.mark.long


def test_shows_two_runs_and_what_the_second_one_brought() -> None:
    done = subprocess.run(
        [DEMO], env=clean_environ(), capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for line in ("First run:", "Second run:", "media by content type", "message_media"):
        assert line in done.stdout
    assert "Every new row arrived, and nothing else is new." in done.stdout
    page = Path(done.stdout.rsplit(": ", 1)[1].strip())
    assert "Media per day, by channel" in (ROOT / page).read_text()


def test_stops_what_it_started_on_ctrl_c() -> None:
    with subprocess.Popen(
        [DEMO],
        env=clean_environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "First run:" in line or "Installing the plugins" in line:
                break
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 130
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
