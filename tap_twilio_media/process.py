"""What the process of a command needs; whoever embeds the tap keeps a process as it was."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_M_MMAP_THRESHOLD = -3
_LARGE = 1 << 17


@contextmanager
def started() -> Iterator[None]:
    """Import within it what the command runs: the process is then ready to read pages."""
    gc.disable()  # nothing of what is imported goes away again
    on_interrupt = signal.getsignal(signal.SIGINT)
    if on_interrupt is signal.default_int_handler:
        # Ctrl-C ends a process that has not begun as quietly as SIGTERM does.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, on_interrupt)
    # Rows come and go by the thousand and hold no cycles: looking for some costs a tenth.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    gc.enable()
    # glibc keeps what a thread frees for that thread. With pages handed back to the system at
    # once, memory follows what is held and not the number of threads. Others have no mallopt.
    if os.name == "posix" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
