"""Replies as a whole: too large, without end, or packed so that they become so."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tap_twilio_media.client.errors import InvalidRequestError
from tap_twilio_media.client.session import LARGEST_REPLY
from tests.client.test_session import ask
from tests.hostile.answers import LISTS
from tests.running import Output, clean_environ, run_tap
from tests.simulator import Fault, Simulator, World, seeded_world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator.replies import Reply

MEASURED = """
import atexit, pathlib, resource, sys
from tap_twilio_media.__main__ import main

def peak():
    # Where the system tells it: the usage of a process begins with that of whoever started it.
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1 << 20)

atexit.register(lambda: print("peak", peak(), file=sys.stderr))
sys.argv[0] = "tap-twilio-media"
main()
"""
MOST_MEGABYTES = 350
"""A run of an honest Twilio takes 80; a reply that is given up, twice its 64."""


@pytest.fixture
def world() -> World:
    return seeded_world(seed=7, messages=30, conversations=3)


def settings(sim: Simulator) -> dict[str, Any]:
    return sim.config() | {"max_retry_seconds": 1}


def run_measured(folder: Path, config: dict[str, Any]) -> tuple[Output, int]:
    """Run the command; return what came and the most memory that it held, in MiB."""
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "--config", str(path)],
        env=clean_environ(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    peak = re.search(r"^peak (\d+)$", done.stderr, re.MULTILINE)
    assert peak, done.stderr
    return Output.of(done.stdout, code=done.returncode, log=done.stderr), int(peak[1])


@cache
def bomb() -> bytes:
    """Return 16 GiB of blanks, packed into 16 MB."""
    return gzip.compress(b" " * (16 << 20)) * 1024


def explode(reply: Reply) -> None:
    reply.body, reply.headers["Content-Encoding"] = bomb(), "gzip"


ENDLESS = {
    "announced": Fault("flood", size=10**11, announced=True),
    "not announced": Fault("flood", size=10**11, announced=False),
    "packed": Fault("change", change=explode),
}


@pytest.mark.parametrize("fault", ENDLESS.values(), ids=ENDLESS)
def test_a_reply_without_end_fills_no_memory(sim: Simulator, tmp_path: Path, fault: Fault) -> None:
    fault.endpoint, fault.times, fault.fired = "messages", None, 0
    sim.faults.add(fault)
    started = time.monotonic()
    output, peak = run_measured(tmp_path, settings(sim))
    assert time.monotonic() - started < 30
    assert peak < MOST_MEGABYTES
    assert output.code == 1
    assert f"Messages.json: the reply has more than {LARGEST_REPLY} bytes" in output.log
    assert "Traceback" not in output.log
    assert sim.count("messages") == 1, "what was given up is not asked for again"
    assert output.records("conversation_messages"), "others go on"


def test_it_is_so_for_every_list_and_for_what_is_asked_by_itself(sim: Simulator) -> None:
    for endpoint in (*LISTS, "account", "configuration", "mcs_media"):
        sim.faults.add(Fault("flood", endpoint, size=10**11, announced=False, times=None))
    output = run_tap(settings(sim))
    told = f"the reply has more than {LARGEST_REPLY} bytes; set a smaller page_size"
    assert str(output.error).count(told) == 1, "one line for one cause"
    assert "accounts, messages, message_media, conversation_services" in str(output.error)
    assert not output.state.get("bookmarks")
    assert not output.of_type("RECORD")


@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate"])
def test_what_cannot_be_unpacked_is_a_damaged_reply(sim: Simulator, encoding: str) -> None:
    def change(reply: Reply) -> None:
        reply.body, reply.headers["Content-Encoding"] = b"\x1f\x8b\x08 nothing", encoding

    sim.faults.add(Fault("change", change=change, times=2))
    ask(sim)
    assert sim.count() == 3


@pytest.mark.parametrize("more", [0, 1])
def test_the_largest_reply(sim: Simulator, more: int) -> None:
    def change(reply: Reply) -> None:
        reply.body += b" " * (LARGEST_REPLY - len(reply.body) + more)

    sim.faults.add(Fault("change", change=change))
    if more:
        with pytest.raises(InvalidRequestError, match="has more than"):
            ask(sim)
    else:
        assert ask(sim).body["messages"]


def test_a_page_of_ten_megabytes_is_read(sim: Simulator, world: World) -> None:
    for row in world.rows("messages"):
        world.replace_row(row["sid"], row | {"body": "x" * 400_000})
    output = run_tap(settings(sim), ["messages"])
    assert output.error is None
    assert len(output.text) > 10_000_000
    assert {record["body"] for record in output.records("messages")} == {"x" * 400_000}
    assert set(output.sids("messages")) == {row["sid"] for row in world.rows("messages")}
