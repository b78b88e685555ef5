"""Twilio → tap-twilio-media → PostgreSQL → models → report with Meltano, twice; see --help."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from demo import report
from tests.meltano import Meltano, MeltanoError, tap_variables
from tests.postgres import Postgres, PostgresError
from tests.simulator import Simulator, World, seeded_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

KEPT = Path(__file__).resolve().parent / ".data"
JOB = "media-elt"
JOB_WITH_FILES = "media-elt-files"
PAGE = "report.html"
LOOKBACK_DAYS = 3


class Loaded(NamedTuple):
    """What a run left behind."""

    start: dt.datetime
    tables: list[report.Arrived]


def main(arguments: list[str]) -> int:
    """Show the job; the exit code."""
    parser = argparse.ArgumentParser(
        prog="script/demo",
        description=(
            "Load a simulated Twilio account with its files into a PostgreSQL of our own with "
            "`meltano run`, build the models and a report, add messages, and do it again: only "
            "what is new or within the lookback comes."
        ),
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="your own account, with credentials from the environment; keeps the database",
    )
    parser.add_argument(
        "--psql",
        nargs=argparse.REMAINDER,
        help="open the database that --live kept; what follows goes to psql",
    )
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        if options.psql is not None:
            return psql(options.psql)
        if options.live:
            live()
        else:
            simulated()
    except (MeltanoError, PostgresError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


def simulated() -> None:
    """Both runs on an account that exists in this process only."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="demo-")))
        with step("Starting PostgreSQL and a simulated Twilio"):
            database = stack.enter_context(Postgres(folder / "postgres"))
            world = seeded_world(seed=7)
            twilio = stack.enter_context(Simulator(world))
        folder = KEPT / "simulated"
        # The account is new every time, and so must be what is known of it.
        shutil.rmtree(folder, ignore_errors=True)
        variables = tap_variables(twilio.config() | {"media_hosts": ["127.0.0.1"]})
        variables["TAP_TWILIO_MEDIA_FILES_DOWNLOAD_OUTPUT_PATH"] = str(folder / "media")
        meltano = prepared(folder, database, variables, own_account=False)
        before = load(meltano, database, JOB_WITH_FILES, "First run")
        added = add_messages(world)
        print("Meanwhile at Twilio: two people sent photos, got an answer, and signed a file.")
        after = load(meltano, database, JOB_WITH_FILES, "Second run", before)
        tables = zip(before.tables, after.tables, strict=True)
        came = {new.table: new.rows - old.rows for old, new in tables if new.rows != old.rows}
        if came != added:
            raise MeltanoError(f"Twilio has {added} more, but the second run brought {came}")
        lookback = before.start - dt.timedelta(days=LOOKBACK_DAYS)
        print(f"The lookback of 3 days begins at {lookback:%Y-%m-%d %H:%M}.")
        print("Every new row arrived, and nothing else is new.")
        tell_page(folder)


def live() -> None:
    """Both runs on the user's own account."""
    folder = KEPT / "live"
    with contextlib.ExitStack() as stack:
        with step("Starting PostgreSQL"):
            database = stack.enter_context(Postgres(folder / "postgres", durable=True))
        meltano = prepared(folder, database, {}, own_account=True)
        before = load(meltano, database, JOB, "First run")
        load(meltano, database, JOB, "Second run", before)
    tell_page(folder)
    print("The database is kept; look into it with")
    print("  script/demo --psql")
    print(f"  script/demo --psql -c 'select * from {report.SCHEMA}.messages limit 5'")


def psql(arguments: list[str]) -> int:
    """A psql session in the kept database; its exit code."""
    folder = KEPT / "live" / "postgres"
    if not folder.exists():
        raise PostgresError("there is no database yet: script/demo --live makes it")
    with Postgres(folder, durable=True) as database:
        # Ctrl-C belongs to psql, which cancels a query with it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        environment = {**os.environ, **database.variables}
        return subprocess.run([database.psql, *arguments], env=environment, check=False).returncode


def prepared(
    folder: Path, database: Postgres, variables: dict[str, str], *, own_account: bool
) -> Meltano:
    """Meltano with its plugins installed and its settings given."""
    variables = variables | {
        "TARGET_POSTGRES_SQLALCHEMY_URL": database.url,
        "DBT_TARGET_PATH": str(folder / "dbt"),
        "DBT_LOG_PATH": str(folder / "dbt"),
        "MEDIA_REPORT_OUTPUT": str(folder / PAGE),
    }
    meltano = Meltano(folder, variables, own_account=own_account)
    with step("Installing the plugins of meltano.yml"):
        meltano.install()
    return meltano


def load(
    meltano: Meltano, database: Postgres, job: str, name: str, before: Loaded | None = None
) -> Loaded:
    """One `meltano run`, and what came of it."""
    start = report.present(database)
    with step(f"{name}: meltano run {job}"):
        meltano("run", job)
    tables = report.arrived_since(database, start)
    print()
    if before is None:
        print(report.table(("table", "rows"), [(row.table, row.rows) for row in tables]))
        print()
        header = ("media by content type", "inbound", "outbound", "in conversations")
        print(report.table(header, report.media(database)))
    else:
        rows = {row.table: row.rows for row in before.tables}
        lines = []
        for row in tables:
            new = row.rows - rows.get(row.table, 0)
            lines.append((row.table, row.rows, new, row.came - new, row.oldest))
        columns = ("table", "rows", "of these new", "read again", "oldest that came")
        print(report.table(columns, lines))
        print(
            "\nRead again: what lies within the lookback (lookback_days), and messages not sent"
            "\nyet, because their status may still change. Lists without such a date are short"
            "\nand read whole each time."
        )
    print()
    return Loaded(start, tables)


def add_messages(world: World) -> dict[str, int]:
    """Let new messages come in; how many rows each stream gains by them."""
    before = {stream: len(world.rows(stream)) for stream in report.DATES}
    world.add_message(direction="inbound", body="Here are the photos 📷", num_media=2)
    world.add_message(direction="inbound", body="And one more", num_media=1)
    world.add_message(body="Thank you!")
    conversation = next(c for c in world.conversations.values() if c.state == "active")
    world.add_conversation_message(conversation.sid, body="Signed, see the file", media=1)
    after = {stream: len(world.rows(stream)) for stream in report.DATES}
    return {name: after[name] - before[name] for name in after if after[name] > before[name]}


def tell_page(folder: Path) -> None:
    """Say where the report is."""
    page = folder / PAGE
    if not page.exists():
        raise MeltanoError(f"the report {page} was not written")
    print(f"\nThe report, to be opened in a browser: {page.relative_to(Path.cwd())}")


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    """Say what is going on, and then how long it took."""
    print(f"{name} … ", end="", flush=True)
    start = time.monotonic()
    yield
    print(f"{time.monotonic() - start:.1f} s")


def _leave(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
