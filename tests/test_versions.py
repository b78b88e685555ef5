"""The oldest dependencies that the project allows, and every Python that is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SUPPORTED = [f"3.{minor}" for minor in range(10, 15)]
WHAT_DEPENDS_MOST = (
    *("tests/client", "tests/streams", "tests/download/test_downloads.py"),
    *("tests/test_completeness.py", "tests/test_contract.py", "tests/test_output.py"),
    *("tests/test_config.py", "tests/test_records.py", "tests/test_times.py"),
)


def pythons() -> list[str]:
    """Return the supported Pythons of this machine, this one among them."""
    found = {f"{sys.version_info.major}.{sys.version_info.minor}": sys.executable}
    for version in SUPPORTED:
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
            program = Path(folder, f"python{version}")
            # A version manager's shim may only say that there is none.
            if version not in found and program.exists() and answers(program, version):
                found[version] = str(program)
    return [found[version] for version in SUPPORTED if version in found]


def answers(program: Path, version: str) -> bool:
    """Return whether a program is the Python that it seems to be."""
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    said = subprocess.run([str(program), "-c", script], stdout=subprocess.PIPE, check=False).stdout
    return said.decode().strip() == version


@pytest.mark.long
@pytest.mark.parametrize("lock", ["lowest", "dev"])
@pytest.mark.parametrize("python", pythons(), ids=lambda path: Path(path).name)
def test_all_goes_as_well(tmp_path: Path, python: str, lock: str) -> None:
    (uv,) = ROOT.glob(".tools/uv-*/bin/uv")
    venv = tmp_path / "venv"

    def run(*command: str | Path) -> str:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    run(uv, "venv", "--quiet", f"--python={python}", venv)
    into = f"--python={venv / 'bin' / 'python'}"
    run(uv, "pip", "sync", "--quiet", into, "--require-hashes", f"requirements/{lock}.txt")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path)
    (built,) = tmp_path.glob("*.whl")
    run(uv, "pip", "install", "--quiet", into, "--no-deps", built)
    options = ("-q", "-p", "no:cacheprovider", "--show-capture=no")
    said = run(venv / "bin" / "python", "-m", "pytest", *options, *WHAT_DEPENDS_MOST)
    assert " passed" in said
