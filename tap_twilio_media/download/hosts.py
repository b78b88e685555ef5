"""Where a file may come from: Twilio's own hosts, those of the user, and none else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from tap_twilio_media.client.hosts import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_twilio_media.client.hosts import Hosts

TWILIO = ("*.twilio.com", "*.twiliocdn.com")
"""Hosts that Twilio's media are served from, on the port of https."""
_BUCKET_HOST = "s3-external-1.amazonaws.com"
_BUCKET_PATH = "/media.twiliocdn.com/"
"""Older media: the host is everybody's, the bucket is Twilio's."""

_HOST = re.compile(
    r"[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*|[0-9a-f:.]*:[0-9a-f:.]*"
)
_ENTRY = re.compile(r"(\*\.)?([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
_PORTS = {"https": 443, "http": 80}
_HIGHEST_PORT = 65_535

Origin = tuple[str, str, int]
"""Scheme, host and port."""


class AddressError(ValueError):
    """An address that no file is fetched from. The text names at most its host."""


def problem_of(entry: object) -> str | None:
    """Return what is wrong with an entry of media_hosts, or None."""
    if isinstance(entry, str) and (match := _ENTRY.fullmatch(entry.lower())):
        host = match[2].strip("[]")
        if _HOST.fullmatch(host) and int((match[3] or ":0")[1:]) <= _HIGHEST_PORT:
            return None
    return "each must be a host such as media.example.com, *.example.com or localhost:8080"


class Routes:
    """Decides about addresses. Knows the configured hosts and the allow-list."""

    def __init__(self, hosts: Hosts, media_hosts: Iterable[str] = ()) -> None:
        """Read the allow-list.

        Args:
            hosts: The configured bases; requests may be redirected to them.
            media_hosts: Further hosts: of an entry without a port, every port.
        """
        bases = (hosts.api, hosts.conversations, hosts.mcs)
        self._own = {origin_of(urlsplit(base)) for base in bases}
        self._entries: list[tuple[str, int | None]] = [(entry, 443) for entry in TWILIO]
        for entry in media_hosts:
            if match := _ENTRY.fullmatch(entry.lower()):
                port = int(match[3][1:]) if match[3] else None
                self._entries.append(((match[1] or "") + match[2].strip("[]"), port))

    def next(self, url: str, location: str) -> str:
        """Return the address that a redirect leads to.

        Args:
            url: Where the redirect was met.
            location: Its Location header.

        Raises:
            AddressError: It is not to be asked.
        """
        try:
            # A header comes as Latin-1; what its bytes are, if more than ASCII, is UTF-8.
            location = location.encode("latin-1").decode("utf-8", "replace")
            target = urljoin(url, location)
        except ValueError:
            raise AddressError("a redirect to what is no address") from None
        self.check(target)
        return target

    def check(self, url: str) -> None:
        """Let an address pass, or not.

        Raises:
            AddressError: It is not to be asked.
        """
        # Parsers disagree over backslashes and blanks, and one of them opens the connection.
        if any(char <= " " or char in "\\\x7f" for char in url):
            raise AddressError("a redirect to what is no address")
        try:
            parts = urlsplit(url)
            scheme, host, port = origin_of(parts)
        except ValueError:
            raise AddressError("a redirect to what is no address") from None
        if parts.scheme not in _PORTS:
            raise AddressError(f"a redirect to {parts.scheme or 'nothing'}:, which is not https")
        if not _HOST.fullmatch(host) or "@" in parts.netloc:
            raise AddressError("a redirect to what is no host")
        if (scheme, host, port) in self._own:
            return
        if scheme == "http" and not is_loopback(host):
            raise AddressError(f"a redirect to {host} by plain http")
        if not self._is_listed(host, port, unquote(parts.path)):
            told = host if port == _PORTS[scheme] else f"{host}:{port}"
            raise AddressError(
                f"a redirect to {told}, which is none of Twilio's hosts; if it is yours, add it "
                "to media_hosts"
            )

    def _is_listed(self, host: str, port: int, path: str) -> bool:
        for entry, only in self._entries:
            named = host.endswith(entry[1:]) if entry.startswith("*.") else host == entry
            if named and only in {None, port}:
                return True
        is_bucket = host == _BUCKET_HOST and port == _PORTS["https"]
        return is_bucket and path.startswith(_BUCKET_PATH) and ".." not in path


def origin_of(parts: SplitResult) -> Origin:
    """Return the origin of an address.

    Raises:
        ValueError: Its port is none.
    """
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(scheme, 0)
