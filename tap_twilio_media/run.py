"""What one run shares: settings, clients, bookmarks, and an account of what went wrong."""

from __future__ import annotations

import logging
from collections import defaultdict
from contextlib import nullcontext
from datetime import datetime, timezone
from itertools import count
from typing import TYPE_CHECKING

from tap_twilio_media.client.errors import GoneError, RefusedError, TwilioError
from tap_twilio_media.client.network import Network
from tap_twilio_media.client.session import Client
from tap_twilio_media.download.storage import StorageError
from tap_twilio_media.errors import SyncIncompleteError
from tap_twilio_media.pool import Pool
from tap_twilio_media.texts import told

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from tap_twilio_media.bookmarks import Bookmarks
    from tap_twilio_media.client.network import Credentials
    from tap_twilio_media.config import Settings
    from tap_twilio_media.errors import TapError
    from tap_twilio_media.files import Files
    from tap_twilio_media.output import Output

logger = logging.getLogger("tap-twilio-media")

NAMED = 5
"""So many sids are named where something is counted."""


class Run:
    """One run of the tap."""

    def __init__(
        self,
        settings: Settings,
        bookmarks: Bookmarks,
        stop: threading.Event,
        output: Output | None = None,
    ) -> None:
        """Start the clock; nothing is asked yet.

        Args:
            settings: The checked settings.
            bookmarks: The state.
            stop: Set when the run is to end.
            output: Where the messages go, if it can hold them back.
        """
        self.settings = settings
        self.bookmarks = bookmarks
        self.started = datetime.now(timezone.utc).replace(microsecond=0)
        self.statuses: dict[str, str] = {}
        self.pool = Pool(settings.max_concurrency, output.while_waiting if output else _do_nothing)
        self.held = output.held if output else nullcontext
        self._scopes = count()
        self._network = Network.of(settings.max_concurrency, stop)
        self.files = self._files()
        self._clients: dict[Credentials, Client] = {}
        self._failures: dict[tuple[object, ...], tuple[list[str], str]] = {}
        self._resting: defaultdict[str, list[str]] = defaultdict(list)
        self._tally: defaultdict[str, list[str]] = defaultdict(list)

    def now(self, twilio_clock: datetime | None) -> datetime:
        """Return the start of the run: the earlier of the local clock and Twilio's."""
        return min(self.started, twilio_clock or self.started)

    def scope(self) -> int:
        """Return a new scope for tasks of the pool; earlier ones come first."""
        return next(self._scopes)

    def client(self, account_sid: str) -> Client:
        """Return who reads the 2010 API of an account: itself or, by Auth Token, its parent."""
        return self.own_client(account_sid) or self._client(self.settings.credentials)

    def own_client(self, account_sid: str) -> Client | None:
        """Return a client with the account's own credentials, or None when they are not known."""
        credentials = self.settings.own_credentials(account_sid)
        return self._client(credentials) if credentials else None

    def fail(self, account_sid: str, streams: Iterable[str], error: TapError) -> None:
        """Note that streams of an account were not read to their end; their bookmarks stay.

        An account that is suspended or closed may refuse: that is told, but it is no failure.
        """
        is_resting = self.statuses.get(account_sid) in {"suspended", "closed"}
        if is_resting and isinstance(error, (RefusedError, GoneError)):
            self._resting[account_sid] += streams
            return
        cause: object = str(error)
        if isinstance(error, TwilioError):
            cause = (error.status, error.code)
        elif isinstance(error, StorageError):
            cause = None  # of a full disk each file tells with its own path
        names, _ = self._failures.setdefault((account_sid, type(error), cause), ([], str(error)))
        names += [name for name in streams if name not in names]
        logger.debug("account %s: %s", account_sid, error)

    def count(self, what: str, sid: str) -> None:
        """Count something that is worth knowing and no failure, and remember whom it concerns."""
        self._tally[what].append(told(sid))

    def close(self) -> None:
        """End the run: tell what was counted and what failed.

        Raises:
            SyncIncompleteError: Something failed; one line for each account and cause.
        """
        self._network.adapter.close()
        for what, sids in self._tally.items():
            more = f" and {len(sids) - NAMED} more" if len(sids) > NAMED else ""
            logger.warning("%s: %d (%s%s)", what, len(sids), ", ".join(sids[:NAMED]), more)
        for sid, names in self._resting.items():
            logger.warning("account %s is %s: %s not read", sid, self.statuses[sid], _each(names))
        if self._failures:
            lines = [
                f"account {account_sid}: {', '.join(names)} not complete: {text}"
                for (account_sid, *_), (names, text) in self._failures.items()
            ]
            raise SyncIncompleteError("\n".join(lines))

    def _files(self) -> Files | None:
        if self.settings.download is None:
            return None
        from tap_twilio_media.files import Files  # noqa: PLC0415 - not every run needs all of it

        return Files(self.settings.download, self.settings, self._network)

    def _client(self, credentials: Credentials) -> Client:
        if credentials not in self._clients:
            self._clients[credentials] = Client(
                self.settings.hosts,
                credentials,
                self.settings.manners,
                self._network,
            )
        return self._clients[credentials]


def _each(names: Iterable[str]) -> str:
    """Return names once each, in their order."""
    return ", ".join(dict.fromkeys(names))


def _do_nothing() -> None:
    """Hold nothing back, and know of no reader."""
