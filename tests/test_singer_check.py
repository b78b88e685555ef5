"""An independent checker of Singer output: `singer-check-tap` of singer-tools."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.running import STREAMS, run_command

if TYPE_CHECKING:
    from tests.simulator import Simulator

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "singer-tools.txt"


@pytest.fixture(scope="session")
def checker() -> Path:
    """Install the checker once, apart from everything else: its dependencies are of 2017."""
    venv = ROOT / ".tools" / f"singer-tools-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"
    command = venv / "bin" / "singer-check-tap"
    if not command.exists():
        python = f"--python={venv / 'bin' / 'python'}"
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "venv", "--clear", f"--python={sys.executable}", venv], check=True)
        subprocess.run([*uv, "pip", "sync", python, "--require-hashes", str(LOCK)], check=True)
    return command


def test_the_output_is_valid_singer(sim: Simulator, tmp_path: Path, checker: Path) -> None:
    state = None
    for _ in range(2):
        output = run_command(tmp_path, sim.config(), state=state)
        # Run with --tap, the checker does not wait for its own reader; from stdin it does.
        done = subprocess.run(
            [checker],
            input=output.text,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "The output is valid." in done.stdout
        for stream in STREAMS:
            assert stream in done.stdout
        state = output.state
