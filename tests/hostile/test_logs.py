"""What an enemy says is told in lines of ours: none of its own, short, and nothing to act on."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.hostile.answers import LISTS, changing
from tests.running import run_command
from tests.simulator import Fault, Simulator, World, seeded_world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator.replies import Reply

FAKE = "2026-01-01 00:00:00,000 | ERROR    | tap-twilio-media | zq: all is lost"
ENDS_OF_LINES = f"x\n{FAKE}\r\n{FAKE}\r{FAKE}\x0b\x0c\x1c\x1d\x1e\x85\u2028{FAKE}\u2029x"
TERMINAL = "\x1b[2J\x1b]0;zq\x07\x9b31m\x08\x7f\u202e\u200b"
TEXTS = {"lines of its own": f"{TERMINAL}{ENDS_OF_LINES}", "very long": "x" * 200_000}
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \| ")
LONGEST = 1_500


@pytest.fixture
def world() -> World:
    return seeded_world(seed=7, messages=30, conversations=3)


def config_of(sim: Simulator) -> dict[str, Any]:
    return sim.config() | {"include_subaccounts": True, "max_retry_seconds": 0}


def assert_lines_are_ours(log: str) -> None:
    """Fail if a line is none of the tap's, or holds what somebody could act on."""
    for line in log.removesuffix("\n").split("\n"):
        if "Validating config using jsonschema: " in line:
            continue  # the tap's own, and very long
        assert LINE.match(line), repr(line[:200])
        assert line.isprintable(), repr(line[:200])
        assert len(line) < LONGEST, len(line)


@pytest.mark.parametrize("text", [*TEXTS.values(), "../../Accounts"], ids=[*TEXTS, "a way out"])
def test_sids(sim: Simulator, tmp_path: Path, text: str) -> None:
    """Of every kind of row, and those that a row names."""
    for endpoint, key in LISTS.items():

        def change(body: Any, key: str = key) -> None:  # noqa: ANN401 - any JSON
            for row in body[key][:1]:
                row["sid"] = text
                row["num_media"] = "1"
                row["media"] = [{"sid": text}]
                row["price"] = {"zq": 1}

        sim.faults.add(changing(endpoint, change))
    sim.faults.add(changing("configuration", lambda b: b.update(default_chat_service_sid=text)))
    output = run_command(tmp_path, config_of(sim), environ={"LOGLEVEL": "DEBUG"})
    assert output.code == 0
    assert_lines_are_ours(output.log)
    assert len(output.sids("messages")) > 25
    assert "a sid is none, nothing was asked for by it" in output.log
    assert ("rows without a sid, left out" in output.log) is (len(text) > 1_000)
    asked = {request.endpoint for request in sim.requests}
    assert "unknown" not in asked


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_names_of_fields(sim: Simulator, tmp_path: Path, text: str) -> None:
    for endpoint, key in LISTS.items():

        def change(body: Any, key: str = key) -> None:  # noqa: ANN401 - any JSON
            for row in body[key][:1]:
                row |= {f"{text}{number}": number for number in range(25)}

        sim.faults.add(changing(endpoint, change))
    output = run_command(tmp_path, config_of(sim), environ={"LOGLEVEL": "DEBUG"})
    assert output.code == 0
    assert_lines_are_ours(output.log)
    assert output.log.count("a field not known here") <= 20 * len(LISTS)
    assert "of more nothing is said" in output.log


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_refusals_and_rows_of_others(sim: Simulator, tmp_path: Path, text: str) -> None:
    def refuse(reply: Reply) -> None:
        reply.status = 403
        reply.body = json.dumps({"message": text, "code": 10**30}).encode()
        reply.headers["Twilio-Request-Id"] = re.sub(r"[^ -~]", "", text)[:4_000]

    def foreign(body: Any) -> None:  # noqa: ANN401 - any JSON
        for row in body["messages"]:
            row |= {"account_sid": text, "sid": text[:400]}

    def elsewhere(body: Any) -> None:  # noqa: ANN401 - any JSON
        body["meta"]["next_page_url"] = f"https://x/{text}"

    sim.faults.add(Fault("change", "accounts", change=refuse, times=None))
    sim.faults.add(changing("messages", foreign), changing("services", elsewhere))
    output = run_command(tmp_path, config_of(sim), environ={"LOGLEVEL": "DEBUG"})
    assert output.code == 1
    assert_lines_are_ours(output.log)
    assert "HTTP 403" in output.log
    assert "a row of another account" in output.log


def test_states_and_their_contexts(sim: Simulator, tmp_path: Path) -> None:
    """The input of a run is somebody's output."""
    text = TEXTS["lines of its own"]
    context = {"account_sid": sim.world.account_sid, "chat_service_sid": text}
    part = {"context": context, "replication_key_value": text}
    own = {"context": {"account_sid": sim.world.account_sid}, "replication_key_value": FAKE}
    state = {"bookmarks": {"messages": {"partitions": [own]}, "mcs_media": {"partitions": [part]}}}
    output = run_command(tmp_path, sim.config(), state=state)
    assert output.code == 1
    assert_lines_are_ours(output.log)
    assert "zq" not in output.log
    assert "state: replication_key_value of messages for account_sid" in output.log
