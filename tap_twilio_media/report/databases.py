"""Asking a database: PostgreSQL or a DuckDB file, read only and as of one moment."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from tap_twilio_media.report.errors import MissingPackageError, ReportError
from tap_twilio_media.report.places import DuckPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tap_twilio_media.report.places import Place, PostgresPlace

    Ask = Callable[..., list[tuple[Any, ...]]]
    """Takes a query and the values of its $1, $2 and so on; returns its rows."""

_DEFAULTS: dict[str, str | int | None] = {
    "application_name": "twilio-media-report",
    "connect_timeout": 15,
}
_ANOTHER_VERSION = "; are the marts of another version? Run dbt build --full-refresh"
# A report asks for no extension, and none is to be fetched for it.
_DUCKDB = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
}


@contextmanager
def asking(place: Place, schema: str) -> Iterator[Ask]:
    """Yield what answers queries, until the end of the block; all answers belong together.

    Args:
        place: Where the database is.
        schema: Where tables are that a query names without a schema.

    Raises:
        ReportError: The database cannot be reached, or refuses a query.
    """
    opened = _duckdb(place, schema) if isinstance(place, DuckPlace) else _postgres(place, schema)
    with opened as ask:
        yield ask


@contextmanager
def _postgres(place: PostgresPlace, schema: str) -> Iterator[Ask]:
    try:
        import psycopg  # noqa: PLC0415 - comes with an extra
    except ImportError as error:
        raise MissingPackageError("psycopg") from error

    def failed(error: psycopg.Error) -> ReportError:
        text = _first_line(error)
        for secret in sorted(place.secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return ReportError(f"PostgreSQL: {text}")

    try:
        told = psycopg.conninfo.conninfo_to_dict(place.url, **place.parts)
        parts = psycopg.conninfo.make_conninfo("", **(_DEFAULTS | told))
    except psycopg.Error:
        # Its text would quote what it could not read, which may be the password.
        raise ReportError("the settings of the database cannot be read by libpq") from None
    try:
        connection = psycopg.connect(parts, cursor_factory=psycopg.RawCursor)
    except psycopg.Error as error:
        raise failed(error) from None
    with closing(connection):
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

        def ask(sql: str, *values: Any) -> list[tuple[Any, ...]]:
            try:
                return connection.execute(sql.encode(), values).fetchall()
            except psycopg.errors.UndefinedColumn as error:
                raise ReportError(f"{failed(error)}{_ANOTHER_VERSION}") from None
            except psycopg.Error as error:
                raise failed(error) from None

        ask("select set_config('search_path', $1, false)", _quoted(schema))
        yield ask


@contextmanager
def _duckdb(place: DuckPlace, schema: str) -> Iterator[Ask]:
    try:
        import duckdb  # noqa: PLC0415 - comes with an extra
    except ImportError as error:
        raise MissingPackageError("duckdb") from error
    if not place.path.is_file():
        raise ReportError(f"no such DuckDB file: {place.path}")
    try:
        connection = duckdb.connect(place.path, read_only=True, config=dict(_DUCKDB))
    except duckdb.Error as error:
        raise ReportError(f"DuckDB: {_first_line(error)}") from None
    with closing(connection):
        connection.begin()

        def ask(sql: str, *values: Any) -> list[tuple[Any, ...]]:
            try:
                return connection.execute(sql, values).fetchall()
            except duckdb.BinderException as error:
                raise ReportError(f"DuckDB: {_first_line(error)}{_ANOTHER_VERSION}") from None
            except duckdb.Error as error:
                raise ReportError(f"DuckDB: {_first_line(error)}") from None

        # Without the schema there is nothing to be found in it, which is said in its place.
        if ask("select 1 from information_schema.schemata where schema_name = $1", schema):
            connection.execute(f"use {_quoted(schema)}")
        yield ask


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
