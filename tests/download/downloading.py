"""What downloads are tested with: references of a world, a downloader, and a look at the result."""

from __future__ import annotations

import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tap_twilio_media.client.hosts import Hosts
from tap_twilio_media.client.network import Credentials, Manners, Network
from tap_twilio_media.download.downloader import Downloader
from tap_twilio_media.download.references import Reference
from tap_twilio_media.download.settings import DownloadSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tap_twilio_media.download.outcomes import Outcome
    from tests.simulator import Simulator, World

LOOPBACK = ("127.0.0.1",)
THREADS = 10


def records_of(world: World, *streams: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the records of both streams of files, as the tap makes them, of active accounts."""
    records = []
    for account in world.accounts.values():
        if account.status != "active":
            continue
        for stream in streams or ("message_media", "mcs_media"):
            for row in world.rows(stream, account.sid):
                added = {"account_sid": account.sid}
                if stream == "message_media":
                    added["message_sid"] = row["parent_sid"]
                records.append((stream, row | added))
    return records


def references_of(world: World, *streams: str) -> list[Reference]:
    """Return references to all files of a world that are there to be had."""
    return [
        Reference.of(stream, record)
        for stream, record in records_of(world, *streams)
        if stream == "message_media" or world.mcs_media[record["sid"]].ready
    ]


def own_credentials(world: World, *, parent: bool = False) -> Any:  # noqa: ANN401 - a callable
    """Return who looks up the credentials of an account, or of its parent for message media."""

    def of(account_sid: str, stream: str) -> Credentials | None:
        is_parents = parent and stream == "message_media"
        account = world.main if is_parents else world.accounts.get(account_sid)
        return Credentials(account.sid, account.auth_token) if account else None

    return of


@contextmanager
def downloader_of(  # noqa: PLR0913 - a test names what it is about
    sim: Simulator,
    output_path: Path | str,
    *,
    timeout: float = 10.0,
    budget: float = 60.0,
    stop: threading.Event | None = None,
    parent: bool = False,
    most: int = THREADS,
    media_hosts: tuple[str, ...] = LOOPBACK,
    **settings: Any,
) -> Iterator[Downloader]:
    """Give a downloader for a simulator."""
    network = Network.of(most, stop or threading.Event())
    downloader = Downloader(
        DownloadSettings(str(output_path), media_hosts=media_hosts, **settings),
        Hosts(sim.api_url, sim.conversations_url, sim.mcs_url),
        Manners("tap-twilio-media/test", timeout, budget),
        network,
        own_credentials(sim.world, parent=parent),
    )
    try:
        yield downloader
    finally:
        downloader.close()
        network.adapter.close()


def fetch_all(downloader: Downloader, references: Iterable[Reference]) -> list[Outcome]:
    """Fetch files as a run would: many at a time."""
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(downloader.fetch, references))


def fetch_one(sim: Simulator, folder: Path, reference: Reference, **kwargs: Any) -> Outcome:
    """Fetch a file with a downloader of its own."""
    with downloader_of(sim, folder, **kwargs) as downloader:
        return downloader.fetch(reference)


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of all manifests in the order in which they count."""
    files = sorted((folder / "manifest").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text().split("\n") if line]


def newest_rows(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the row that counts of each sid."""
    return {row["sid"]: row for row in rows_of(folder)}


def files_below(folder: Path) -> set[str]:
    """Return the paths of all files below a folder, manifests left out."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    return {path.as_posix() for path in paths if path.parts[0] != "manifest"}


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def assert_whole(world: World, folder: Path, references: Iterable[Reference]) -> None:
    """Check that every file is there, byte for byte, with a true row, and nothing else is."""
    newest = newest_rows(folder)
    expected = set()
    for reference in references:
        content = world.media_bytes(reference.sid)
        row = newest[reference.sid]
        assert row["status"] == "stored"
        assert (folder / row["path"]).read_bytes() == content
        assert (row["bytes"], row["sha256"]) == (len(content), sha256_of(content))
        expected.add(row["path"])
    assert files_below(folder) == expected
