"""Where the marts are: told on the command line, in the environment, or as for target-postgres."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tap_twilio_media.report.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Mapping

URL = "MEDIA_REPORT_DATABASE_URL"
_TARGET = "TARGET_POSTGRES_"
_PARTS = {
    "HOST": "host",
    "PORT": "port",
    "USER": "user",
    "PASSWORD": "password",
    "DATABASE": "dbname",
}
_OF_LIBPQ = ("PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE")
_TRUE = frozenset({"1", "on", "t", "true", "y", "yes"})

_HOST = r"(?:\[[\w:.%]+\]|[\w.%-]*)(?::\d*)?"
# Stricter than any library: what does not fit may be a password that is not percent-encoded, and
# libraries quote its pieces in their errors, taking them for hosts, ports and options.
_POSTGRES = re.compile(
    rf"postgres(?:ql)?(?:\+\w+)?://(?P<login>[^@/?#\s]*@)?(?P<rest>{_HOST}(?:,{_HOST})*"
    r"(?:/[^@/?#\s]*)?(?:\?[^@#\s]*)?)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """A PostgreSQL database.

    Attributes:
        url: Its address as libpq takes it; empty if only `parts` tell.
        parts: Parameters of the connection, by libpq's names.
        secrets: What no text may show.
    """

    url: str = field(default="", repr=False)
    parts: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class DuckPlace:
    """A DuckDB file."""

    path: Path


Place = PostgresPlace | DuckPlace


def place_of(url: str | None, environ: Mapping[str, str]) -> Place:
    """Return where the marts are.

    Args:
        url: What the command line says: `postgresql://…`, `duckdb:///…` or the path of a DuckDB
            file. None to go by the environment: `MEDIA_REPORT_DATABASE_URL`, the DuckDB file of
            dbt if that is its target, the variables of target-postgres, the DuckDB file whatever
            the target, and at last the variables of PostgreSQL itself.
        environ: The environment.

    Raises:
        ReportError: Nothing says where, or what says it cannot be understood.
    """
    told = url or environ.get(URL)
    if told:
        return _by_address(told)
    of_dbt = environ.get("DBT_DUCKDB_PATH")
    if of_dbt and environ.get("DBT_TARGET") == "duckdb":
        return DuckPlace(Path(of_dbt))
    of_target = environ.get(f"{_TARGET}SQLALCHEMY_URL")
    if of_target:
        return _by_url(of_target, f"{_TARGET}SQLALCHEMY_URL")
    parts = {ours: environ.get(_TARGET + name, "") for name, ours in _PARTS.items()}
    parts = {name: value for name, value in parts.items() if value}
    if parts:
        if environ.get(f"{_TARGET}SSL_ENABLE", "").lower() in _TRUE:
            parts["sslmode"] = environ.get(f"{_TARGET}SSL_MODE") or "verify-full"
        return PostgresPlace(parts=parts, secrets=_known(parts.get("password")))
    if of_dbt:
        return DuckPlace(Path(of_dbt))
    if any(environ.get(name) for name in _OF_LIBPQ):
        return PostgresPlace(secrets=_known(environ.get("PGPASSWORD")))
    raise ReportError(
        f"no database: give --database-url or {URL} (postgresql://... or the path of a DuckDB"
        f" file), or the settings of target-postgres as {_TARGET}..."
    )


def _by_address(address: str) -> Place:
    scheme, found, rest = address.partition("://")
    if not found:
        return DuckPlace(Path(address))
    if scheme == "duckdb":
        # As SQLAlchemy writes it: three slashes and a relative path, four and an absolute one.
        path = rest.removeprefix("/")
        if not rest.startswith("/") or not path:
            raise ReportError("a DuckDB file is given as duckdb:///relative.duckdb, or as a path")
        return DuckPlace(Path(path))
    if not re.fullmatch(r"postgres(ql)?(\+\w+)?", scheme, re.ASCII):
        raise ReportError("the database URL is neither postgresql:// nor duckdb:///")
    return _by_url(address, "the database URL")


def _by_url(url: str, name: str) -> PostgresPlace:
    match = _POSTGRES.fullmatch(url.strip())
    if not match:
        raise ReportError(
            f"{name} cannot be read: postgresql://user:password@host:port/database, with"
            " everything but letters and digits in user and password percent-encoded"
        )
    login, rest = match["login"] or "", match["rest"]
    password = login.removesuffix("@").partition(":")[2]
    in_query = re.findall(r"[?&](?:ssl)?password=([^&]*)", rest)
    secrets = [each for text in (password, *in_query) for each in _known(text)]
    # SQLAlchemy names a driver in the scheme, which libpq knows nothing of.
    return PostgresPlace(f"postgresql://{login}{rest}", secrets=tuple(secrets))


def _known(secret: str | None) -> tuple[str, ...]:
    return tuple({secret, unquote(secret)}) if secret else ()
