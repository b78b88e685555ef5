"""Wall time against the raw floor, and requests against the fewest possible."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.figures import Figure
from benchmarks.tap import ALL, CONVERSATIONS, MESSAGES, Run, start_up
from benchmarks.twilio import Twilio

if TYPE_CHECKING:
    from benchmarks.twilio import Taken

LATENCY = 0.05
CONCURRENCY = 20
Targets = tuple[float | None, float | None, float | None]


def backfill(*, quick: bool) -> list[Figure]:
    """Read messages of which one in five has media, then again what the lookback covers."""
    count = 5_000 if quick else 20_000
    counts = {"messages": count, "message_media": count // 5}
    with Twilio(messages=count, mms=count // 5, latency=LATENCY) as twilio:
        return _twice(twilio, MESSAGES, counts, (1.3, 15, 1.05))


def conversations(*, quick: bool) -> list[Figure]:
    """Read conversations of 40 messages on average, one in five with a file, then again."""
    count = 20 if quick else 50
    counts = {"conversation_services": 1, "conversations": count}
    counts |= {"conversation_messages": 40 * count, "mcs_media": 8 * count}
    with Twilio(conversations=count, files=8 * count, latency=LATENCY) as twilio:
        return _twice(twilio, CONVERSATIONS, counts, (1.3, None, None), rounds=5)


def sparse(*, quick: bool) -> list[Figure]:  # noqa: ARG001 - always quick
    """Read an account with few messages and a long history, twice."""
    asked = []
    with Twilio(messages=30, days=399) as twilio:
        first = Run(twilio, MESSAGES)
        first.expect(messages=30)
        asked.append(twilio.taken().endpoints["messages"])
        Run(twilio, MESSAGES, state=first.state)
        asked.append(twilio.taken().endpoints["messages"])
    return [
        Figure(f"{name} run: requests for messages", count, "", most=3, form="{:.0f}")
        for name, count in zip(("first", "second"), asked, strict=True)
    ]


def _twice(
    twilio: Twilio,
    select: tuple[str, ...],
    counts: dict[str, int],
    targets: Targets,
    rounds: int = 1,
) -> list[Figure]:
    """Compare a first and a second run with their floors, so many times in turn."""
    figures: list[Figure] = []
    state: dict[str, Any] = {}
    start = start_up(select).wall
    for name, wanted in (("first run", targets), ("second run", (None, None, None))):
        walls, floors = [], []
        for _ in range(rounds):
            run = Run(twilio, select, state=state, keep=ALL, max_concurrency=CONCURRENCY)
            taken = twilio.taken()
            walls.append(run.cost.wall)
            floors.append(twilio.fetch(taken.requests, CONCURRENCY)[0])
        if not state:
            run.expect(**counts)
        state = run.state
        single = twilio.one_at_a_time(taken.requests)
        medians = median(walls), start, median(floors), single
        figures += _compared(name, medians, taken, run.fewest(), wanted)
    return figures


def _compared(
    name: str,
    seconds: tuple[float, float, float, float],
    taken: Taken,
    fewest: int,
    targets: Targets,
) -> list[Figure]:
    wall, start, floor, single = seconds
    count = len(taken.requests)
    beside, alone = f"{wall:.2f} s, floor {floor:.2f} s", f"{single:.1f} s, scaled from a sample"
    kinds = ", ".join(f"{number} {kind}" for kind, number in taken.endpoints.items())
    asked = f"{count} ({kinds}), fewest {fewest}"
    most, least, most_requests = targets
    return [
        Figure(f"{name}: wall / raw floor", wall / floor, beside, most=most),
        Figure("  without start-up", (wall - start) / floor, f"{start:.1f} s less"),
        Figure("  one at a time / wall", single / wall, alone, least=least),
        Figure("  requests / fewest possible", count / fewest, asked, most=most_requests),
    ]
