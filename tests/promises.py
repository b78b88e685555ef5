"""What a STATE promises, checked against everything that went out before it."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tap_twilio_media.times import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

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


def assert_files_promises_kept(
    outputs: Iterable[Output], world: World, account_sid: str | None = None
) -> None:
    """Fail if a STATE says of files that they are complete and one of them is not settled.

    Settled is a file of which a record before that STATE tells a lasting status. The settings of
    the downloads must have been the same in all runs.

    Args:
        outputs: The outputs of runs that followed each other.
        world: What Twilio holds; it may have grown while the runs were read.
        account_sid: Whose; by default the main account's.
    """
    due = {s: _files_of(world, s, account_sid) for s in ("message_media", "mcs_media")}
    settled: set[str] = set()
    for output in outputs:
        for message in output.messages:
            if message["type"] == "RECORD" and message["stream"] in due:
                if message["record"]["file_status"] not in {None, "unavailable"}:
                    settled.add(message["record"]["sid"])
            elif message["type"] == "STATE":
                for stream, files in due.items():
                    parts = message["value"].get("bookmarks", {}).get(stream, {})
                    for part in parts.get("partitions", []):
                        promised = {sid for sid, file in files.items() if file.is_promised(part)}
                        assert promised <= settled, (stream, part)


@dataclass(frozen=True)
class _File:
    """A file, when it was sent, and when its conversation was created and by which service."""

    sent: datetime
    context: dict[str, str]
    began: datetime | None = None

    def is_promised(self, part: dict[str, Any]) -> bool:
        """Return whether a partition of a state says that the file is settled."""
        if not self.context.items() <= part["context"].items():
            return False
        for name, value in part.items():
            if not name.startswith("files_"):
                continue
            if name.endswith("_read_back_to"):
                if self.began and self.began > parsed(value):
                    return True
            elif name.count("_") == 1 and self.sent < parsed(value):
                return True
        return False


def _files_of(world: World, stream: str, account_sid: str | None) -> dict[str, _File]:
    if stream == "message_media":
        messages = world.account(account_sid).messages.values()
        return {
            file.sid: _File(message.date_sent, {"account_sid": message.account_sid})
            for message in messages
            for file in message.media
            if message.date_sent
        }
    files = {}
    for service in world.account(account_sid).services.values():
        for talk in service.conversations.values():
            for said in talk.messages.values():
                for file in said.media:
                    if file.sid in world.mcs_media:
                        moment = max(filter(None, (said.date_created, said.date_updated)))
                        context = {"chat_service_sid": service.sid}
                        files[file.sid] = _File(moment, context, talk.date_created)
    return files
