"""Where Twilio's APIs are, and how a link that Twilio sends is turned into an address to ask."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

API_VERSION = "/2010-04-01"
DEFAULT_REGION = "us1"


@dataclass(frozen=True, slots=True)
class Hosts:
    """The three base URLs. Credentials go to these and nowhere else.

    Attributes:
        api: Base of the 2010 REST API, without a slash at the end.
        conversations: Base of Conversations v1.
        mcs: Base of the Media Content Service, which Conversations keeps its files in.
    """

    api: str
    conversations: str
    mcs: str

    @classmethod
    def of(cls, region: str | None, edge: str | None) -> Hosts:
        """Return the hosts of a region and edge.

        Host names are `{product}.{edge}.{region}.twilio.com` (Twilio: "Using the Twilio REST API
        in a non-US Region"). MCS has no edge part and always a region (Twilio's mcs-client).
        """
        parts = [edge, region or (DEFAULT_REGION if edge else None)]
        where = "".join(f".{part}" for part in parts if part)
        return cls(
            api=f"https://api{where}.twilio.com",
            conversations=f"https://conversations{where}.twilio.com",
            mcs=f"https://mcs.{region or DEFAULT_REGION}.twilio.com",
        )


def path(*parts: str) -> str:
    """Return a path of parts, each of which stays one part whatever it holds."""
    return "".join("/" + quote(part, safe="").replace(".", "%2E") for part in parts)


def join(base: str, link: str) -> str:
    """Return the address of a link under a base URL.

    Of an absolute link only path and query count: a reply can therefore never send credentials
    to another host. A path prefix of the base (a proxy's) is kept, and kept once.

    Args:
        base: One of the configured base URLs.
        link: A path with an optional query, or an absolute URL.
    """
    parts = urlsplit(link)
    prefix = urlsplit(base).path.rstrip("/")
    path = "/" + parts.path.lstrip("/")
    if prefix and path.startswith(prefix + "/"):
        path = path[len(prefix) :]
    return base.rstrip("/") + path + (f"?{parts.query}" if parts.query else "")


def is_loopback(host: str) -> bool:
    """Return whether a host name or address never leaves this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
