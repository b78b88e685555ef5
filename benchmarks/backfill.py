"""Wall time against the raw floor, and requests against the fewest possible."""

from __future__ import annotations

from benchmarks.figures import Figure
from benchmarks.tap import ALL, CONVERSATIONS, MESSAGES, Run, start_up
from benchmarks.twilio import Twilio

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
        return _twice(twilio, CONVERSATIONS, counts, (1.3, None, None))


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
    twilio: Twilio, select: tuple[str, ...], counts: dict[str, int], targets: Targets
) -> list[Figure]:
    start = start_up(select).wall
    first = Run(twilio, select, keep=ALL, max_concurrency=CONCURRENCY)
    first.expect(**counts)
    figures = _compared("first run", twilio, first, start, targets)
    again = Run(twilio, select, state=first.state, keep=ALL, max_concurrency=CONCURRENCY)
    return figures + _compared("second run", twilio, again, start, (None, None, None))


def _compared(name: str, twilio: Twilio, run: Run, start: float, targets: Targets) -> list[Figure]:
    taken, wall, fewest = twilio.taken(), run.cost.wall, run.fewest()
    count = len(taken.requests)
    floor, single = (
        twilio.fetch(taken.requests, CONCURRENCY)[0],
        twilio.one_at_a_time(taken.requests),
    )
    walls, alone = f"{wall:.1f} s, floor {floor:.1f} s", f"{single:.1f} s, scaled from a sample"
    kinds = ", ".join(f"{number} {kind}" for kind, number in taken.endpoints.items())
    asked = f"{count} ({kinds}), fewest {fewest}"
    most, least, most_requests = targets
    return [
        Figure(f"{name}: wall / raw floor", wall / floor, walls, most=most),
        Figure("  without start-up", (wall - start) / floor, f"{start:.1f} s less"),
        Figure("  one at a time / wall", single / wall, alone, least=least),
        Figure("  requests / fewest possible", count / fewest, asked, most=most_requests),
    ]
