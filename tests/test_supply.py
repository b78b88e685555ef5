"""What is installed and what is shipped: pinned, vouched for by hashes, complete, without warnings.

No advisories are looked up here, as that takes a service outside: docs/guarantees.md says how.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.running import STREAMS, Output, clean_environ

if TYPE_CHECKING:
    from tests.simulator import Simulator

ROOT = Path(__file__).resolve().parents[1]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PIN = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; [^\n\\]+)?"
    r"(?P<hashes>(?:\s+sha256:[0-9a-f]{64})+)"
)
OWN = [Requirement(line) for line in requires("tap-twilio-media") or ()]


def pins(lock: Path) -> dict[str, str]:
    """Return the version of each package that a lock names, refusing all but pins with hashes."""
    text = lock.read_text().replace("--hash=", "").replace("\\\n", "")
    found: dict[str, str] = {}
    for line in text.splitlines():
        pin = PIN.fullmatch(line.strip())
        assert pin, f"{lock.name}: neither pinned nor vouched for: {line[:80]}"
        found[canonicalize_name(pin["name"])] = pin["version"]
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_holds_pins_with_hashes_and_nothing_else(lock: Path) -> None:
    assert pins(lock)
    assert "://" not in lock.read_text()


@pytest.mark.parametrize(
    "line",
    [
        "requests",
        "requests>=2",
        "requests==2.32.5",
        f"requests @ https://example.com/r.whl sha256:{64 * '0'}",
        f"--index-url https://example.com sha256:{64 * '0'}",
        f"requests==2.32.5 sha256:{63 * '0'}",
    ],
)
def test_another_line_is_refused(line: str, tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(f"{line}\n")
    with pytest.raises(AssertionError, match="neither pinned"):
        pins(tmp_path / "lock")


@pytest.mark.parametrize("own", [each for each in OWN if not each.marker], ids=lambda own: own.name)
def test_the_oldest_that_is_allowed_is_tested_and_so_is_a_newer(own: Requirement) -> None:
    name = canonicalize_name(own.name)
    (bound,) = own.specifier
    assert bound.operator == ">="
    oldest, newest = (pins(ROOT / "requirements" / f"{lock}.txt") for lock in ("lowest", "dev"))
    assert oldest[name].removesuffix(".0") == bound.version.removesuffix(".0")
    assert own.specifier.contains(newest[name])


def test_what_is_shipped_needs_few_packages() -> None:
    assert {own.name for own in OWN if not own.marker} == {
        *("fsspec", "msgspec", "pendulum", "requests", "singer-sdk", "tqdm"),
        *("typing-extensions", "urllib3"),
    }


def test_all_commands_run_without_a_warning(sim: Simulator, tmp_path: Path) -> None:
    folder = {"output_path": str(tmp_path / "files")}
    (tmp_path / "tap.json").write_text(json.dumps(sim.config() | {"download": folder}))
    (tmp_path / "target.json").write_text(json.dumps(sim.config() | folder))

    def run(module: str, *arguments: str, given: bytes = b"") -> bytes:
        command = [sys.executable, "-W", "error", "-m", module, *arguments]
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=clean_environ(),
            input=given,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        assert b"Warning" not in done.stderr
        return done.stdout

    assert b"message_media" in run("tap_twilio_media", "--discover")
    output = run("tap_twilio_media", "--config", "tap.json")
    assert Output.of(output.decode()).streams == set(STREAMS)
    assert run("tap_twilio_media.target", "--config", "target.json", given=output)
    run("tap_twilio_media.gallery", str(tmp_path / "files"))
    assert (tmp_path / "files" / "index.html").exists()
