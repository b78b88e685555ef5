"""Warehouses with the tap's tables, in PostgreSQL and in DuckDB, and dbt to build on them."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import Self, override

from tests.running import STREAMS
from tests.test_schemas import load as schema_of
from tests.transform.projects import PROJECT, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.postgres import Postgres

LOCK = ROOT / "requirements" / "dbt.txt"
SCHEMA = "twilio"
LOADED = "_sdc_batched_at"
GOOD = {"success", "pass"}
MINUTE = dt.timedelta(minutes=1)

_TAGS: dict[str, Any] = {
    "Decimal": Decimal,
    "date": dt.date.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
}


def dbt_python() -> Path:
    """The Python of dbt's own environment, installed once and apart from everything else."""
    digest = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:12]
    venv = ROOT / ".tools" / f"dbt-{digest}"
    done = venv / ".installed"
    if not done.exists():
        python = f"--python={venv / 'bin' / 'python'}"
        uv = [sys.executable, "-m", "uv", "--quiet"]
        subprocess.run([*uv, "venv", "--clear", f"--python={sys.executable}", venv], check=True)
        sync = [*uv, "pip", "sync", python, "--compile-bytecode", "--require-hashes", str(LOCK)]
        subprocess.run(sync, check=True)
        done.touch()
    return venv / "bin" / "python"


@dataclass(frozen=True)
class Node:
    """What became of a model or a test."""

    name: str
    status: str
    message: str | None


class DbtError(Exception):
    """A command of dbt failed."""


class Warehouse(ABC):
    """A database with tables of the tap, and a process of dbt, to be used in a `with` block.

    Args:
        folder: For what dbt writes.
        target: The target of the dbt profile.
        variables: Environment variables for dbt.
    """

    def __init__(self, folder: Path, target: str, variables: Mapping[str, str]) -> None:
        self.folder = folder
        self.target = target
        self._variables = {
            "DBT_TARGET": target,
            "DBT_PROJECT_DIR": str(PROJECT),
            "DBT_PROFILES_DIR": str(PROJECT / "profiles"),
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
            **variables,
        }
        self._stack = contextlib.ExitStack()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Start the process of dbt, and make a schema without tables."""
        foreign = ("DBT_", "TARGET_")
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(foreign)}
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self._stack.enter_context((self.folder / "dbt.log").open("w"))
        self._process = subprocess.Popen(
            [dbt_python(), Path(__file__).with_name("driver.py")],
            cwd=self.folder,
            env={**inherited, **self._variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        self._stack.enter_context(self._process)
        self.query(f"create schema if not exists {SCHEMA}")
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self._stack.close()

    def dbt(self, *arguments: str, **variables: object) -> list[Node]:
        """Run a command of dbt, with variables of the project: what became of each node."""
        given = ["--vars", json.dumps(variables)] if variables else []
        answer = self._ask({"dbt": ["--quiet", *arguments, *given]})
        nodes = [Node(**each) for each in answer["results"]]
        if not answer["success"]:
            failed = [node for node in nodes if node.status not in GOOD]
            told = [f"{node.name}: {node.status}: {node.message}" for node in failed]
            raise DbtError("\n".join([answer["error"], *told]))
        return nodes

    def load(
        self,
        stream: str,
        records: Iterable[Mapping[str, Any]],
        when: dt.datetime,
        *,
        append: bool = False,
    ) -> None:
        """Write records as a target does, which makes the table when it is not there.

        Args:
            stream: Name of the stream.
            records: Records of the tap.
            when: When the batch they are in began, in UTC.
            append: Keep the rows that they replace.
        """
        columns = {
            name: self._type_of(part) for name, part in schema_of(stream)["properties"].items()
        }
        columns |= dict.fromkeys((LOADED, "_sdc_extracted_at"), "timestamp")
        named = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        loaded = {LOADED: str(when), "_sdc_extracted_at": str(when - MINUTE)}
        rows = json.dumps([{**record, **loaded} for record in records], default=str)
        table = f"{SCHEMA}.{stream}"
        self.query(f"create table if not exists {table} ({named})")
        incoming = self._incoming(rows.replace("\\u0000", "\\ufffd"), columns)
        if not append:
            self.query(f"delete from {table} where sid in (select sid from {incoming})")
        self.query(f"insert into {table} select * from {incoming}")

    def load_all(
        self, records: Mapping[str, Iterable[Mapping[str, Any]]], when: dt.datetime
    ) -> None:
        """Write records of all streams: a table for each, rows or not."""
        for stream in STREAMS:
            self.load(stream, records.get(stream, ()), when)

    @abstractmethod
    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of one statement; none for one without a result."""

    @abstractmethod
    def _type_of(self, schema: Mapping[str, Any]) -> str:
        """The type of a column for a property."""

    @abstractmethod
    def _incoming(self, rows: str, columns: Mapping[str, str]) -> str:
        """What stands after `from` for rows that are given as JSON."""

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise DbtError((self.folder / "dbt.log").read_text())
        answer: dict[str, Any] = json.loads(line, object_hook=_untagged)
        return answer


class DuckDb(Warehouse):
    """A DuckDB file."""

    def __init__(self, folder: Path, **variables: str) -> None:
        path = {"DBT_DUCKDB_PATH": str(folder / "warehouse.duckdb")}
        super().__init__(folder, "duckdb", path | variables)

    @override
    def query(self, sql: str) -> list[tuple[Any, ...]]:
        answer = self._ask({"sql": sql})
        if "error" in answer:
            raise DbtError(answer["error"])
        return [tuple(row) for row in answer["rows"]]

    @override
    def _type_of(self, schema: Mapping[str, Any]) -> str:
        return _type_of(schema, number="decimal(38, 10)", nested="json", array="json")

    @override
    def _incoming(self, rows: str, columns: Mapping[str, str]) -> str:
        path = self.folder / "rows.json"
        path.write_text(rows)
        named = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
        return f"read_json('{path}', format = 'array', columns = {{{named}}})"


class PostgresWarehouse(Warehouse):
    """A PostgreSQL database."""

    def __init__(self, folder: Path, postgres: Postgres, **variables: str) -> None:
        url = {"TARGET_POSTGRES_SQLALCHEMY_URL": postgres.url}
        super().__init__(folder, "postgres", url | variables)
        self._postgres = postgres

    @override
    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self._postgres.query(sql)

    @override
    def _type_of(self, schema: Mapping[str, Any]) -> str:
        return _type_of(schema, number="numeric", nested="jsonb", array="jsonb[]")

    @override
    def _incoming(self, rows: str, columns: Mapping[str, str]) -> str:
        named = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        quoted = rows.replace("'", "''")
        return f"json_to_recordset('{quoted}') as incoming ({named})"


def _type_of(schema: Mapping[str, Any], *, number: str, nested: str, array: str) -> str:
    if schema.get("format") == "date-time":
        return "timestamp"
    types = {"integer": "bigint", "boolean": "boolean", "string": "text"}
    types |= {"number": number, "object": nested, "array": array}
    given = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    (kind,) = (types[each] for each in given if each != "null")
    return kind


def _untagged(value: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    for tag, made in _TAGS.items():
        if value.keys() == {tag}:
            return made(value[tag])
    return value
