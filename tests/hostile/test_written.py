"""All that the commands write, at debug level, searched for every secret in every form."""

from __future__ import annotations

import base64
import html
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest

from tests.running import STREAMS, clean_environ, run_command
from tests.simulator import Fault, Simulator, World, seeded_world
from tests.target.running import TARGET, run_target, subaccounts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEBUG = {"LOGLEVEL": "DEBUG"}
AWKWARD = 'zq"s3cret\\+/%=&<{number}>'
"""A secret that looks different in each encoding, so that each has to be searched for."""


@pytest.fixture
def world() -> World:
    world = seeded_world(seed=7, messages=40, conversations=4)
    for number, account in enumerate(world.accounts.values()):
        account.auth_token = AWKWARD.format(number=f"token-{number}")
        account.api_key_secret = AWKWARD.format(number=f"key-{number}")
    return world


def forms_of(world: World, sim: Simulator) -> Iterator[str]:
    """Yield what must be found nowhere: secrets, pairs as they are sent, signatures."""
    for account in world.accounts.values():
        for name, secret in (
            (account.sid, account.auth_token),
            (account.api_key_sid, account.api_key_secret),
        ):
            yield from {secret, quote(secret), quote(secret, ""), quote_plus(secret)}
            yield from {json.dumps(secret)[1:-1], repr(secret)[1:-1], html.escape(secret)}
            for text in (secret, f"{name}:{secret}"):
                yield base64.b64encode(text.encode()).decode().rstrip("=")
                yield base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
                yield text.encode().hex()
    for request in sim.requests:
        if request.endpoint == "signed_content":
            yield request.query["Signature"]


def assert_nowhere(world: World, sim: Simulator, folder: Path, *texts: str) -> None:
    """Fail if a secret is in a text, or in a file of a folder or its name, but for its configs."""
    written = list(texts)
    for path in folder.rglob("*"):
        written.append(str(path.relative_to(folder)))
        if path.is_file() and not path.name.endswith("config.json"):
            written.append(path.read_bytes().decode("latin-1"))
    found = "\n".join(written)
    forms = set(forms_of(world, sim))
    assert len(forms) > 50
    assert not [form for form in forms if form in found]
    assert "s3cret" not in found
    assert not re.search(r"Signature|Key-Pair-Id|Authorization: Basic \S{9}", found)


def assert_no_words(world: World, log: str) -> None:
    """Fail if a log holds what people wrote to each other, or by which names."""
    for account in world.accounts.values():
        for stream, names in {
            "messages": ("body", "from", "to"),
            "conversation_messages": ("body", "author"),
            "mcs_media": ("filename",),
        }.items():
            for row in world.rows(stream, account.sid):
                for name in names:
                    text = row.get(name) or ""
                    assert len(text) < 9 or text not in log, (stream, name)


def config_of(sim: Simulator) -> dict[str, Any]:
    download = {"download": {"output_path": "files"}}
    return sim.config() | subaccounts(sim.world) | {"include_subaccounts": True} | download


def test_a_run_the_target_and_the_index(sim: Simulator, world: World, tmp_path: Path) -> None:
    output = run_command(tmp_path, config_of(sim), environ=DEBUG)
    assert (output.code, output.streams) == (0, set(STREAMS))
    (tmp_path / "state.json").write_text(json.dumps(output.state))
    again = run_command(tmp_path, config_of(sim), state=output.state, environ=DEBUG)
    assert again.code == 0
    config = sim.config() | subaccounts(world) | {"output_path": str(tmp_path / "more")}
    target = run_target(tmp_path, config, output.text, module=TARGET, environ=DEBUG)
    assert target.code == 0
    index = subprocess.run(
        [sys.executable, "-m", "tap_twilio_media.gallery", str(tmp_path / "more")],
        env=clean_environ() | DEBUG,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert list((tmp_path / "more").rglob("*.html"))
    texts = (output.text, output.log, again.text, again.log, target.text, target.log)
    assert_nowhere(world, sim, tmp_path, *texts, index.stdout, index.stderr)
    for log in (output.log, again.log, target.log, index.stderr):
        assert_no_words(world, log)
    assert len(output.log.splitlines()) > 100, "it is the log of debug level"


@pytest.mark.parametrize("wrong", ["auth_token", "account_sid", "subaccount", "faults"])
def test_runs_that_fail(sim: Simulator, world: World, tmp_path: Path, wrong: str) -> None:
    config = config_of(sim) | {"max_retry_seconds": 0.3}
    if wrong == "faults":
        for number, kind in enumerate(("401", "403", "500", "reset", "bad_json", "truncate")):
            sim.faults.add(Fault(kind, after=12 + number, every=7, times=None))
    elif wrong == "subaccount":
        for item in config["subaccount_credentials"]:
            item["auth_token"] = world.auth_token
    else:
        others = [a for a in world.accounts.values() if a is not world.main]
        config[wrong] = others[0].sid if wrong == "account_sid" else others[0].auth_token
    output = run_command(tmp_path, config, environ=DEBUG)
    assert output.code == 1
    assert_nowhere(world, sim, tmp_path, output.text, output.log)
    assert_no_words(world, output.log)


TELLING = [("--about",), ("--about", "--format=json"), ("--about", "--format=markdown")]
TELLING += [("--help",), ("--version",)]


@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        *((module, arguments) for module in ("tap_twilio_media", TARGET) for arguments in TELLING),
        ("tap_twilio_media", ("--discover",)),
        ("tap_twilio_media", ("--test",)),
    ],
    ids=str,
)
def test_what_the_commands_say_of_themselves(
    sim: Simulator, world: World, tmp_path: Path, module: str, arguments: tuple[str, ...]
) -> None:
    """With the secrets in the config, and others in the environment."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(sim.config() | {"output_path": str(tmp_path)}))
    other = list(world.accounts.values())[1]
    environ = {
        "TAP_TWILIO_MEDIA_AUTH_TOKEN": other.auth_token,
        "TWILIO_API_SECRET": other.api_key_secret,
        "TWILIO_AUTH_TOKEN": other.auth_token,
    }
    done = subprocess.run(
        [sys.executable, "-m", module, "--config", str(path), *arguments],
        env=clean_environ() | DEBUG | environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert len(done.stdout + done.stderr) > 20
    assert_nowhere(world, sim, tmp_path, done.stdout, done.stderr)


# ---- inside the process

WATCHED = """
import sys
started = []
KINDS = ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn",
    "os.spawn", "os.putenv", "pty.spawn")
sys.addaudithook(lambda event, args: started.append(event) if event in KINDS else None)
from tap_twilio_media.__main__ import main
try:
    main()
finally:
    print("started", started, file=sys.stderr)
"""
BROKEN = """
import urllib3
read1, calls = urllib3.response.HTTPResponse.read1, []
def broken(self, *args, **kwargs):
    calls.append(self)
    if len(calls) > {calls}:
        try:
            raise KeyError(self.url if hasattr(self, "url") else self.geturl())
        except KeyError:
            raise RuntimeError("a fault of a library")
    return read1(self, *args, **kwargs)
urllib3.response.HTTPResponse.read1 = broken
from tap_twilio_media.__main__ import main
main()
"""


def run_script(
    script: str, folder: Path, config: dict[str, Any]
) -> subprocess.CompletedProcess[str]:
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return subprocess.run(
        [sys.executable, "-c", script, "--config", str(path)],
        env=clean_environ() | DEBUG,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_tap_starts_no_process(sim: Simulator, tmp_path: Path) -> None:
    """So no environment, and no argument, of one can show anything."""
    done = run_script(WATCHED, tmp_path, config_of(sim))
    assert done.returncode == 0
    assert done.stderr.rstrip().endswith("started []")


@pytest.mark.parametrize("calls", [0, 30, 90])
def test_a_traceback_shows_code_and_no_values(
    sim: Simulator, world: World, tmp_path: Path, calls: int
) -> None:
    done = run_script(BROKEN.replace("{calls}", str(calls)), tmp_path, config_of(sim))
    assert done.returncode == 1
    assert "unforeseen RuntimeError; run with LOGLEVEL=debug" in done.stderr
    assert "Traceback" in done.stderr
    traceback = done.stderr.partition("Traceback")[2]
    assert "a fault of a library" in traceback
    assert "locals" not in traceback
    assert_nowhere(world, sim, tmp_path, done.stdout, done.stderr)
    assert_no_words(world, done.stderr)
