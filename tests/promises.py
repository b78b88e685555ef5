"""What a STATE promises, checked against everything that went out before it."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tap_twilio_media.times import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.running import Output
    from tests.simulator import World


def assert_promises_kept(
    outputs: Iterable[Output], world: World, streams: Iterable[str] = ("messages", "message_media")
) -> None:
    """Fail if a STATE claims a message, or media of one, that no output before it held.

    Args:
        outputs: The outputs of runs that followed each other.
        world: What Twilio holds; it must not have changed while the runs were read.
        streams: The streams that were selected in all of them.
    """
    sent = {
        row["sid"]: parsedate_to_datetime(row["date_sent"])
        for row in world.rows("messages")
        if row["date_sent"]
    }
    media = {
        row["sid"]: sent[row["parent_sid"]]
        for row in world.rows("message_media")
        if row["parent_sid"] in sent
    }
    promised = {"messages": sent, "message_media": media}
    held: dict[str, set[str]] = {"messages": set(), "message_media": set()}
    for output in outputs:
        for message in output.messages:
            if message["type"] == "RECORD" and message["stream"] in held:
                held[message["stream"]].add(message["record"]["sid"])
            elif message["type"] == "STATE":
                for stream in streams:
                    parts = message["value"].get("bookmarks", {}).get(stream, {})
                    for part in parts.get("partitions", []):
                        until = parsed(part["replication_key_value"])
                        due = {sid for sid, moment in promised[stream].items() if moment < until}
                        assert due <= held[stream], stream
