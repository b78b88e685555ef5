"""The products on hosts of their own: Conversations, the Media Content Service, the media host.

The first two know only the caller's own account: what belongs to another is not found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulator import api2010, dates, listing, rows
from tests.simulator.listing import bad_parameter
from tests.simulator.replies import Ask, Reply, envelope, json_reply, not_found

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from tests.simulator.entities import Conversation, McsMedia, Service
    from tests.simulator.listing import ListedT, Page
    from tests.simulator.world import World

_MOST = 100


def configuration(_: World, ask: Ask) -> Reply:
    """Return the account's configuration."""
    return json_reply(rows.configuration(ask.caller.account))


def services(world: World, ask: Ask) -> Reply:
    """List the services, with or without the default one."""
    account = ask.caller.account

    def wanted(service: Service) -> bool:
        listed = world.behaviour.services_list_has_default
        return listed or service.sid != account.default_service_sid

    everything = listing.by_creation(account.services.values())
    page = listing.paginate(world, everything, ask.query, _size(ask), wanted)
    return _list(world, ask, page, "services", rows.service)


def service(_: World, ask: Ask) -> Reply:
    """Return a service."""
    return json_reply(rows.service(_service(ask)))


def conversations(world: World, ask: Ask) -> Reply:
    """List the conversations of a service, or of the default one if the path names none."""
    state = ask.query.get("State")
    start = _bound(ask, "StartDate", 0)
    end = _bound(ask, "EndDate", 1)

    def wanted(entity: Conversation) -> bool:
        return (
            state in {None, entity.state}
            and (start is None or entity.date_created >= start)
            and (end is None or entity.date_created < end)
        )

    everything = list(_service(ask).conversations.values())
    if start or end:
        everything = listing.by_creation(everything)
    else:  # no order is promised then: one that looks like none keeps readers honest
        everything.sort(key=lambda entity: entity.sid)
    page = listing.paginate(world, everything, ask.query, _size(ask), wanted)
    return _list(world, ask, page, "conversations", rows.conversation)


def conversation(world: World, ask: Ask) -> Reply:
    """Return a conversation."""
    entity = _conversation(ask)
    return json_reply(world.row_json(entity.sid, lambda: rows.conversation(entity)))


def conversation_messages(world: World, ask: Ask) -> Reply:
    """List the messages of a conversation by index, upwards unless asked otherwise."""
    order = ask.query.get("Order", "asc")
    if order not in {"asc", "desc"}:
        raise bad_parameter("Order", order)
    everything = list(_conversation(ask).messages.values())
    if order == "desc":
        everything.reverse()
    page = listing.paginate(world, everything, ask.query, _size(ask))
    return _list(world, ask, page, "messages", rows.conversation_message)


def conversation_message(world: World, ask: Ask) -> Reply:
    """Return a message of a conversation."""
    entity = _conversation(ask).messages.get(ask.params[-1])
    if entity is None:
        raise not_found(ask.path)
    return json_reply(world.row_json(entity.sid, lambda: rows.conversation_message(entity)))


def mcs_media(world: World, ask: Ask) -> Reply:
    """Return the metadata of an MCS media, with a fresh signed link."""
    return json_reply(rows.mcs_media(_mcs_media(world, ask), world))


def mcs_content(world: World, ask: Ask) -> Reply:
    """Serve an MCS file, or send the client on to its signed address."""
    entity = _mcs_media(world, ask)
    if not entity.ready:
        raise not_found(ask.path)
    if world.behaviour.mcs_content == "bytes":
        return Reply(200, world.media_bytes(entity.sid), entity.content_type)
    return api2010.redirect(world, rows.signed_url(world, entity.sid))


def _service(ask: Ask) -> Service:
    account = ask.caller.account
    named = bool(ask.params) and ask.params[0].startswith("IS")
    sid = ask.params[0] if named else account.default_service_sid
    entity = account.services.get(sid or "")
    if entity is None:
        raise not_found(ask.path)
    return entity


def _conversation(ask: Ask) -> Conversation:
    sid = next(param for param in ask.params if param.startswith("CH"))
    entity = _service(ask).conversations.get(sid)
    if entity is None:
        raise not_found(ask.path)
    return entity


def _mcs_media(world: World, ask: Ask) -> McsMedia:
    parent = _service(ask)
    entity = world.mcs_media.get(ask.params[1])
    if entity is None or entity.service_sid != parent.sid:
        raise not_found(ask.path)
    return entity


def _bound(ask: Ask, name: str, end: int) -> dt.datetime | None:
    if not (text := ask.query.get(name)):
        return None
    try:
        return dates.parse_span(text)[end]
    except (ValueError, OverflowError) as error:
        raise bad_parameter(name, text) from error


def _size(ask: Ask) -> int:
    return listing.page_size(ask.query, most=_MOST, refuse_more=True)


def _list(
    world: World,
    ask: Ask,
    page: Page[ListedT],
    key: str,
    make: Callable[[ListedT], rows.Row],
) -> Reply:
    def written(entity: ListedT) -> bytes:
        return world.row_json(entity.sid, lambda: make(entity))

    public = world.behaviour.next_page_host == "public"
    base = f"{rows.CONVERSATIONS if public else ask.base_url}{ask.path}"
    meta = {
        "first_page_url": page.link(base, 0),
        "key": key,
        "next_page_url": page.next_link(base),
        "page": page.number,
        "page_size": page.size,
        "previous_page_url": None,
        "url": page.link(base, page.number, ask.query.get("PageToken")),
    }
    return envelope({"meta": meta}, key, [written(entity) for entity in page.items])
