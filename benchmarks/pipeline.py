"""Rows per second of a whole `meltano run`, beside the loader alone and the tap alone."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from pathlib import Path

import yaml

from benchmarks.figures import Figure
from benchmarks.tap import ALL, MESSAGES, BenchmarkError, Run, cost_of
from benchmarks.twilio import ROOT, Twilio
from tests.meltano import Meltano, tap_variables
from tests.postgres import Postgres

LOADER = "target-postgres"
SELECT = {"TAP_TWILIO_MEDIA__SELECT": json.dumps([f"{name}.*" for name in MESSAGES])}


def pipeline(*, quick: bool) -> list[Figure]:
    """Load messages and media without latency: with Meltano, and the two parts apart."""
    count = 5_000 if quick else 50_000
    rows = count + count // 5
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmarks-")))
        postgres = stack.enter_context(Postgres(folder / "postgres"))
        empty = stack.enter_context(Twilio())
        full = stack.enter_context(Twilio(messages=count, mms=count // 5))
        idle = _meltano(folder / "empty", empty, postgres)
        whole = _meltano(folder / "whole", full, postgres)
        run = Run(full, MESSAGES, keep=ALL)
        run.expect(messages=count, message_media=count // 5)
        (folder / "output").write_bytes(b"".join(run.lines))
        loader = _loader(folder, postgres)
        for schema in ("whole", "loader"):
            tables = (f"(select count(*) from {schema}.{name})" for name in MESSAGES)
            ((arrived,),) = postgres.query("select " + " + ".join(tables))
            if arrived != rows:
                raise BenchmarkError(f"{arrived} rows arrived of {rows}")
    note = f"{whole:.1f} s for {rows:,} rows"
    tap = run.cost.wall
    return [
        Figure("rows per second", rows / whole, note, form="{:,.0f}"),
        Figure("  without start-up", rows / (whole - idle), f"{idle:.1f} s less", form="{:,.0f}"),
        Figure("wall / loader alone, from a file", whole / loader, f"{loader:.1f} s"),
        Figure("wall / tap alone, to nobody", whole / tap, f"{tap:.1f} s"),
    ]


def _meltano(home: Path, twilio: Twilio, postgres: Postgres) -> float:
    """Return the seconds of a run into a schema of its own."""
    loader = _loader_settings(postgres, home.name).items()
    variables = {f"TARGET_POSTGRES_{name.upper()}": str(value) for name, value in loader}
    meltano = Meltano(home, tap_variables(twilio.config) | SELECT | variables)
    meltano.install()
    start = time.perf_counter()
    meltano("run", "tap-twilio-media", LOADER)
    return time.perf_counter() - start


def _loader(folder: Path, postgres: Postgres) -> float:
    """Return the seconds that the loader takes for the tap's output in a file."""
    config = folder / "loader.json"
    config.write_text(json.dumps(_loader_settings(postgres, "loader")))
    command = ROOT / ".meltano" / "loaders" / LOADER / "venv" / "bin" / LOADER
    return cost_of([command, "--config", config], folder, stdin="output").wall


def _loader_settings(postgres: Postgres, schema: str) -> dict[str, object]:
    loaders = yaml.safe_load((ROOT / "meltano.yml").read_text())["plugins"]["loaders"]
    settings: dict[str, object] = next(each for each in loaders if each["name"] == LOADER)["config"]
    return settings | {"sqlalchemy_url": postgres.url, "default_target_schema": schema}
