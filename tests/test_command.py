"""The command line: exit codes, and errors in one clear line."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.running import STREAMS, Output, catalog_of, clean_environ, run_command
from tests.simulator import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator import Simulator

FAMILY = ("messages", "message_media")


def errors(output: Output) -> list[str]:
    """Return the error lines of a run, and check that nothing of a traceback is in its log."""
    assert "Traceback" not in output.log
    return [line for line in output.log.splitlines() if "| ERROR " in line]


def the_error(output: Output) -> str:
    """Return the one error line of a run that failed."""
    assert output.code == 1
    lines = errors(output)
    assert len(lines) == 1, output.log
    return lines[0]


def test_a_whole_run(sim: Simulator, tmp_path: Path) -> None:
    output = run_command(tmp_path, sim.config())
    assert output.code == 0
    assert not errors(output)
    assert output.streams == set(STREAMS)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"account_sid": None}, "account_sid is not set"),
        ({"auth_token": None}, "auth_token is not set"),
        ({"account_sid": "AC123"}, "account_sid: must be AC and 32 hexadecimal digits"),
        ({"start_date": "2999-01-01"}, "start_date: lies in the future"),
        ({"start_date": "soon"}, "start_date: must be a date"),
        ({"region": "Ireland"}, "region: not a Twilio region"),
        ({"page_size": 0}, "page_size"),
        ({"lookback_days": "three"}, "lookback_days"),
        ({"api_url": "http://example.com"}, "api_url: plain http"),
        (
            {"batch_config": {"encoding": {"format": "jsonl"}, "storage": {"root": "x"}}},
            "batch_config",
        ),
    ],
)
def test_settings_that_cannot_be_used(
    sim: Simulator, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    output = run_command(tmp_path, sim.config() | change)
    assert told in the_error(output)
    assert not output.messages
    assert not sim.requests


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    output = run_command(tmp_path, None, "--config", "nowhere.json")
    assert "--config nowhere.json: cannot be read" in the_error(output)


def test_wrong_credentials(sim: Simulator, tmp_path: Path) -> None:
    output = run_command(tmp_path, sim.config() | {"auth_token": "0" * 32})
    line = the_error(output)
    assert "HTTP 401, code 20003" in line
    assert "check that account_sid and auth_token" in line
    assert sim.world.account_sid in line
    assert "0" * 32 not in output.log
    assert not output.of_type("RECORD")


def test_a_dead_host(sim: Simulator, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{unused.getsockname()[1]}"
        urls = dict.fromkeys(("api_url", "conversations_url", "mcs_url"), dead)
        started = time.monotonic()
        output = run_command(tmp_path, sim.config() | urls)
    assert "cannot reach 127.0.0.1" in the_error(output)
    assert time.monotonic() - started < 30


def test_an_unknown_region(sim: Simulator, tmp_path: Path) -> None:
    config = {k: v for k, v in sim.config().items() if not k.endswith("_url")}
    started = time.monotonic()
    output = run_command(tmp_path, config | {"region": "xx9"})
    line = the_error(output)
    assert "xx9.twilio.com" in line
    assert "check region" in line
    assert time.monotonic() - started < 30


def test_a_token_that_is_refused_accounts_fails_that_stream_alone(
    sim: Simulator, tmp_path: Path
) -> None:
    sim.faults.add(Fault("401", endpoint="accounts", times=None))
    output = run_command(tmp_path, sim.config() | {"include_subaccounts": True})
    assert "accounts not complete" in the_error(output)
    assert output.streams == set(STREAMS) - {"accounts"}
    assert output.bookmark("messages")


def test_a_key_that_may_not_read_accounts_is_a_warning(sim: Simulator, tmp_path: Path) -> None:
    world = sim.world
    config = sim.config() | {
        "api_key_sid": world.api_key_sid,
        "api_key_secret": world.api_key_secret,
    }
    config |= {"auth_token": None, "include_subaccounts": True}
    output = run_command(tmp_path, config)
    assert output.code == 0
    assert not errors(output)
    assert "subaccounts are not known and were not read" in output.log
    assert output.streams == set(STREAMS) - {"accounts"}


def test_one_bad_account_among_many(sim: Simulator, tmp_path: Path) -> None:
    world = sim.world
    busy, suspended, empty = [a for sid, a in world.accounts.items() if sid != world.account_sid]
    assert suspended.status == "suspended"
    config = sim.config() | {
        "include_subaccounts": True,
        "subaccount_credentials": [
            {"account_sid": busy.sid, "auth_token": "wrong"},
            {"account_sid": empty.sid, "auth_token": empty.auth_token},
        ],
    }
    output = run_command(tmp_path, config)
    line = the_error(output)
    assert busy.sid in line
    for stream in STREAMS[1:]:
        assert stream in line
    assert f"account {suspended.sid} is suspended" in output.log
    assert "wrong" not in output.log
    assert output.bookmark("messages", account_sid=world.account_sid)
    assert output.bookmark("messages", account_sid=empty.sid)
    assert not output.bookmark("messages", account_sid=busy.sid)


def test_a_run_that_fails_keeps_what_it_has(sim: Simulator, tmp_path: Path) -> None:
    sim.faults.add(Fault("503", endpoint="conversations", times=None))
    output = run_command(tmp_path, sim.config() | {"max_retry_seconds": 0.1})
    assert "conversations, conversation_messages, mcs_media not complete" in the_error(output)
    assert output.bookmark("messages")
    assert not output.state["bookmarks"].get("conversation_messages")


def test_discovery_needs_no_settings(tmp_path: Path) -> None:
    output = run_command(tmp_path, None, "--discover")
    assert output.code == 0
    assert {s["tap_stream_id"] for s in output.messages[0]["streams"]} == set(STREAMS)
    assert not errors(output)


@pytest.mark.parametrize("prefix", ["TWILIO_", "TAP_TWILIO_MEDIA_"])
def test_credentials_from_the_environment(sim: Simulator, tmp_path: Path, prefix: str) -> None:
    config = sim.config()
    environ = {
        f"{prefix}{name.upper()}": config.pop(name) for name in ("account_sid", "auth_token")
    }
    output = run_command(tmp_path, config, environ=environ, catalog=catalog_of("messages"))
    assert output.code == 0
    assert len(output.records("messages")) == 200


def test_state_that_is_not_ours(sim: Simulator, tmp_path: Path) -> None:
    context = {"account_sid": sim.world.account_sid}
    part = {"context": context, "replication_key_value": "yesterday"}
    state = {"bookmarks": {"messages": {"partitions": [part]}}}
    output = run_command(tmp_path, sim.config(), state=state, catalog=catalog_of("messages"))
    assert "state:" in the_error(output)
    assert "messages" in the_error(output)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_with_a_true_state(
    sim: Simulator, tmp_path: Path, number: signal.Signals
) -> None:
    sim.faults.add(Fault("hang", endpoint="media_list", after=10, times=None))
    (tmp_path / "config.json").write_text(json.dumps(sim.config() | {"page_size": 20}))
    (tmp_path / "catalog.json").write_text(json.dumps(catalog_of(*FAMILY)))
    command = [sys.executable, "-m", "tap_twilio_media", "--config", "config.json"]
    with (
        (tmp_path / "out.jsonl").open("w") as out,
        subprocess.Popen(
            [*command, "--catalog", "catalog.json"],
            cwd=tmp_path,
            env=clean_environ(),
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        deadline = time.monotonic() + 30
        while sim.count("media_list") <= 10 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        sent = time.monotonic()
        _, log = process.communicate(timeout=30)
        assert time.monotonic() - sent < 2
    assert process.returncode == 128 + number
    assert "Traceback" not in log
    first = Output.of((tmp_path / "out.jsonl").read_text())
    sim.faults.clear()
    second = run_command(tmp_path, sim.config(), state=first.state, catalog=catalog_of(*FAMILY))
    for stream in FAMILY:
        held = set(first.sids(stream)) | set(second.sids(stream))
        assert held == {row["sid"] for row in sim.world.rows(stream)}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_at_the_start_leaves_no_traceback(number: signal.Signals) -> None:
    """Most of the time before the first request goes into imports."""
    script = (
        "import os; from tap_twilio_media.process import started\n"
        f"with started(): os.kill(os.getpid(), {number:d}); print('lives on')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-number, b"", b"")


def test_a_target_that_dies(sim: Simulator, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(sim.config()))
    read, write = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-m", "tap_twilio_media", "--config", "config.json"],
        cwd=tmp_path,
        env=clean_environ(),
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(write)
        os.read(read, 100)
        os.close(read)
        _, log = process.communicate(timeout=30)
    assert process.returncode == 1
    output = Output(log=log, code=1)
    assert "the target stopped reading" in the_error(output)
    assert "Exception ignored" not in log


def test_stream_maps_come_from_the_environment_too(sim: Simulator, tmp_path: Path) -> None:
    maps = json.dumps({"messages": {"body": "__NULL__"}})
    environ = {"TAP_TWILIO_MEDIA_STREAM_MAPS": maps}
    catalog = catalog_of("messages")
    output = run_command(tmp_path, sim.config(), environ=environ, catalog=catalog)
    assert output.records("messages")
    assert all("body" not in record for record in output.records("messages"))


def test_a_mistake_in_a_stream_map_is_told(sim: Simulator, tmp_path: Path) -> None:
    config = sim.config() | {"stream_maps": {"messages": {"body": "md5(nothing)"}}}
    output = run_command(tmp_path, config, catalog=catalog_of("messages"))
    assert "stream_maps: " in the_error(output)
