"""The job media-elt of meltano.yml: rows and models with one command, as often as one likes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.meltano import Meltano, tap_variables
from tests.simulator import Simulator, seeded_world
from tests.transform.projects import described_models, documented_columns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.postgres import Postgres

# When a row was read again is new with each run.
TIMES = {"loaded_at", "earlier_dates"}


def marts(postgres: Postgres) -> dict[str, list[tuple[Any, ...]]]:
    """What the models hold, but for when it was loaded."""
    found = {}
    for model in described_models():
        columns = [f'"{name}"' for name in documented_columns(model) if name not in TIMES]
        rows = postgres.query(f"select {', '.join(columns)} from analytics.{model}")
        found[model] = sorted(rows, key=repr)
    return found


def prepared(tmp_path: Path, config: Mapping[str, Any], postgres: Postgres) -> Meltano:
    url = {"TARGET_POSTGRES_SQLALCHEMY_URL": postgres.url}
    folder = {
        "DBT_TARGET_PATH": str(tmp_path / "target"),
        "DBT_LOG_PATH": str(tmp_path / "logs"),
        "MEDIA_REPORT_OUTPUT": str(tmp_path / "report.html"),
    }
    meltano = Meltano(tmp_path / "meltano", tap_variables(config) | url | folder)
    meltano.install()
    return meltano


@pytest.mark.long
class TestMediaElt:
    def test_twice_in_a_row_is_the_same(self, tmp_path: Path, postgres: Postgres) -> None:
        with Simulator(seeded_world(seed=7)) as sim:
            meltano = prepared(tmp_path, sim.config(), postgres)
            meltano("run", "media-elt")
            first = marts(postgres)
            assert all(rows for name, rows in first.items() if name != "media_duplicates")
            meltano("run", "media-elt")
            assert marts(postgres) == first
            # And what is new arrives.
            sim.world.add_message(num_media=2, body="new")
            meltano("run", "media-elt")
            assert len(marts(postgres)["media_items"]) == len(first["media_items"]) + 2
        page = (tmp_path / "report.html").read_text()
        assert f"{len(first['media_items']) + 2} files up to" in page
        log = meltano.log.read_text() + (tmp_path / "logs" / "dbt.log").read_text() + page
        assert postgres.password not in log
        assert sim.config()["auth_token"] not in log
        meltano("invoke", "dbt-postgres:index")
        indexes = postgres.query("select indexname from pg_indexes where schemaname = 'twilio'")
        assert ("messages_sdc_batched_at_idx",) in indexes
        meltano("invoke", "dbt-postgres:full-refresh")
        assert len(marts(postgres)["media_items"]) == len(first["media_items"]) + 2

    def test_with_files(self, tmp_path: Path, postgres: Postgres) -> None:
        postgres.query("drop schema if exists twilio cascade")
        postgres.query("drop schema if exists analytics cascade")
        with Simulator(seeded_world(seed=7)) as sim:
            meltano = prepared(tmp_path, sim.config() | {"media_hosts": ["127.0.0.1"]}, postgres)
            folder = tmp_path / "files"
            meltano(
                *("run", "media-elt-files"),
                TAP_TWILIO_MEDIA_FILES_DOWNLOAD_OUTPUT_PATH=str(folder),
                DBT_SCHEMA="own",
            )
        rows = postgres.query(
            "select file_path, size_bytes from own.media_items where file_status = 'stored'"
        )
        assert len(rows) > 50
        assert all((folder / path).stat().st_size == size for path, size in rows)
        ((stored,),) = postgres.query("select sum(media_stored) from own.media_usage_daily")
        assert stored == len(rows)
        assert f"{stored} downloaded" in (tmp_path / "report.html").read_text()

    def test_on_duckdb(self, tmp_path: Path, postgres: Postgres) -> None:
        database, rows = tmp_path / "media.duckdb", tmp_path / "rows"
        rows.mkdir()
        variables = {
            "TARGET_JSONL_DESTINATION_PATH": str(rows),
            "DBT_DUCKDB_PATH": str(database),
            "MEDIA_REPORT_DUCKDB_DATABASE_URL": str(database),
        }
        with Simulator(seeded_world(seed=7)) as sim:
            meltano = prepared(tmp_path, sim.config(), postgres)
            meltano("run", "tap-twilio-media", "target-jsonl", **variables)
            media = sum(len(sim.world.rows(name)) for name in ("message_media", "mcs_media"))
        load = ("run-operation", "load_jsonl", "--args", json.dumps({"folder": str(rows)}))
        meltano("invoke", "dbt-duckdb", *load, **variables)
        meltano("invoke", "dbt-duckdb:build", **variables)
        meltano("invoke", "media-report-duckdb:build", **variables)
        with duckdb.connect(str(database), read_only=True) as connection:
            found = connection.execute("select count(*) from analytics.media_items").fetchone()
        # Beside them stand files that a message lists and MCS has lost.
        assert found
        assert found[0] >= media
        assert f"{found[0]} files up to" in (tmp_path / "report.html").read_text()
