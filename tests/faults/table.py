"""The matrix as Markdown."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from tests.faults.kinds import KINDS, RATES
from tests.faults.places import PLACES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.faults.cells import Cell

_SUMMED = (
    *("fault", "rate", "cells", "struck", "finished", "stopped, exit 1", "lost", "doubled"),
    *("files told as not had", "time, median", "time, worst"),
)
_SINGLE = (
    *("fault", "rate", "endpoint", "struck", "finished", "exit code", "lost"),
    *("lost after a rerun", "doubled", "time", "broken"),
)


def summed(cells: Sequence[Cell]) -> str:
    """Return a line for each fault and rate, all endpoints together."""
    lines = []
    for kind in KINDS:
        for rate in RATES:
            some = [c for c in cells if (c.fault, c.rate) == (kind.name, rate)]
            finished = [c for c in some if c.code == 0]
            lines.append(
                (
                    kind.name,
                    f"{rate:.0%}",
                    len(some),
                    sum(c.struck for c in some),
                    len(finished),
                    sum(c.code == 1 for c in some),
                    sum(c.lost for c in finished) + sum(c.lost_for_good for c in some),
                    sum(c.doubled for c in some),
                    sum(c.told for c in some),
                    f"{median(c.ratio for c in some):.1f} x",
                    f"{max(c.ratio for c in some):.1f} x",
                )
            )
    return _table(_SUMMED, lines)


def single(cells: Iterable[Cell]) -> str:
    """Return a line for each cell."""
    names = [place.name for place in PLACES]
    kinds = [kind.name for kind in KINDS]
    lines = [
        (
            cell.fault,
            f"{cell.rate:.0%}",
            cell.place,
            cell.struck,
            "no" if cell.code else "yes",
            cell.code,
            cell.lost,
            cell.lost_for_good,
            cell.doubled,
            f"{cell.ratio:.1f} x",
            "; ".join(cell.broken),
        )
        for cell in sorted(
            cells, key=lambda c: (kinds.index(c.fault), c.rate, names.index(c.place))
        )
    ]
    return _table(_SINGLE, lines)


def _table(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)
