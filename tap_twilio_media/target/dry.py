"""What a run would download, counted from the records alone."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tap_twilio_media.download.references import Reference
from tap_twilio_media.progress import in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_twilio_media.download.downloader import Downloader


class DryRun:
    """Stands in for `Downloads`: nothing is asked for, nothing written, no state passed on."""

    missed = 0

    def __init__(self, downloader: Downloader) -> None:
        """Begin with nothing."""
        self._downloader = downloader
        self._sids: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._bytes = 0
        self._unannounced = 0

    def add(self, stream: str, record: Mapping[str, Any]) -> None:
        """Count the file of a record, once."""
        reference = Reference.of(stream, record)
        if reference.sid in self._sids:
            return
        self._sids.add(reference.sid)
        outcome = self._downloader.known(reference)
        self._counts[outcome.status if outcome else "to download"] += 1
        if outcome is None:
            self._bytes += reference.size or 0
            self._unannounced += reference.size is None

    def mark(self, state: object) -> None:
        """Pass nothing on."""

    def take_settled(self) -> None:
        """Take nothing."""

    def settle(self) -> None:
        """Wait for nothing."""

    def give_up(self) -> None:
        """Leave nothing behind."""

    def __str__(self) -> str:
        """Return the counts in words."""
        wanted = self._counts["to download"]
        sizes = [in_words(self._bytes)] if wanted > self._unannounced else []
        if self._unannounced:
            sizes.append(f"those {self._unannounced:,} whose size Twilio does not tell")
        counts = sorted((self._counts - Counter({"to download": wanted})).items())
        others = [f"{count:,} {status}" for status, count in counts]
        parts = [f"{wanted:,} files to download", " and ".join(sizes), *others]
        return ", ".join(filter(None, parts))
