"""How a command ends: soon after a signal or its reader, and with one line for an error."""

from __future__ import annotations

import logging
import os
import re
import select
import sys
import threading
import traceback
from typing import IO, Any

from singer_sdk.exceptions import MapExpressionError, StreamMapConfigError

from tap_twilio_media.errors import TapError, UnwrittenError, lack_of

SECONDS_TO_STOP = 1.5
_GONE = select.POLLERR | select.POLLHUP

_QUERY = re.compile(r"(/[^\s?'\"<>]*)\?[^\s'\"<>]+")


def end_soon(code: int) -> None:
    """End the process before long, whatever it hangs in."""
    timer = threading.Timer(SECONDS_TO_STOP, os._exit, (code,))
    timer.daemon = True
    timer.start()


def check_reader(stream: IO[Any]) -> None:
    """Raise what a write would raise: a command that only waits would outlive its reader.

    Args:
        stream: A stream that is written to, such as stdout.

    Raises:
        BrokenPipeError: It is a pipe, a socket or a terminal whose other end is closed.
    """
    try:
        number = stream.fileno()
    except (AttributeError, OSError, ValueError):
        return  # closed, or replaced by whoever embeds the command
    poll = select.poll()
    # Linux tells of a closed end in any case, macOS only those who ask whether they may write.
    poll.register(number, select.POLLOUT)
    if any(event & _GONE for _, event in poll.poll(0)):
        raise BrokenPipeError


class told_in_one_line:  # noqa: N801 - reads as a clause: with told_in_one_line(logger)
    """Ends the process with exit code 1 and one line for an error, no traceback above debug."""

    def __init__(self, logger: logging.Logger, reader: str = "the target") -> None:
        """Use a logger, and name whoever reads stdout."""
        self._logger = logger
        self._reader = reader

    def __enter__(self) -> None:
        """Do nothing."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        """Tell an exception, and exit."""
        if not isinstance(error, Exception):
            return
        debug = self._logger.isEnabledFor(logging.DEBUG)
        try:
            sys.stdout.flush()
        except OSError:
            # Python would flush once more at exit and complain again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            lines = [f"{self._reader} stopped reading; its own log tells why"]
        elif isinstance(error, (TapError, UnwrittenError)):
            lines = str(error).splitlines()
        elif isinstance(error, (MapExpressionError, StreamMapConfigError)):
            lines = [f"stream_maps: {error}"]
        elif lack := lack_of(error):
            lines = [f"{lack}; raise the limit (ulimit -n), or lower max_concurrency"]
        else:
            # The text of an unforeseen exception may hold anything, so only its kind is told.
            lines = [f"unforeseen {type(error).__name__}; run with LOGLEVEL=debug and report this"]
        for line in lines:
            self._logger.error(line)
        if debug and not isinstance(error, TapError):
            told = "".join(traceback.format_exception(error))
            # The texts of others hold whole addresses, and of one of a file the query signs it.
            self._logger.debug("details\n%s", _QUERY.sub(r"\1?...", told))
        raise SystemExit(1) from None
