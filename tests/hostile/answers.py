"""Answers of the simulator, changed on their way out, and what a run made of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tests.running import STREAMS
from tests.simulator import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.running import Output
    from tests.simulator.replies import Reply

LISTS: Final = {
    "accounts": "accounts",
    "messages": "messages",
    "media_list": "media_list",
    "services": "services",
    "conversations": "conversations",
    "conversation_messages": "messages",
}
"""Endpoints that list rows, and the name of the list."""

IDENTITY: Final = frozenset({"sid", "account_sid", "parent_sid"})
"""What says which row it is, and whose."""


def changing(endpoint: str, change: Callable[[Any], object], **kwargs: Any) -> Fault:
    """Return a fault that changes the JSON of each answer of an endpoint."""

    def apply(reply: Reply) -> None:
        if reply.status == 200:
            body = json.loads(reply.body)
            change(body)
            reply.body = json.dumps(body).encode()

    return Fault("change", endpoint, change=apply, **{"times": None, **kwargs})


def in_one_row(
    value: object, raw: bytes | None = None, fields: Iterable[str] = (), most: int = 1
) -> list[Fault]:
    """Return faults that put a value into the fields of a row of each list, and of a file of MCS.

    Args:
        value: The value; with `raw` it has to occur nowhere else.
        raw: What is sent in its place, JSON or not.
        fields: Into these alone; by default into all but those of `IDENTITY`.
        most: In so many answers of each endpoint.
    """

    def spoil(row: dict[str, Any]) -> None:
        for name in tuple(fields) or row.keys() - IDENTITY:
            row[name] = value

    def apply(key: str | None) -> Callable[[Reply], None]:
        left = most

        def change(reply: Reply) -> None:
            nonlocal left
            body = json.loads(reply.body)
            rows = [body] if key is None else body.get(key, [])[:1]
            if not (left and rows and reply.status == 200):
                return
            left -= 1
            spoil(rows[0])
            reply.body = json.dumps(body).encode()
            if raw is not None:
                reply.body = reply.body.replace(json.dumps(value).encode(), raw)

        return change

    endpoints: Mapping[str, str | None] = {**LISTS, "mcs_media": None}
    return [
        Fault("change", endpoint, change=apply(key), times=None)
        for endpoint, key in endpoints.items()
    ]


def assert_others_arrived(before: Output, output: Output) -> int:
    """Fail if a row did not arrive, or more than those few that were spoiled are not as before.

    Returns:
        How many are not.
    """
    spoiled = 0
    for stream in STREAMS:
        expected = {record["sid"]: record for record in before.records(stream)}
        arrived = {record["sid"]: record for record in output.records(stream)}
        # A message that no longer names its files says nothing of them.
        missing = expected.keys() - arrived.keys()
        assert len(missing) <= (5 if stream in {"message_media", "mcs_media"} else 0), stream
        assert arrived.keys() <= expected.keys(), stream
        others = [sid for sid in arrived if arrived[sid] != expected[sid]]
        assert len(others) <= 1, stream
        spoiled += len(others)
    return spoiled
