"""Lists: their order, their filters and their pages."""

from __future__ import annotations

import dataclasses
import urllib.parse
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from tests.simulator import dates
from tests.simulator.replies import ApiError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tests.simulator.entities import Account, Message
    from tests.simulator.world import World

_PAGING = {"Page", "PageSize", "PageToken"}
_TOKEN = "PA"


class _Listed(Protocol):
    @property
    def sid(self) -> str: ...


class _Dated(_Listed, Protocol):
    @property
    def date_created(self) -> dt.datetime: ...


ListedT = TypeVar("ListedT", bound=_Listed)
DatedT = TypeVar("DatedT", bound=_Dated)


@dataclasses.dataclass(slots=True)
class Page(Generic[ListedT]):
    """One page of a list."""

    items: list[ListedT]
    more: bool
    number: int
    size: int
    query: Mapping[str, str]

    def link(self, path: str, number: int, token: str | None = None) -> str:
        """Return the path and query of a page of the same list.

        Args:
            path: The path of the list.
            number: The number of the page.
            token: Where it begins.

        Returns:
            A link that keeps the filters.
        """
        query = {key: value for key, value in self.query.items() if key not in _PAGING}
        query |= {"PageSize": str(self.size), "Page": str(number)}
        if token:
            query["PageToken"] = token
        return f"{path}?{urllib.parse.urlencode(query)}"

    def next_link(self, path: str) -> str | None:
        """Return the link to the next page, anchored at the last row of this one."""
        if not self.more:
            return None
        return self.link(path, self.number + 1, f"{_TOKEN}{self.items[-1].sid}")


def by_creation(entities: Iterable[DatedT]) -> list[DatedT]:
    """Return entities with the newest first."""
    return sorted(entities, key=lambda entity: (entity.date_created, entity.sid), reverse=True)


def accounts(world: World, seen_by: Account) -> list[Account]:
    """Return the accounts that one may list: itself, and its subaccounts."""
    mine = (one for one in world.accounts.values() if seen_by.sid in {one.sid, one.owner_sid})
    return by_creation(mine)


def page_size(query: Mapping[str, str], *, most: int, refuse_more: bool = False) -> int:
    """Return how many rows a page has.

    Args:
        query: The query of the request.
        most: The largest page.
        refuse_more: Whether asking for more is an error or cut to the largest.

    Returns:
        The number, 50 if the query has none.

    Raises:
        ApiError: The number is none, or too large.
    """
    text = query.get("PageSize") or "50"
    size = int(text) if text.isascii() and text.isdigit() else 0
    if not size or (refuse_more and size > most):
        raise bad_parameter("PageSize", text)
    return min(size, most)


def bad_parameter(name: str, value: str) -> ApiError:
    """Return what Twilio answers to a value that it does not understand."""
    return ApiError(400, 20001, f"Invalid parameter {name}: {value}")


def _anchor(query: Mapping[str, str]) -> str | None:
    token = query.get("PageToken")
    if not token:
        return None
    if not token.startswith(_TOKEN):
        raise bad_parameter("PageToken", token)
    return token.removeprefix(_TOKEN)


def _gone(world: World, sid: str) -> ApiError:
    status = world.behaviour.page_token_gone
    text = f"The page that begins after {sid} was not found"
    return ApiError(status, 20404 if status == 404 else 20001, text)


def _number(query: Mapping[str, str]) -> int:
    text = query.get("Page", "0")
    return int(text) if text.isascii() and text.isdigit() else 0


def paginate(
    world: World,
    ordered: Sequence[ListedT],
    query: Mapping[str, str],
    size: int,
    wanted: Callable[[ListedT], Any] = bool,
) -> Page[ListedT]:
    """Cut a page out of a list that is small enough to be walked.

    Args:
        world: Says what happens when a token's row is gone.
        ordered: The whole list, unfiltered: a row that left the filter is still an anchor.
        query: The query of the request.
        size: The rows of a page.
        wanted: The filter.

    Returns:
        The page.

    Raises:
        ApiError: The token's row is gone.
    """
    first = 0
    if sid := _anchor(query):
        places = (place for place, entity in enumerate(ordered) if entity.sid == sid)
        first = next(places, -1) + 1
        if not first:
            raise _gone(world, sid)
    found: list[ListedT] = []
    for place in range(first, len(ordered)):
        if wanted(ordered[place]):
            found.append(ordered[place])
            if len(found) > size:
                break
    return Page(found[:size], len(found) > size, _number(query), size, query)


def sent_range(
    world: World, query: Mapping[str, str]
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Read the DateSent filters as a half-open range.

    Args:
        world: Says how Twilio reads them.
        query: The query of the request.

    Returns:
        The start and the end, None where the range is open.

    Raises:
        ApiError: A value is no date, or begins before what Twilio retains.
    """
    behaviour = world.behaviour
    oldest = world.now - behaviour.retention_days * dates.DAY
    starts, ends = [], []
    for operator in ("", ">", "<"):
        name = f"DateSent{operator}"
        if not (text := query.get(name)):
            continue
        try:
            span = dates.parse_span(text)
        except (ValueError, OverflowError) as error:
            raise bad_parameter(name, text) from error
        if operator != "<" and span[0] < oldest:
            limit = f"kept for {behaviour.retention_days} days, since {oldest:%Y-%m-%dT%H:%M:%SZ}"
            raise ApiError(400, 20004, f"{name} {text} is out of range: records are {limit}")
        if behaviour.date_filter == "days":
            span = dates.whole_days(span)
        if operator and behaviour.bounds == "exclusive":
            span = span[1], span[0]
        if operator != "<":
            starts.append(span[0])
        if operator != ">":
            ends.append(span[1])
    return max(starts, default=None), min(ends, default=None)


def messages(world: World, account: Account, query: Mapping[str, str]) -> Page[Message]:
    """Return a page of an account's messages, newest sent first.

    Args:
        world: Holds the order.
        account: Whose messages.
        query: The query of the request.

    Returns:
        The page.

    Raises:
        ApiError: A filter or the page token is not valid.
    """
    size = page_size(query, most=1000)
    start, end = sent_range(world, query)
    unsent = (start is None and end is None) or world.behaviour.filters_return_unsent
    after = None
    if (sid := _anchor(query)) and not (after := account.messages.get(sid)):
        raise _gone(world, sid)
    to, from_ = query.get("To"), query.get("From")
    found: list[Message] = []
    order = world.message_order(account.sid)
    for sid in order.walk(start=start, end=end, unsent=unsent, after=after):
        message = account.messages[sid]
        if (to and message.to != to) or (from_ and message.from_ != from_):
            continue
        if message.date_sent is None:
            if not unsent:
                continue
        elif (start and message.date_sent < start) or (end and message.date_sent >= end):
            continue
        found.append(message)
        if len(found) > size:
            break
    return Page(found[:size], len(found) > size, _number(query), size, query)
