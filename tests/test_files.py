"""Files that the tap itself downloads: all of them, true columns, and no byte more than needed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tap_twilio_media.times import parsed
from tests.download.downloading import files_below, newest_rows
from tests.expecting import by_sid, expected
from tests.filing import (
    COLUMNS,
    MEDIA,
    asked_for_bytes,
    assert_all_stored,
    assert_files_whole,
    expected_with_files,
    mark_of,
    marks_of,
    with_files,
)
from tests.running import INCREMENTAL, STREAMS, catalog_of, run_tap
from tests.simulator import Simulator, World, seeded_world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.running import Output

DAY = timedelta(days=1)
PARENTS = ("messages", "conversation_messages")


@pytest.fixture
def world() -> World:
    """A world whose clock is behind the real one, so that time can pass."""
    return seeded_world(seed=7, now=datetime.now(timezone.utc) - 60 * DAY)


def run(config: dict[str, Any], state: dict[str, Any] | None = None, **kwargs: Any) -> Output:
    """Run all incremental streams to a good end."""
    output = run_tap(config, kwargs.pop("select", INCREMENTAL), state, **kwargs)
    assert output.error is None
    return output


def service_of(world: World) -> str:
    """Return the service that has most files."""
    return max(world.main.services, key=lambda sid: len(mcs_of(world, sid)))


def mcs_of(world: World, service_sid: str) -> set[str]:
    return {media.sid for media in world.mcs_media.values() if media.service_sid == service_sid}


# ---- rows and files


@pytest.mark.parametrize("content", ["redirect", "bytes"])
def test_all_files_of_both_services(
    sim: Simulator, tmp_path: Path, content: Literal["redirect", "bytes"]
) -> None:
    sim.world.behaviour.mcs_content = content
    output = run(with_files(sim, tmp_path), select=STREAMS)
    assert_all_stored(sim, tmp_path, output)
    for stream in set(STREAMS) - set(MEDIA):
        assert by_sid(output.records(stream)) == expected(sim, stream, [sim.world.account_sid])
    rows = newest_rows(tmp_path)
    named = {r["file_path"] for stream in MEDIA for r in output.records(stream)} - {None}
    assert files_below(tmp_path) == named
    for stream in MEDIA:
        for record in output.records(stream):
            row = rows[record["sid"]]
            told = [row[name] for name in ("path", "bytes", "sha256", "status")]
            assert told == [record[name] for name in COLUMNS]
    assert sim.leaked_authorizations == 0


def test_no_file_and_null_columns_when_downloads_are_off(sim: Simulator, tmp_path: Path) -> None:
    ways: list[dict[str, Any]] = [{"download": None}, {"download": {}}, {}]
    for off in ways:
        output = run(sim.config() | off)
        for stream in MEDIA:
            assert by_sid(output.records(stream)) == expected(sim, stream)
            assert {r[name] for r in output.records(stream) for name in COLUMNS} == {None}
            (schema,) = [m for m in output.of_type("SCHEMA") if m["stream"] == stream]
            assert set(COLUMNS) <= set(schema["schema"]["properties"])
            assert "files_" not in str(output.state)
    assert not asked_for_bytes(sim)
    assert not list(tmp_path.iterdir())


def test_a_catalog_of_an_older_tap_has_no_columns_and_works(sim: Simulator, tmp_path: Path) -> None:
    catalog = catalog_of(*INCREMENTAL)
    for stream in catalog["streams"]:
        for name in COLUMNS:
            stream["schema"]["properties"].pop(name, None)
        stream["metadata"] = [
            entry for entry in stream["metadata"] if entry["breadcrumb"][-1:] != [name]
        ]
    output = run(with_files(sim, tmp_path), catalog=catalog)
    for stream in MEDIA:
        rows = expected(sim, stream)
        for row in rows.values():
            for name in COLUMNS:
                del row[name]
        assert by_sid(output.records(stream)) == rows
        stored = {s for s, r in newest_rows(tmp_path).items() if r["stream"] == stream}
        assert stored == set(rows)


def test_deselected_columns_stay_away_and_the_files_come(sim: Simulator, tmp_path: Path) -> None:
    catalog = catalog_of(*INCREMENTAL)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if entry["breadcrumb"][-1:] in (["file_sha256"], ["file_status"], ["content_type"]):
                entry["metadata"]["selected"] = False
    output = run(with_files(sim, tmp_path), catalog=catalog)
    for stream in MEDIA:
        records = by_sid(output.records(stream))
        for sid, row in expected_with_files(sim, stream).items():
            assert not {"file_sha256", "file_status", "content_type"} & set(records[sid])
            assert records[sid]["file_size"] == row["file_size"]
            if row["file_status"] == "stored":
                content = (tmp_path / records[sid]["file_path"]).read_bytes()
                assert content == sim.world.media_bytes(sid)


@pytest.mark.parametrize("stream", MEDIA)
def test_a_media_stream_alone_brings_its_files_alone(
    sim: Simulator, tmp_path: Path, stream: str
) -> None:
    output = run(with_files(sim, tmp_path), select=[stream])
    assert output.streams == {stream}
    assert_all_stored(sim, tmp_path, output, streams=[stream])
    assert asked_for_bytes(sim) == set(expected(sim, stream))


def test_streams_without_files_download_nothing(sim: Simulator, tmp_path: Path) -> None:
    output = run(with_files(sim, tmp_path), select=PARENTS)
    assert not asked_for_bytes(sim)
    assert "files_" not in str(output.state)


# ---- now and again


def test_a_second_run_fetches_no_byte(sim: Simulator, tmp_path: Path) -> None:
    sim.world.mcs_media = {s: m for s, m in sim.world.mcs_media.items() if m.ready}
    first = run(with_files(sim, tmp_path))
    manifest = sorted((tmp_path / "manifest").iterdir())
    sim.reset()
    second = run(with_files(sim, tmp_path), first.state)
    again = run(with_files(sim, tmp_path))
    assert not asked_for_bytes(sim)
    assert_all_stored(sim, tmp_path, again)
    assert second.records("message_media")
    assert_files_whole(sim.world, tmp_path, second.records("message_media"))
    assert sorted((tmp_path / "manifest").iterdir()) == manifest, "nothing new to write down"


def test_turned_on_later_backfills_the_files_and_no_message(sim: Simulator, tmp_path: Path) -> None:
    first = run(sim.config())
    plain = run(sim.config(), first.state)
    second = run(with_files(sim, tmp_path), first.state)
    assert_all_stored(sim, tmp_path, second)
    for stream in PARENTS:
        # A first read asks for conversations in the order of their creation.
        assert sorted(second.sids(stream)) == sorted(plain.sids(stream)), "no message once more"
    for stream in MEDIA:
        assert len(second.records(stream)) == len(set(second.sids(stream)))
        assert len(plain.records(stream)) < len(second.records(stream))
    sim.reset()
    third = run(with_files(sim, tmp_path), second.state)
    assert not asked_for_bytes(sim)
    for stream in INCREMENTAL:
        assert third.sids(stream) == plain.sids(stream), "all is as if it had always been on"


def talk_of(world: World) -> str:
    service = world.main.services[service_of(world)]
    return next(t.sid for t in service.conversations.values() if t.state == "active")


def pass_days(world: World, days: int) -> set[str]:
    """Let days pass; return the sids of the new files, of a message and of a conversation."""
    world.now += days * DAY
    message = world.add_message(date_sent=world.now - days * DAY / 2, num_media=2)
    when = world.now - days * DAY / 2
    said = world.add_conversation_message(talk_of(world), media=1, date_created=when)
    return {file.sid for file in message.media} | {file.sid for file in said.media}


def test_turned_off_and_on_again_reads_the_gap_alone(sim: Simulator, tmp_path: Path) -> None:
    world, service = sim.world, service_of(sim.world)
    contexts: dict[str, dict[str, str]] = {
        "message_media": {},
        "mcs_media": {"chat_service_sid": service},
    }
    outputs = [run(with_files(sim, tmp_path))]
    gap: set[str] = set()
    before = [mark_of(outputs[0].state, s, **contexts[s]) for s in MEDIA]
    for _ in range(2):
        gap |= pass_days(world, 10)
        sim.reset()
        outputs.append(run(sim.config(), outputs[-1].state))
        assert not asked_for_bytes(sim)
        after = [mark_of(outputs[-1].state, s, **contexts[s]) for s in MEDIA]
        assert after == before, "the mark stays while bookmarks move"
        for stream in MEDIA:
            bookmark = outputs[-1].bookmark(stream, **contexts[stream])
            assert parsed(bookmark or "") == world.now
    gap |= pass_days(world, 10)
    sim.reset()
    outputs.append(run(with_files(sim, tmp_path), outputs[-1].state))
    unready = {s for s, m in world.mcs_media.items() if not m.ready}
    assert asked_for_bytes(sim) - unready == gap, "what was missed and nothing else"
    assert_all_stored(sim, tmp_path, *outputs)
    since = world.now - 33 * DAY
    sent = {m.sid: m.date_sent for m in world.main.messages.values()}
    for record in outputs[-1].records("message_media"):
        moment = sent[record["message_sid"]]
        assert moment is None or moment >= since
    for stream in MEDIA:
        mark = mark_of(outputs[-1].state, stream, **contexts[stream])
        assert parsed(mark or "") == world.now


def test_another_output_path_backfills_into_it(sim: Simulator, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    first = run(with_files(sim, one))
    second = run(with_files(sim, two), first.state)
    assert_all_stored(sim, two, second)
    assert files_below(one) == files_below(two)
    assert len(marks_of(second.state, "message_media")) == 2
    sim.reset()
    back = run(with_files(sim, one), second.state)
    unready = {s for s, m in sim.world.mcs_media.items() if not m.ready}
    assert asked_for_bytes(sim) <= unready, "the first folder is complete as before"
    assert back.sids("messages") == second.sids("messages")


def test_other_content_types_bring_the_rest(sim: Simulator, tmp_path: Path) -> None:
    first = run(with_files(sim, tmp_path, content_types=["image/*"]))
    rows = {sid: row for s in MEDIA for sid, row in by_sid(first.records(s)).items()}
    images = {sid for sid, row in rows.items() if row["content_type"].startswith("image/")}
    assert asked_for_bytes(sim) == images
    others = [row for sid, row in rows.items() if sid not in images]
    assert others
    assert {row["file_status"] for row in others} == {"not_selected"}
    assert_files_whole(sim.world, tmp_path, rows.values())
    sim.reset()
    second = run(with_files(sim, tmp_path), first.state)
    unready = {s for s, m in sim.world.mcs_media.items() if not m.ready}
    assert asked_for_bytes(sim) - unready == set(rows) - images - unready
    assert_all_stored(sim, tmp_path, second)


def test_a_higher_max_file_bytes_brings_the_larger_files(sim: Simulator, tmp_path: Path) -> None:
    first = run(with_files(sim, tmp_path, max_file_bytes=1_000), select=["message_media"])
    rows = by_sid(first.records("message_media"))
    large = {sid for sid in rows if len(sim.world.media_bytes(sid)) > 1_000}
    assert {s for s, r in rows.items() if r["file_status"] == "too_large"} == large
    assert 0 < len(large) < len(rows)
    sim.reset()
    second = run(with_files(sim, tmp_path), first.state, select=["message_media"])
    assert asked_for_bytes(sim) == large
    assert_all_stored(sim, tmp_path, second, streams=["message_media"])


def test_a_changed_template_moves_nothing(sim: Simulator, tmp_path: Path) -> None:
    first = run(with_files(sim, tmp_path), select=["message_media"])
    sim.reset()
    config = with_files(sim, tmp_path, path_template="{year}/{sid}{ext}")
    second = run(config, first.state, select=["message_media"])
    assert not asked_for_bytes(sim)
    assert_files_whole(sim.world, tmp_path, second.records("message_media"))
    fresh = sim.world.add_message(num_media=1).media[0]
    third = run(config, second.state, select=["message_media"])
    path = by_sid(third.records("message_media"))[fresh.sid]["file_path"]
    assert path == f"{sim.world.now.year}/{fresh.sid}.jpg"


# ---- other ways to read


def test_a_full_scan_has_every_file_and_fetches_what_is_missing(
    sim: Simulator, tmp_path: Path
) -> None:
    first = run(with_files(sim, tmp_path))
    lost = [r for s in MEDIA for r in first.records(s) if r["file_path"]][::7]
    for record in lost:
        (tmp_path / record["file_path"]).unlink()
    sim.reset()
    second = run(with_files(sim, tmp_path) | {"full_scan": True}, first.state)
    unready = {s for s, m in sim.world.mcs_media.items() if not m.ready}
    assert asked_for_bytes(sim) - unready == {record["sid"] for record in lost}
    assert_all_stored(sim, tmp_path, second)
    assert mark_of(second.state, "message_media") == mark_of(first.state, "message_media")


def test_a_stream_forced_to_full_table_keeps_no_mark(sim: Simulator, tmp_path: Path) -> None:
    catalog = catalog_of(*INCREMENTAL)
    for stream in catalog["streams"]:
        if stream["tap_stream_id"] in MEDIA:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["forced-replication-method"] = "FULL_TABLE"
            stream["replication_method"] = "FULL_TABLE"
    first = run(with_files(sim, tmp_path), catalog=catalog)
    assert_all_stored(sim, tmp_path, first)
    assert "files_" not in str(first.state)
    second = run(with_files(sim, tmp_path), first.state, catalog=catalog)
    assert_all_stored(sim, tmp_path, second)


@pytest.mark.parametrize("own", [None, "auth_token", "api_key"])
def test_files_of_a_subaccount(sim: Simulator, tmp_path: Path, own: str | None) -> None:
    """Its messages' files come with the parent's Auth Token, its MCS with its own pair alone."""
    world = sim.world
    busy = next(a for a in world.accounts.values() if a.services and a.sid != world.account_sid)
    config = with_files(sim, tmp_path) | {"account_sids": [busy.sid]}
    pair = {"auth_token": busy.auth_token}
    if own == "api_key":
        pair = {"api_key_sid": busy.api_key_sid, "api_key_secret": busy.api_key_secret}
    if own:
        config["subaccount_credentials"] = [{"account_sid": busy.sid, **pair}]
    output = run(config)
    streams = MEDIA if own else MEDIA[:1]
    assert_all_stored(sim, tmp_path, output, streams=streams, account_sids=[busy.sid])
    assert output.streams == set(INCREMENTAL if own else INCREMENTAL[:2])
    user = {"auth_token": busy.sid, "api_key": busy.api_key_sid}.get(own or "", world.account_sid)
    names = {r.username for r in sim.requests if r.endpoint in {"media_content", "mcs_media"}}
    assert names == {user}
    assert len(marks_of(output.state, "message_media", account_sid=busy.sid)) == 1


@pytest.mark.parametrize("stream", MEDIA)
def test_a_start_date_counts_for_files(sim: Simulator, tmp_path: Path, stream: str) -> None:
    start = sim.world.now - 100 * DAY
    config = with_files(sim, tmp_path) | {"start_date": start.isoformat()}
    output = run(config, select=[stream])
    assert asked_for_bytes(sim) == set(output.sids(stream))
    assert 0 < len(output.sids(stream)) < len(expected(sim, stream))


def test_slices_mark_how_far_files_are_complete(sim: Simulator, tmp_path: Path) -> None:
    middle = sim.world.now - 30 * DAY
    config = with_files(sim, tmp_path)
    first = run(config | {"end_date": middle.isoformat()}, select=["message_media"])
    assert parsed(mark_of(first.state, "message_media") or "") == middle
    sent = {m.sid: m.date_sent for m in sim.world.main.messages.values()}
    for record in first.records("message_media"):
        moment = sent[record["message_sid"]]
        assert moment is None or moment < middle
    second = run(config, first.state, select=["message_media"])
    assert_all_stored(sim, tmp_path, first, second, streams=["message_media"])
