"""The command `twilio-media-report`: what it says, what it never says, and what it leaves."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
import yaml

from tap_twilio_media.report.__main__ import main, parser
from tap_twilio_media.report.places import DuckPlace
from tap_twilio_media.report.report import DAYS, Wishes, write_report
from tests.meltano import ROOT, Meltano, MeltanoError
from tests.postgres import Postgres
from tests.report.marts import COLUMNS, made_up, statements, write_duckdb
from tests.report.reading import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = Path(sys.executable).with_name("twilio-media-report")


def run(folder: Path, *arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, with nothing in its environment but what is told."""
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def failed(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a failed command wrote."""
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("twilio-media-report: ")
    return done.stderr


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server with small marts in the schema that an environment of dbt names."""
    with Postgres(tmp_path_factory.mktemp("postgres")) as server:
        server.query("; ".join(statements(made_up(3), "Own schema")))
        yield server


class TestPage:
    def test_of_a_duckdb_file(self, duck: Path, tmp_path: Path) -> None:
        done = run(tmp_path, "--database-url", duck, "--days", "7", "--title", "Media & <us>")
        assert (done.returncode, done.stderr) == (0, "")
        path = tmp_path / "twilio-media-report.html"
        assert done.stdout.startswith("2026-07-29 to 2026-08-04, ")
        assert done.stdout.endswith(f": {path.name}\n")
        assert [file.name for file in tmp_path.iterdir()] == [path.name]
        page = Page(path.read_text())
        assert len(page.tables["media-table"]) == 1 + 7 + 1
        assert page.text.count("Media & <us>") == 2

    def test_with_the_variables_of_the_target(self, postgres: Postgres, tmp_path: Path) -> None:
        done = run(
            tmp_path,
            TARGET_POSTGRES_SQLALCHEMY_URL=postgres.url,
            DBT_SCHEMA="Own schema",
            MEDIA_REPORT_OUTPUT="deep/er/page.html",
            MEDIA_REPORT_DAYS="2",
        )
        assert (done.returncode, done.stderr) == (0, "")
        page = Page((tmp_path / "deep" / "er" / "page.html").read_text())
        assert len(page.tables["media-table"]) == 1 + 2 + 1

    def test_with_the_variables_one_by_one(self, postgres: Postgres, tmp_path: Path) -> None:
        done = run(
            tmp_path,
            *("--schema", "Own schema"),
            TARGET_POSTGRES_HOST="127.0.0.1",
            TARGET_POSTGRES_PORT=str(postgres.port),
            TARGET_POSTGRES_USER="postgres",
            TARGET_POSTGRES_PASSWORD=postgres.password,
            TARGET_POSTGRES_DATABASE="postgres",
        )
        assert (done.returncode, done.stderr) == (0, "")

    def test_of_an_empty_account(self, tmp_path: Path) -> None:
        duck = write_duckdb(tmp_path / "x.duckdb", {name: [] for name in COLUMNS})
        done = run(tmp_path, "--database-url", duck)
        assert done.stdout == "no messages and no media yet: twilio-media-report.html\n"

    def test_hides_senders_unless_told_otherwise(
        self, duck: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "page.html"
        salted = {"MEDIA_REPORT_SALT": "a secret of the company"}
        pages = []
        cases: list[tuple[dict[str, str], list[str]]] = [({}, []), ({}, [])]
        cases += [(salted, []), (salted, []), ({}, ["--show-senders"])]
        for environ, more in cases:
            with monkeypatch.context() as patch:
                for name, value in environ.items():
                    patch.setenv(name, value)
                main(["--database-url", str(duck), "--days=3", f"--output={path}", *more])
            pages.append(path.read_text())
        names = [tuple(Page(text).rows("senders-table")) for text in pages]
        assert "+1555" not in "".join(pages[:4])
        assert names[0] != names[1]
        assert names[2] == names[3]
        assert all(re.fullmatch(r"(whatsapp:)?\+1555\d{7}", name) for name in names[4])


class TestFailure:
    def test_without_a_database(self, tmp_path: Path) -> None:
        assert "no database: give --database-url" in failed(run(tmp_path))

    def test_without_marts(self, postgres: Postgres, tmp_path: Path) -> None:
        for url in (postgres.dsn, self.empty(tmp_path / "empty.duckdb")):
            line = failed(run(tmp_path, "--database-url", url))
            assert "schema analytics of the database holds no media_duplicates, " in line
            assert line.endswith("run dbt build first\n")
        assert not (tmp_path / "twilio-media-report.html").exists()

    def test_with_marts_of_another_version(self, tmp_path: Path) -> None:
        duck = write_duckdb(tmp_path / "x.duckdb", made_up(2))
        with duckdb.connect(duck) as connection:
            connection.execute("alter table analytics.storage_growth rename as_of to today")
        line = failed(run(tmp_path, "--database-url", duck))
        assert "as_of" in line
        assert "dbt build --full-refresh" in line

    @pytest.mark.parametrize("name", ["absent.duckdb", "no-database.duckdb", "folder"])
    def test_without_a_duckdb_file(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "no-database.duckdb").write_text("something else " * 999)
        assert name in failed(run(tmp_path, "--database-url", tmp_path / name))

    def test_names_no_password(
        self, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            port = nobody.getsockname()[1]
        here = f"127.0.0.1:{postgres.port}"
        for url, told in (
            (f"postgresql://postgres:geheim@{here}/postgres", "authentication failed"),
            (f"postgresql://geheim:geheim@{here}/postgres", 'user "***"'),
            (f"postgresql://postgres:geheim@127.0.0.1:{port}/postgres", "refused"),
            ("postgresql://postgres:geheim@127.0.0.1:port/postgres", "cannot be read"),
            ("postgresql://postgres:geheim%zz@127.0.0.1/postgres", "cannot be read by libpq"),
            ("postgresql://127.0.0.1/postgres?password=geheim&geheim=1", "cannot be read by libpq"),
        ):
            for name in ("MEDIA_REPORT_DATABASE_URL", "TARGET_POSTGRES_SQLALCHEMY_URL"):
                monkeypatch.setenv(name, url)
                with pytest.raises(SystemExit) as ended:
                    main(["--output", str(tmp_path / "page.html")])
                monkeypatch.delenv(name)
                line = ended.value.code
                assert isinstance(line, str)
                assert told in line
                assert "geheim" not in line
                assert "\n" not in line

    def test_leaves_the_old_page(self, duck: Path, tmp_path: Path) -> None:
        page = tmp_path / "twilio-media-report.html"
        page.write_text("old")
        assert "16 characters" in failed(
            run(tmp_path, "--database-url", duck, MEDIA_REPORT_SALT="short")
        )
        assert page.read_text() == "old"
        assert run(tmp_path, "--database-url", duck, "--output", tmp_path).returncode == 1
        assert list(tmp_path.iterdir()) == [page]

    def test_a_page_is_whole_or_not_there(
        self, duck: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "replace", full)
        with pytest.raises(OSError, match="No space left"):
            write_report(DuckPlace(duck), tmp_path / "page.html", Wishes(days=2))
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("package", ["duckdb", "psycopg", "vl_convert"])
    def test_names_the_package_that_is_missing(
        self, duck: Path, tmp_path: Path, package: str
    ) -> None:
        url = "postgresql://127.0.0.1/x" if package == "psycopg" else str(duck)
        code = (
            f"import sys; sys.modules[{package!r}] = None;"
            " from tap_twilio_media.report.__main__ import main;"
            f" main(['--database-url', {url!r}])"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert package.replace("_", "-") in failed(done)
        assert "pip install 'tap-twilio-media[report]'" in done.stderr

    @pytest.mark.parametrize("days", ["0", "-1", "many", "3661"])
    def test_of_a_wrong_call(self, tmp_path: Path, days: str) -> None:
        for done in (run(tmp_path, "--days", days), run(tmp_path, MEDIA_REPORT_DAYS=days)):
            assert done.returncode == 2
            assert "a number from 1 to 3,660 is wanted" in done.stderr

    @staticmethod
    def empty(path: Path) -> str:
        """Make a DuckDB file that holds nothing."""
        duckdb.connect(path).close()
        return str(path)


def test_reads_only(duck: Path, tmp_path: Path) -> None:
    before = duck.read_bytes()
    folder = sorted(duck.parent.iterdir())
    assert run(tmp_path, "--database-url", duck).returncode == 0
    assert duck.read_bytes() == before
    assert sorted(duck.parent.iterdir()) == folder


class TestMeltano:
    def test_has_every_setting(self) -> None:
        project = yaml.safe_load((ROOT / "meltano.yml").read_text())
        plugins = {each["name"]: each for each in project["plugins"]["utilities"]}
        settings = {each["name"]: each for each in plugins["media-report"]["settings"]}
        options = {each.dest: each for each in parser()._actions if each.dest != "help"}  # noqa: SLF001 - argparse tells its options in no other way
        assert set(settings) == {*options, "salt"}
        for name, setting in settings.items():
            assert setting["env"] == f"MEDIA_REPORT_{name.upper()}"
        assert settings["days"]["value"] == DAYS
        # A default that stood here would win over what is set for dbt.
        assert "value" not in settings["schema"]

    @pytest.mark.long
    def test_writes_the_page(self, postgres: Postgres, duck: Path, tmp_path: Path) -> None:
        page = tmp_path / "page.html"
        variables = {
            "TARGET_POSTGRES_SQLALCHEMY_URL": postgres.url,
            "MEDIA_REPORT_OUTPUT": str(page),
        }
        meltano = Meltano(tmp_path / "meltano", variables)
        meltano.install()
        meltano("run", "media-report:build", DBT_SCHEMA="Own schema")
        assert len(Page(page.read_text()).tables["media-table"]) == 1 + 3 + 1
        own = {"DATABASE_URL": str(duck), "DAYS": "7", "SHOW_SENDERS": "true", "OUTPUT": str(page)}
        prefix = "MEDIA_REPORT_DUCKDB_"
        meltano(
            *("run", "media-report-duckdb:build"),
            **{prefix + name: value for name, value in own.items()},
        )
        found = Page(page.read_text())
        assert len(found.tables["media-table"]) == 1 + 7 + 1
        assert "+1555" in found.text
        with pytest.raises(MeltanoError, match="run dbt build first"):
            meltano("run", "media-report:build")
        assert postgres.password not in meltano.log.read_text()
