"""The tap piped into the target, as a pipeline runs them: every file arrives, once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.download.downloading import assert_whole, references_of, rows_of, sha256_of
from tests.download.s3 import BUCKET, bucket
from tests.simulator import Fault
from tests.target.running import TARGET, run_both, settings_of, subaccounts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator import RecordedRequest, Simulator, World

BODIES = {"media_content", "mcs_content", "signed_content"}


def tap_settings(sim: Simulator, **more: Any) -> dict[str, Any]:
    return sim.config() | subaccounts(sim.world) | {"include_subaccounts": True} | more


@pytest.mark.parametrize("content", ["redirect", "bytes"])
def test_every_file_byte_for_byte_and_none_twice(
    sim: Simulator, world: World, tmp_path: Path, content: Literal["redirect", "bytes"]
) -> None:
    world.behaviour.mcs_content = content
    folder = tmp_path / "files"
    references = references_of(world)
    code, first = run_both(tmp_path, tap_settings(sim), settings_of(sim, folder), module=TARGET)
    assert (code, first.code) == (0, 0)
    assert_whole(world, folder, references)
    assert {reference.stream for reference in references} == {"message_media", "mcs_media"}
    assert sim.leaked_authorizations == 0
    assert f"{len(references):,} downloaded" in first.log
    rows = rows_of(folder)
    sim.reset()
    # From the start, and from the state that the first run left behind.
    for state in (None, first.states[-1]):
        code, again = run_both(tmp_path, tap_settings(sim), settings_of(sim, folder), state)
        assert (code, again.code) == (0, 0)
        assert {r.sid for r in references}.isdisjoint(sids_of_bodies(sim))
        assert rows_of(folder) == rows
        assert "0 downloaded (0 bytes)" in again.log
    assert sim.leaked_authorizations == 0


def sids_of_bodies(sim: Simulator) -> set[str]:
    """Return of which media a body was asked for."""
    paths = [r.path.removesuffix("/Content") for r in sim.requests if r.endpoint in BODIES]
    return {path.rpartition("/")[2] for path in paths}


def test_links_that_expire_in_a_second(sim: Simulator, world: World, tmp_path: Path) -> None:
    sim.signed_url_seconds = 1

    def pass_time(_: RecordedRequest) -> None:
        world.now += timedelta(seconds=2)

    sim.faults.add(Fault("call", "signed_content", every=11, times=4, call=pass_time))
    folder = tmp_path / "files"
    code, done = run_both(tmp_path, tap_settings(sim), settings_of(sim, folder))
    assert (code, done.code) == (0, 0)
    assert 403 in {request.status for request in sim.requests if request.host == "media"}
    assert_whole(world, folder, references_of(world))
    assert sim.leaked_authorizations == 0


def test_a_bucket(sim: Simulator, world: World, tmp_path: Path) -> None:
    references = {reference.sid: reference for reference in references_of(world)}
    with bucket() as s3:
        settings = settings_of(sim, f"s3://{BUCKET}/archive")
        for run in range(2):
            sim.reset()
            code, done = run_both(tmp_path, tap_settings(sim), settings)
            assert (code, done.code) == (0, 0), done.log
            assert references.keys().isdisjoint(sids_of_bodies(sim)) is bool(run)
            stored = {k for k in s3.names() if not k.startswith("archive/manifest/")}
            assert len(stored) == len(references)
        for key in stored:
            sid = key.rpartition("/")[2].partition(".")[0]
            assert sha256_of(s3.content(key)) == sha256_of(world.media_bytes(references[sid].sid))
        assert s3.unfinished() == 0
    assert sim.leaked_authorizations == 0
    assert "secret" not in done.log
