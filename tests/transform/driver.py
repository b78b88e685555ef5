"""Runs commands of dbt, and SQL on a DuckDB file, one after the other in one process.

Runs on the Python that dbt is installed for: nothing else of this project is there. Each line of
stdin is a request, each line of stdout the answer; what dbt prints goes to stderr.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
from dbt.cli.main import dbtRunner


def main() -> None:
    """Answer until stdin ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    runner = dbtRunner()
    # The project does not change while we run: once is enough.
    parsed = dbtRunner(manifest=runner.invoke(["--quiet", "parse"]).result)
    for line in sys.stdin:
        request = json.loads(line)
        if "sql" in request:
            answer = query(request["sql"])
        else:
            # Variables decide which nodes there are.
            answer = run(runner if "--vars" in request["dbt"] else parsed, request["dbt"])
        print(json.dumps(answer, default=tagged), file=answers, flush=True)


def run(runner: dbtRunner, arguments: list[str]) -> dict[str, Any]:
    """Run a command of dbt: whether it went well, and what became of each node."""
    done = runner.invoke(arguments)
    results = [
        {"name": each.node.name, "status": str(each.status), "message": each.message}
        for each in getattr(done.result, "results", ())
        if hasattr(each, "node")
    ]
    return {"success": done.success, "error": str(done.exception or ""), "results": results}


def query(sql: str) -> dict[str, Any]:
    """Run statements on the DuckDB file: the rows of the last."""
    try:
        with duckdb.connect(os.environ["DBT_DUCKDB_PATH"]) as connection:
            connection.execute("set TimeZone = 'UTC'")
            return {"rows": connection.execute(sql).fetchall()}
    except duckdb.Error as error:
        return {"error": str(error)}


def tagged(value: object) -> object:
    """Say of what JSON has no type for which it is."""
    if isinstance(value, Decimal | date):
        return {type(value).__name__: str(value)}
    raise TypeError(type(value).__name__)


if __name__ == "__main__":
    main()
