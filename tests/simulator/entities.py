"""What Twilio holds: accounts, messages, conversations and their media, as plain slotted records.

Change them through the methods of `World`, which keep the order of lists and the cached JSON true.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import datetime as dt


@dataclasses.dataclass(slots=True)
class Media:
    """A file attached to a programmable message."""

    sid: str
    message_sid: str
    content_type: str
    size: int
    date_created: dt.datetime


@dataclasses.dataclass(slots=True)
class Message:
    """An SMS, MMS or channel message."""

    sid: str
    account_sid: str
    date_created: dt.datetime
    date_sent: dt.datetime | None
    date_updated: dt.datetime
    status: str = "delivered"
    direction: str = "outbound-api"
    from_: str | None = "+15005550006"
    to: str | None = "+15558675310"
    body: str = "Hello"
    num_media: int | None = 0
    num_segments: int = 1
    price: str | None = "-0.00750"
    price_unit: str | None = "USD"
    error_code: int | None = None
    error_message: str | None = None
    messaging_service_sid: str | None = None
    # A tuple by default: most messages have no media, and a list each would cost 56 bytes.
    media: tuple[Media, ...] = ()


@dataclasses.dataclass(slots=True)
class McsMedia:
    """A file attached to a conversation message, kept by the Media Content Service.

    `announced_size` is what its metadata says where that is not the truth.
    """

    sid: str
    service_sid: str
    conversation_sid: str
    message_sid: str
    content_type: str
    size: int
    date_created: dt.datetime
    filename: str | None = None
    category: str = "media"
    author: str | None = "system"
    ready: bool = True
    names_parents: bool = True
    announced_size: int | None = None


@dataclasses.dataclass(slots=True)
class ConversationMessage:
    """A message of a conversation."""

    sid: str
    account_sid: str
    service_sid: str
    conversation_sid: str
    index: int
    date_created: dt.datetime
    date_updated: dt.datetime | None
    author: str | None = "system"
    body: str | None = "Hello"
    attributes: str = "{}"
    participant_sid: str | None = None
    content_sid: str | None = None
    delivery: dict[str, str] | None = None
    media: tuple[McsMedia, ...] = ()


@dataclasses.dataclass(slots=True)
class Conversation:
    """A conversation; `messages` is keyed by sid and grows in the order of `index`."""

    sid: str
    account_sid: str
    service_sid: str
    date_created: dt.datetime
    date_updated: dt.datetime
    state: str = "active"
    friendly_name: str | None = None
    unique_name: str | None = None
    attributes: str = "{}"
    messaging_service_sid: str | None = None
    date_inactive: dt.datetime | None = None
    date_closed: dt.datetime | None = None
    next_index: int = 0
    messages: dict[str, ConversationMessage] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(slots=True)
class Service:
    """A Conversations (chat) service."""

    sid: str
    account_sid: str
    friendly_name: str
    date_created: dt.datetime
    date_updated: dt.datetime
    conversations: dict[str, Conversation] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(slots=True)
class Account:
    """An account with its two pairs of credentials; the API key is a standard one."""

    sid: str
    auth_token: str
    api_key_sid: str
    api_key_secret: str
    owner_sid: str
    friendly_name: str
    date_created: dt.datetime
    date_updated: dt.datetime
    status: str = "active"
    type: str = "Full"
    default_service_sid: str | None = None
    messages: dict[str, Message] = dataclasses.field(default_factory=dict)
    services: dict[str, Service] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(slots=True)
class Behaviour:
    """How Twilio behaves where nobody outside knows: every doubt can be decided each way.

    Attributes:
        unsent_order: Where rows without a send date stand in a message list; "created" sorts
            them among the others by their creation date.
        filters_return_unsent: Whether those rows appear, all of them, under a DateSent filter.
        date_filter: "seconds" honours the time of a DateSent bound, "days" only its UTC date.
        bounds: Whether the second (or day) that a bound names belongs to the range.
        retention_days: A list asked to begin earlier than this fails with 400 / 20004.
        page_token_gone: The status when the row that a PageToken points at was deleted.
        services_list_has_default: False leaves the default service out of the services list.
        mcs_field: The name under which MCS sends the file name.
        mcs_content: Whether MCS redirects a content request or serves the bytes itself.
        redirect_status: The status of redirects to the media host.
        max_concurrent: More API requests at once than this are refused with 429 / 20429.
        retry_after: The Retry-After header of those refusals.
        next_page_host: "self" links the next page of Conversations to the simulator, "public"
            to Twilio's own host, where a client that follows it blindly would end.
    """

    unsent_order: Literal["top", "bottom", "created"] = "top"
    filters_return_unsent: bool = False
    date_filter: Literal["seconds", "days"] = "seconds"
    bounds: Literal["inclusive", "exclusive"] = "inclusive"
    retention_days: int = 400
    page_token_gone: Literal[400, 404] = 404
    services_list_has_default: bool = True
    mcs_field: Literal["filename", "file_name"] = "filename"
    mcs_content: Literal["redirect", "bytes"] = "redirect"
    redirect_status: int = 307
    max_concurrent: int | None = None
    retry_after: float | None = None
    next_page_host: Literal["self", "public"] = "self"
