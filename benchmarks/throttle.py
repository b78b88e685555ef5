"""A ceiling that nobody told the tap."""

from __future__ import annotations

from benchmarks.backfill import LATENCY
from benchmarks.figures import Figure
from benchmarks.tap import ALL, MESSAGES, Run
from benchmarks.twilio import Twilio


def throttle(*, quick: bool) -> list[Figure]:
    """Read with 50 at once allowed where only 8 get an answer, and with 8 where all do."""
    count = 5_000 if quick else 20_000
    runs = []
    for ceiling, allowed in (({"ceiling": 8}, 50), ({}, 8)):
        with Twilio(messages=count, mms=count // 5, latency=LATENCY, **ceiling) as twilio:
            run = Run(twilio, MESSAGES, keep=ALL, max_concurrency=allowed)
            run.expect(messages=count, message_media=count // 5)  # nothing is lost
            runs.append((run.cost.wall, twilio.taken()))
    (wall, taken), (fixed, _) = runs
    asked, note = len(taken.requests), f"{taken.refused} of {len(taken.requests)}, no record lost"
    walls = f"{wall:.1f} s, fixed {fixed:.1f} s"
    return [
        Figure("requests answered 429", taken.refused / asked, note, most=0.02, form="{:.1%}"),
        Figure("wall / wall at a fixed 8", wall / fixed, walls, most=1.3),
    ]
