"""The Meltano project: its settings are the tap's own, and its pipelines load what Twilio has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.download.downloading import assert_whole, references_of
from tests.expecting import expected
from tests.hostile.evil import secrets_of
from tests.meltano import ROOT, Meltano, MeltanoError, tap_variables
from tests.postgres import Postgres
from tests.running import STREAMS, run_command
from tests.simulator import Fault, Simulator, World, seeded_world
from tests.target.running import run_target, subaccounts
from tests.test_secrets import SIGNED

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = yaml.safe_load((Path(__file__).parents[1] / "meltano.yml").read_text())
# Meltano 4.4 fails on a variable of a setting of kind decimal; integer takes fractions too.
KINDS = {"number": "integer"}
TO_POSTGRES = ("run", "tap-twilio-media", "target-postgres")


def plugin(kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(p for p in PROJECT["plugins"][kind] if p["name"] == name)
    return found


def json_type(schema: dict[str, Any]) -> str:
    """The type of what is not null."""
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    (found,) = (str(each) for each in types if each != "null")
    return found


def meltano_setting(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The setting as meltano.yml has to tell it."""
    kind = json_type(schema)
    setting = {
        "name": name,
        "kind": "date_iso8601" if schema.get("format") == "date-time" else KINDS.get(kind, kind),
        "label": schema.get("title"),
        "description": schema.get("description"),
        "sensitive": schema.get("secret"),
        "value": schema.get("default"),
    }
    return {key: value for key, value in setting.items() if value is not None}


def meltano_settings(properties: dict[str, Any], prefix: str = "") -> list[dict[str, Any]]:
    """The settings as meltano.yml has to tell them: those in an object of ours one by one."""
    found = []
    for name, schema in properties.items():
        if schema.get("additionalProperties") is False:
            found += meltano_settings(schema["properties"], f"{prefix}{name}.")
        else:
            found.append(meltano_setting(prefix + name, schema))
    return found


class TestSettings:
    @pytest.fixture
    def about(self, tmp_path: Path) -> dict[str, Any]:
        return run_command(tmp_path, None, "--about", "--format=json").messages[0]

    @pytest.fixture
    def about_target(self, tmp_path: Path) -> dict[str, Any]:
        done = run_target(tmp_path, None, b"", "--about", "--format=json")
        found: dict[str, Any] = json.loads(done.text)
        return found

    def test_are_those_of_the_tap(self, about: dict[str, Any]) -> None:
        wanted = meltano_settings(about["settings"]["properties"])
        assert {"download.output_path", "media_hosts"} <= {setting["name"] for setting in wanted}
        assert plugin("extractors", "tap-twilio-media")["settings"] == wanted

    def test_are_those_of_the_target(
        self, about: dict[str, Any], about_target: dict[str, Any]
    ) -> None:
        """But for defaults that the tap has too: what is set for it shall hold for both."""
        wanted = meltano_settings(about_target["settings"]["properties"])
        for setting in wanted:
            if "default" in about["settings"]["properties"].get(setting["name"], {}):
                del setting["value"]
        loader = plugin("loaders", "target-twilio-media")
        assert loader["settings"] == wanted
        assert loader["capabilities"] == about_target["capabilities"]
        assert loader["config"].keys() <= {setting["name"] for setting in wanted}

    def test_the_target_is_installed_as_the_tap_is(self) -> None:
        plugins = plugin("loaders", "target-twilio-media"), plugin("extractors", "tap-twilio-media")
        assert plugins[0]["pip_url"] == plugins[1]["pip_url"]

    def test_required_ones_are_in_every_valid_group(self, about: dict[str, Any]) -> None:
        groups = plugin("extractors", "tap-twilio-media")["settings_group_validation"]
        assert set.intersection(*map(set, groups)) == set(about["settings"]["required"])

    def test_capabilities_are_those_of_the_tap(self, about: dict[str, Any]) -> None:
        capabilities = plugin("extractors", "tap-twilio-media")["capabilities"]
        assert capabilities == about["capabilities"]

    def test_every_plugin_is_defined_here(self) -> None:
        plugins = [each for kind in PROJECT["plugins"].values() for each in kind]
        assert all("namespace" in each or "inherit_from" in each for each in plugins)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres(tmp_path_factory.mktemp("postgres") / "server") as server:
        # What a session's time zone does to times must not depend on luck.
        server.query("alter role postgres set timezone = 'America/New_York'")
        yield server


@pytest.fixture(scope="module")
def served() -> Iterator[Simulator]:
    with Simulator(seeded_world(seed=7)) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def loaded(
    served: Simulator, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Meltano:
    """The project after its first run, into the schema `twilio`."""
    meltano = Meltano(tmp_path_factory.mktemp("meltano"), variables(served, postgres))
    meltano.install()
    meltano(*TO_POSTGRES)
    return meltano


def variables(sim: Simulator, postgres: Postgres) -> dict[str, str]:
    url = {"TARGET_POSTGRES_SQLALCHEMY_URL": postgres.url}
    return tap_variables(sim.config()) | url


def sids_at_twilio(sim: Simulator, stream: str) -> list[str]:
    return sorted(expected(sim, stream, [sim.world.account_sid]))


def column_types(postgres: Postgres, table: str) -> dict[str, str]:
    rows = postgres.query(
        "select column_name, data_type from information_schema.columns"
        " where table_schema = 'twilio' and table_name = %s",
        [table],
    )
    return {name: kind for name, kind in rows if not name.startswith("_sdc_")}


def column_type(schema: dict[str, Any]) -> str:
    if schema.get("format") == "date-time":
        return "timestamp without time zone"
    kinds = {"integer": "bigint", "number": "numeric", "object": "jsonb", "array": "ARRAY"}
    kinds |= {"boolean": "boolean", "string": "text"}
    return kinds[json_type(schema)]


@pytest.mark.usefixtures("loaded")
class TestPostgres:
    @pytest.mark.parametrize("stream", STREAMS)
    def test_has_every_row_once(self, served: Simulator, postgres: Postgres, stream: str) -> None:
        sids = [sid for (sid,) in postgres.query(f"select sid from twilio.{stream}")]
        assert sorted(sids) == sids_at_twilio(served, stream)

    @pytest.mark.parametrize("stream", STREAMS)
    def test_has_a_column_of_the_right_type_for_every_property(
        self, postgres: Postgres, stream: str
    ) -> None:
        path = Path(__file__).parents[1] / "schemas" / f"{stream}.json"
        properties = json.loads(path.read_text())["properties"]
        wanted = {name: column_type(schema) for name, schema in properties.items()}
        assert column_types(postgres, stream) == wanted

    def test_has_messages_field_for_field(self, served: Simulator, postgres: Postgres) -> None:
        names = [
            "sid",
            "body",
            "num_media",
            "price",
            "to_char(date_sent, 'YYYY-MM-DDThh24:MI:SSZ')",
        ]
        rows = postgres.query(f"select {', '.join(names)} from twilio.messages")
        wanted = [
            (
                row["sid"],
                # PostgreSQL has no U+0000; target-postgres puts the replacement character there.
                row["body"] and row["body"].replace("\0", "\ufffd"),
                row["num_media"],
                row["price"],
                row["date_sent"],
            )
            for row in expected(served, "messages").values()
        ]
        assert any("\ufffd" in (row[1] or "") for row in wanted)
        assert sorted(rows) == sorted(wanted)

    def test_gets_only_what_is_new_with_a_second_run(
        self, served: Simulator, postgres: Postgres, loaded: Meltano
    ) -> None:
        query = "select sid from twilio.messages where _sdc_batched_at >= %s::timestamp"
        start = postgres.query("select (clock_timestamp() at time zone 'UTC')::text")[0][0]
        old = len(postgres.query("select sid from twilio.messages"))
        added = served.world.add_message(body="new", num_media=2)
        loaded(*TO_POSTGRES)
        came = {sid for (sid,) in postgres.query(query, [start])}
        assert added.sid in came
        assert len(came) < old / 2
        assert len(postgres.query("select sid from twilio.messages")) == old + 1


@pytest.mark.usefixtures("loaded")
class TestOtherWays:
    def test_hourly_job_loads_messages_and_their_media(
        self, served: Simulator, postgres: Postgres, tmp_path: Path
    ) -> None:
        meltano = Meltano(tmp_path, variables(served, postgres))
        meltano("run", "new-messages-to-postgres", TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA="hourly")
        tables = postgres.query(
            "select table_name from information_schema.tables where table_schema = 'hourly'"
        )
        assert sorted(tables) == [("message_media",), ("messages",)]

    def test_settings_of_the_database_one_by_one(
        self, served: Simulator, postgres: Postgres, tmp_path: Path
    ) -> None:
        single = {
            "TARGET_POSTGRES_HOST": "127.0.0.1",
            "TARGET_POSTGRES_PORT": str(postgres.port),
            "TARGET_POSTGRES_USER": "postgres",
            "TARGET_POSTGRES_PASSWORD": postgres.password,
            "TARGET_POSTGRES_DATABASE": "postgres",
            "TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA": "single",
        }
        config = served.config()
        # The credentials under the names that Twilio's own tools read.
        credentials = {f"TWILIO_{name.upper()}": config.pop(name) for name in list(config)[:2]}
        meltano = Meltano(tmp_path, tap_variables(config) | credentials | single)
        meltano(*TO_POSTGRES)
        (count,) = postgres.query("select count(*) from single.messages")[0]
        assert count == len(served.world.rows("messages"))

    def test_jsonl(self, served: Simulator, postgres: Postgres, tmp_path: Path) -> None:
        meltano = Meltano(tmp_path, variables(served, postgres))
        output = tmp_path / "output"
        meltano(
            "run", "tap-twilio-media", "target-jsonl", TARGET_JSONL_DESTINATION_PATH=str(output)
        )
        for stream in STREAMS:
            lines = (output / f"{stream}.jsonl").read_text().splitlines()
            assert sorted(json.loads(line)["sid"] for line in lines) == sids_at_twilio(
                served, stream
            )


@pytest.mark.usefixtures("loaded")
class TestFiles:
    def test_all_of_them_arrive_with_nothing_but_the_settings_of_the_tap(
        self, sim: Simulator, tmp_path: Path
    ) -> None:
        everything = {"include_subaccounts": True, "max_concurrency": 3} | subaccounts(sim.world)
        folder = tmp_path / "files"
        path = {"TARGET_TWILIO_MEDIA_OUTPUT_PATH": str(folder)}
        meltano = Meltano(tmp_path, tap_variables(sim.config() | everything) | path)
        sim.latency = 0.01
        meltano("run", "tap-twilio-media", "target-twilio-media")
        assert_whole(sim.world, folder, references_of(sim.world))
        assert sim.leaked_authorizations == 0
        assert sim.max_in_flight <= 2 * 3
        # The state was kept, and the files are known.
        sim.reset()
        meltano("run", "files", TAP_TWILIO_MEDIA_LOOKBACK_DAYS="0")
        assert sim.count("media_content") == sim.count("signed_content") == 0
        assert sim.count("media_list") < len(sim.world.rows("message_media")) / 2
        assert_whole(sim.world, folder, references_of(sim.world))

    def test_a_file_that_does_not_come_fails_the_run_and_keeps_the_state(
        self, sim: Simulator, tmp_path: Path
    ) -> None:
        sim.faults.add(Fault("503", "signed_content", times=None))
        folder = tmp_path / "files"
        path = {"TARGET_TWILIO_MEDIA_OUTPUT_PATH": str(folder)}
        meltano = Meltano(tmp_path, tap_variables(sim.config()) | path)
        with pytest.raises(MeltanoError, match="20 files in a row did not come"):
            meltano(
                *("run", "tap-twilio-media", "target-twilio-media"),
                TARGET_TWILIO_MEDIA_MAX_RETRY_SECONDS="0",
            )
        log = meltano.log.read_text()
        assert len(re.findall(r"\[error *\] target-twilio-media", log)) == 1
        assert sim.config()["auth_token"] not in log
        assert "Signature=" not in log
        sim.faults.clear()
        meltano("run", "files")
        own = [r for r in references_of(sim.world) if r.account_sid == sim.world.account_sid]
        assert_whole(sim.world, folder, own)

    def test_by_way_of_the_tap(self, sim: Simulator, postgres: Postgres, tmp_path: Path) -> None:
        """Meltano hands the nested settings on."""
        folder = tmp_path / "files"
        meltano = Meltano(tmp_path, variables(sim, postgres))
        meltano(
            "run",
            *("tap-twilio-media-hourly", "target-postgres"),
            TAP_TWILIO_MEDIA_HOURLY_DOWNLOAD_OUTPUT_PATH=str(folder),
            TAP_TWILIO_MEDIA_HOURLY_DOWNLOAD_CONTENT_TYPES='["image/*"]',
            TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA="with_files",
        )
        rows = postgres.query("select sid, file_status, file_path from with_files.message_media")
        assert {status for _, status, _ in rows} == {"stored", "not_selected"}
        for sid, status, path in rows:
            if status == "stored":
                assert (folder / path).read_bytes() == sim.world.media_bytes(sid)


@pytest.mark.usefixtures("loaded")
class TestFailure:
    def test_is_one_clear_line_and_no_secret(self, postgres: Postgres, tmp_path: Path) -> None:
        with Simulator(World(seed=1)) as sim:
            sim.faults.add(Fault("401", times=None))
            meltano = Meltano(tmp_path, variables(sim, postgres))
            with pytest.raises(MeltanoError, match="401"):
                meltano(*TO_POSTGRES)
            log = meltano.log.read_text()
        assert sim.config()["auth_token"] not in log
        assert postgres.password not in log
        assert "Traceback" not in log


class TestSecrets:
    def test_are_in_nothing_that_meltano_writes(self, served: Simulator, loaded: Meltano) -> None:
        """Its log at debug level, its list of settings, its database, its folders of runs."""
        loaded("--log-level=debug", *TO_POSTGRES)
        loaded("config", "list", "tap-twilio-media")
        loaded("state", "list")
        found = loaded.log.read_text()
        assert "TAP_TWILIO_MEDIA_AUTH_TOKEN" in found, "the list of settings is there"
        assert found.count("debug") > 50
        folders = [loaded.log.parent, *(ROOT / ".meltano" / name for name in ("logs", "run"))]
        for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
            found += f"\n{path.name}\n{path.read_bytes().decode('latin-1')}"
        assert "bookmarks" in found, "the database is there"
        for secret in secrets_of(served.world):
            assert secret not in found
        assert not SIGNED.search(found)
