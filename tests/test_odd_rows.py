"""Rows that are not what Twilio says they are: what can be delivered is, the rest is named."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.running import STREAMS, run_tap
from tests.simulator import Simulator, seeded_world

if TYPE_CHECKING:
    from tests.simulator import World

LISTED = ("messages", "conversations", "conversation_messages")
ODD: list[Any] = [
    None,
    0,
    -1,
    2.5,
    True,
    "",
    "nonsense",
    "../../Accounts",
    "x" * 300,
    "\x00\u2028",
    "Thu, 99 Foo 2026 00:00:00 +0000",
    "2026-13-45T99:99:99Z",
    [],
    [None, 5, "x", {"sid": 5}, {}],
    {},
    {"sid": {"sid": []}, "date_closed": 5},
]
VALUES = st.sampled_from(ODD) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)


def changed(world: World, stream: str, changes: dict[int, tuple[int, Any]]) -> set[str]:
    """Serve rows of a stream with one field changed in each; return their sids."""
    rows = world.rows(stream)
    sids = set()
    for place, (field, value) in changes.items():
        row = rows[place % len(rows)]
        name = sorted(set(row) - {"sid", "account_sid"})[field % (len(row) - 2)]
        world.replace_row(row["sid"], row | {name: value})
        sids.add(row["sid"])
    return sids


@given(
    st.sampled_from(LISTED),
    st.dictionaries(
        st.integers(0, 500), st.tuples(st.integers(0, 60), VALUES), min_size=5, max_size=30
    ),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_a_field_holds_every_row_arrives(
    stream: str, changes: dict[int, tuple[int, Any]]
) -> None:
    world = seeded_world(seed=7, messages=80, conversations=5)
    with Simulator(world) as sim:
        before = run_tap(sim.config())
        sids = changed(world, stream, changes)
        output = run_tap(sim.config() | {"page_size": 20})
    assert output.error is None
    for name in STREAMS:
        expected = {row["sid"]: row for row in before.records(name)}
        arrived = {row["sid"]: row for row in output.records(name)}
        # A message that no longer names its files says nothing of them.
        if name in {"message_media", "mcs_media"}:
            assert arrived.keys() <= expected.keys()
            continue
        assert arrived.keys() == expected.keys(), name
        for sid in expected.keys() - sids:
            assert arrived[sid] == expected[sid]


FIELDS = {"messages": "price", "conversations": "date_updated", "conversation_messages": "index"}


@pytest.mark.parametrize("stream", LISTED)
def test_what_is_left_out_is_named_and_strict_ends_the_stream(
    sim: Simulator, caplog: pytest.LogCaptureFixture, stream: str
) -> None:
    row = sim.world.rows(stream)[3]
    sim.world.replace_row(row["sid"], row | {FIELDS[stream]: {"a": "secret text"}})
    output = run_tap(sim.config())
    assert output.error is None
    (record,) = (r for r in output.records(stream) if r["sid"] == row["sid"])
    assert record[FIELDS[stream]] is None
    told = f"{stream}: {FIELDS[stream]} is not of the type expected, left null: 1 ({row['sid']})"
    assert told in caplog.messages
    assert "secret text" not in caplog.text
    strict = run_tap(sim.config() | {"strict": True})
    assert f"{stream} {row['sid']}: {FIELDS[stream]} is not of the type expected" in str(
        strict.error
    )
    assert "secret text" not in str(strict.error)


@pytest.mark.parametrize("sid", [None, 5, "", [], {}, "absent"])
@pytest.mark.parametrize("stream", LISTED)
def test_a_row_without_a_key_is_told_and_stops_no_other(
    sim: Simulator, caplog: pytest.LogCaptureFixture, stream: str, sid: object
) -> None:
    rows = sim.world.rows(stream)
    odd = rows[3] | {"sid": sid}
    if sid == "absent":
        del odd["sid"]
    sim.world.replace_row(rows[3]["sid"], odd)
    output = run_tap(sim.config())
    assert output.error is None
    assert set(output.sids(stream)) == {row["sid"] for row in rows} - {rows[3]["sid"]}
    assert "1 rows without a sid, left out" in caplog.text


@pytest.mark.parametrize("sid", ["../../../Accounts", "x/y?z#", "\x00", "x" * 300, ".", ".."])
@pytest.mark.parametrize("stream", LISTED)
def test_a_key_that_is_no_sid_leads_to_no_other_address(
    sim: Simulator, stream: str, sid: str
) -> None:
    rows = sim.world.rows(stream)
    row = next((row for row in rows if row.get("num_media", "0") not in {"0", None}), rows[0])
    sim.world.replace_row(row["sid"], row | {"sid": sid})
    output = run_tap(sim.config())
    assert sid in output.sids(stream)
    assert {row["sid"] for row in rows} - {row["sid"]} <= set(output.sids(stream))
    asked = Counter(request.endpoint for request in sim.requests)
    sim.reset()
    sim.world.forget_row(row["sid"])
    run_tap(sim.config())
    usual = Counter(request.endpoint for request in sim.requests)
    del asked["unknown"]
    assert asked <= usual, "nothing else was asked for"
