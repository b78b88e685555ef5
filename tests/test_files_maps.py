"""Downloads under stream maps, and their order: what is filtered stays at Twilio."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.download.downloading import newest_rows
from tests.expecting import by_sid, expected
from tests.filing import (
    COLUMNS,
    MEDIA,
    asked_for_bytes,
    assert_all_stored,
    assert_files_whole,
    mark_of,
    with_files,
)
from tests.running import INCREMENTAL, run_tap
from tests.simulator import Fault, Simulator, seeded_world
from tests.test_concurrency import everything, hurry_at_random

if TYPE_CHECKING:
    from pathlib import Path

    from tests.running import Output


def run(sim: Simulator, folder: Path, maps: dict[str, Any], **config: Any) -> Output:
    output = run_tap(with_files(sim, folder) | {"stream_maps": maps} | config, INCREMENTAL)
    assert output.error is None
    return output


# ---- filters


@pytest.mark.parametrize("most", [1, 10])
def test_a_filter_of_media_keeps_files_at_twilio(sim: Simulator, tmp_path: Path, most: int) -> None:
    only = {"__filter__": "content_type == 'image/jpeg'"}
    maps = dict.fromkeys(MEDIA, only)
    output = run(sim, tmp_path, maps, max_concurrency=most)
    for stream in MEDIA:
        rows = expected(sim, stream)
        wanted = {s for s, row in rows.items() if row["content_type"] == "image/jpeg"}
        assert 0 < len(wanted) < len(rows)
        assert set(output.sids(stream)) == wanted
        assert_files_whole(sim.world, tmp_path, output.records(stream))
        assert all(record["file_status"] for record in output.records(stream))
    assert asked_for_bytes(sim) == {sid for stream in MEDIA for sid in output.sids(stream)}
    assert mark_of(output.state, "message_media") == output.bookmark("message_media")


def test_a_filter_of_messages_keeps_their_files_at_twilio(sim: Simulator, tmp_path: Path) -> None:
    maps = {
        "messages": {"__filter__": "direction == 'inbound'"},
        "conversation_messages": {"__filter__": "author == 'system'"},
    }
    output = run(sim, tmp_path, maps)
    wanted = {
        "message_media": set(output.sids("messages")),
        "mcs_media": set(output.sids("conversation_messages")),
    }
    asked: set[str] = set()
    for stream in MEDIA:
        rows = expected(sim, stream)
        files = {sid for sid, row in rows.items() if row["message_sid"] in wanted[stream]}
        assert 0 < len(files) < len(rows)
        assert set(output.sids(stream)) == files
        asked |= files
    assert asked_for_bytes(sim) == asked


@pytest.mark.parametrize("stream", MEDIA)
def test_a_stream_left_out_by_a_map_is_not_downloaded(
    sim: Simulator, tmp_path: Path, stream: str
) -> None:
    output = run(sim, tmp_path, {stream: "__NULL__"})
    assert stream not in output.streams
    assert not asked_for_bytes(sim) & set(expected(sim, stream))


@pytest.mark.parametrize("kind", ["401", "500"])
@pytest.mark.parametrize("stream", MEDIA)
def test_a_file_that_fails_under_a_filter(
    sim: Simulator, tmp_path: Path, stream: str, kind: str
) -> None:
    """Files that wait for their turn behind the one that failed are given up in good order."""
    for number in range(20):
        sim.world.add_message(date_sent=sim.world.now, body=str(number), num_media=1)
        talk = next(iter(sim.world.conversations.values()))
        sim.world.add_conversation_message(talk.sid, media=1)
    endpoint = "media_content" if stream == "message_media" else "signed_content"
    endpoint = "mcs_media" if (kind, stream) == ("401", "mcs_media") else endpoint
    after = 22 if endpoint == "mcs_media" else 0
    sim.faults.add(Fault(kind, endpoint=endpoint, after=after, times=None))
    maps = {stream: {"__filter__": "sid != ''"}}
    config = with_files(sim, tmp_path) | {"max_concurrency": 1, "stream_maps": maps}
    output = run_tap(config | {"max_retry_seconds": 0 if kind == "500" else 10}, [stream])
    assert output.error is not None
    (line,) = str(output.error).splitlines()
    names = f"files of {stream}" if kind == "500" else stream
    assert f": {names} not complete: " in line
    sim.faults.clear()
    second = run_tap(config, [stream], output.state)
    assert second.error is None
    assert_all_stored(sim, tmp_path, output, second, streams=[stream])


# ---- other maps


def test_columns_hashed_and_dropped(sim: Simulator, tmp_path: Path) -> None:
    plain = {s: by_sid(run(sim, tmp_path / "plain", {}).records(s)) for s in MEDIA}
    maps = {
        stream: {
            "file_path": "__NULL__",
            "file_sha256": "sha256(file_sha256) if file_sha256 else None",
            "content_type": "__NULL__",
        }
        for stream in MEDIA
    }
    output = run(sim, tmp_path / "mapped", maps)
    for stream in MEDIA:
        records = by_sid(output.records(stream))
        assert records.keys() == plain[stream].keys()
        for sid, record in records.items():
            row = plain[stream][sid]
            clear = row["file_sha256"]
            hashed = hashlib.sha256(clear.encode()).hexdigest() if clear else None
            assert record["file_sha256"] == hashed
            assert not {"file_path", "content_type"} & record.keys()
            assert record["file_status"] == row["file_status"]
            if clear:
                path = newest_rows(tmp_path / "mapped")[sid]["path"]
                content = (tmp_path / "mapped" / path).read_bytes()
                assert content == sim.world.media_bytes(sid)


@pytest.mark.parametrize(
    "maps",
    [
        {s: {"__alias__": f"my_{s}"} for s in MEDIA},
        {f"my_{s}": {"__source__": s} for s in MEDIA} | dict.fromkeys(MEDIA, "__NULL__"),
        {f"my_{s}": {"__source__": s} for s in MEDIA}
        | {s: {"__filter__": "sid == ''"} for s in MEDIA},
    ],
    ids=["alias", "copy and no original", "copy and a filtered original"],
)
def test_streams_with_other_names(sim: Simulator, tmp_path: Path, maps: dict[str, Any]) -> None:
    plain = {s: by_sid(run(sim, tmp_path, {}).records(s)) for s in MEDIA}
    output = run(sim, tmp_path, maps)
    for stream in MEDIA:
        assert by_sid(output.records(f"my_{stream}")) == plain[stream]
        assert not output.records(stream)


def test_a_copy_of_messages_that_keeps_more_keeps_its_files(sim: Simulator, tmp_path: Path) -> None:
    maps = {"messages": {"__filter__": "direction == 'inbound'"}, "all": {"__source__": "messages"}}
    output = run(sim, tmp_path, maps)
    assert set(output.sids("all")) > set(output.sids("messages"))
    assert_all_stored(sim, tmp_path, output)


# ---- order


def without_files(output: Output) -> list[tuple[str, dict[str, Any]]]:
    left_out = {*COLUMNS, "content_url"}
    return [
        (m["stream"], {k: v for k, v in m["record"].items() if k not in left_out})
        for m in output.of_type("RECORD")
    ]


def with_their_files(output: Output) -> list[tuple[str, dict[str, Any]]]:
    return [
        (m["stream"], {k: v for k, v in m["record"].items() if k != "content_url"})
        for m in output.of_type("RECORD")
    ]


def test_downloads_change_nothing_but_their_columns(tmp_path: Path) -> None:
    """Each in its own simulator, whose answers come in any order."""
    world = seeded_world(seed=3, messages=120, conversations=16)
    plain: Output | None = None
    first: Output | None = None
    for seed, most in enumerate((1, 10, 10, 3)):
        with Simulator(world) as sim:
            hurry_at_random(sim, seed, slowest=0.004)
            plain = plain or everything(sim, most)
            folder = tmp_path / str(seed)
            output = everything(sim, most, download={"output_path": str(folder)})
            first = first or output
            assert sim.max_in_flight <= most
        assert without_files(output) == without_files(plain)
        assert with_their_files(output) == with_their_files(first)
