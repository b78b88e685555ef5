"""Singer messages to stdout: encoded fast, written in large pieces, and never late."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from singer_sdk.contrib.msgspec import MsgSpecWriter, encoder
from typing_extensions import override

from tap_twilio_media.endings import check_reader
from tap_twilio_media.errors import UnwrittenError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.singerlib.messages import Message

LARGEST_PIECE = 1 << 16
LONGEST_DELAY = 1.0
"""Seconds that a message is held back at most; before the tap waits, everything goes out."""


class Output(MsgSpecWriter):
    """Writes messages at once or, while `held`, together.

    Attributes:
        exit_code: Set while a piece is being written, it ends the process after that piece: a
            signal must not cut a line.
        is_writing: Whether a piece is being written.
    """

    def __init__(self) -> None:
        """Hold nothing back."""
        super().__init__()
        self.exit_code: int | None = None
        self.is_writing = False
        self._held = False
        self._piece = bytearray()
        self._written_at = 0.0
        self._error: Exception | None = None

    @override
    def write_message(self, message: Message) -> None:
        encoder.encode_into(message.to_dict(), self._piece, -1)
        self._piece += b"\n"
        late = time.monotonic() - self._written_at > LONGEST_DELAY
        if late or not self._held or len(self._piece) >= LARGEST_PIECE:
            self.flush()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Write messages together."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self.flush()

    def while_waiting(self) -> None:
        """Write what was held back, and look whether anybody still reads.

        Raises:
            BrokenPipeError: Nobody does.
        """
        self.flush()
        check_reader(sys.stdout)

    def flush(self) -> None:
        """Write what was held back.

        Raises:
            BrokenPipeError: Nobody reads.
            UnwrittenError: It cannot be written.
        """
        if not self._piece:
            return
        self._written_at = time.monotonic()
        piece, self._piece = self._piece, bytearray()
        if self._error:
            raise self._error  # a line may have been cut, and a state must not follow lost rows
        self.is_writing = True
        try:
            left = memoryview(piece)
            while left:
                # Unbuffered, as in many containers, stdout may take a part of it.
                left = left[sys.stdout.buffer.write(left) :]
            sys.stdout.buffer.flush()
        except OSError as error:
            self._error = error
            if not isinstance(error, BrokenPipeError):
                self._error = UnwrittenError(f"stdout: cannot write: {error.strerror}")
            raise self._error from None
        finally:
            self.is_writing = False
        if self.exit_code is not None:
            sys.exit(self.exit_code)
