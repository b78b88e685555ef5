"""Records that no honest tap writes: told in the manifest, and nothing outside of output_path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.download.downloading import files_below, newest_rows, records_of, references_of, rows_of
from tests.download.test_names import HOSTILE
from tests.target.running import lines_of, run_target, settings_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator import Simulator, World

FIELDS = ("sid", "account_sid", "message_sid", "chat_service_sid", "conversation_sid")
VALUES = [
    *(value for value in HOSTILE if value and value != "\ud800"),  # that one is no UTF-8
    "..",
    "../../../../tmp/x",
    "\\..\\x",
    "ME" + "c" * 31 + "/",
    ["ME" + "c" * 32],
    1.5,
    True,
]


def hostile(world: World) -> list[tuple[str, dict[str, Any]]]:
    """Return a record for every field and value, true but for that one."""
    stream, row = records_of(world, "mcs_media")[0]
    true = row | {"conversation_sid": "CH" + "0" * 32, "chat_service_sid": row["service_sid"]}
    records = [(stream, true | {field: value}) for field in FIELDS for value in VALUES]
    stream, row = records_of(world, "message_media")[0]
    records += [(stream, row | {field: value}) for field in FIELDS[:3] for value in VALUES]
    return [*records, ("message_media", {}), ("mcs_media", {"sid": None})]


def test_identifiers(sim: Simulator, world: World, tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "files"
    for _ in range(2):
        done = run_target(tmp_path, settings_of(sim, folder), lines_of(hostile(world), every=50))
        assert (done.code, done.states[-1]["last"]) == (0, True)
        assert f"{len(hostile(world))} invalid" in done.log
    assert sim.count() == 0
    rows = rows_of(folder)
    assert {row["status"] for row in rows} == {"invalid"}
    assert all(len(str(item)) < 300 for row in rows for item in row.values())
    runs = {row["run"] for row in rows}
    assert files_below(tmp_path) == {
        "target.config.json",
        "target.log",
        *(f"a/b/files/manifest/{run}.jsonl" for run in runs),
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"filename": "../../../x"},
        {"filename": "x" * 100_000},
        {"filename": 5},
        {"content_type": "image/jpeg\r\nX: y; a=b"},
        {"content_type": "../../etc/passwd"},
        {"content_type": ["image/jpeg"]},
        {"date_created": "../../2020"},
        {"date_created": "9" * 300},
        {"size": "../x"},
        {"size": -1},
        {"size": 10**30},
        {"uri": "file:///etc/passwd", "url": "http://169.254.169.254/", "content_url": "x"},
        {"links": {"content_direct_temporary": "http://169.254.169.254/"}},
        {"path": "../x", "file_path": "../x", "name": "../x"},
    ],
    ids=lambda changes: repr(changes)[:40],
)
def test_all_else_is_data(
    sim: Simulator, world: World, tmp_path: Path, changes: dict[str, Any]
) -> None:
    """What is asked for and where it goes hangs on identifiers alone, and dates that are ones."""
    records = [(stream, row | changes) for stream, row in own_records(world)]
    folder = tmp_path / "files"
    settings = settings_of(sim, folder, path_template="{date}/{stream}/{sid}{ext}")
    done = run_target(tmp_path, settings, lines_of(records))
    assert done.code == 0, done.log
    rows = newest_rows(folder)
    for _, row in records:
        assert rows[row["sid"]]["status"] == "stored"
        path = rows[row["sid"]]["path"]
        assert (folder / path).read_bytes() == world.media_bytes(row["sid"])
        assert ".." not in path
    assert {r.host for r in sim.requests} == {"api", "mcs", "media"}
    assert {path.name for path in tmp_path.iterdir()} == {
        "files",
        "target.config.json",
        "target.log",
    }


def own_records(world: World) -> list[tuple[str, dict[str, Any]]]:
    """Return a record of either stream whose file is there."""
    there = {reference.sid for reference in references_of(world)}
    found = {stream: row for stream, row in records_of(world) if row["sid"] in there}
    return list(found.items())
