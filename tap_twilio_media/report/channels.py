"""What the marts call channels, directions and statuses, in the order and the words of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tap_twilio_media.report.colours import Colour

_OTHER: Colour = "grey"
_CHANNELS: dict[str, tuple[str, Colour]] = {
    "sms": ("SMS", "yellow"),
    "mms": ("MMS", "blue"),
    "whatsapp": ("WhatsApp", "green"),
    "rcs": ("RCS", "pink"),
    "chat": ("Chat", "orange"),
    "other": ("Other", _OTHER),
}
_ORDER = list(_CHANNELS)

Outcome = Literal["received", "delivered", "under way", "canceled", "failed", "unknown"]

OUTCOMES: dict[Outcome, Colour] = {
    "received": "blue",
    "delivered": "green",
    "under way": "yellow",
    "canceled": "grey",
    "failed": "orange",
    "unknown": "pink",
}
"""What becomes of messages, best first."""
_OUTCOME_OF: dict[str, Outcome] = {
    "received": "received",
    **dict.fromkeys(("delivered", "partially_delivered", "read"), "delivered"),
    **dict.fromkeys(
        ("accepted", "queued", "receiving", "scheduled", "sending", "sent"), "under way"
    ),
    "canceled": "canceled",
    **dict.fromkeys(("failed", "undelivered"), "failed"),
}


def rank_of_channel(channel: str) -> tuple[int, str]:
    """Return what channels are ordered by; those that we do not know come last."""
    return (_ORDER.index(channel) if channel in _CHANNELS else len(_ORDER), channel)


def name_of_channel(channel: str) -> str:
    """Return a channel as it is written."""
    return _CHANNELS.get(channel, (channel, _OTHER))[0]


def colour_of_channel(channel: str) -> Colour:
    """Return a channel's colour."""
    return _CHANNELS.get(channel, (channel, _OTHER))[1]


def name_of_way(channel: str, direction: str) -> str:
    """Return a channel and a direction in words; the three kinds of outbound messages are one."""
    end = {"inbound": " in", "unknown": ""}.get(direction, " out")
    return name_of_channel(channel) + end


def outcome_of(status: str) -> Outcome:
    """Return what a status means for a message."""
    return _OUTCOME_OF.get(status, "unknown")
