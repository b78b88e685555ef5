"""The files of a run of the target, and the states that wait for them."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tap_twilio_media.download.references import Reference
from tap_twilio_media.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tap_twilio_media.download.downloader import Downloader
    from tap_twilio_media.download.outcomes import Outcome
    from tap_twilio_media.pool import Pool

MOST_IN_A_ROW = 20
"""So many files in a row that do not come, and none will."""
SECONDS_TO_GIVE_UP = 0.5
"""So long the files under way have to remove what is there of them."""


class FilesMissedError(TapError):
    """Files did not come that may come later; the state was not passed on beyond them."""


@dataclass(frozen=True)
class _State:
    """A state among the files: anything that JSON has."""

    value: object


class Downloads:
    """Files under way, in the order of their records. Used by one thread.

    A state takes its turn among them: it is passed on when all files before it are settled, and
    while those after it are on their way.

    Attributes:
        missed: How many files did not come that may come later. No state passes these.
    """

    def __init__(
        self,
        downloader: Downloader,
        pool: Pool,
        most: int,
        pass_on: Callable[[Any], None],
    ) -> None:
        """Begin with none.

        Args:
            downloader: The core.
            pool: Who downloads.
            most: So many files are under way at most; for more the input has to wait.
            pass_on: Given each state that is true now.
        """
        self.missed = 0
        self._downloader = downloader
        self._pool = pool
        self._most = most
        self._pass_on = pass_on
        self._line: deque[Future[Outcome] | _State] = deque()
        self._in_a_row = 0

    def add(self, stream: str, record: Mapping[str, Any]) -> None:
        """Ask for the file of a record.

        Raises:
            FilesMissedError: It seems that no file comes.
            TapError: Files cannot be asked for, or not be written.
        """
        task = partial(self._downloader.fetch, Reference.of(stream, record))
        self._line.append(self._pool.submit((0,), task))
        while len(self._line) >= self._most:
            self._take()

    def mark(self, state: object) -> None:
        """Have a state passed on when its turn comes."""
        if self._line and isinstance(self._line[-1], _State):
            self._line.pop()  # it would be passed on at the same time
        self._line.append(_State(state))
        self.take_settled()

    def take_settled(self) -> None:
        """Take what needs no waiting for.

        Raises:
            FilesMissedError: It seems that no file comes.
            TapError: Files cannot be asked for, or not be written.
        """
        while self._line and (isinstance(self._line[0], _State) or self._line[0].done()):
            self._take()

    def settle(self) -> None:
        """Wait for all files that were asked for.

        Raises:
            FilesMissedError: It seems that no file comes.
            TapError: Files cannot be asked for, or not be written.
        """
        while self._line:
            self._take()

    def give_up(self) -> None:
        """Give the files under way, which have been told to stop, a moment to do so."""
        futures = [item for item in self._line if isinstance(item, Future) and not item.cancel()]
        wait(futures, SECONDS_TO_GIVE_UP)

    def _take(self) -> None:
        first = self._line.popleft()
        if isinstance(first, _State):
            if not self.missed:
                self._pass_on(first.value)
            return
        outcome = self._pool.result(first)
        if not outcome.is_transient:
            self._in_a_row = 0
            return
        self.missed += 1
        self._in_a_row += 1
        if self._in_a_row >= MOST_IN_A_ROW:
            msg = f"{self._in_a_row} files in a row did not come, the last one as {outcome.detail}"
            raise FilesMissedError(msg)
