"""One try to have a file: what is asked for, and what counts as the file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_twilio_media.client.bodies import pieces
from tap_twilio_media.client.decoding import decoded
from tap_twilio_media.client.failures import Failure
from tap_twilio_media.client.hosts import API_VERSION, join
from tap_twilio_media.download import outcomes
from tap_twilio_media.download.bodies import is_error_page
from tap_twilio_media.download.hops import FailedError, Hops
from tap_twilio_media.download.hosts import AddressError, Routes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from tap_twilio_media.client.hosts import Hosts
    from tap_twilio_media.client.network import Credentials, Manners, Network
    from tap_twilio_media.download.references import Reference
    from tap_twilio_media.download.storage import Draft

_MOST_METADATA = 1_048_576
_HEAD = 64
"""So many first bytes tell an error page from a file."""


@dataclass(frozen=True, slots=True)
class Received:
    """A file that came whole.

    Attributes:
        bytes: How many.
        sha256: In hexadecimal digits.
        content_type: As it was served.
    """

    bytes: int
    sha256: str
    content_type: str | None


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a file is, and what is known of it.

    Attributes:
        url: The address to begin with.
        size: Bytes, if announced.
        content_type: The type announced.
    """

    url: str
    size: int | None
    content_type: str | None


@dataclass(frozen=True, slots=True)
class _Try:
    """What the requests of one try have in common; see `Hops.follow`."""

    base: str
    credentials: Credentials
    started: float
    deadline: float


class Fetcher:
    """Tries to have files, with the manners and the places of the run. Usable by any thread."""

    def __init__(  # noqa: PLR0913 - what a download depends on
        self,
        hosts: Hosts,
        routes: Routes,
        manners: Manners,
        network: Network,
        most_bytes: int,
        *,
        on_bytes: Callable[[int], None],
    ) -> None:
        """Ask nothing yet.

        Args:
            hosts: The configured bases.
            routes: Where redirects may lead.
            manners: Timeouts and the name to go by.
            network: What is shared with the clients of the run.
            most_bytes: A larger file is not had.
            on_bytes: Told of every piece that came.
        """
        self._hosts = hosts
        self._routes = routes
        self._manners = manners
        self._network = network
        self._most_bytes = most_bytes
        self._on_bytes = on_bytes
        self._hops = Hops(routes, manners, network)

    def attempt(
        self, reference: Reference, credentials: Credentials, draft: Draft, deadline: float
    ) -> Received | Failure:
        """Try once, and put the file in its place if it is whole.

        Args:
            reference: The file, its identifiers checked.
            credentials: The pair for the API that the file belongs to.
            draft: Where the bytes go. It is committed or discarded.
            deadline: When the time for all tries is up, on the monotonic clock.

        Raises:
            StoppedError: The run is ending.
            StorageError: The bytes cannot be written.
        """
        is_mcs = reference.stream == "mcs_media"
        base = self._hosts.mcs if is_mcs else self._hosts.api
        with draft:
            with self._network.throttle.place() as started:
                one = _Try(base, credentials, started, deadline)
                try:
                    source = self._of_mcs(reference, one) if is_mcs else _of_api(reference, base)
                    received = self._receive(source, one, draft)
                except FailedError as failed:
                    return failed.failure
                self._network.throttle.speed_up()
            # Without the place: what the disk has to do keeps nobody from the network.
            draft.commit()
        return received

    def _of_mcs(self, reference: Reference, one: _Try) -> _Source:
        """Ask MCS for the metadata: the link in it is valid for minutes only."""
        path = f"/v1/Services/{reference.chat_service_sid}/Media/{reference.sid}"
        with self._ask(join(one.base, path), one) as response:
            row = decoded(self._hops.body(response, _MOST_METADATA))
        if row is None:
            raise FailedError(Failure.of_body(path))
        links = row.get("links")
        links = links if isinstance(links, dict) else {}
        size = row.get("size")
        announced = row.get("content_type")
        return _Source(
            self._signed(links) or _content(links, one.base, path),
            size if type(size) is int else None,
            announced if isinstance(announced, str) else reference.content_type,
        )

    def _signed(self, links: dict[str, Any]) -> str | None:
        """Return the signed link, if there is one to a host that files come from."""
        link = links.get("content_direct_temporary")
        if not isinstance(link, str) or not link:
            return None
        try:
            self._routes.check(link)
        except AddressError:
            return None
        return link

    def _receive(self, source: _Source, one: _Try, draft: Draft) -> Received:
        if source.size is not None and source.size > self._most_bytes:
            raise _too_large(source.size)
        with self._ask(source.url, one) as response:
            length = response.headers.get("Content-Length", "")
            if length.isdecimal() and int(length) > self._most_bytes:
                raise _too_large(int(length))
            return self._stream(response, source, draft)

    def _stream(self, response: requests.Response, source: _Source, draft: Draft) -> Received:
        """Write the body while it comes; the draft is complete when this returns."""
        count, head, digest = 0, b"", hashlib.sha256()
        body = pieces(response, self._manners.request_timeout, self._network.stop)
        while piece := self._next(response, body):
            count += len(piece)
            if count > self._most_bytes:
                raise _too_large(None)
            if len(head) < _HEAD:
                head += piece[:_HEAD]
            digest.update(piece)
            draft.write(piece)
            self._on_bytes(len(piece))
        served = response.headers.get("Content-Type")
        if not count:
            raise FailedError.of("the file came without a byte", outcomes.NOT_A_FILE)
        if is_error_page(source.content_type, served, head):
            raise FailedError.of("an error page came in place of the file", outcomes.NOT_A_FILE)
        if source.size not in {None, count}:
            text = f"{count} bytes came where Twilio announces {source.size}"
            raise FailedError.of(text, outcomes.WRONG_SIZE)
        return Received(count, digest.hexdigest(), served)

    def _next(self, response: requests.Response, body: Iterator[bytes]) -> bytes:
        # Around the reading alone: an error of the disk is none of the network.
        with self._hops.telling(response.url):
            return next(body, b"")

    def _ask(self, url: str, one: _Try) -> requests.Response:
        return self._hops.follow(url, one.base, one.credentials, one.started, one.deadline)


def _of_api(reference: Reference, base: str) -> _Source:
    account, message = reference.account_sid, reference.message_sid
    path = f"{API_VERSION}/Accounts/{account}/Messages/{message}/Media/{reference.sid}"
    return _Source(join(base, path), None, reference.content_type)


def _content(links: dict[str, Any], base: str, path: str) -> str:
    """Return where MCS serves a file to who has credentials: relative or not, below the base."""
    link = links.get("content")
    try:
        return join(base, link if isinstance(link, str) and link else f"{path}/Content")
    except ValueError:
        return join(base, f"{path}/Content")


def _too_large(size: int | None) -> FailedError:
    text = "the file has more bytes than max_file_bytes"
    return FailedError.of(text + (f": {size}" if size else ""), outcomes.TOO_LARGE)
