"""What the tap's own downloads are tested with: settings, what must come of them, and marks."""

from __future__ import annotations

import hashlib
import os
import pwd
import resource
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.expecting import by_sid, expected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tests.running import Output
    from tests.simulator import Simulator, World

MEDIA = ("message_media", "mcs_media")
COLUMNS = ("file_path", "file_size", "file_sha256", "file_status")
BYTES = ("media_content", "mcs_content", "signed_content")
"""The endpoints by which bytes of files are had."""


def with_files(sim: Simulator, folder: Path | str, **download: Any) -> dict[str, Any]:
    """Return a config by which files are downloaded into a folder."""
    return sim.config() | {"download": {"output_path": str(folder), **download}}


def asked_for_bytes(sim: Simulator) -> set[str]:
    """Return the sids of the files whose bytes were asked for."""
    paths = [request.path for request in sim.requests if request.endpoint in BYTES]
    return {part for path in paths for part in path.split("/") if part.startswith("ME")}


def expected_with_files(
    sim: Simulator, stream: str, account_sids: Iterable[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the records by sid, files downloaded; `file_path` is left out."""
    rows = expected(sim, stream, account_sids)
    for sid, row in rows.items():
        del row["file_path"]
        media = sim.world.mcs_media.get(sid)
        if media is None or media.ready:
            content = sim.world.media_bytes(sid)
            sha256 = hashlib.sha256(content).hexdigest()
            row |= {"file_size": len(content), "file_sha256": sha256, "file_status": "stored"}
        else:
            row["file_status"] = "not_found"
    return rows


def assert_all_stored(
    sim: Simulator,
    folder: Path,
    *outputs: Output,
    streams: Iterable[str] = MEDIA,
    account_sids: Iterable[str] | None = None,
) -> None:
    """Fail unless the last record of every file is true, and the file whole where it says so."""
    account_sids = list(account_sids) if account_sids else None
    for stream in streams:
        held = by_sid(record for output in outputs for record in output.records(stream))
        rows = {
            sid: {name: value for name, value in record.items() if name != "file_path"}
            for sid, record in held.items()
        }
        assert rows == expected_with_files(sim, stream, account_sids)
        assert_files_whole(sim.world, folder, held.values())


def assert_files_whole(world: World, folder: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Fail unless each record that says "stored" names a file that is whole, and no other does."""
    for record in records:
        sid, path = record["sid"], record["file_path"]
        if record["file_status"] == "stored":
            assert path.startswith(f"{record['account_sid']}/{record['message_sid']}/{sid}.")
            content = (folder / path).read_bytes()
            assert content == world.media_bytes(sid)
            assert record["file_size"] == len(content)
            assert record["file_sha256"] == hashlib.sha256(content).hexdigest()
        else:
            assert [record[name] for name in COLUMNS[:3]] == [None] * 3


def marks_of(state: Mapping[str, Any], stream: str, **context: str) -> dict[str, str]:
    """Return how far files are complete, by the name of their settings, in the one context."""
    parts = [
        part
        for part in state.get("bookmarks", {}).get(stream, {}).get("partitions", [])
        if context.items() <= part["context"].items()
    ]
    assert len(parts) <= 1
    return {
        name: value
        for part in parts
        for name, value in part.items()
        if name.startswith("files_") and name.count("_") == 1
    }


def mark_of(state: Mapping[str, Any], stream: str, **context: str) -> str | None:
    """Return how far files are complete, where there is one set of settings, or none."""
    marks = marks_of(state, stream, **context)
    assert len(marks) <= 1
    return next(iter(marks.values()), None)


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Let no file of this process grow further: a write fails as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def as_ordinary_user() -> Iterator[Path]:
    """Give a folder of a user whom permissions bind: root may write anywhere, so act as another.

    What is imported late must have been imported before.
    """
    folder = Path(tempfile.mkdtemp())
    group = os.getegid()
    is_root = os.geteuid() == 0
    try:
        if is_root:
            others = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
            other = next((entry for entry in others if entry.pw_name == "nobody"), others[0])
            os.chown(folder, other.pw_uid, other.pw_gid)
            os.setegid(other.pw_gid)
            os.seteuid(other.pw_uid)
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
            os.setegid(group)
        folder.chmod(0o700)
        shutil.rmtree(folder)
