"""A pipeline that is killed at any moment and goes on from the last state that came out."""

from __future__ import annotations

import contextlib
import random
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.download.downloading import assert_whole, references_of
from tests.download.test_killed import check_after_a_kill
from tests.promises import assert_promises_kept
from tests.running import Output
from tests.simulator import Fault, seeded_world
from tests.target.running import run_both, settings_of, states_of
from tests.target.test_pipeline import sids_of_bodies

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.simulator import Simulator, World

FILES = ("message_media", "mcs_media")


@pytest.fixture
def world() -> World:
    """A world of which every file is there to be had."""
    world = seeded_world(seed=7, messages=80, conversations=4)
    for media in world.mcs_media.values():
        media.ready = True
    return world


@pytest.mark.parametrize(
    "kills", [10, pytest.param(100, marks=pytest.mark.long)], ids=["short", "long"]
)
def test_kills_at_random_moments(sim: Simulator, world: World, tmp_path: Path, kills: int) -> None:
    references = [r for r in references_of(world) if r.account_sid == world.account_sid]
    chance = random.Random(kills)  # noqa: S311 - chance, not secrecy
    # So that bodies are on their way for most of the time.
    sim.faults.add(Fault("slow", "signed_content", times=None, delay=0.005))
    tap = sim.config() | {"window_days": 20, "max_concurrency": 4}
    killed_in_the_middle = states_out = 0
    folder, state = tmp_path / "0", None
    for number in range(kills):
        sim.reset()
        held_before = check_after_a_kill(world, folder) if folder.exists() else set()
        due = chance.randrange(1, len(references) - len(held_before) + 10)
        target = settings_of(sim, folder, max_concurrency=4)
        when = killing(sim, due, chance.random() * 0.1)
        _, done = run_both(tmp_path, tap, target, state, when=when)
        held = check_after_a_kill(world, folder) if folder.exists() else set()
        assert held_before <= held
        assert held_before.isdisjoint(sids_of_bodies(sim)), "a whole file was asked for again"
        states = states_of(done.text)
        for each in states[-1:]:
            assert_stands_for(each, held, world)
            state = each
        states_out += bool(states)
        killed_in_the_middle += done.code == -9 and len(held) < len(references)
        if chance.random() < 0.4 or done.code == 0:
            # Now and then a run is left alone: everything is there, and nothing else.
            code, done = run_both(tmp_path, tap, target, state)
            assert (code, done.code) == (0, 0)
            assert_whole(world, folder, references)
            folder, state = tmp_path / str(number + 1), None
    assert killed_in_the_middle > kills // 3
    assert states_out > kills // 5


def killing(sim: Simulator, due: int, seconds: float) -> Callable[[subprocess.Popen[bytes]], None]:
    """Return what kills a target a while after so many bodies were sent."""

    def wait_and_kill(target: subprocess.Popen[bytes]) -> None:
        while target.poll() is None and sim.count("signed_content") < due:
            with contextlib.suppress(subprocess.TimeoutExpired):
                target.wait(0.001)
        with contextlib.suppress(subprocess.TimeoutExpired):
            target.wait(seconds)
        target.kill()

    return wait_and_kill


def assert_stands_for(state: dict[str, Any], held: set[str], world: World) -> None:
    """Check that no file is missing that a state claims."""
    records = [
        {"type": "RECORD", "stream": stream, "record": {"sid": sid}}
        for stream in FILES
        for sid in held
    ]
    output = Output([*records, {"type": "STATE", "value": state}])
    assert_promises_kept([output], world, ["message_media"])
    if state.get("bookmarks", {}).get("mcs_media", {}).get("partitions"):
        services = {
            part["context"]["chat_service_sid"]
            for part in state["bookmarks"]["mcs_media"]["partitions"]
            if "replication_key_value" in part
        }
        wanted = {media.sid for media in world.mcs_media.values() if media.service_sid in services}
        assert wanted <= held
