"""What is emitted equals what Twilio holds: field for field, nothing missing, nothing twice."""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import pytest

from tests.expecting import by_sid, expected
from tests.running import STREAMS, run_tap
from tests.simulator import Simulator, seeded_world

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.running import Output
    from tests.simulator import World

FAMILIES = {
    "all": STREAMS,
    "accounts": ("accounts",),
    "messages with media": ("messages", "message_media"),
    "messages alone": ("messages",),
    "media without messages": ("message_media",),
    "services alone": ("conversation_services",),
    "conversations alone": ("conversations",),
    "conversation messages with media": ("conversation_messages", "mcs_media"),
    "conversation messages alone": ("conversation_messages",),
    "mcs media without messages": ("mcs_media",),
}


def assert_complete(
    output: Output, sim: Simulator, streams: Iterable[str], accounts: list[str] | None = None
) -> None:
    """Compare every stream with the simulator's world."""
    assert output.streams == set(streams)
    for stream in streams:
        records = output.records(stream)
        whose = accounts or [sim.world.account_sid]
        assert by_sid(records) == expected(sim, stream, whose), stream
        assert len(records) == len(by_sid(records)), f"{stream}: rows came twice"


def api_key(world: World) -> dict[str, Any]:
    """Return settings with the API key in place of the Auth Token."""
    return {
        "auth_token": None,
        "api_key_sid": world.api_key_sid,
        "api_key_secret": world.api_key_secret,
    }


@pytest.mark.parametrize("streams", FAMILIES.values(), ids=FAMILIES.keys())
def test_each_family_alone(sim: Simulator, streams: tuple[str, ...]) -> None:
    output = run_tap(sim.config(), select=streams)
    assert output.error is None
    assert_complete(output, sim, streams)
    if "accounts" not in streams:
        assert sim.count("account") == sim.count("accounts") == 0


@pytest.mark.parametrize("page_size", [1, 7, 50, 1000])
def test_page_sizes(sim: Simulator, page_size: int) -> None:
    output = run_tap(sim.config() | {"page_size": page_size})
    assert output.error is None
    assert_complete(output, sim, STREAMS)


@pytest.mark.parametrize(("key", "subaccounts"), list(product([False, True], repeat=2)), ids=str)
def test_credentials_and_subaccounts(sim: Simulator, key: bool, subaccounts: bool) -> None:  # noqa: FBT001
    world = sim.world
    busy = next(
        a for a in world.accounts.values() if len(a.messages) > 5 and a.sid != world.account_sid
    )
    config = sim.config() | {
        "include_subaccounts": subaccounts,
        "subaccount_credentials": [
            {"account_sid": busy.sid, "auth_token": busy.auth_token},
        ],
    }
    if key:
        config |= api_key(world)
    output = run_tap(config)
    assert output.error is None
    active = [a.sid for a in world.accounts.values() if a.status == "active"]
    if not subaccounts or key:
        active = [world.account_sid]
    own = [sid for sid in active if sid in {world.account_sid, busy.sid}]
    for stream in STREAMS[1:]:
        accounts = active if stream in {"messages", "message_media"} else own
        assert by_sid(output.records(stream)) == expected(sim, stream, accounts)
    if key:
        assert not output.records("accounts")
    else:
        wanted = None if subaccounts else [world.account_sid]
        assert by_sid(output.records("accounts")) == expected(sim, "accounts", wanted)


def test_no_request_for_messages_without_media(sim: Simulator) -> None:
    run_tap(sim.config(), select=["messages", "message_media"])
    rows = sim.world.rows("messages")
    assert sim.count("media_list") == sum(row["num_media"] != "0" for row in rows)


def test_every_selection() -> None:
    """Each of the 127 selections brings just the streams that are selected, and all of them."""
    with Simulator(seeded_world(seed=3, messages=40, conversations=4)) as sim:
        whole = {stream: expected(sim, stream, [sim.world.account_sid]) for stream in STREAMS}
        for count in range(1, len(STREAMS) + 1):
            for selection in combinations(STREAMS, count):
                output = run_tap(sim.config(), select=selection)
                assert output.error is None
                assert {m["stream"] for m in output.of_type("SCHEMA")} == set(selection)
                assert output.streams == set(selection)
                for stream in selection:
                    assert by_sid(output.records(stream)) == whole[stream], selection
