"""Pipelines into PostgreSQL that can be broken off: by Meltano, and by a plain shell."""

from __future__ import annotations

import contextlib
import json
import shlex
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Protocol

from tests.meltano import ROOT, Meltano, end_group
from tests.running import STREAMS, catalog_of, clean_environ

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.postgres import Postgres

TARGET = ROOT / ".meltano/loaders/target-postgres/venv/bin/target-postgres"
STATE_ID = "dev:tap-twilio-media-to-target-postgres"


class Pipeline(Protocol):
    """A pipeline into a schema of its own, which goes on from the state that it kept."""

    def started(self, schema: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Start it as a process group, and end what is left of it."""

    def states(self, schema: str) -> list[dict[str, Any]]:
        """Return the states that it would go on from."""


class ByMeltano:
    """`meltano run tap-twilio-media target-postgres`.

    Args:
        meltano: The project, with the settings of the tap and of the database.
    """

    def __init__(self, meltano: Meltano) -> None:
        self._meltano = meltano

    def started(self, schema: str) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Start it as a process group, and end what is left of it."""
        # A Meltano that was killed has left its run open: only with --force is there another one
        # within five minutes.
        options = ("--force", "--state-id-suffix", schema)
        arguments = ("run", *options, "tap-twilio-media", "target-postgres")
        return self._meltano.started(*arguments, TARGET_POSTGRES_DEFAULT_TARGET_SCHEMA=schema)

    def states(self, schema: str) -> list[dict[str, Any]]:
        """Return the states that it would go on from: of whole runs, and of those cut short."""
        with contextlib.closing(sqlite3.connect(self._meltano.database)) as database:
            query = "select completed_state, partial_state from state where state_id = ?"
            rows = database.execute(query, [f"{STATE_ID}:{schema}"]).fetchall()
        kept = [json.loads(text) for row in rows for text in row if text]
        return [state["singer_state"] for state in kept if "singer_state" in state]


class ByShell:
    """`tap | target-postgres >> states`, by a plain shell.

    Args:
        folder: For configs and states.
        config: The settings of the tap.
        postgres: Where the rows go.
    """

    def __init__(self, folder: Path, config: dict[str, Any], postgres: Postgres) -> None:
        self._folder = folder
        self._postgres = postgres
        self._write("tap.json", config)
        self._write("catalog.json", catalog_of(*STREAMS))
        options = ("--config=tap.json", "--catalog=catalog.json", "--state=state.json")
        tap = shlex.join([sys.executable, "-m", "tap_twilio_media", *options])
        target = shlex.join([str(TARGET), "--config=target.json"])
        # In a file, else the shells would look like the tap. They end as the tap or the target did.
        command = f'{{ {tap}; echo $? > tap.code; }} | {target} >> "$1" && exit "$(cat tap.code)"\n'
        (folder / "pipeline.sh").write_text(command)

    @contextlib.contextmanager
    def started(self, schema: str) -> Iterator[subprocess.Popen[bytes]]:
        """Start it as a process group, and end what is left of it."""
        settings = {
            "sqlalchemy_url": self._postgres.url,
            "default_target_schema": schema,
            "use_copy": True,
            "validate_records": False,
            "load_method": "upsert",
            "sanitize_null_text_characters": True,
        }
        self._write("target.json", settings)
        self._write("state.json", (self.states(schema) or [{}])[-1])
        with (self._folder / "pipeline.log").open("a") as log:
            process = subprocess.Popen(
                ["sh", "pipeline.sh", self._states(schema)],  # noqa: S607
                cwd=self._folder,
                env=clean_environ(),
                stdin=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            end_group(process)

    def states(self, schema: str) -> list[dict[str, Any]]:
        """Return the states that came out, without one that was being written."""
        path = self._states(schema)
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def _states(self, schema: str) -> Path:
        return self._folder / f"{schema}.states"

    def _write(self, name: str, content: dict[str, Any]) -> None:
        (self._folder / name).write_text(json.dumps(content))
