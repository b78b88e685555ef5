"""What the report tells: rows as they come from the marts, and all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import datetime as dt
    from decimal import Decimal

    from tap_twilio_media.report.periods import Period


class Media(NamedTuple):
    """The media of a day and a channel."""

    day: dt.date
    channel: str
    media: int


class Family(NamedTuple):
    """The media of a content family: how many, of how many of them the size is known, and bytes."""

    family: str
    media: int
    sized: int
    bytes: int


class Sender(NamedTuple):
    """What one sender sent; `sender` is None for all those that are not told."""

    sender: str | None
    media: int
    sized: int
    bytes: int


class Delivery(NamedTuple):
    """The messages of a direction, a channel and a status."""

    direction: str
    channel: str
    status: str
    messages: int


class Failure(NamedTuple):
    """The messages of an error code and a status."""

    error_code: int
    status: str
    messages: int


class Cost(NamedTuple):
    """What the messages of a direction and a channel cost in one unit, None if not priced yet."""

    direction: str
    channel: str
    unit: str | None
    messages: int
    segments: int
    cost: Decimal | None


class Stored(NamedTuple):
    """What all media up to a day come to, and how many of them are downloaded."""

    day: dt.date
    media: int
    bytes: int
    stored: int
    stored_bytes: int


class Expiring(NamedTuple):
    """What Twilio drops on a day while no copy exists; no estimate where no size is known."""

    day: dt.date
    media: int
    bytes: int
    estimate: int | None


class Duplicates(NamedTuple):
    """Files stored more than once: how many different ones, copies of them, bytes to be saved."""

    files: int
    copies: int
    bytes: int


class Said(NamedTuple):
    """All that the report tells.

    Attributes:
        stretch: The days that the figures are of; None if the marts know of no day at all.
        today: What counts as today, for what expires; None if there are no media.
        accounts: How many accounts there are figures of, whenever.
    """

    stretch: Period | None
    today: dt.date | None
    accounts: int
    media: list[Media]
    families: list[Family]
    senders: list[Sender]
    all_senders: int
    deliveries: list[Delivery]
    failures: list[Failure]
    costs: list[Cost]
    growth: list[Stored]
    expiring: list[Expiring]
    duplicates: Duplicates
