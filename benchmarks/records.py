"""What a record costs: CPU time, beside the SDK's stock path and bare coding, and memory."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.tap import Run, cost_of, start_up
from benchmarks.twilio import Twilio

SELECT = ("messages",)
PAGES = 30
"""So many thousands of records go the other two ways: enough for a rate."""


def records(*, quick: bool) -> list[Figure]:
    """Read messages without latency."""
    count = 30_000 if quick else 100_000
    start = start_up(SELECT).cpu
    with Twilio(messages=count) as twilio:
        run = Run(twilio, SELECT, keep=PAGES * 1000)
        run.expect(messages=count)
        pages = [request for request in twilio.taken().requests if "PageSize=1000" in request[1]]
        bodies = twilio.fetch(pages[:PAGES])[1]
    cpu, stock = run.cost.cpu, _stock(run.lines)
    whole, reading = count / cpu, count / (cpu - start)
    rates = f"{whole:,.0f} per CPU second ({cpu:.1f} s for {count:,}), stock {stock:,.0f}"
    figures = [
        Figure("tap / SDK's stock path", whole / stock, rates, least=2),
        Figure("  without start-up", reading / stock, f"{reading:,.0f}, {start:.1f} s less"),
    ]
    for name in ("json", "msgspec.json"):
        if importlib.util.find_spec(name.partition(".")[0]):
            bare = _bare(bodies, name)
            note = f"{bare:,.0f} per CPU second: {1e6 / bare:.0f} of {1e6 / whole:.0f} µs a record"
            figures.append(Figure(f"bare {name}, decode and encode / tap", bare / whole, note))
    return figures


def memory(*, quick: bool) -> list[Figure]:
    """Read 10 thousand, 100 thousand and a million messages."""
    idle = f"{start_up(SELECT).peak:.0f} MiB with nothing to read"
    figures = []
    for count in (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000):
        with Twilio(messages=count) as twilio:
            run = Run(twilio, SELECT)
        run.expect(messages=count)
        what = f"peak at {count:,} messages"
        figures.append(Figure(what, run.cost.peak, idle, most=200, form="{:.0f} MiB"))
    peaks = [figure.value for figure in figures]
    return [*figures, Figure("largest / smallest", max(peaks) / min(peaks), "", most=1.2)]


def _stock(lines: list[bytes]) -> float:
    """Return the rate of the SDK as it comes, on records that it finds in memory."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        Path(name, "output").write_bytes(b"".join(lines))
        command = [sys.executable, "-m", "benchmarks.stock", "output", "rate"]
        # Into a pipe that is read, as the tap writes.
        cost_of(command, Path(name), take=lambda _: None)
        return float(Path(name, "rate").read_text())


def _bare(bodies: list[bytes], module: str) -> float:
    """Return the rate of reading pages and writing their rows, with nothing between."""
    coder, count = importlib.import_module(module), 0
    decode = getattr(coder, "decode", None) or coder.loads
    encode = getattr(coder, "encode", None) or coder.dumps
    start = time.process_time()
    for body in bodies:
        for row in decode(body)["messages"]:
            encode(row)
            count += 1
    return count / (time.process_time() - start)
