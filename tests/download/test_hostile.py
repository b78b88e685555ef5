"""What no honest peer sends: refused with a status, and nothing outside of the folder."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tap_twilio_media.download.references import Reference
from tests.download.downloading import (
    assert_whole,
    downloader_of,
    fetch_one,
    files_below,
    newest_rows,
    records_of,
    references_of,
    rows_of,
)
from tests.download.test_names import HOSTILE
from tests.simulator import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator import Simulator, World


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
@pytest.mark.parametrize(
    "field", ["sid", "account_sid", "message_sid", "chat_service_sid", "conversation_sid"]
)
def test_identifiers(
    sim: Simulator, world: World, tmp_path: Path, field: str, value: object
) -> None:
    optional = field == "conversation_sid" and not value
    record = dict(records_of(world, "mcs_media")[0][1], conversation_sid="CH" + "0" * 32)
    record.pop("service_sid")
    record["chat_service_sid"] = "IS" + "0" * 32
    reference = Reference.of("mcs_media", record | {field: value})
    if (field == "message_sid" and not value) or optional:
        assert reference.problem() is None
        return
    folder = tmp_path / "a" / "b"
    for _ in range(2):
        outcome = fetch_one(sim, folder, reference)
        assert (outcome.status, outcome.attempts, outcome.is_transient) == ("invalid", 0, False)
    assert sim.count() == 0
    (row,) = rows_of(folder)
    assert row["status"] == "invalid"
    assert all(len(str(item)) < 300 for item in row.values())
    assert files_below(tmp_path) == {f"a/b/manifest/{row['run']}.jsonl"}


def test_a_damaged_record_makes_no_file_less_whole(
    sim: Simulator, world: World, tmp_path: Path
) -> None:
    stream, record = records_of(world)[0]
    reference = Reference.of(stream, record)
    fetch_one(sim, tmp_path, reference)
    damaged = Reference.of(stream, record | {"message_sid": "../x"})
    assert fetch_one(sim, tmp_path, damaged).status == "invalid"
    assert newest_rows(tmp_path)[reference.sid]["status"] == "stored"


def test_a_damaged_record_keeps_no_true_one_away(
    sim: Simulator, world: World, tmp_path: Path
) -> None:
    """In the same run: what a record lacks says nothing of the file."""
    stream, record = records_of(world, "message_media")[0]
    reference = Reference.of(stream, record)
    with downloader_of(sim, tmp_path) as downloader:
        damaged = Reference.of(stream, record | {"message_sid": None})
        assert downloader.fetch(damaged).status == "invalid"
        assert downloader.fetch(reference).status == "stored"
        assert downloader.fetch(damaged).status == "invalid"
    assert_whole(world, tmp_path, [reference])


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("http://mms.twiliocdn.com/x?Signature=s3cret", "mms.twiliocdn.com"),
        ("https://evil.example/x?Signature=s3cret", "evil.example"),
        ("https://user:s3cret@mms.twiliocdn.com/x", "no host"),
        ("http://169.254.169.254/latest/meta-data/s3cret", "169.254.169.254"),
        ("https://169.254.169.254/latest/meta-data/s3cret", "169.254.169.254"),
        ("file:///etc/passwd", "file:"),
        ("http://localhost:1/s3cret", "localhost:1"),
        ("https://mms.twiliocdn.com:8443/s3cret", "mms.twiliocdn.com:8443"),
        ("https://evil.example\\.twiliocdn.com/", "no address"),
        ("https://[::1/", "no address"),
        ("//evil.example/s3cret", "evil.example"),
    ],
)
@pytest.mark.parametrize("stream", ["message_media", "mcs_media"])
@pytest.mark.parametrize("hop", [1, 2])
def test_redirects(  # noqa: PLR0913, PLR0917 - pytest's way
    sim: Simulator, world: World, tmp_path: Path, stream: str, location: str, told: str, hop: int
) -> None:
    reference = references_of(world, stream)[0]
    world.behaviour.mcs_content = "redirect"
    endpoint = "signed_content"
    if hop == 1:
        endpoint = "media_content" if stream == "message_media" else "mcs_content"
        # So that MCS is asked for the content itself.
        world.media_url = "https://not-allowed.example"
    sim.faults.add(Fault("redirect", endpoint, times=None, location=location))
    outcome = fetch_one(sim, tmp_path, reference)
    assert (outcome.status, outcome.attempts) == ("refused_host", 1)
    assert told in str(outcome.detail)
    assert "s3cret" not in str(outcome.detail)
    assert files_below(tmp_path) == set()
    assert sim.leaked_authorizations == 0


def test_an_unknown_host_can_be_allowed(sim: Simulator, world: World, tmp_path: Path) -> None:
    reference = references_of(world)[0]
    assert fetch_one(sim, tmp_path, reference, media_hosts=()).status == "refused_host"
    port = sim.media_url.rpartition(":")[2]
    assert fetch_one(sim, tmp_path, reference, media_hosts=("127.0.0.1:1",)).status != "stored"
    assert fetch_one(sim, tmp_path, reference, media_hosts=(f"127.0.0.1:{port}",)).fetched
    assert_whole(world, tmp_path, [reference])


@pytest.mark.parametrize(
    ("location", "requests"),
    [("{api}/round?n={{fired}}", 6), ("{api}/round", 2), ("{media}/round?n={{fired}}", 6)],
)
def test_redirects_without_end(
    sim: Simulator, world: World, tmp_path: Path, location: str, requests: int
) -> None:
    location = location.format(api=sim.api_url, media=sim.media_url)
    sim.faults.add(Fault("redirect", times=None, location=location))
    outcome = fetch_one(sim, tmp_path, references_of(world)[0])
    assert outcome.status == "redirect_loop"
    assert sim.count() == requests
    assert sim.leaked_authorizations == 0


def test_a_relative_redirect_keeps_its_host(sim: Simulator, world: World, tmp_path: Path) -> None:
    reference = references_of(world, "message_media")[0]
    target = f"/2010-04-01/Accounts/{reference.account_sid}/Messages/{reference.message_sid}"
    location = f"{target}/Media/{reference.sid}?once"
    sim.faults.add(Fault("redirect", "media_content", location=location))
    assert fetch_one(sim, tmp_path, reference).status == "stored"
    assert [request.username is None for request in sim.requests] == [False, False, True]
    assert_whole(world, tmp_path, [reference])


def test_an_allowed_foreign_host_gets_no_credentials(
    sim: Simulator, world: World, tmp_path: Path
) -> None:
    """The other two APIs are hosts of ours too, but not the ones that this file belongs to."""
    reference = references_of(world, "message_media")[0]
    location = f"{sim.mcs_url}/v1/x"
    sim.faults.add(Fault("redirect", "media_content", location=location, times=None))
    assert fetch_one(sim, tmp_path, reference).status == "forbidden"
    assert {r.username for r in sim.requests if r.host == "mcs"} == {None}


@pytest.mark.parametrize(
    "links",
    [None, [], "x", {"content": 5}, {"content": "http://["}, {"content_direct_temporary": 5}],
    ids=repr,
)
def test_links_of_any_kind(
    sim: Simulator, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: object
) -> None:
    from tests.simulator import rows  # noqa: PLC0415 - what is replaced

    true = rows.mcs_media
    monkeypatch.setattr(rows, "mcs_media", lambda *a: true(*a) | {"links": links})
    reference = references_of(world, "mcs_media")[0]
    assert fetch_one(sim, tmp_path, reference).status == "stored"
    assert_whole(world, tmp_path, [reference])


def test_a_link_to_elsewhere_keeps_to_the_api(
    sim: Simulator, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.simulator import rows  # noqa: PLC0415 - what is replaced

    true = rows.mcs_media

    def lying(*args: Any) -> dict[str, Any]:
        row = true(*args)
        return row | {"links": {"content": f"https://evil.example{row['links']['content']}"}}

    monkeypatch.setattr(rows, "mcs_media", lying)
    reference = references_of(world, "mcs_media")[0]
    assert fetch_one(sim, tmp_path, reference).status == "stored"
    assert_whole(world, tmp_path, [reference])


@pytest.mark.parametrize("announced", [True, False])
def test_a_redirect_with_a_body_without_end(
    sim: Simulator, world: World, tmp_path: Path, *, announced: bool
) -> None:
    sim.faults.add(Fault("flood", "media_content", size=10**10, announced=announced))
    started = time.monotonic()
    with downloader_of(sim, tmp_path) as downloader:
        reference = references_of(world, "message_media")[0]
        assert downloader.fetch(reference).status == "stored"
        assert downloader.counts.received_bytes < 1_000_000
    assert time.monotonic() - started < 10
    assert_whole(world, tmp_path, [reference])


def test_metadata_without_end(sim: Simulator, world: World, tmp_path: Path) -> None:
    sim.faults.add(Fault("flood", "mcs_media", size=10**10, announced=False, times=None))
    started = time.monotonic()
    outcome = fetch_one(sim, tmp_path, references_of(world, "mcs_media")[0], budget=0.5)
    assert outcome.status == "unavailable"
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("kind", ["link", "file", "link_inside"])
def test_symbolic_links_below_the_folder(
    sim: Simulator, world: World, tmp_path: Path, kind: str
) -> None:
    from tap_twilio_media.download.storage import StorageError  # noqa: PLC0415

    reference = references_of(world, "message_media")[0]
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    folder.mkdir()
    if kind == "link":
        (folder / reference.account_sid).symlink_to(outside)
    elif kind == "file":
        (folder / reference.account_sid).write_text("x")
    else:
        (folder / reference.account_sid).mkdir()
        (folder / reference.account_sid / str(reference.message_sid)).symlink_to(outside)
    with pytest.raises(StorageError, match="symbolic links"):
        fetch_one(sim, folder, reference)
    assert not list(outside.iterdir())
    assert rows_of(folder) == []


def test_a_symbolic_link_in_place_of_the_file(sim: Simulator, world: World, tmp_path: Path) -> None:
    reference = references_of(world, "message_media")[0]
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    outside.write_bytes(world.media_bytes(reference.sid))
    path = fetch_one(sim, folder, reference).path
    (folder / str(path)).unlink()
    (folder / str(path)).symlink_to(outside)
    assert fetch_one(sim, folder, reference).fetched
    assert not (folder / str(path)).is_symlink()
    assert_whole(world, folder, [reference])


def test_a_folder_that_is_a_symbolic_link_itself(
    sim: Simulator, world: World, tmp_path: Path
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    reference = references_of(world)[0]
    fetch_one(sim, tmp_path / "link", reference)
    assert_whole(world, tmp_path / "real", [reference])


def test_a_manifest_that_leads_elsewhere(sim: Simulator, world: World, tmp_path: Path) -> None:
    reference = references_of(world, "message_media")[0]
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.write_text("12345")
    (folder / "manifest").mkdir(parents=True)
    row = f'{{"sid": "{reference.sid}", "status": "stored", "path": "../outside", "bytes": 5}}\n'
    (folder / "manifest" / "0.jsonl").write_text(row)
    with downloader_of(sim, folder) as downloader:
        assert downloader.fetch(reference).fetched
    assert outside.read_text() == "12345"
