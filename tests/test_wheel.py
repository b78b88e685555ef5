"""What is shipped: a wheel, and an sdist from which the same wheel is made."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.running import STREAMS, Output, clean_environ

if TYPE_CHECKING:
    from tests.simulator import Simulator

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Build a wheel straight from the checkout, and one through the sdist."""
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir"]
    built: list[Path] = []
    for folder, options in (("direct", ["--wheel"]), ("through-sdist", [])):
        out = tmp_path_factory.mktemp(folder)
        subprocess.run([*build, str(out), *options, str(ROOT)], check=True, capture_output=True)
        built += out.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_its_schemas_alone(wheels: list[Path]) -> None:
    contents = []
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            contents.append(sorted(archive.namelist()))
    assert len(wheels) == 2
    assert contents[0] == contents[1]
    schemas = {f"tap_twilio_media/schemas/{stream}.json" for stream in STREAMS}
    git = shutil.which("git")
    assert git, "git is needed to know what belongs to the package"
    listed = [git, "ls-files", "--cached", "--others", "--exclude-standard", "tap_twilio_media"]
    tracked = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    about = "tap_twilio_media-0.1.0.dist-info"
    described = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    expected = schemas | set(tracked.split()) | {f"{about}/{name}" for name in described}
    assert set(contents[0]) == expected


def test_an_installed_wheel_discovers_and_syncs(
    wheels: list[Path], sim: Simulator, tmp_path: Path
) -> None:
    far = tmp_path / "far"
    # Its dependencies are those of this environment; only the project itself comes from the wheel.
    with zipfile.ZipFile(wheels[-1]) as archive:
        archive.extractall(far)
    work = tmp_path / "work"
    work.mkdir()
    (work / "config.json").write_text(json.dumps(sim.config()))

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=work,
            env=clean_environ() | {"PYTHONPATH": str(far)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    where = run("-c", "import tap_twilio_media; print(tap_twilio_media.__file__)")
    assert Path(where.strip()).is_relative_to(far)
    catalog = json.loads(run("-m", "tap_twilio_media", "--discover"))
    assert {stream["tap_stream_id"] for stream in catalog["streams"]} == set(STREAMS)
    output = Output.of(run("-m", "tap_twilio_media", "--config", "config.json"))
    assert output.streams == set(STREAMS)


def test_a_bare_checkout_finds_its_schemas(tmp_path: Path) -> None:
    (tmp_path / "checkout").mkdir()
    for name in ("tap_twilio_media", "schemas"):
        (tmp_path / "checkout" / name).symlink_to(ROOT / name)
    done = subprocess.run(
        [sys.executable, "-m", "tap_twilio_media", "--discover"],
        cwd=tmp_path / "checkout",
        env=clean_environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert len(json.loads(done.stdout)["streams"]) == len(STREAMS)
