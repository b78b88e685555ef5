"""Runs of the tap in a process of its own: what came out, and what it cost."""

from __future__ import annotations

import functools
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.twilio import ROOT, Twilio
from tests.running import catalog_of, clean_environ

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST_SECONDS = 900
ALL = sys.maxsize
MESSAGES = ("messages", "message_media")
CONVERSATIONS = ("conversation_services", "conversations", "conversation_messages", "mcs_media")
_RECORD = re.compile(rb'\{"type": ?"RECORD", ?"stream": ?"(\w+)"')


class BenchmarkError(Exception):
    """A run failed or lost something: it has no figures."""


class Cost(NamedTuple):
    """Seconds, CPU seconds (user and system), peak memory in MiB, exit code."""

    wall: float
    cpu: float
    peak: float
    code: int


class Run:
    """A run of the tap: its cost, its last state, its records counted and its first lines."""

    def __init__(
        self,
        twilio: Twilio,
        select: tuple[str, ...],
        *,
        state: dict[str, Any] | None = None,
        keep: int = 0,
        **settings: Any,
    ) -> None:
        """Run the command to its end and keep so many lines of what it writes."""
        self.state: dict[str, Any] = {}
        self.counts: Counter[str] = Counter()
        self.lines: list[bytes] = []
        self._keep = keep
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
            command = [sys.executable, "-m", "tap_twilio_media"]
            files = {"config": twilio.config | settings, "catalog": _catalog(select)}
            for option, content in (files | {"state": state or {}}).items():
                path = Path(name, option)
                path.write_text(json.dumps(content))
                command += [f"--{option}", str(path)]
            self.cost = cost_of(command, Path(name), take=self._take)

    def _take(self, line: bytes) -> None:
        if match := _RECORD.match(line):
            self.counts[match[1].decode()] += 1
        elif b'"STATE"' in line:
            self.state = json.loads(line)["value"]
        if len(self.lines) < self._keep:
            self.lines.append(line)

    @functools.cached_property
    def records(self) -> dict[str, dict[str, Any]]:
        """The kept records by sid: each once."""
        decoded = (json.loads(line)["record"] for line in self.lines if _RECORD.match(line))
        return {record["sid"]: record for record in decoded}

    def expect(self, **counts: int) -> None:
        """Make sure that each record came and, where all were kept, that none came twice."""
        repeated = self._keep == ALL and len(self.records) != self.counts.total()
        if repeated or self.counts != Counter(counts):
            raise BenchmarkError(f"expected {counts}, got {dict(self.counts)}")

    def fewest(self) -> int:
        """Return how few requests can find these records: pages full, nothing asked in vain."""
        records, counts = self.records.values(), self.counts
        media = counts["mcs_media"] + len([row for row in records if row.get("num_media")])
        pages = math.ceil(counts["messages"] / 1000)
        if counts["conversations"]:
            said = Counter(
                record.get("conversation_sid") for record in records if "index" in record
            )
            # Services, the default service (which their list may lack), conversations, messages.
            pages += 2 + math.ceil(counts["conversations"] / 100)
            pages += sum(math.ceil(count / 100) for count in said.values())
            pages += counts["conversations"] - len(said)
        return pages + media


def cost_of(
    command: Sequence[str | Path],
    folder: Path,
    take: Callable[[bytes], None] | None = None,
    stdin: str = os.devnull,
) -> Cost:
    """Run a command in a folder and give the lines that it writes to `take`, or to nobody."""
    launch: list[str | Path] = [sys.executable, "-I", "-S", Path(__file__).with_name("launch.py")]
    environ = clean_environ() | {"PYTHONPATH": str(ROOT)}
    with (folder / "log").open("wb") as log, (folder / stdin).open("rb") as given:
        process = subprocess.Popen(
            [*launch, "cost", str(LONGEST_SECONDS), *command],
            cwd=folder,
            env=environ,
            stdin=given,
            stdout=subprocess.PIPE if take else subprocess.DEVNULL,
            stderr=log,
        )
        for line in process.stdout or ():
            if take:
                take(line)
        process.wait()
    cost = Cost(**json.loads((folder / "cost").read_text()))
    if cost.code:
        said = (folder / "log").read_text(errors="replace").splitlines()[-5:]
        raise BenchmarkError("\n".join([f"exit code {cost.code}", *said]))
    return cost


@functools.cache
def start_up(select: tuple[str, ...]) -> Cost:
    """Return what a run costs that finds nothing; the one before it compiles what is new."""
    with Twilio() as twilio:
        return [Run(twilio, select).cost for _ in range(2)][1]


@functools.cache
def _catalog(select: tuple[str, ...]) -> dict[str, Any]:
    return catalog_of(*select)
