"""Where files go: what a place must be able to do, and which place an output_path means."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from tap_twilio_media.errors import TapError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self

LOCAL_SCHEMES = ("file://", "local://")


class StorageError(TapError):
    """The place cannot be read or written. The text says what to do."""


class Draft(ABC):
    """A file that is being written, and that nobody sees under its name until it is whole.

    Nothing is created before the first byte. Leaving its context without `commit` discards it.
    """

    @abstractmethod
    def write(self, piece: bytes) -> None:
        """Add bytes.

        Raises:
            StorageError: They cannot be written.
        """

    @abstractmethod
    def commit(self) -> None:
        """Make the bytes last, and put them under the name.

        Raises:
            StorageError: That cannot be done; the name holds what it held before.
        """

    @abstractmethod
    def discard(self) -> None:
        """Leave no trace of what was not committed. Never fails."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.discard()


class Storage(ABC):
    """A place for files. Paths are relative to it, with slashes. Usable by any thread.

    Every method raises StorageError when the place fails.

    Attributes:
        appends: Whether a file can grow; else a manifest is written in pieces, each a file.
    """

    appends: bool

    @abstractmethod
    def size(self, path: str) -> int | None:
        """Return the bytes of a file; None if there is none, or no plain one, at the path."""

    @abstractmethod
    def draft(self, path: str) -> Draft:
        """Begin a file."""

    @abstractmethod
    def append(self, path: str, line: bytes) -> None:
        """Add a line to a file, all of it or nothing."""

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """Return the names of what is in a folder, sorted; none if there is no folder."""

    @abstractmethod
    def pieces(self, path: str) -> Iterator[bytes]:
        """Yield the content of a file."""

    def digest(self, path: str) -> str:
        """Return the SHA-256 of a file, in hexadecimal digits."""
        digest = hashlib.sha256()
        for piece in self.pieces(path):
            digest.update(piece)
        return digest.hexdigest()

    def lines(self, path: str) -> Iterator[bytes]:
        """Yield the lines of a file; the last one may be cut."""
        rest = b""
        for piece in self.pieces(path):
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole
        if rest:
            yield rest


def storage_of(output_path: str) -> Storage:
    """Return the place that an output_path means: a folder, or a URL that fsspec knows.

    Raises:
        StorageError: There is no such kind of place, or a package for it is missing.
    """
    scheme, separator, rest = output_path.partition("://")
    if not separator or f"{scheme}://" in LOCAL_SCHEMES:
        from tap_twilio_media.download.folder import Folder  # noqa: PLC0415 - it builds on this module

        return Folder(rest if separator else output_path)
    from tap_twilio_media.download.objects import ObjectStore  # noqa: PLC0415 - imports take time

    return ObjectStore.of(output_path)


def is_inside(path: str) -> bool:
    """Return whether a relative path stays below where it begins."""
    parts = path.split("/")
    return "\x00" not in path and not {"", ".", ".."} & set(parts)
