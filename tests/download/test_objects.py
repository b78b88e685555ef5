"""Object stores: nothing is visible until it is complete."""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING, Any

import fsspec  # type: ignore[import-untyped]
import pytest

from tap_twilio_media.download import manifest
from tap_twilio_media.download.objects import BLOCK, ObjectStore
from tap_twilio_media.download.storage import StorageError, storage_of
from tests.download.downloading import downloader_of, fetch_all, references_of, sha256_of
from tests.download.s3 import BUCKET, bucket
from tests.simulator import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.download.s3 import Bucket
    from tests.simulator import Simulator, World

URL = f"s3://{BUCKET}/an/archive"
LARGE = os.urandom(BLOCK + 1)


@pytest.fixture(scope="module")
def server() -> Iterator[Bucket]:
    """A bucket for all tests of this module."""
    with bucket() as served:
        yield served


@pytest.fixture
def s3(server: Bucket) -> Bucket:
    """The bucket, empty."""
    for key in server.names():
        server.delete(key)
    return server


def rows(s3: Bucket) -> list[dict[str, Any]]:
    names = sorted(key for key in s3.names() if key.startswith("an/archive/manifest/"))
    return [json.loads(line) for name in names for line in s3.content(name).splitlines()]


def test_all_files(sim: Simulator, world: World, s3: Bucket) -> None:
    references = references_of(world)
    for run in range(2):
        sim.reset()
        with downloader_of(sim, URL) as downloader:
            outcomes = fetch_all(downloader, references)
        assert [outcome.fetched for outcome in outcomes] == [not run] * len(references)
        assert (sim.count() == 0) is bool(run)
    expected = {f"an/archive/{outcome.path}" for outcome in outcomes}
    found = {key for key in s3.names() if not key.startswith("an/archive/manifest/")}
    assert found == expected
    for reference, outcome in zip(references, outcomes, strict=True):
        body = s3.content(f"an/archive/{outcome.path}")
        assert body == world.media_bytes(reference.sid)
        assert outcome.sha256 == sha256_of(body)
    assert [row["status"] for row in rows(s3)] == ["stored"] * len(references)
    assert s3.unfinished() == 0


def test_no_signature_is_logged(
    sim: Simulator, world: World, s3: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with downloader_of(sim, URL) as downloader:
        fetch_all(downloader, references_of(world)[:3])
    assert s3.names()
    ours = [record for record in caplog.records if not record.name.startswith("werkzeug")]
    text = "\n".join(record.getMessage() for record in ours)
    assert "signature" not in text.lower()
    assert "credential" not in text.lower()


@pytest.mark.parametrize("size", [10, BLOCK, 2 * BLOCK + 5])
def test_a_large_file(sim: Simulator, world: World, s3: Bucket, size: int) -> None:
    reference = references_of(world, "message_media")[0]
    sim.faults.add(Fault("flood", "signed_content", size=size))
    with downloader_of(sim, URL) as downloader:
        outcome = downloader.fetch(reference)
    assert (outcome.status, outcome.bytes) == ("stored", size)
    assert s3.content(f"an/archive/{outcome.path}") == bytes(size)


@pytest.mark.parametrize("body", [b"small", LARGE], ids=["small", "large"])
def test_nothing_is_visible_until_it_is_complete(s3: Bucket, body: bytes) -> None:
    store = storage_of(URL)
    with store.draft("a/b") as draft:
        draft.write(body)
        draft.write(b"more")
        assert s3.names() == set()
        assert store.size("a/b") is None
        draft.commit()
    assert s3.content("an/archive/a/b") == body + b"more"
    assert store.size("a/b") == len(body) + 4
    assert store.digest("a/b") == sha256_of(body + b"more")


@pytest.mark.parametrize("body", [b"small", LARGE], ids=["small", "large"])
def test_what_is_discarded_leaves_nothing(s3: Bucket, body: bytes) -> None:
    with storage_of(URL).draft("a/b") as draft:
        draft.write(body)
        draft.write(b"more")
    del draft  # a file that is collected must not complete itself
    assert s3.names() == set()
    assert s3.unfinished() == 0


def test_what_is_cut_leaves_nothing(sim: Simulator, world: World, s3: Bucket) -> None:
    reference = references_of(world, "message_media")[0]
    sim.faults.add(Fault("flood", "signed_content", size=BLOCK * 3, announced=False))
    with downloader_of(sim, URL, max_file_bytes=BLOCK * 2) as downloader:
        assert downloader.fetch(reference).status == "too_large"
    assert {key.rpartition("/")[0] for key in s3.names()} == {"an/archive/manifest"}
    assert s3.unfinished() == 0


def test_rows_are_written_by_flush(
    sim: Simulator, world: World, s3: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifest, "MOST_HELD_BACK", 3)
    references = references_of(world, "message_media")[:5]
    with downloader_of(sim, URL) as downloader:
        downloader.fetch(references[0])
        assert rows(s3) == []
        downloader.flush()
        downloader.flush()
        assert [row["sid"] for row in rows(s3)] == [references[0].sid]
        for reference in references:
            downloader.fetch(reference)
        assert len(rows(s3)) == 4  # the fifth waits
    assert [row["sid"] for row in rows(s3)] == [reference.sid for reference in references]
    names = sorted(key for key in s3.names() if "/manifest/" in key)
    assert [name[-13:] for name in names] == ["-000001.jsonl", "-000002.jsonl", "-000003.jsonl"]


def test_an_object_without_a_row_gets_one(sim: Simulator, world: World, s3: Bucket) -> None:
    """As after a run that was killed before it wrote its rows."""
    reference = references_of(world, "mcs_media")[0]
    for _ in range(2):
        with downloader_of(sim, URL) as downloader:
            downloader.fetch(reference)
        for key in s3.names():
            if "/manifest/" in key:
                row = s3.content(key)
                s3.delete(key)
        assert json.loads(row)["sha256"] == sha256_of(world.media_bytes(reference.sid))
    assert sim.count() == 2


def test_a_truncated_object_is_fetched_again(sim: Simulator, world: World, s3: Bucket) -> None:
    reference = references_of(world, "message_media")[0]
    for _ in range(2):
        with downloader_of(sim, URL) as downloader:
            outcome = downloader.fetch(reference)
        assert outcome.fetched
        key = f"an/archive/{outcome.path}"
        assert s3.content(key) == world.media_bytes(reference.sid)
        s3.put(key, b"x")


def test_a_bucket_that_is_not_there(sim: Simulator, world: World, s3: Bucket) -> None:
    assert s3.names() == set()
    with (
        downloader_of(sim, "s3://no-such-bucket/x") as downloader,
        pytest.raises(StorageError, match="output_path: cannot") as caught,
    ):
        downloader.fetch(references_of(world)[0])
    assert str(caught.value).isprintable()
    assert "secret" not in str(caught.value)


def test_any_file_system_of_fsspec(sim: Simulator, world: World) -> None:
    references = references_of(world)[:10]
    url = "memory://archive"
    with downloader_of(sim, url) as downloader:
        outcomes = fetch_all(downloader, references)
    files = fsspec.filesystem("memory")
    for reference, outcome in zip(references, outcomes, strict=True):
        assert files.cat_file(f"/archive/{outcome.path}") == world.media_bytes(reference.sid)
    with downloader_of(sim, url) as downloader:
        assert not any(outcome.fetched for outcome in fetch_all(downloader, references))


def test_a_package_that_is_missing() -> None:
    with pytest.raises(StorageError) as caught:
        storage_of("gs://bucket/x")
    assert str(caught.value) == (
        "output_path: gs:// needs a package that is missing: install 'tap-twilio-media[gs]'"
    )
    with pytest.raises(StorageError, match=r"tap-twilio-media\[az\]"):
        storage_of("az://bucket/x")


def test_a_scheme_that_nobody_knows() -> None:
    with pytest.raises(StorageError, match="nosuch://") as caught:
        storage_of("nosuch://user:pa55word@host/x")
    assert "pa55word" not in str(caught.value)


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", "a/../../b"])
def test_paths_that_lead_elsewhere(path: str) -> None:
    store = ObjectStore(None, "root")
    with pytest.raises(StorageError):
        store.size(path)
