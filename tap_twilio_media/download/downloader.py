"""Files on demand: looked for, fetched if need be, stored, and written down."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from dataclasses import replace
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, cast

from tap_twilio_media.client.errors import StoppedError, UnavailableError
from tap_twilio_media.client.patience import persist
from tap_twilio_media.download.counts import Counts
from tap_twilio_media.download.fetching import Fetcher
from tap_twilio_media.download.hosts import Routes
from tap_twilio_media.download.manifest import Manifest, Row
from tap_twilio_media.download.names import essence_of, path_of
from tap_twilio_media.download.outcomes import FileError, Outcome
from tap_twilio_media.download.storage import storage_of
from tap_twilio_media.times import written

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_twilio_media.client.failures import Failure
    from tap_twilio_media.client.hosts import Hosts
    from tap_twilio_media.client.network import Credentials, Manners, Network
    from tap_twilio_media.download.fetching import Received
    from tap_twilio_media.download.manifest import Entry
    from tap_twilio_media.download.outcomes import Status
    from tap_twilio_media.download.references import Reference
    from tap_twilio_media.download.settings import DownloadSettings

_WATCH = 0.5
"""Seconds between two looks at the stop event while another thread has the same file."""


class Downloader:
    """Settles files, each for good unless its outcome says otherwise. Usable by any thread.

    Attributes:
        counts: What was done so far.
    """

    def __init__(
        self,
        settings: DownloadSettings,
        hosts: Hosts,
        manners: Manners,
        network: Network,
        credentials: Callable[[str, str], Credentials | None],
    ) -> None:
        """Ask and write nothing yet.

        Args:
            settings: Which files, and where to.
            hosts: The configured bases.
            manners: Timeouts, the retry budget and the name to go by.
            network: What is shared with the clients of the run.
            credentials: Gives the pair for an account SID and a stream: for message media the
                account's own or its parent's Auth Token, for MCS only its own; None if there is
                none.

        Raises:
            StorageError: The output_path is none that can be used.
        """
        self.counts = Counts()
        self._settings = settings
        self._manners = manners
        self._stop = network.stop
        self._credentials = credentials
        self._storage = storage_of(settings.output_path)
        self._manifest = Manifest(self._storage)
        self._fetcher = Fetcher(
            hosts,
            Routes(hosts, settings.media_hosts),
            manners,
            network,
            settings.max_file_bytes,
            on_bytes=self.counts.receive,
        )
        self._lock = threading.Lock()
        self._under_way: dict[str, Future[Outcome]] = {}

    def fetch(self, reference: Reference) -> Outcome:
        """Return what became of a file, after asking for it if it is not stored yet.

        Raises:
            RefusedError: The credentials are not accepted: no file would come.
            StorageError: Files or rows cannot be written.
            StoppedError: The run is ending.
        """
        if problem := reference.problem():
            return self._refused(reference, problem)
        with self._lock:
            other = self._under_way.get(reference.sid)
            if other is None:
                own = self._under_way[reference.sid] = Future[Outcome]()
        if other is not None:
            return self._result(other)
        try:
            outcome = self._settle(reference)
        except BaseException as error:
            own.set_exception(error)
            raise
        else:
            own.set_result(outcome)
            return outcome
        finally:
            with self._lock:
                del self._under_way[reference.sid]

    def known(self, reference: Reference) -> Outcome | None:
        """Return what will become of a file, as far as that is known without asking Twilio.

        Returns:
            None for a file that would come, as far as is known. Nothing is written.
        """
        if problem := reference.problem():
            return Outcome("invalid", detail=problem)
        held = self._found(reference, self._manifest.newest(reference.sid))
        if outcome := held or self._deselected(reference):
            return outcome
        credentials = self._credentials_of(reference)
        if isinstance(credentials, Outcome):
            return credentials
        if (reference.size or 0) > self._settings.max_file_bytes:
            return Outcome("too_large", detail="the file has more bytes than max_file_bytes")
        return None

    def flush(self) -> None:
        """Write the rows that an object store holds back: call it before state is passed on.

        Raises:
            StorageError: They cannot be written.
        """
        self._manifest.flush()

    def close(self) -> None:
        """Write what is held back, and give up what is temporary.

        Raises:
            StorageError: It cannot be written.
        """
        try:
            self._manifest.flush()
        finally:
            self._manifest.close()

    def _result(self, other: Future[Outcome]) -> Outcome:
        """Wait for the thread that has the same file."""
        while not other.done():
            if self._stop.is_set():
                raise StoppedError("stopped")
            wait((other,), _WATCH)
        outcome = replace(other.result(), attempts=0, fetched=False)
        self.counts.settle(outcome)
        return outcome

    def _refused(self, reference: Reference, problem: str) -> Outcome:
        """Settle what cannot be asked for: alone, as it says nothing of the file itself."""
        outcome = Outcome("invalid", detail=problem)
        # The file itself may be stored at this moment, and then has the last word.
        row = self._row(reference, outcome, None)
        self._manifest.append(row, lambda entry: _is_news(outcome, entry))
        self.counts.settle(outcome)
        return outcome

    def _settle(self, reference: Reference) -> Outcome:
        entry = self._manifest.newest(reference.sid)
        if held := self._found(reference, entry):
            if held.status == "stored" and held.sha256 is None and held.path:
                held = replace(held, sha256=self._storage.digest(held.path))
                self._manifest.append(self._row(reference, held, None))
            self.counts.settle(held)
            return held
        outcome, served = self._fetched(reference, entry)
        if _is_news(outcome, entry):
            self._manifest.append(self._row(reference, outcome, served))
        else:
            self._manifest.confirm(reference.sid)
        self.counts.settle(outcome)
        return outcome

    def _found(self, reference: Reference, entry: Entry | None) -> Outcome | None:
        """Return the outcome of a file that needs no asking; without a hash if no row has it.

        Where a row says that it is counts, not where it would go now. A file without a row was
        put in its place by a run that was killed before the row: it is whole, or would not be
        there. After a row that says otherwise nothing is certain, and it is asked for.
        """
        if entry is not None and entry.status == "stored" and entry.path is not None:
            if self._storage.size(entry.path) == entry.bytes:
                return Outcome("stored", entry.path, entry.bytes, entry.sha256)
            return None
        if entry is not None:
            open_ = {"unavailable", "invalid"}
            settled_now = entry.run == self._manifest.run and entry.status not in open_
            status = cast("Status", entry.status)
            return Outcome(status, detail=entry.detail) if settled_now else None
        path = path_of(self._settings.path_template, reference)
        size = self._storage.size(path)
        if size is None or size == 0 or reference.size not in {None, size}:
            return None
        return Outcome("stored", path, size)

    def _deselected(self, reference: Reference) -> Outcome | None:
        patterns = self._settings.content_types
        essence = essence_of(reference.content_type)
        if not patterns or any(fnmatchcase(essence, pattern.lower()) for pattern in patterns):
            return None
        return Outcome("not_selected", detail=f"its type is {essence or 'not known'}")

    def _credentials_of(self, reference: Reference) -> Credentials | Outcome:
        """Return the pair to ask with; without one, what that means for the file."""
        found = self._credentials(reference.account_sid, reference.stream)
        account = reference.account_sid
        detail = f"no credentials of {account}: add them to subaccount_credentials"
        return found or Outcome("forbidden", detail=detail)

    def _fetched(self, reference: Reference, entry: Entry | None) -> tuple[Outcome, str | None]:
        """Ask for a file; return what became of it, and the type that it was served with."""
        if deselected := self._deselected(reference):
            return deselected, None
        credentials = self._credentials_of(reference)
        if isinstance(credentials, Outcome):
            return credentials, None
        path = path_of(self._settings.path_template, reference)
        if (
            entry is not None
            and entry.path is not None
            and self._storage.size(entry.path) is not None
        ):
            path = entry.path
        attempts = 0

        def attempt(deadline: float) -> Received | Failure:
            nonlocal attempts
            attempts += 1
            draft = self._storage.draft(path)
            return self._fetcher.attempt(reference, credentials, draft, deadline)

        try:
            received = persist(attempt, self._manners.max_retry_seconds, self._stop)
        except FileError as error:
            return Outcome(error.kind, detail=str(error), attempts=attempts), None
        except UnavailableError as error:
            return Outcome("unavailable", detail=str(error), attempts=attempts), None
        outcome = Outcome(
            "stored", path, received.bytes, received.sha256, attempts=attempts, fetched=True
        )
        return outcome, received.content_type

    def _row(self, reference: Reference, outcome: Outcome, served: str | None) -> Row:
        return Row(
            stream=reference.stream,
            sid=reference.shown("sid") or "",
            account_sid=reference.shown("account_sid") or "",
            message_sid=reference.shown("message_sid"),
            conversation_sid=reference.shown("conversation_sid"),
            chat_service_sid=reference.shown("chat_service_sid"),
            date_created=reference.date_created,
            filename=reference.filename,
            path=outcome.path,
            bytes=outcome.bytes,
            sha256=outcome.sha256,
            content_type=reference.content_type,
            content_type_served=served,
            status=outcome.status,
            detail=outcome.detail,
            attempts=outcome.attempts,
            at=written(datetime.now(timezone.utc), "microseconds"),
            run=self._manifest.run,
        )


def _is_news(outcome: Outcome, entry: Entry | None) -> bool:
    """Return whether an outcome is worth a row: a failure is written down once."""
    if entry is None or outcome.status == "stored":
        return True
    if outcome.status == "invalid" and entry.status == "stored":
        return False  # a record with a damaged parent does not make a file less whole
    return outcome.status != entry.status
