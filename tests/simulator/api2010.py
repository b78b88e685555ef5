"""The 2010 API: accounts, messages and their media."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulator import listing, rows
from tests.simulator.auth import reach
from tests.simulator.replies import Ask, Reply, envelope, json_reply, not_found, unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulator.entities import Account, Media, Message
    from tests.simulator.listing import ListedT, Page
    from tests.simulator.world import World


def accounts(world: World, ask: Ask) -> Reply:
    """List the caller and its subaccounts; a standard API key may not."""
    if ask.caller.by_key:
        raise unauthorized()
    name, status = ask.query.get("FriendlyName"), ask.query.get("Status")

    def wanted(account: Account) -> bool:
        return name in {None, account.friendly_name} and status in {None, account.status}

    size = listing.page_size(ask.query, most=1000)
    everything = listing.accounts(world, ask.caller.account)
    page = listing.paginate(world, everything, ask.query, size, wanted)
    return _list(world, ask, page, "accounts", rows.account)


def account(world: World, ask: Ask) -> Reply:
    """Return an account; a parent sees its child even when the child is suspended."""
    if ask.caller.by_key:
        raise unauthorized()
    entity = reach(world, ask.caller, ask.params[0], ask.path)
    return json_reply(rows.account(entity))


def messages(world: World, ask: Ask) -> Reply:
    """List an account's messages."""
    page = listing.messages(world, _open_account(world, ask), ask.query)
    return _list(world, ask, page, "messages", rows.message)


def message(world: World, ask: Ask) -> Reply:
    """Return a message."""
    entity = _message(world, ask)
    return json_reply(world.row_json(entity.sid, lambda: rows.message(entity)))


def media_list(world: World, ask: Ask) -> Reply:
    """List the media of a message."""
    parent = _message(world, ask)
    size = listing.page_size(ask.query, most=1000)
    page = listing.paginate(world, parent.media, ask.query, size)
    return _list(
        world, ask, page, "media_list", lambda media: rows.media(media, parent.account_sid)
    )


def media(world: World, ask: Ask) -> Reply:
    """Return the metadata of a media."""
    return json_reply(rows.media(_media(world, ask), ask.params[0]))


def media_content(world: World, ask: Ask) -> Reply:
    """Send the client on to the signed address of a file."""
    return redirect(world, rows.signed_url(world, _media(world, ask).sid))


def redirect(world: World, location: str) -> Reply:
    """Return a redirect, whose small body is XML and never the file."""
    body = f"<?xml version='1.0' encoding='UTF-8'?>\n<TwilioResponse><RedirectTo>{location}"
    body = body.replace("&", "&amp;") + "</RedirectTo></TwilioResponse>\n"
    status = world.behaviour.redirect_status
    return Reply(status, body.encode(), "application/xml", {"Location": location})


def _open_account(world: World, ask: Ask) -> Account:
    entity = reach(world, ask.caller, ask.params[0], ask.path)
    if entity.status != "active":
        raise unauthorized()
    return entity


def _message(world: World, ask: Ask) -> Message:
    entity = _open_account(world, ask).messages.get(ask.params[1])
    if entity is None:
        raise not_found(ask.path)
    return entity


def _media(world: World, ask: Ask) -> Media:
    for entity in _message(world, ask).media:
        if entity.sid == ask.params[2]:
            return entity
    raise not_found(ask.path)


def _list(
    world: World,
    ask: Ask,
    page: Page[ListedT],
    key: str,
    make: Callable[[ListedT], rows.Row],
) -> Reply:
    def written(entity: ListedT) -> bytes:
        return world.row_json(entity.sid, lambda: make(entity))

    start = page.number * page.size
    head = {
        "end": max(start, start + len(page.items) - 1),
        "first_page_uri": page.link(ask.path, 0),
        "next_page_uri": page.next_link(ask.path),
        "page": page.number,
        "page_size": page.size,
        # Nobody walks these lists upwards here; Twilio too has null on a first page.
        "previous_page_uri": None,
        "start": start,
        "uri": page.link(ask.path, page.number, ask.query.get("PageToken")),
    }
    return envelope(head, key, [written(entity) for entity in page.items])
