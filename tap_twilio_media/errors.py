"""What can go wrong, said in one line each."""

from __future__ import annotations

import errno
import os

_LACKING = {errno.EMFILE, errno.ENFILE}


class TapError(Exception):
    """A failure that its text explains in full: one line, without secrets, no traceback needed."""


class ConfigError(TapError):
    """The settings cannot be used. The text names settings, never the value of a secret."""


class StateError(TapError):
    """The incoming state is not one that this tap wrote."""


class SyncIncompleteError(TapError):
    """The run ended, but a part of it was not read: the bookmarks of that part did not move."""


class UnwrittenError(Exception):
    """The output cannot be written. No `TapError`: nothing else of the run can go on either."""


def lack_of(error: BaseException) -> str | None:
    """Return what this machine lacked if that led to an exception: open files."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _LACKING:
            return os.strerror(cause.errno)
        cause = cause.__cause__ or cause.__context__
    return None
