"""The kill matrix: a pipeline broken off again and again, resumed to the end, and compared."""

from __future__ import annotations

import random
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.kills.processes import ROLES, Group
from tests.kills.warehouse import Warehouse
from tests.simulator import World, seeded_world

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.kills.pipelines import Pipeline
    from tests.kills.warehouse import Key
    from tests.kills.ways import Way
    from tests.postgres import Postgres
    from tests.simulator import Simulator

MOST_IN_A_ROW: Final = 12
"""So often at most a pipeline is broken off before it is let run to its end."""
SECONDS_TO_END: Final = 5.0
"""So long the tap may live on."""
SECONDS_OF_A_RUN: Final = 120.0
LATENCY: Final = 0.04
SETTINGS: Final = {"page_size": 30, "max_concurrency": 4, "window_days": 20, "max_retry_seconds": 2}
"""The windows are small, so that there are states in the middle."""


class BrokenOffError(AssertionError):
    """What a pipeline must do after it was broken off, it did not do."""


@dataclass
class Tally:
    """What became of a pipeline that was broken off in one way.

    Attributes:
        moments: How often it was.
        kept: How often there was a state to go on from that was not there before.
        resumed: How often it then came to an end with equal tables.
        lost: Rows that were missing or wrong at an end.
        doubled: Rows that were there twice or should not be there at all.
        ended: The seconds until the tap was gone, of each moment.
    """

    moments: int = 0
    kept: int = 0
    resumed: int = 0
    lost: set[Key] = field(default_factory=set)
    doubled: set[Key] = field(default_factory=set)
    ended: list[float] = field(default_factory=list)


def seeded() -> World:
    """Return a world that takes a few seconds to read."""
    return seeded_world(seed=5, messages=240, conversations=10)


class Matrix:
    """Breaks a pipeline off at random moments of its whole length.

    Args:
        pipeline: The pipeline.
        postgres: Where it leads.
        sim: What it reads.
        seed: Of ways and moments.
    """

    def __init__(self, pipeline: Pipeline, postgres: Postgres, sim: Simulator, seed: int) -> None:
        self.tallies: dict[Way, Tally] = {}
        self._pipeline = pipeline
        self._postgres = postgres
        self._sim = sim
        self._chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self._length = 0.0
        self._complaints: list[str] = []
        self._series = 0

    def run(self, ways: Sequence[Way], moments: int, most_in_a_row: int = MOST_IN_A_ROW) -> None:
        """Break off so often, in every way about as often as in any other.

        Raises:
            BrokenOffError: A tap lived on, a state was not true, or tables were not equal.
        """
        self._sim.latency = LATENCY
        self._finish(())  # tells how long a whole run takes
        order = [ways[number % len(ways)] for number in range(moments)]
        self._chance.shuffle(order)
        waiting = deque(order)
        while waiting:
            self._go_through(waiting, self._chance.randint(1, most_in_a_row))
        if self._complaints:
            raise BrokenOffError("\n".join(self._complaints))

    def _go_through(self, waiting: deque[Way], most: int) -> None:
        """Break one pipeline off up to so often, and let it then come to its end."""
        broken: list[Way] = []
        has_ended = False
        while waiting and len(broken) < most and not has_ended:
            has_ended = not self._break_off(waiting[0])
            if not has_ended:
                broken.append(waiting.popleft())
        self._finish(broken, has_ended=has_ended)

    @property
    def _schema(self) -> str:
        return f"series_{self._series}"

    def _warehouse(self) -> Warehouse:
        return Warehouse(self._postgres, self._sim, self._schema)

    def _break_off(self, way: Way) -> bool:
        """Start the pipeline and break it off; return whether it did not come to its end."""
        tally = self.tallies.setdefault(way, Tally())
        before = self._pipeline.states(self._schema)
        moment = self._chance.random() * self._length
        with self._pipeline.started(self._schema) as leader:
            group = Group(leader)
            due = time.monotonic() + moment
            while time.monotonic() < due and not group.has_ended:
                time.sleep(0.005)
            victims = group.wait_for(way.victims)
            for victim in victims:
                way.act(victim)
            seconds = group.wait_without(["tap"], SECONDS_OF_A_RUN)
            group.wait_without(ROLES, SECONDS_OF_A_RUN)
            code = group.wait(SECONDS_TO_END)
        when = f"{self._schema}, {way.name} at {moment:.2f} s"
        if code is None:
            self._complaints.append(f"{when}: it never ended")
        states = self._pipeline.states(self._schema)
        for state in states:
            if broken := self._warehouse().broken_promises(state):
                self._complaints.append(f"{when}: promised and not there: {broken}")
        if code == 0:
            return False
        tally.moments += 1
        tally.kept += states != before
        if way.is_deadly:
            tally.ended.append(seconds)
            if seconds > SECONDS_TO_END:
                self._complaints.append(f"{when}: the tap lived on for {seconds:.1f} s")
        return True

    def _finish(self, broken: Sequence[Way], *, has_ended: bool = False) -> None:
        """Let the pipeline run to its end, and compare; the next one has a new schema."""
        code: int | None = 0
        if not has_ended:
            with self._pipeline.started(self._schema) as leader:
                group = Group(leader)
                seconds = group.wait_without(["runner"], SECONDS_OF_A_RUN)
                code = group.wait(SECONDS_TO_END)
            self._length = self._length or seconds
        difference = self._warehouse().difference()
        for way in broken:
            tally = self.tallies[way]
            tally.resumed += not difference and code == 0
            tally.lost |= difference.lost
            tally.doubled |= difference.doubled | difference.foreign
        if code != 0 or difference:
            ways = ", ".join(way.name for way in broken)
            when = f"{self._schema}, after {ways}"
            self._complaints.append(f"{when}: exit code {code}, {difference}")
        self._postgres.query(f"drop schema if exists {self._schema} cascade")
        self._series += 1


def table(tallies: dict[Way, Tally], order: Iterable[Way]) -> str:
    """Return the tallies in Markdown."""
    lines = [
        "| broken off by | moments | state kept | resumed | lost | doubled | tap ended within |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    rows = [(way.name, tallies[way]) for way in order if way in tallies]
    for name, tally in rows:
        seconds = f"{max(tally.ended):.1f} s" if tally.ended else "–"  # noqa: RUF001
        counts = (tally.moments, tally.kept, tally.resumed, len(tally.lost), len(tally.doubled))
        lines.append(f"| {name} | {' | '.join(map(str, counts))} | {seconds} |")
    return "\n".join(lines)
