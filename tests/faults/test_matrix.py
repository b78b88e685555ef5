"""Whatever goes wrong with requests: nothing is lost or comes twice, and the state is true."""

from __future__ import annotations

import pytest

from tests.faults.cells import Bench
from tests.faults.kinds import KINDS, RATES
from tests.faults.matrix import cells
from tests.faults.places import PLACES, Place
from tests.simulator import Simulator

SHORT = {
    "accounts": ("500",),
    "messages": ("bad JSON", "wrong Content-Length"),
    "media list": ("429", "connection refused"),
    "services": ("reset",),
    "conversations": ("503", "401 now and then"),
    "conversation messages": ("hang",),
    "MCS": ("slow drip",),
    "binary": ("truncated", "DNS failure"),
}
"""Every endpoint, and every fault, once."""


def test_the_short_form_leaves_no_fault_and_no_endpoint_out() -> None:
    assert set(SHORT) == {place.name for place in PLACES}
    assert {name for names in SHORT.values() for name in names} == {kind.name for kind in KINDS}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_one_in_five_goes_wrong(place: Place) -> None:
    with Simulator(place.world(40)) as sim:
        bench = Bench(place, sim)
        for kind in KINDS:
            if kind.name in SHORT[place.name]:
                assert not bench.try_out(kind, 0.2).broken


@pytest.mark.long
def test_the_whole_matrix() -> None:
    found = [cell for some in cells() for cell in some]
    assert len(found) == len(KINDS) * len(RATES) * len(PLACES)
    assert not [cell for cell in found if cell.broken]
