"""Which file is meant, and whether its identifiers are ones that Twilio could have given."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tap_twilio_media.times import rewritten

if TYPE_CHECKING:
    from collections.abc import Mapping

Stream = Literal["message_media", "mcs_media"]

_PREFIXES = {
    "sid": "ME",
    "account_sid": "AC",
    "message_sid": "MM|SM|IM",
    "conversation_sid": "CH",
    "chat_service_sid": "IS",
}
_PATTERNS = {name: re.compile(f"({p})[0-9a-fA-F]{{32}}") for name, p in _PREFIXES.items()}
_NEEDED = {
    "message_media": ("sid", "account_sid", "message_sid"),
    "mcs_media": ("sid", "account_sid", "chat_service_sid"),
}
_SHOWN = 64
"""So many characters are kept of an identifier that is none."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A file at Twilio, as a record of its stream names it.

    Attributes:
        stream: "message_media", or "mcs_media" for a file of a conversation.
        sid: ME...
        account_sid: AC...
        message_sid: MM... or SM..., of a conversation IM...
        conversation_sid: CH... of a conversation's file, if known.
        chat_service_sid: IS... of a conversation's file.
        content_type: The type announced, perhaps with parameters.
        size: Bytes, which only MCS announces.
        date_created: ISO 8601.
        filename: What the sender called it: data, and never part of a path.
    """

    stream: str
    sid: str
    account_sid: str
    message_sid: str | None = None
    conversation_sid: str | None = None
    chat_service_sid: str | None = None
    content_type: str | None = None
    size: int | None = None
    date_created: str | None = None
    filename: str | None = None

    @classmethod
    def of(cls, stream: str, record: Mapping[str, Any]) -> Reference:
        """Return the reference of a record, whatever the record holds; see `problem`."""
        size = record.get("size")
        service = record.get("chat_service_sid") or record.get("service_sid")
        is_mcs = stream == "mcs_media"
        return cls(
            stream=stream,
            sid=_text(record.get("sid")) or "",
            account_sid=_text(record.get("account_sid")) or "",
            message_sid=_text(record.get("message_sid")),
            conversation_sid=_text(record.get("conversation_sid")) if is_mcs else None,
            chat_service_sid=_text(service) if is_mcs else None,
            content_type=_text(record.get("content_type")),
            size=size if type(size) is int and size >= 0 else None,
            date_created=_moment(record.get("date_created")),
            filename=_text(record.get("filename")),
        )

    def problem(self) -> str | None:
        """Return why the file cannot be asked for, or None. What was wrong is not in the text."""
        if self.stream not in _NEEDED:
            return "no stream of files"
        for name in _NEEDED[self.stream]:
            if not getattr(self, name):
                return f"{name} is missing"
        for name, pattern in _PATTERNS.items():
            value = getattr(self, name)
            if value is not None and not pattern.fullmatch(value):
                return f"{name} is no Twilio sid"
        conversational = self.message_sid is not None and self.message_sid.startswith("IM")
        if self.message_sid and conversational != (self.stream == "mcs_media"):
            return "message_sid is that of another stream"
        return None

    def checked(self, name: str) -> str | None:
        """Return an identifier if it is one, else None."""
        value: str | None = getattr(self, name)
        return value if value and _PATTERNS[name].fullmatch(value) else None

    def shown(self, name: str) -> str | None:
        """Return an identifier, cut if it is none: it may be of any length."""
        value: str | None = getattr(self, name)
        return value if value is None else value[:_SHOWN]


def _moment(value: object) -> str | None:
    """Return a time in the one form that manifests have, or None for what is no time."""
    try:
        return rewritten(value, "seconds") if isinstance(value, str) and value else None
    except ValueError:
        return None


def _text(value: object) -> str | None:
    """Return a text; of another value what stands for it, which is then no valid identifier."""
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else repr(value)[:_SHOWN]
    # Halves of characters can be neither written nor compared.
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
