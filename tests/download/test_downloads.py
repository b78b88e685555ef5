"""Files as they should come, and how often they are asked for."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import pytest

from tap_twilio_media.client.errors import RefusedError, StoppedError
from tap_twilio_media.client.hosts import Hosts
from tap_twilio_media.client.network import Manners, Network
from tap_twilio_media.download.downloader import Downloader
from tap_twilio_media.download.settings import DownloadSettings
from tests.download.downloading import (
    LOOPBACK,
    assert_whole,
    downloader_of,
    fetch_all,
    fetch_one,
    files_below,
    newest_rows,
    references_of,
    rows_of,
    sha256_of,
)
from tests.simulator import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tap_twilio_media.download.references import Reference
    from tests.simulator import Simulator, World


@pytest.fixture
def reference(world: World) -> Reference:
    """A file of a message."""
    return references_of(world, "message_media")[0]


@pytest.fixture
def mcs_reference(world: World) -> Reference:
    """A file of a conversation."""
    return references_of(world, "mcs_media")[0]


@pytest.mark.parametrize("content", ["redirect", "bytes"])
def test_all_files_of_both_services(
    sim: Simulator, world: World, tmp_path: Path, content: Literal["redirect", "bytes"]
) -> None:
    world.behaviour.mcs_content = content
    references = references_of(world)
    assert {reference.stream for reference in references} == {"message_media", "mcs_media"}
    with downloader_of(sim, tmp_path) as downloader:
        outcomes = fetch_all(downloader, references)
        assert downloader.counts.fetched == downloader.counts.files == len(references)
    assert_whole(world, tmp_path, references)
    assert sim.leaked_authorizations == 0
    for reference, outcome in zip(references, outcomes, strict=True):
        content_of = world.media_bytes(reference.sid)
        assert (outcome.status, outcome.fetched, outcome.attempts) == ("stored", True, 1)
        assert outcome.sha256 == sha256_of(content_of)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_kind_of_redirect(
    sim: Simulator, world: World, tmp_path: Path, reference: Reference, status: int
) -> None:
    world.behaviour.redirect_status = status
    fetch_one(sim, tmp_path, reference)
    assert_whole(world, tmp_path, [reference])


def test_the_content_link_without_a_signed_one(
    sim: Simulator, world: World, tmp_path: Path, mcs_reference: Reference
) -> None:
    """A signed link to a host that is not allowed counts as none."""
    world.media_url = "https://elsewhere.example"
    world.behaviour.mcs_content = "bytes"
    fetch_one(sim, tmp_path, mcs_reference)
    assert_whole(world, tmp_path, [mcs_reference])
    assert [r.endpoint for r in sim.requests] == ["mcs_media", "mcs_content"]


def test_credentials_go_to_their_api_alone(sim: Simulator, world: World, tmp_path: Path) -> None:
    """Message media of a subaccount with the parent's Auth Token, MCS with its own."""
    references = references_of(world)
    with downloader_of(sim, tmp_path, parent=True) as downloader:
        fetch_all(downloader, references)
    assert_whole(world, tmp_path, references)
    assert sim.leaked_authorizations == 0
    assert {r.username for r in sim.requests if r.host == "media"} == {None}
    assert {r.username for r in sim.requests if r.host == "api"} == {world.account_sid}
    assert len({r.username for r in sim.requests if r.host == "mcs"}) > 1


def test_a_row_of_the_manifest(
    sim: Simulator, world: World, tmp_path: Path, mcs_reference: Reference
) -> None:
    fetch_one(sim, tmp_path, mcs_reference)
    (row,) = rows_of(tmp_path)
    (file,) = (tmp_path / "manifest").iterdir()
    media = world.mcs_media[mcs_reference.sid]
    assert row.pop("at").endswith("Z")
    assert row.pop("run") == file.stem
    assert row == {
        "stream": "mcs_media",
        "sid": media.sid,
        "account_sid": mcs_reference.account_sid,
        "message_sid": mcs_reference.message_sid,
        "conversation_sid": mcs_reference.conversation_sid,
        "chat_service_sid": media.service_sid,
        "date_created": mcs_reference.date_created,
        "filename": media.filename,
        "path": f"{mcs_reference.account_sid}/{mcs_reference.message_sid}/{media.sid}.jpg",
        "bytes": media.size,
        "sha256": sha256_of(world.media_bytes(media.sid)),
        "content_type": media.content_type,
        "content_type_served": media.content_type,
        "status": "stored",
        "detail": None,
        "attempts": 1,
    }


# ---- what is there already


def test_a_second_run_asks_for_nothing(sim: Simulator, world: World, tmp_path: Path) -> None:
    references = references_of(world)
    for run in range(2):
        sim.reset()
        with downloader_of(sim, tmp_path, path_template="{sid}{ext}" if run else "a/{sid}") as d:
            outcomes = fetch_all(d, references)
            assert (d.counts.held if run else d.counts.fetched) == len(references)
            assert d.counts.received_bytes == (0 if run else d.counts.fetched_bytes)
    assert sim.count() == 0
    assert not any(outcome.fetched for outcome in outcomes)
    assert len(rows_of(tmp_path)) == len(references)
    assert_whole(world, tmp_path, references)


@pytest.mark.parametrize("size", [0, 10, 100_000])
def test_a_file_of_another_size_is_fetched_again(
    sim: Simulator, world: World, tmp_path: Path, reference: Reference, size: int
) -> None:
    first = fetch_one(sim, tmp_path, reference)
    assert first.path
    os.truncate(tmp_path / first.path, size)
    assert fetch_one(sim, tmp_path, reference, path_template="other/{sid}").fetched
    assert_whole(world, tmp_path, [reference])


def test_a_file_that_was_removed_is_fetched_again(
    sim: Simulator, world: World, tmp_path: Path, reference: Reference
) -> None:
    first = fetch_one(sim, tmp_path, reference)
    (tmp_path / str(first.path)).unlink()
    assert fetch_one(sim, tmp_path, reference, path_template="other/{sid}").fetched
    assert_whole(world, tmp_path, [reference])
    assert files_below(tmp_path) == {f"other/{reference.sid}"}


@pytest.mark.parametrize("stream", ["message_media", "mcs_media"])
def test_a_file_without_a_row_gets_one(
    sim: Simulator, world: World, tmp_path: Path, stream: str
) -> None:
    """As after a run that was killed between the file and its row."""
    reference = references_of(world, stream)[0]
    fetch_one(sim, tmp_path, reference)
    (file,) = (tmp_path / "manifest").iterdir()
    file.unlink()
    sim.reset()
    assert fetch_one(sim, tmp_path, reference).status == "stored"
    assert sim.count() == 0
    assert_whole(world, tmp_path, [reference])


def test_a_file_without_a_row_and_not_as_long_as_announced(
    sim: Simulator, world: World, tmp_path: Path, mcs_reference: Reference
) -> None:
    first = fetch_one(sim, tmp_path, mcs_reference)
    (file,) = (tmp_path / "manifest").iterdir()
    file.unlink()
    os.truncate(tmp_path / str(first.path), 10)
    assert fetch_one(sim, tmp_path, mcs_reference).fetched
    assert_whole(world, tmp_path, [mcs_reference])


def test_a_file_is_never_taken_away(
    sim: Simulator, world: World, tmp_path: Path, reference: Reference
) -> None:
    first = fetch_one(sim, tmp_path, reference)
    world.delete_media(reference.sid)
    assert fetch_one(sim, tmp_path, reference) == replace(first, fetched=False, attempts=0)
    os.truncate(tmp_path / str(first.path), 10)
    for _ in range(2):  # what is left of it is no whole file, but nothing else there is of it
        assert fetch_one(sim, tmp_path, reference).status == "not_found"
    assert files_below(tmp_path) == {first.path}
    assert newest_rows(tmp_path)[reference.sid]["status"] == "not_found"


def test_two_threads_ask_once(sim: Simulator, tmp_path: Path, reference: Reference) -> None:
    sim.latency = 0.1
    with downloader_of(sim, tmp_path) as downloader:
        outcomes = fetch_all(downloader, [reference] * 8)
        assert sim.count("media_content") == 1
        assert sum(outcome.fetched for outcome in outcomes) == 1
        assert {outcome.path for outcome in outcomes} == {outcomes[0].path}
        assert (downloader.counts.fetched, downloader.counts.held) == (1, 7)
    assert len(rows_of(tmp_path)) == 1


# ---- what is not had


def test_content_types(sim: Simulator, world: World, tmp_path: Path) -> None:
    references = references_of(world)
    wanted = [r for r in references if str(r.content_type).startswith(("image/", "text/vcard"))]
    assert 0 < len(wanted) < len(references)
    with downloader_of(sim, tmp_path, content_types=("IMAGE/*", "text/vcard")) as downloader:
        fetch_all(downloader, references)
        assert downloader.counts.failed == {"not_selected": len(references) - len(wanted)}
    assert {r["status"] for r in rows_of(tmp_path)} == {"stored", "not_selected"}
    with downloader_of(sim, tmp_path, content_types=("audio/*",)) as downloader:
        assert downloader.fetch(wanted[0]).status == "stored"
    with downloader_of(sim, tmp_path) as downloader:
        fetch_all(downloader, references)
    assert_whole(world, tmp_path, references)


def test_too_large(sim: Simulator, world: World, tmp_path: Path) -> None:
    references = references_of(world)
    sizes = {r.sid: len(world.media_bytes(r.sid)) for r in references}
    most = sorted(sizes.values())[len(sizes) // 2]
    with downloader_of(sim, tmp_path, max_file_bytes=most) as downloader:
        fetch_all(downloader, references)
    assert_whole(world, tmp_path, [r for r in references if sizes[r.sid] <= most])
    rest = [row for row in rows_of(tmp_path) if sizes[row["sid"]] > most]
    assert {(row["status"], row["attempts"]) for row in rest} == {("too_large", 1)}


def test_without_credentials(sim: Simulator, tmp_path: Path, reference: Reference) -> None:
    hosts = Hosts(sim.api_url, sim.conversations_url, sim.mcs_url)
    network = Network.of(1, threading.Event())
    settings = DownloadSettings(str(tmp_path), media_hosts=LOOPBACK)
    downloader = Downloader(settings, hosts, Manners("x"), network, lambda *_: None)
    outcome = downloader.fetch(reference)
    downloader.close()
    assert (outcome.status, sim.count()) == ("forbidden", 0)
    assert reference.account_sid in str(outcome.detail)


def test_wrong_credentials_end_the_run(
    sim: Simulator, tmp_path: Path, reference: Reference
) -> None:
    sim.faults.add(Fault("401", times=None))
    with (
        downloader_of(sim, tmp_path) as downloader,
        pytest.raises(RefusedError, match="auth_token"),
    ):
        downloader.fetch(reference)
    assert sim.count() == 3
    assert not list(tmp_path.iterdir())


def test_a_failure_is_written_down_once(
    sim: Simulator, world: World, tmp_path: Path, reference: Reference
) -> None:
    world.delete_media(reference.sid)
    for _ in range(3):
        sim.reset()
        with downloader_of(sim, tmp_path) as downloader:
            first = downloader.fetch(reference)
            assert sim.count("media_content") == 3
            # In the same run nothing has changed.
            assert downloader.fetch(reference).status == first.status == "not_found"
            assert sim.count("media_content") == 3
    assert [row["status"] for row in rows_of(tmp_path)] == ["not_found"]


# ---- ending early


def test_the_stop_event_ends_a_download(
    sim: Simulator, tmp_path: Path, reference: Reference
) -> None:
    stop = threading.Event()
    sim.faults.add(Fault("flood", "signed_content", size=10**10, times=None))
    with (
        downloader_of(sim, tmp_path, stop=stop, max_file_bytes=10**11) as downloader,
        ThreadPoolExecutor(2) as threads,
    ):
        futures = [threads.submit(downloader.fetch, reference) for _ in range(2)]
        while downloader.counts.received_bytes < 1_000_000:
            assert not any(future.done() for future in futures)
        stop.set()
        for future in futures:
            with pytest.raises(StoppedError):
                future.result(10)
    assert files_below(tmp_path) == set()
    assert rows_of(tmp_path) == []


def test_requests_at_once(sim: Simulator, world: World, tmp_path: Path) -> None:
    sim.latency = 0.02
    with downloader_of(sim, tmp_path, most=3) as downloader:
        fetch_all(downloader, references_of(world)[:40])
    assert sim.max_in_flight <= 3
