"""Entities as the rows that Twilio's API sends."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from tests.simulator import dates

if TYPE_CHECKING:
    from tests.simulator.entities import (
        Account,
        Conversation,
        ConversationMessage,
        McsMedia,
        Media,
        Message,
        Service,
    )
    from tests.simulator.world import World

Row = dict[str, Any]

API_VERSION = "2010-04-01"
CONVERSATIONS = "https://conversations.twilio.com"
KEY_PAIR_ID = "APKASIMULATOR"


def account(entity: Account) -> Row:
    """Return the row of an account, its Auth Token included, as Twilio does."""
    path = f"/{API_VERSION}/Accounts/{entity.sid}"
    return {
        "auth_token": entity.auth_token,
        "date_created": dates.rfc2822(entity.date_created),
        "date_updated": dates.rfc2822(entity.date_updated),
        "friendly_name": entity.friendly_name,
        "owner_account_sid": entity.owner_sid,
        "sid": entity.sid,
        "status": entity.status,
        "subresource_uris": {
            "messages": f"{path}/Messages.json",
            "recordings": f"{path}/Recordings.json",
            "usage": f"{path}/Usage.json",
        },
        "type": entity.type,
        "uri": f"{path}.json",
    }


def message(entity: Message) -> Row:
    """Return the row of a programmable message."""
    path = f"/{API_VERSION}/Accounts/{entity.account_sid}/Messages/{entity.sid}"
    return {
        "account_sid": entity.account_sid,
        "api_version": API_VERSION,
        "body": entity.body,
        "date_created": dates.rfc2822(entity.date_created),
        "date_sent": dates.rfc2822(entity.date_sent),
        "date_updated": dates.rfc2822(entity.date_updated),
        "direction": entity.direction,
        "error_code": entity.error_code,
        "error_message": entity.error_message,
        "from": entity.from_,
        "messaging_service_sid": entity.messaging_service_sid,
        "num_media": None if entity.num_media is None else str(entity.num_media),
        "num_segments": str(entity.num_segments),
        "price": entity.price,
        "price_unit": entity.price_unit,
        "sid": entity.sid,
        "status": entity.status,
        "subresource_uris": {"media": f"{path}/Media.json", "feedback": f"{path}/Feedback.json"},
        "to": entity.to,
        "uri": f"{path}.json",
    }


def media(entity: Media, account_sid: str) -> Row:
    """Return the row of a message's media: no size and no name, as Twilio does."""
    path = f"/{API_VERSION}/Accounts/{account_sid}/Messages/{entity.message_sid}"
    created = dates.rfc2822(entity.date_created)
    return {
        "account_sid": account_sid,
        "content_type": entity.content_type,
        "date_created": created,
        "date_updated": created,
        "parent_sid": entity.message_sid,
        "sid": entity.sid,
        "uri": f"{path}/Media/{entity.sid}.json",
    }


def service(entity: Service) -> Row:
    """Return the row of a conversation service."""
    url = f"{CONVERSATIONS}/v1/Services/{entity.sid}"
    return {
        "account_sid": entity.account_sid,
        "date_created": dates.iso8601(entity.date_created),
        "date_updated": dates.iso8601(entity.date_updated),
        "friendly_name": entity.friendly_name,
        "links": {
            "configuration": f"{url}/Configuration",
            "conversations": f"{url}/Conversations",
            "users": f"{url}/Users",
        },
        "sid": entity.sid,
        "url": url,
    }


def configuration(entity: Account) -> Row:
    """Return an account's Conversations configuration, which names its default service."""
    url = f"{CONVERSATIONS}/v1/Configuration"
    return {
        "account_sid": entity.sid,
        "default_chat_service_sid": entity.default_service_sid,
        "default_closed_timer": None,
        "default_inactive_timer": None,
        "default_messaging_service_sid": None,
        "links": {"service": f"{CONVERSATIONS}/v1/Services/{entity.default_service_sid}"},
        "url": url,
    }


def conversation(entity: Conversation) -> Row:
    """Return the row of a conversation; `timers` holds only the dates that are known."""
    url = f"{CONVERSATIONS}/v1/Services/{entity.service_sid}/Conversations/{entity.sid}"
    timers = {"date_inactive": entity.date_inactive, "date_closed": entity.date_closed}
    return {
        "account_sid": entity.account_sid,
        "attributes": entity.attributes,
        "bindings": None,
        "chat_service_sid": entity.service_sid,
        "date_created": dates.iso8601(entity.date_created),
        "date_updated": dates.iso8601(entity.date_updated),
        "friendly_name": entity.friendly_name,
        "links": {
            "messages": f"{url}/Messages",
            "participants": f"{url}/Participants",
            "webhooks": f"{url}/Webhooks",
        },
        "messaging_service_sid": entity.messaging_service_sid,
        "sid": entity.sid,
        "state": entity.state,
        "timers": {name: dates.iso8601(when) for name, when in timers.items() if when},
        "unique_name": entity.unique_name,
        "url": url,
    }


def conversation_message(entity: ConversationMessage) -> Row:
    """Return the row of a conversation message, which names its files for as long as it lives."""
    parent = f"{CONVERSATIONS}/v1/Services/{entity.service_sid}"
    url = f"{parent}/Conversations/{entity.conversation_sid}/Messages/{entity.sid}"
    files = [
        {
            "category": file.category,
            "content_type": file.content_type,
            "filename": file.filename,
            "sid": file.sid,
            "size": file.size,
        }
        for file in entity.media
    ]
    return {
        "account_sid": entity.account_sid,
        "attributes": entity.attributes,
        "author": entity.author,
        "body": entity.body,
        "chat_service_sid": entity.service_sid,
        "content_sid": entity.content_sid,
        "conversation_sid": entity.conversation_sid,
        "date_created": dates.iso8601(entity.date_created),
        "date_updated": dates.iso8601(entity.date_updated),
        "delivery": entity.delivery,
        "index": entity.index,
        "links": {
            "channel_metadata": f"{url}/ChannelMetadata",
            "delivery_receipts": f"{url}/Receipts",
        },
        "media": files or None,
        "participant_sid": entity.participant_sid,
        "sid": entity.sid,
        "url": url,
    }


def mcs_media(entity: McsMedia, world: World) -> Row:
    """Return the row of an MCS media.

    It has no account_sid, its paths are relative, and its signed link is there only when the
    file is ready.
    """
    url = f"/v1/Services/{entity.service_sid}/Media/{entity.sid}"
    when = dates.mcs_time(entity.date_created)
    links = {"content": f"{url}/Content"}
    if entity.ready:
        links["content_direct_temporary"] = signed_url(world, entity.sid)
    return {
        "author": entity.author,
        "category": entity.category,
        "channel_sid": entity.conversation_sid if entity.names_parents else None,
        "content_type": entity.content_type,
        "date_created": when,
        "date_updated": when,
        "date_upload_updated": when,
        world.behaviour.mcs_field: entity.filename,
        "is_multipart_upstream": False,
        "links": links,
        "message_sid": entity.message_sid if entity.names_parents else None,
        "service_sid": entity.service_sid,
        "sid": entity.sid,
        "size": entity.size if entity.announced_size is None else entity.announced_size,
        "url": url,
    }


def signature(world: World, sid: str, expires: str) -> str:
    """Sign the address of a file; the world's Auth Token is the key."""
    text = f"{sid}:{expires}".encode()
    return hmac.new(world.auth_token.encode(), text, hashlib.sha256).hexdigest()


def signed_url(world: World, sid: str) -> str:
    """Return an address on the media host that serves a file until it expires."""
    expires = str(int(world.now.timestamp()) + world.signed_url_seconds)
    signed = f"Expires={expires}&Signature={signature(world, sid, expires)}"
    return f"{world.media_url}/{sid}?{signed}&Key-Pair-Id={KEY_PAIR_ID}"
