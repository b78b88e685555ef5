"""Running the tap, and what came out of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from singer_sdk.singerlib.encoding.simple import SimpleSingerWriter
from typing_extensions import override

from tap_twilio_media.errors import TapError
from tap_twilio_media.tap import TapTwilioMedia

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from singer_sdk.singerlib.messages import Message

STREAMS = (
    "accounts",
    "messages",
    "message_media",
    "conversation_services",
    "conversations",
    "conversation_messages",
    "mcs_media",
)
INCREMENTAL = ("messages", "message_media", "conversation_messages", "mcs_media")


@dataclass
class Output:
    """The messages that a run wrote.

    Attributes:
        messages: All of them, decoded, decimals exact.
        code: The exit code.
        text: The messages as they were written.
        log: What went to stderr, of a run in its own process.
        error: What the run ended with, of a run in this process.
    """

    messages: list[dict[str, Any]] = field(default_factory=list)
    code: int = 0
    text: str = ""
    log: str = ""
    error: TapError | None = None

    @classmethod
    def of(cls, text: str, **kwargs: Any) -> Output:
        """Return the output that a text holds."""
        # Not splitlines: a text may hold U+2028 and its like, which end no line of JSON.
        lines = [json.loads(line, parse_float=Decimal) for line in text.split("\n") if line]
        return cls(lines, text=text, **kwargs)

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of one type."""
        return [message for message in self.messages if message["type"] == kind]

    def records(self, stream: str) -> list[dict[str, Any]]:
        """Return the records of a stream, in order."""
        return [m["record"] for m in self.of_type("RECORD") if m["stream"] == stream]

    def sids(self, stream: str) -> list[str]:
        """Return the keys of the records of a stream, in order."""
        return [record["sid"] for record in self.records(stream)]

    @property
    def state(self) -> dict[str, Any]:
        """The last state."""
        states = self.of_type("STATE")
        value: dict[str, Any] = states[-1]["value"] if states else {}
        return value

    @property
    def streams(self) -> set[str]:
        """The streams that had records."""
        return {message["stream"] for message in self.of_type("RECORD")}

    def bookmark(self, stream: str, **context: str) -> str | None:
        """Return the bookmark of a stream, in the only partition or the one of a context."""
        partitions = self.state.get("bookmarks", {}).get(stream, {}).get("partitions", [])
        values = [
            part.get("replication_key_value")
            for part in partitions
            if context.items() <= part["context"].items()
        ]
        assert len(values) <= 1
        return values[0] if values else None


class _Collector(SimpleSingerWriter):
    """Keeps the lines that would go to stdout."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    @override
    def write_message(self, message: Message) -> None:
        self.lines.append(self.format_message(message))


def catalog_of(*selected: str) -> dict[str, Any]:
    """Return the tap's catalog with just these streams selected."""
    catalog: dict[str, Any] = json.loads(TapTwilioMedia(validate_config=False).catalog_json_text)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            if not entry["breadcrumb"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in selected
    return catalog


def run_tap(
    config: Mapping[str, Any],
    select: Collection[str] = STREAMS,
    state: Mapping[str, Any] | None = None,
    catalog: dict[str, Any] | None = None,
) -> Output:
    """Run the tap in this process."""
    collector = _Collector()
    tap = TapTwilioMedia(
        config=dict(config),
        catalog=catalog or catalog_of(*select),
        state=json.loads(json.dumps(state or {})),
        message_writer=collector,
    )
    error = None
    try:
        tap.sync_all()
    except TapError as caught:
        error = caught
    return Output.of("\n".join(collector.lines), code=1 if error else 0, error=error)


def run_command(  # noqa: PLR0913 - what a command line takes
    folder: Path,
    config: Mapping[str, Any] | None = None,
    *arguments: str,
    state: Mapping[str, Any] | None = None,
    catalog: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    timeout: float = 60,
    module: Sequence[str] = ("tap_twilio_media",),
) -> Output:
    """Run the tap's command in a process of its own, in a folder for its files.

    Args:
        folder: For the files.
        config: The settings.
        arguments: What else the command takes.
        state: The state to start from.
        catalog: What is selected.
        environ: More of the environment.
        timeout: Seconds.
        module: The module that is the command, and what it takes before all else.
    """
    command = [sys.executable, "-m", *module, *arguments]
    for option, content in (("config", config), ("state", state), ("catalog", catalog)):
        if content is not None:
            path = folder / f"{option}.json"
            path.write_text(json.dumps(content))
            command += [f"--{option}", str(path)]
    done = subprocess.run(
        command,
        cwd=folder,
        env=clean_environ() | dict(environ or {}),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if "--discover" in arguments or "--about" in arguments:
        return Output([json.loads(done.stdout)], code=done.returncode, log=done.stderr)
    return Output.of(done.stdout, code=done.returncode, log=done.stderr)


def clean_environ() -> dict[str, str]:
    """Return the environment without settings of the tap that a developer may have."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TWILIO_", "TAP_TWILIO_MEDIA_", "TARGET_TWILIO_MEDIA_"))
    }
