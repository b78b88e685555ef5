"""Files per second, against a bare client and against curl, on the same files."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from benchmarks.backfill import CONCURRENCY, LATENCY
from benchmarks.figures import Figure
from benchmarks.tap import ALL, BenchmarkError, Cost, Run, cost_of
from benchmarks.twilio import Twilio

MEDIA = ("message_media",)
GIGABIT = 125_000_000
"""Bytes a second."""
LEAST = 0.9


def downloads(*, quick: bool) -> list[Figure]:
    """Download small files with latency, then large ones without."""
    small, large = (200, 20) if quick else (1_000, 100)
    return [
        *_compared("50 kB, 50 ms", small, 50_000, latency=LATENCY),
        *_compared("8 MB, 50 ms, 1 Gbit/s", large, 8_000_000, latency=LATENCY, bandwidth=GIGABIT),
        *_compared("8 MB, no bound", large, 8_000_000, targets=False),
    ]


def _compared(
    name: str, count: int, size: int, *, targets: bool = True, **network: float
) -> list[Figure]:
    least = LEAST if targets else None
    with (
        Twilio(messages=count, mms=count, file_bytes=size, **network) as twilio,
        tempfile.TemporaryDirectory(prefix="benchmarks-") as folder,
    ):
        run = Run(twilio, MEDIA, keep=ALL)
        run.expect(message_media=count)
        links = [record["content_url"] for record in run.records.values()]
        curl = _curl(twilio, links, Path(folder, "warm"))  # whoever comes first has files made
        twilio.taken()
        idle = _target(twilio, [], Path(folder, "idle"))
        wall = _target(twilio, run.lines, Path(folder, "target"))
        requests = twilio.taken().requests
        if len(requests) != 2 * count:
            raise BenchmarkError(f"{len(requests)} requests for {count} files")
        floor = twilio.fetch(requests, CONCURRENCY)[0]
        curl = _curl(twilio, links, Path(folder, "curl")) if curl else None
        stored = sum(file.stat().st_size == size for file in Path(folder, "target").rglob("ME*"))
        if stored != count:
            raise BenchmarkError(f"{stored} of {count} files are stored")
    speed = f"{count / wall.wall:,.0f} files/s, {count * size / wall.wall / 1e6:,.0f} MB/s"
    figures = [
        Figure(f"{name}: raw floor / wall", floor / wall.wall, speed, least=least),
        Figure("  without start-up", floor / (wall.wall - idle.wall), f"{idle.wall:.1f} s less"),
    ]
    if curl:
        beside = f"{wall.wall:.1f} s, curl --parallel {curl.wall:.1f} s"
        figures += [
            Figure("  curl / wall", curl.wall / wall.wall, beside, least=least),
            Figure("  without start-up", curl.wall / (wall.wall - idle.wall), ""),
        ]
    return figures


def _target(twilio: Twilio, lines: list[bytes], folder: Path) -> Cost:
    folder.mkdir()
    output = {"output_path": str(folder / "files"), "max_concurrency": CONCURRENCY}
    (folder / "config").write_text(json.dumps(twilio.config | output))
    (folder / "input").write_bytes(b"".join(lines))
    command = ["target-twilio-media", "--config", "config", "--input", "input"]
    return cost_of([shutil.which(command[0]) or command[0], *command[1:]], folder)


def _curl(twilio: Twilio, links: list[str], folder: Path) -> Cost | None:
    program = shutil.which("curl")
    if program is None:
        return None
    folder.mkdir()
    wanted = [f'url = "{link}"\noutput = "{number}"\n' for number, link in enumerate(links)]
    (folder / "list").write_text("".join(wanted))
    user = f"{twilio.config['account_sid']}:{twilio.config['auth_token']}"
    options = ["--silent", "--location", "--user", user, "--config", "list"]
    parallel = ["--parallel", "--parallel-immediate", "--parallel-max", str(CONCURRENCY)]
    return cost_of([program, *options, *parallel], folder)
