"""Where the marts are said to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tap_twilio_media.report.errors import ReportError
from tap_twilio_media.report.places import DuckPlace, PostgresPlace, place_of

TARGET = {
    "TARGET_POSTGRES_HOST": "db",
    "TARGET_POSTGRES_PORT": "5433",
    "TARGET_POSTGRES_USER": "me",
    "TARGET_POSTGRES_PASSWORD": "geheim",
    "TARGET_POSTGRES_DATABASE": "media",
}


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("marts.duckdb", "marts.duckdb"),
        ("/data/marts.db", "/data/marts.db"),
        ("duckdb:///marts.duckdb", "marts.duckdb"),
        ("duckdb:////data/marts.duckdb", "/data/marts.duckdb"),
    ],
)
def test_a_duckdb_file(url: str, path: str) -> None:
    assert place_of(url, {}) == DuckPlace(Path(path))


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("postgresql://u:p@h:5432/d", "postgresql://u:p@h:5432/d"),
        ("postgres://u@h/d?sslmode=require", "postgresql://u@h/d?sslmode=require"),
        ("postgresql+psycopg://u:p%40@[::1]:5432/d", "postgresql://u:p%40@[::1]:5432/d"),
        ("postgresql+psycopg2://u:a:b@h1:1,h2/d", "postgresql://u:a:b@h1:1,h2/d"),
        ("postgresql:///d", "postgresql:///d"),
    ],
)
def test_a_postgresql_url(url: str, wanted: str) -> None:
    place = place_of(url, TARGET)
    assert isinstance(place, PostgresPlace)
    assert (place.url, place.parts) == (wanted, {})


@pytest.mark.parametrize(
    "url",
    [
        # Passwords that somebody forgot to percent-encode.
        *("postgresql://u:geh@eim@h/d", "postgresql://u:geh/eim@h/d", "postgresql://u:12/eim@h/d"),
        *("postgresql://u:geh?eim@h/d", "postgresql://u:geh#eim@h/d", "postgresql://u:geh eim@h/d"),
        *("mysql://u:geheim@h/d", "duckdb://geheim", "duckdb:///", "postgresql://u:geh@ei/m@h/d"),
    ],
)
def test_a_url_that_cannot_be_read_is_not_quoted(url: str) -> None:
    with pytest.raises(ReportError) as caught:
        place_of(url, {})
    assert "geh" not in str(caught.value)
    assert "eim" not in str(caught.value)


class TestEnvironment:
    def test_the_settings_of_the_target(self) -> None:
        place = place_of(None, TARGET)
        assert isinstance(place, PostgresPlace)
        wanted = {"host": "db", "port": "5433", "user": "me", "password": "geheim"}
        assert place.parts == wanted | {"dbname": "media"}
        assert place.secrets == ("geheim",)

    @pytest.mark.parametrize(
        ("more", "wanted"),
        [
            ({"TARGET_POSTGRES_SSL_ENABLE": "true"}, "verify-full"),
            ({"TARGET_POSTGRES_SSL_ENABLE": "1", "TARGET_POSTGRES_SSL_MODE": "require"}, "require"),
            ({"TARGET_POSTGRES_SSL_ENABLE": "false", "TARGET_POSTGRES_SSL_MODE": "require"}, None),
        ],
    )
    def test_encrypts_as_the_target_does(self, more: dict[str, str], wanted: str | None) -> None:
        place = place_of(None, TARGET | more)
        assert isinstance(place, PostgresPlace)
        assert place.parts.get("sslmode") == wanted

    def test_in_order(self) -> None:
        environ = {"PGHOST": "of-libpq", "PGPASSWORD": "geheim"}
        assert place_of(None, environ) == PostgresPlace(secrets=("geheim",))
        environ["DBT_DUCKDB_PATH"] = "of-dbt.duckdb"
        assert place_of(None, environ) == DuckPlace(Path("of-dbt.duckdb"))
        environ |= TARGET
        place = place_of(None, environ)
        assert isinstance(place, PostgresPlace)
        assert place.parts["host"] == "db"
        environ["TARGET_POSTGRES_SQLALCHEMY_URL"] = "postgresql+psycopg://of-target/d"
        place = place_of(None, environ)
        assert isinstance(place, PostgresPlace)
        assert (place.url, place.parts) == ("postgresql://of-target/d", {})
        environ["DBT_TARGET"] = "duckdb"
        assert place_of(None, environ) == DuckPlace(Path("of-dbt.duckdb"))
        environ["MEDIA_REPORT_DATABASE_URL"] = "own.duckdb"
        assert place_of(None, environ) == DuckPlace(Path("own.duckdb"))
        assert place_of("told.duckdb", environ) == DuckPlace(Path("told.duckdb"))

    def test_without_any(self) -> None:
        with pytest.raises(ReportError, match="--database-url or MEDIA_REPORT_DATABASE_URL"):
            place_of(None, {})


@pytest.mark.parametrize(
    "url", ["postgresql://u:ge%68eim@h/d", "postgresql://h/d?user=u&password=ge%68eim"]
)
def test_no_representation_holds_a_secret(url: str) -> None:
    place = place_of(url, {})
    assert isinstance(place, PostgresPlace)
    assert set(place.secrets) == {"ge%68eim", "geheim"}
    assert "eim" not in repr(place)
    assert "geheim" not in repr(place_of(None, TARGET))
