"""All cells of the matrix, two endpoints at a time, each in a process of its own."""

from __future__ import annotations

import logging
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from tests.faults.cells import Bench
from tests.faults.kinds import KINDS, RATES
from tests.faults.places import PLACES
from tests.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.cells import Cell

SIZE: Final = 200
"""About so many requests to the endpoint."""
LATENCY: Final = 0.01
MEASURED: Final = 3
"""Runs without faults, of which the median counts."""


def cells() -> Iterator[list[Cell]]:
    """Yield the cells of an endpoint when they are done."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for done in as_completed(pool.submit(cells_of, place.name) for place in PLACES):
            yield done.result()


def cells_of(name: str) -> list[Cell]:
    """Return the cells of an endpoint."""
    logging.disable(logging.CRITICAL)
    (place,) = (place for place in PLACES if place.name == name)
    with Simulator(place.world(SIZE), latency=LATENCY) as sim:
        bench = Bench(place, sim)
        bench.measure(MEASURED)
        return [bench.try_out(kind, rate) for kind in KINDS for rate in RATES]
