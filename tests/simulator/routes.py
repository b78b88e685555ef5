"""Which path is which endpoint."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.simulator import api2010, products

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.simulator.replies import Ask, Reply
    from tests.simulator.world import World


class Route(NamedTuple):
    """An endpoint: its name, its path and what answers it."""

    name: str
    pattern: re.Pattern[str]
    answer: Callable[[World, Ask], Reply]


def _route(name: str, path: str, answer: Callable[[World, Ask], Reply]) -> Route:
    # "{AC}" stands for a sid that begins so; Twilio's sids are hexadecimal otherwise.
    pattern = re.sub(r"\{([A-Z|]+)\}", r"((?:\1)[0-9a-fA-F]{32})", path.replace(".", r"\."))
    return Route(name, re.compile(pattern), answer)


def _conversation_routes(prefix: str) -> list[Route]:
    one = f"{prefix}/Conversations/{{CH}}"
    return [
        _route("conversations", f"{prefix}/Conversations", products.conversations),
        _route("conversation", one, products.conversation),
        _route("conversation_messages", f"{one}/Messages", products.conversation_messages),
        _route("conversation_message", f"{one}/Messages/{{IM}}", products.conversation_message),
    ]


_ACCOUNTS = "/2010-04-01/Accounts"
_MESSAGES = f"{_ACCOUNTS}/{{AC}}/Messages"
_MEDIA = f"{_MESSAGES}/{{SM|MM}}/Media"
_MCS = "/v1/Services/{IS}/Media/{ME}"

ROUTES: Final = {
    "api": [
        _route("messages", f"{_MESSAGES}.json", api2010.messages),
        _route("media_list", f"{_MEDIA}.json", api2010.media_list),
        _route("media_content", f"{_MEDIA}/{{ME}}", api2010.media_content),
        _route("media", f"{_MEDIA}/{{ME}}.json", api2010.media),
        _route("message", f"{_MESSAGES}/{{SM|MM}}.json", api2010.message),
        _route("accounts", f"{_ACCOUNTS}.json", api2010.accounts),
        _route("account", f"{_ACCOUNTS}/{{AC}}.json", api2010.account),
    ],
    "conversations": [
        *_conversation_routes("/v1/Services/{IS}"),
        *_conversation_routes("/v1"),
        _route("services", "/v1/Services", products.services),
        _route("service", "/v1/Services/{IS}", products.service),
        _route("configuration", "/v1/Configuration", products.configuration),
    ],
    "mcs": [
        _route("mcs_media", _MCS, products.mcs_media),
        _route("mcs_content", f"{_MCS}/Content", products.mcs_content),
    ],
}


def find(host: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
    """Return the endpoint of a path and the sids in it.

    Args:
        host: "api", "conversations" or "mcs".
        path: The path.

    Returns:
        None if there is no such endpoint on that host.
    """
    for route in ROUTES[host]:
        if match := route.pattern.fullmatch(path):
            return route, match.groups()
    return None
