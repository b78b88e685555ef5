"""One cell of the matrix: a run with a fault, a quiet run after it, and what came of both."""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
import zlib
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tests.expecting import by_sid, expected
from tests.faults.kinds import Kind
from tests.filing import MEDIA, expected_with_files, with_files
from tests.promises import assert_promises_kept
from tests.running import catalog_of, run_command, run_tap
from tests.simulator.faults import drawn

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from tests.faults.places import Place
    from tests.running import Output
    from tests.simulator import Fault, Simulator
    from tests.simulator.recording import RecordedRequest

ROOT: Final = Path(__file__).parents[2]
EASY: Final = 0.05
"""Up to this rate a run must come to its end."""
PATIENCE: Final = {"request_timeout": 0.3, "max_retry_seconds": 30, "lookback_days": 0.01}
QUIET: Final = Kind("none")


@dataclass(frozen=True)
class Cell:
    """What came of a fault at an endpoint.

    Attributes:
        place: The name of the endpoint.
        fault: The name of the fault.
        rate: The share of requests, or of connections, that it struck.
        struck: How many that were.
        code: The exit code of the run.
        lost: Rows that it did not bring as they are at Twilio, and did not say so.
        told: Rows of files that did not come, which say why.
        lost_for_good: Rows that a quiet run after it did not bring either.
        doubled: Rows that it brought more than once.
        seconds: How long it took.
        ratio: The same in times of a run without faults.
        broken: The promises that were broken.
    """

    place: str
    fault: str
    rate: float
    struck: int
    code: int
    lost: int
    told: int
    lost_for_good: int
    doubled: int
    seconds: float
    ratio: float
    broken: tuple[str, ...] = ()


@dataclass
class Bench:
    """A simulator with the world of one endpoint, on which cells are tried one after the other.

    Attributes:
        place: The endpoint.
        sim: The simulator.
        usual: Seconds of a run without faults.
        asked: The requests of such a run.
    """

    place: Place
    sim: Simulator
    usual: float = 0.0
    asked: list[RecordedRequest] = field(default_factory=list)

    def measure(self, times: int) -> None:
        """Find out how long a run without faults takes."""
        seconds = []
        for _ in range(times):
            cell = self.try_out(QUIET, 0.0)
            assert not cell.broken, cell
            seconds.append(cell.seconds)
        self.usual = median(seconds)

    def try_out(self, kind: Kind, rate: float) -> Cell:
        """Run with a fault, then without it, and judge."""
        select, lot = self._select(kind), self._lot(kind, rate)
        faults = self._faults(kind, rate, lot)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            config = self.sim.config() | PATIENCE | dict(self.place.config)
            if self.place.has_files:
                config |= with_files(self.sim, folder)
            self.sim.reset()
            self.sim.faults.add(*faults)
            # Each request has a connection of its own where it is connections that fail.
            self.sim.keeps_alive = kind.resolver is None
            run, plan = self._run(folder, config, select, self._plan(kind, rate, lot))
            if kind is QUIET:
                self.asked = list(self.sim.requests)
            self.sim.faults.clear()
            self.sim.keeps_alive = True
            lost = self._lost(select, [run], folder)
            told = {sid for s in MEDIA for sid in _told(run.records(s))} & lost
            rerun = run_tap(config, select=select, state=run.state)
            left = self._lost(select, [run, rerun], folder)
            scan = rerun
            if left and left <= told:
                # Whoever wants a file after all that was given up asks for everything again.
                scan = run_tap(config | {"full_scan": True}, select=select, state=rerun.state)
                left = self._lost(select, [run, rerun, scan], folder)
        cell = Cell(
            self.place.name,
            kind.name,
            rate,
            sum(fault.fired for fault in faults) + plan["struck"],
            run.code,
            len(lost - told),
            len(told),
            len(left),
            sum(len(run.sids(s)) - len(set(run.sids(s))) for s in select),
            plan["seconds"],
            plan["seconds"] / self.usual if self.usual else 1.0,
        )
        broken = [*_broken(cell, kind), *self._broken_by(run, rerun, scan)]
        return replace(cell, broken=tuple(broken))

    def _select(self, kind: Kind) -> tuple[str, ...]:
        if self.place.has_files and "overrun" in kind.replies:
            # Of a file of a message nobody announces the size: it cannot be known to be short.
            return ("mcs_media",)
        return self.place.select

    def _faults(self, kind: Kind, rate: float, lot: int) -> list[Fault]:
        return kind.faults(self.place.endpoints, rate, lot, files=self.place.has_files)

    def _plan(self, kind: Kind, rate: float, lot: int) -> dict[str, Any]:
        if kind.resolver is None:
            return {}
        port = urlsplit(getattr(self.sim, f"{self.place.host}_url")).port
        return {"resolver": {"kind": kind.resolver, "port": port, "rate": rate, "lot": lot}}

    def _run(
        self, folder: Path, config: dict[str, Any], select: Collection[str], plan: dict[str, Any]
    ) -> tuple[Output, dict[str, Any]]:
        """Run the command, and return what it wrote and what it made of the plan."""
        path = folder / "plan.json"
        path.write_text(json.dumps(plan))
        run = run_command(
            folder,
            config,
            catalog=catalog_of(*select),
            environ={"PYTHONPATH": str(ROOT)},
            module=("tests.faults.child", str(path)),
            timeout=300,
        )
        return run, json.loads(path.read_text())

    def _lot(self, kind: Kind, rate: float) -> int:
        """Return a lot that strikes something, as far as that is known beforehand."""
        cell = f"{self.place.name} {kind.name} {rate}"
        for lot in count(zlib.crc32(cell.encode()), 10):
            if not self.asked or kind is QUIET:
                return lot
            if kind.resolver:
                chance = random.Random(lot)  # noqa: S311 - chance, not secrecy
                hosts = [r.host for r in self.asked]
                draws = [chance.random() for _ in range(hosts.count(self.place.host))]
                if min(draws) < rate:
                    return lot
            for fault in self._faults(kind, rate, lot):
                targets = {r.target for r in self.asked if r.endpoint == fault.endpoint}
                draws = [drawn(fault.lot or 0, target, 1) for target in targets]
                if draws and min(draws) < (fault.rate or 0):
                    return lot
        raise AssertionError

    def _lost(self, select: Collection[str], runs: list[Output], folder: Path) -> set[str]:
        """Return the sids of rows that are not as they are at Twilio, files included."""
        lost: set[str] = set()
        for stream in select:
            held = by_sid(record for run in runs for record in run.records(stream))
            rows = expected(self.sim, stream)
            if self.place.has_files:
                rows = expected_with_files(self.sim, stream)
                lost.update(sid for sid, row in held.items() if not _is_stored(row, folder))
                held = {sid: {**row} for sid, row in held.items()}
                for row in held.values():
                    del row["file_path"]
            lost.update(sid for sid in rows.keys() | held.keys() if held.get(sid) != rows.get(sid))
        return lost

    def _broken_by(self, run: Output, *quiet: Output) -> Iterator[str]:
        """Yield what is wrong with what runs said and promised."""
        errors = [line for line in run.log.splitlines() if "| ERROR " in line]
        is_told = bool(errors) and all("not complete: " in line for line in errors)
        if "Traceback" in run.log or is_told != (run.code == 1):
            yield "it did not say in a line what was wrong"
        if any(output.error for output in quiet):
            yield "a quiet run failed"
        try:
            streams = [s for s in self.place.select if s in {"messages", "message_media"}]
            assert_promises_kept([run, *quiet], self.sim.world, streams)
        except AssertionError:
            yield "a state promised what was not there"
        if self.sim.leaked_authorizations:
            yield "credentials went astray"


def _broken(cell: Cell, kind: Kind) -> Iterator[str]:
    """Yield the promises that the figures of a cell break."""
    if cell.code not in {0, 1}:
        yield f"it ended with exit code {cell.code}"
    if kind is not QUIET and not cell.struck:
        yield "nothing was struck"
    if cell.code == 0 and cell.lost:
        yield "it ended well, and rows are missing"
    if cell.lost_for_good:
        yield "quiet runs did not complete the tables"
    if cell.doubled:
        yield "rows came twice"
    if cell.rate <= EASY and (cell.code or cell.told):
        yield "it did not come to its end"


def _told(rows: Iterable[dict[str, Any]]) -> set[str]:
    return {row["sid"] for row in rows if row["file_status"] not in {None, "stored", "unavailable"}}


def _is_stored(row: dict[str, Any], folder: Path) -> bool:
    path = folder / (row["file_path"] or "")
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == row["file_sha256"]
