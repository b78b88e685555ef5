"""The settings of the target: where they come from, what is wrong with them, what they do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_twilio_media.download.names import MISSING
from tests.download.downloading import (
    assert_whole,
    files_below,
    newest_rows,
    records_of,
    references_of,
    rows_of,
)
from tests.target.running import Done, lines_of, record, run_target, schema, settings_of, state

if TYPE_CHECKING:
    from pathlib import Path

    from tests.simulator import Simulator, World

STREAM = "message_media"
OWN, TAPS = "TARGET_TWILIO_MEDIA_", "TAP_TWILIO_MEDIA_"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"output_path": None}, "output_path is not set: say where the files go"),
        ({"output_path": ""}, "output_path is not set"),
        ({"output_path": 5}, "output_path: must be a folder, or a URL"),
        ({"path_template": "../{sid}"}, "path_template: "),
        ({"path_template": "{filename}"}, "path_template: "),
        ({"path_template": "{account_sid}"}, "path_template: "),
        ({"content_types": "image/*"}, "content_types: must be a list"),
        ({"max_file_bytes": 0}, "max_file_bytes"),
        ({"max_file_bytes": "many"}, "max_file_bytes"),
        ({"max_concurrency": 0}, "max_concurrency"),
        ({"media_hosts": ["https://x/"]}, "media_hosts: each must be a host"),
        ({"dry_run": "maybe"}, "dry_run"),
        ({"account_sid": None}, "account_sid is not set"),
        ({"auth_token": None}, "auth_token is not set"),
        ({"api_url": "http://example.com"}, "api_url: plain http"),
        ({"region": "Ireland"}, "region: not a Twilio region"),
        ({"subaccount_credentials": [{"account_sid": "AC1"}]}, "subaccount_credentials[0]"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_cannot_be_used_is_one_line(
    sim: Simulator, world: World, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    lines = lines_of(records_of(world, STREAM)[:2], every=1)
    done = run_target(tmp_path, settings_of(sim, tmp_path / "files") | change, lines)
    assert told in done.error
    assert world.auth_token not in done.log
    assert not done.text
    assert sim.count() == 0
    assert not (tmp_path / "files").exists()


def test_what_is_wrong_in_the_environment_names_the_variable(
    sim: Simulator, tmp_path: Path
) -> None:
    environ = {f"{OWN}MAX_FILE_BYTES": "s3cret"}
    done = run_target(tmp_path, settings_of(sim, tmp_path), environ=environ)
    assert f"{OWN}MAX_FILE_BYTES cannot be read as integer" in done.error
    assert "s3cret" not in done.log


# ---- where they come from


def first_line(world: World) -> list[dict[str, Any]]:
    return lines_of(records_of(world, STREAM)[:1])


def without_identity(settings: dict[str, Any]) -> tuple[dict[str, Any], str, str]:
    rest = dict(settings)
    return rest, rest.pop("account_sid"), rest.pop("auth_token")


@pytest.mark.parametrize(
    "prefixes", [[OWN, TAPS, "TWILIO_"], [TAPS, "TWILIO_"], ["TWILIO_"]], ids="".join
)
def test_an_account_comes_from_the_first_source_that_has_one(
    sim: Simulator, world: World, tmp_path: Path, prefixes: list[str]
) -> None:
    config, sid, token = without_identity(settings_of(sim, tmp_path / "files"))
    environ = {}
    for number, prefix in enumerate(prefixes):
        environ[f"{prefix}ACCOUNT_SID"] = "AC" + "0" * 32 if number else sid
        environ[f"{prefix}AUTH_TOKEN"] = "wrong" if number else token
    done = run_target(tmp_path, config, first_line(world), environ=environ)
    assert done.code == 0, done.log
    assert {r.username for r in sim.requests if r.host == "api"} == {sid}


def test_the_config_wins(sim: Simulator, world: World, tmp_path: Path) -> None:
    environ = {f"{OWN}OUTPUT_PATH": str(tmp_path / "other"), f"{TAPS}ACCOUNT_SID": "AC1"}
    environ |= {"TWILIO_ACCOUNT_SID": "AC2", "TWILIO_AUTH_TOKEN": "x"}
    settings = settings_of(sim, tmp_path / "files")
    assert run_target(tmp_path, settings, first_line(world), environ=environ).code == 0
    assert not (tmp_path / "other").exists()


def test_without_a_config_at_all(sim: Simulator, world: World, tmp_path: Path) -> None:
    """The variables of the tap do for the target, and its own come before them."""
    environ = {
        f"{TAPS}{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in sim.config().items()
    }
    environ |= {f"{OWN}OUTPUT_PATH": str(tmp_path / "own"), f"{OWN}MAX_CONCURRENCY": "2"}
    environ |= {f"{TAPS}OUTPUT_PATH": str(tmp_path / "taps"), f"{TAPS}MAX_CONCURRENCY": "9"}
    sim.latency = 0.01
    lines = lines_of(records_of(world, STREAM)[:12])
    done = run_target(tmp_path, None, lines, environ=environ)
    assert done.code == 0, done.log
    assert len(files_below(tmp_path / "own")) == 12
    assert not (tmp_path / "taps").exists()
    assert sim.max_in_flight == 2


def test_what_the_tap_has_mapped_is_not_mapped_again(
    sim: Simulator, world: World, tmp_path: Path
) -> None:
    maps = json.dumps({STREAM: {"sid": "'ME' + md5(sid)"}})
    environ = {f"{TAPS}STREAM_MAPS": maps}
    settings = settings_of(sim, tmp_path / "files")
    done = run_target(tmp_path, settings, first_line(world), environ=environ)
    assert done.code == 0, done.log
    assert [row["status"] for row in rows_of(tmp_path / "files")] == ["stored"]


def test_stream_maps_of_its_own_select_files(sim: Simulator, world: World, tmp_path: Path) -> None:
    records = records_of(world, STREAM)[:20]
    wanted = [row for _, row in records if row["content_type"].startswith("image/")]
    assert 0 < len(wanted) < len(records)
    maps = {STREAM: {"__filter__": "record['content_type'].startswith('image/')"}}
    settings = settings_of(sim, tmp_path / "files", stream_maps=maps)
    done = run_target(tmp_path, settings, lines_of(records, every=1))
    assert (done.code, done.states[-1]["last"]) == (0, True)
    assert {row["sid"] for row in rows_of(tmp_path / "files")} == {row["sid"] for row in wanted}


def test_a_mistake_in_a_stream_map_is_told(sim: Simulator, world: World, tmp_path: Path) -> None:
    maps = {STREAM: {"sid": "md5(nothing)"}}
    settings = settings_of(sim, tmp_path / "files", stream_maps=maps)
    assert "stream_maps: " in run_target(tmp_path, settings, first_line(world)).error


# ---- what they do


def test_content_types(sim: Simulator, world: World, tmp_path: Path) -> None:
    there = {reference.sid: reference for reference in references_of(world)}
    records = [item for item in records_of(world) if item[1]["sid"] in there]
    settings = settings_of(sim, tmp_path / "files", content_types=["IMAGE/*", "audio/ogg"])
    done = run_target(tmp_path, settings, lines_of(records, every=1))
    assert (done.code, done.states[-1]["last"]) == (0, True)
    wanted = [
        row["sid"] for _, row in records if row["content_type"].startswith(("image/", "audio/ogg"))
    ]
    rows = newest_rows(tmp_path / "files")
    assert {sid for sid, row in rows.items() if row["status"] == "stored"} == set(wanted)
    assert {row["status"] for row in rows.values()} == {"stored", "not_selected"}
    assert f"{len(records) - len(wanted)} not_selected" in done.log
    # Selected later, the rest comes.
    settings = settings_of(sim, tmp_path / "files")
    assert run_target(tmp_path, settings, lines_of(records)).code == 0
    assert_whole(world, tmp_path / "files", there.values())


def test_max_file_bytes(sim: Simulator, world: World, tmp_path: Path) -> None:
    records = [("message_media", row) for _, row in records_of(world, STREAM)]
    sizes = {row["sid"]: len(world.media_bytes(row["sid"])) for _, row in records}
    most = sorted(sizes.values())[len(sizes) // 2]
    settings = settings_of(sim, tmp_path / "files", max_file_bytes=most)
    done = run_target(tmp_path, settings, lines_of(records, every=1))
    assert (done.code, done.states[-1]["last"]) == (0, True)
    statuses = {sid: row["status"] for sid, row in newest_rows(tmp_path / "files").items()}
    assert statuses == {s: "too_large" if n > most else "stored" for s, n in sizes.items()}


def test_path_template(sim: Simulator, world: World, tmp_path: Path) -> None:
    records = records_of(world)[:5] + records_of(world, "mcs_media")[:5]
    template = "{stream}/{year}/{month}/{day}/{conversation_sid}/{sid}{ext}"
    settings = settings_of(sim, tmp_path / "files", path_template=template)
    assert run_target(tmp_path, settings, lines_of(records)).code == 0
    rows = newest_rows(tmp_path / "files")
    for stream, row in records:
        date = rows[row["sid"]]["date_created"][:10].split("-")
        conversation = row.get("conversation_sid") or MISSING
        wanted = "/".join([stream, *date, conversation, row["sid"]])
        assert rows[row["sid"]]["path"].startswith(f"{wanted}.")
    assert files_below(tmp_path / "files") == {row["path"] for row in rows.values()}


def test_media_hosts(sim: Simulator, world: World, tmp_path: Path) -> None:
    lines = lines_of(records_of(world, STREAM)[:3], every=1)
    settings = settings_of(sim, tmp_path / "files") | {"media_hosts": ["files.example.com"]}
    done = run_target(tmp_path, settings, lines)
    assert (done.code, done.states[-1]["last"]) == (0, True)
    assert "3 refused_host" in done.log
    for row in rows_of(tmp_path / "files"):
        assert (row["status"], row["path"]) == ("refused_host", None)
        assert sim.media_url.removeprefix("http://") in row["detail"]
    assert sim.count("signed_content") == 0
    assert run_target(tmp_path, settings_of(sim, tmp_path / "files"), lines).code == 0
    assert len(files_below(tmp_path / "files")) == 3


def test_a_subaccount_without_credentials(sim: Simulator, world: World, tmp_path: Path) -> None:
    """The parent's Auth Token does for media of messages; MCS takes nobody else's."""
    others = [item for item in records_of(world) if item[1]["account_sid"] != world.account_sid]
    assert {stream for stream, _ in others} == {"message_media", "mcs_media"}
    settings = settings_of(sim, tmp_path / "files") | {"subaccount_credentials": []}
    done = run_target(tmp_path, settings, lines_of(others, every=1))
    assert (done.code, done.states[-1]["last"]) == (0, True)
    for row in rows_of(tmp_path / "files"):
        assert row["status"] == ("stored" if row["stream"] == STREAM else "forbidden")
        assert row["status"] == "stored" or "subaccount_credentials" in row["detail"]


# ---- a dry run


def dry(sim: Simulator, world: World, tmp_path: Path, **settings: Any) -> Done:
    lines = [schema("messages"), record("messages", {"sid": "x"})]
    # Twice: rows come again within the lookback, and are still one file each.
    lines += lines_of(records_of(world) * 2, every=1)
    config = settings_of(sim, tmp_path / "files", dry_run=True, **settings)
    done = run_target(tmp_path, config, [*lines, state("last")])
    assert (done.code, done.text) == (0, ""), done.log
    assert sim.count() == 0
    return done


def real(sim: Simulator, world: World, tmp_path: Path, **settings: Any) -> Done:
    config = settings_of(sim, tmp_path / "files", **settings)
    done = run_target(tmp_path, config, lines_of(records_of(world)))
    sim.reset()
    return done


def test_a_dry_run_counts(sim: Simulator, world: World, tmp_path: Path) -> None:
    for media in world.mcs_media.values():
        media.ready = True
    sizes = [media.size for media in world.mcs_media.values()]
    rest = len(records_of(world, STREAM))
    done = dry(sim, world, tmp_path)
    assert f"dry run: {rest + len(sizes):,} files to download, " in done.log
    assert f" and those {rest} whose size Twilio does not tell" in done.log
    assert in_kib(sum(sizes)) in done.log
    assert not (tmp_path / "files").exists()
    # What was counted is what comes.
    assert f"{rest + len(sizes)} downloaded" in real(sim, world, tmp_path).log
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "files").rglob("*")}
    done = dry(sim, world, tmp_path)
    assert f"dry run: 0 files to download, {rest + len(sizes)} stored" in done.log
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "files").rglob("*")} == before


def in_kib(size: int) -> str:
    return f"{size / 1024:,.1f} KiB"


@pytest.mark.parametrize(
    "settings",
    [
        {"content_types": ["image/*"]},
        {"max_file_bytes": 700},
        {"subaccount_credentials": []},
        {"content_types": ["image/*"], "max_file_bytes": 700, "subaccount_credentials": []},
    ],
    ids=repr,
)
def test_a_dry_run_knows_what_will_not_come(
    sim: Simulator, world: World, tmp_path: Path, settings: dict[str, Any]
) -> None:
    """All but what only Twilio can tell: the sizes of media of messages, and what is gone."""
    for sid in [media.sid for media in world.mcs_media.values() if not media.ready]:
        world.delete_mcs_media(sid)
    done = dry(sim, world, tmp_path, **settings)
    real(sim, world, tmp_path, **settings)
    rows = newest_rows(tmp_path / "files").values()
    for status in ("not_selected", "forbidden"):
        count = sum(row["status"] == status for row in rows)
        assert (f" {count} {status}" in done.log) is bool(count)
    too_large = sum(row["status"] == "too_large" and row["stream"] != STREAM for row in rows)
    assert (f" {too_large} too_large" in done.log) is bool(too_large)
    assert bool(too_large) is ("max_file_bytes" in settings)


def test_a_dry_run_of_a_place_that_cannot_be_read(
    sim: Simulator, world: World, tmp_path: Path
) -> None:
    config = settings_of(sim, "nosuch://x", dry_run=True)
    done = run_target(tmp_path, config, lines_of(records_of(world)))
    assert "nosuch://" in done.error


# ---- what it says of itself


def test_about(tmp_path: Path) -> None:
    done = run_target(tmp_path, None, b"", "--about", "--format=json")
    assert done.code == 0
    about = json.loads(done.text)
    assert about["name"] == "target-twilio-media"
    assert about["version"][0].isdigit()
    assert set(about["settings"]["properties"]) == {
        *("account_sid", "auth_token", "api_key_sid", "api_key_secret", "subaccount_credentials"),
        *("max_concurrency", "request_timeout", "max_retry_seconds", "region", "edge"),
        *("api_url", "conversations_url", "mcs_url", "user_agent", "media_hosts"),
        *("output_path", "path_template", "content_types", "max_file_bytes", "dry_run"),
        *("stream_maps", "stream_map_config", "faker_config"),
    }
    for kind in ("markdown", None):
        arguments = ["--about", *([f"--format={kind}"] if kind else [])]
        done = run_target(tmp_path, None, b"", *arguments)
        assert "dry_run" in done.text
