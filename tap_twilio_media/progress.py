"""How far the files are: a bar where a person looks on, a line now and then where none does."""

from __future__ import annotations

import logging
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm

    from tap_twilio_media.download.counts import Counts

logger = logging.getLogger("tap-twilio-media")

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_BETWEEN_LINES = 10.0


class Progress:
    """Shows counts while they grow, in a thread of its own, and their sum at the end."""

    def __init__(self, counts: Counts) -> None:
        """Show nothing yet."""
        self._counts = counts
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._show, name="progress", daemon=True)

    def start(self) -> None:
        """Begin to show."""
        self._thread.start()

    def stop(self) -> None:
        """End, and tell the sum. Done again, or before the start, it does nothing."""
        if self._ended.is_set() or not self._thread.ident:
            return
        self._ended.set()
        self._thread.join()
        logger.info("files: %s", summary(self._counts))

    def _show(self) -> None:
        if sys.stderr.isatty():
            self._show_bar()
            return
        told = 0
        while not self._ended.wait(SECONDS_BETWEEN_LINES):
            if self._counts.files != told:
                told = self._counts.files
                logger.info("files so far: %s", summary(self._counts))

    def _show_bar(self) -> None:
        from tqdm import tqdm  # noqa: PLC0415 - few runs have someone looking on
        from tqdm.contrib.logging import logging_redirect_tqdm  # noqa: PLC0415 - the same

        shown = tqdm(unit="B", unit_scale=True, unit_divisor=1024, desc="0 files")
        # Lines of the log go above the bar, not into it.
        with logging_redirect_tqdm(), shown as bar:
            while not self._ended.wait(SECONDS_BETWEEN_LOOKS):
                self._move(bar)
            self._move(bar)

    def _move(self, bar: tqdm[NoReturn]) -> None:
        bar.set_description_str(f"{self._counts.files:,} files", refresh=False)
        bar.update(self._counts.received_bytes - bar.n)


def summary(counts: Counts) -> str:
    """Return the counts in words, those of which there is something."""
    parts = [
        f"{counts.fetched:,} downloaded ({in_words(counts.fetched_bytes)})",
        f"{counts.held:,} there already ({in_words(counts.held_bytes)})" if counts.held else "",
        *(f"{count:,} {status}" for status, count in sorted(counts.failed.items())),
    ]
    return ", ".join(filter(None, parts))


def in_words(size: float) -> str:
    """Return a number of bytes as a person writes it."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:  # noqa: PLR2004 - the step between units
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} TiB"
