"""Makes the checkout's .venv from the lock and runs a command in it; see script/bootstrap.

Runs on the plain Python of the machine: standard library only.
"""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
LOCK = ROOT / "requirements" / "dev.txt"
UV_LOCK = ROOT / "requirements" / "uv.txt"


def main(command: list[str]) -> None:
    """Prepare, then become the command."""
    environment = os.environ | index_of_pip()
    environment["PATH"] = f"{VENV / 'bin'}{os.pathsep}{environment.get('PATH', os.defpath)}"
    environment["VIRTUAL_ENV"] = str(VENV)
    # Without bytecode the first start of each command takes a second longer.
    environment["UV_COMPILE_BYTECODE"] = "1"
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    try:
        stamp = VENV / ".made-from"
        if not stamp.exists() or stamp.read_text() != made_from():
            make_venv(environment)
            stamp.write_text(made_from())
    except subprocess.CalledProcessError as error:
        sys.exit(f"script/bootstrap: failed with exit code {error.returncode}: {error.cmd[0]}")
    if command:
        os.execvpe(command[0], command, environment)  # noqa: S606


def made_from() -> str:
    """What .venv depends on; another value means that it must be made again."""
    files = (ROOT / "pyproject.toml", LOCK, UV_LOCK, Path(__file__))
    parts = [str(ROOT), sys.version, sys.executable, *(file.read_text() for file in files)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def make_venv(environment: dict[str, str]) -> None:
    """Bring .venv to exactly what the lock says, with this project editable in it."""
    print("Installing into .venv …", file=sys.stderr, flush=True)
    uv = installed_uv(environment)

    def run(*arguments: str) -> None:
        command = [*uv, "--quiet", *arguments]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)

    python = f"--python={VENV / 'bin' / 'python'}"
    run("venv", "--clear", f"--python={sys.executable}", str(VENV))
    run("pip", "sync", python, "--require-hashes", str(LOCK))
    # The build backend is in the lock: nothing else is fetched.
    run("pip", "install", python, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    package = [str(VENV / "bin" / "python"), "-m", "compileall", "-q", "tap_twilio_media"]
    subprocess.run(package, cwd=ROOT, env=environment, check=True)


def installed_uv(environment: dict[str, str]) -> list[str]:
    """The command that runs uv, installed into .tools when it is not there yet."""
    version = hashlib.sha256(UV_LOCK.read_bytes()).hexdigest()[:12]
    uv = TOOLS / f"uv-{version}"
    if not (uv / "bin" / "uv").exists():
        if find_spec("pip"):
            pip = [sys.executable, "-m", "pip"]
        elif find_spec("ensurepip"):
            subprocess.run([sys.executable, "-m", "venv", str(TOOLS / "pip")], check=True)
            pip = [str(TOOLS / "pip" / "bin" / "python"), "-m", "pip"]
        else:
            sys.exit(
                "script/bootstrap: this Python has neither pip nor venv; install one of them "
                "(on Debian and Ubuntu: apt install python3-venv)"
            )
        options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]
        install = [*pip, "install", *options, "--upgrade", "--target", str(uv)]
        install += ["--require-hashes", "--requirement", str(UV_LOCK)]
        quiet = {"PIP_ROOT_USER_ACTION": "ignore"}
        subprocess.run(install, cwd=ROOT, env=environment | quiet, check=True)
    return [str(uv / "bin" / "uv")]


def index_of_pip() -> dict[str, str]:
    """How pip is configured to find packages, in the variables that uv reads.

    Lives in the environment of what we start and is written nowhere. Whoever configured uv itself
    has said enough.
    """
    own = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_CONFIG_FILE")
    if any(name in os.environ for name in own):
        return {}
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    lines = [line.partition("=") for line in listed.splitlines()]
    # Later ones win: what is said for `install` over what is global, the environment over files.
    configured = {
        name.removeprefix(section): ast.literal_eval(value)
        for section in ("global.", "install.", ":env:.")
        for name, _, value in lines
        if name.startswith(section)
    }
    links = configured.get("find-links", "").split()
    found = {
        "UV_DEFAULT_INDEX": configured.get("index-url"),
        "UV_INDEX": configured.get("extra-index-url"),
        "UV_INDEX_STRATEGY": "unsafe-best-match" if "extra-index-url" in configured else None,
        "UV_FIND_LINKS": ",".join(link for link in links if "://" in link or Path(link).is_dir()),
        "UV_INSECURE_HOST": configured.get("trusted-host"),
        "SSL_CERT_FILE": configured.get("cert"),
    }
    return {name: value for name, value in found.items() if value}


if __name__ == "__main__":
    main(sys.argv[1:])
