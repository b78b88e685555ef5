"""Measure the tap beside the floor under each figure; benchmarks/README.md explains them."""

from __future__ import annotations

import argparse
import compileall
import importlib
import time

from benchmarks.figures import show
from benchmarks.tap import BenchmarkError
from benchmarks.twilio import ROOT

MEASUREMENTS = {
    "backfill": ("backfill", "messages and media, 50 ms latency, 20 at once"),
    "conversations": ("backfill", "Conversations and media, 50 ms latency, 20 at once"),
    "records": ("records", "messages without latency, all CPU time of the tap counted"),
    "memory": ("records", "messages only"),
    "throttle": ("throttle", "50 at once allowed, 8 at once answered, 50 ms latency"),
    "sparse": ("backfill", "30 messages in 400 days"),
    "downloads": ("downloads", "target-twilio-media, 20 at once"),
    "pipeline": ("pipeline", "meltano run tap-twilio-media target-postgres, no latency"),
}
"""Module and title; the function has the name."""


def main() -> None:
    """Measure what is asked for, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(MEASUREMENTS))
    parser.add_argument("--quick", action="store_true", help="smaller: start-up weighs more")
    options = parser.parse_args()
    if unknown := set(options.names) - set(MEASUREMENTS):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    # As installed: a checkout has no bytecode where Python is told not to write any.
    compileall.compile_dir(ROOT / "tap_twilio_media", quiet=1)
    for name in options.names or MEASUREMENTS:
        module, title = MEASUREMENTS[name]
        # Imported now, as not all need Meltano and PostgreSQL.
        measure = getattr(importlib.import_module(f"benchmarks.{module}"), name)
        start = time.perf_counter()
        try:
            figures = measure(quick=options.quick)
        except BenchmarkError as error:
            print(f"\n{name}: no figures: {error}", flush=True)
            continue
        show(f"{name}: {title} ({time.perf_counter() - start:.0f} s)", figures)


if __name__ == "__main__":
    main()
