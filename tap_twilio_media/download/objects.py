"""An object store, or whatever else fsspec knows, as a place for files."""

from __future__ import annotations

import contextlib
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import fsspec  # type: ignore[import-untyped]
from typing_extensions import override

from tap_twilio_media.download.storage import Draft, Storage, StorageError, is_inside
from tap_twilio_media.texts import told

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 5 * 1_048_576
"""Bytes of a part: the least that S3 takes. A smaller file is sent in one request."""
_PIECE = 1_048_576
_TALKATIVE = ("aiobotocore", "azure", "botocore")
"""Loggers that tell each request with its signature, or a line for each at INFO."""
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az"}


class ObjectStore(Storage):
    """Files below a URL. Whoever may use it is up to the environment, as fsspec's docs say."""

    appends = False

    def __init__(self, files: Any, root: str) -> None:  # noqa: ANN401 - fsspec has no types
        """Touch nothing yet.

        Args:
            files: The file system of fsspec.
            root: The path on it that paths are relative to.
        """
        self._files = files
        self._root = root.rstrip("/")

    @classmethod
    def of(cls, url: str) -> ObjectStore:
        """Return the store that a URL means.

        Raises:
            StorageError: No such scheme, or a package for it is not installed.
        """
        scheme = url.partition("://")[0]
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            # What others, or this run, have just written must be seen.
            files, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        except ImportError:
            extra = _EXTRAS.get(scheme)
            what = f"'tap-twilio-media[{extra}]'" if extra else f"what fsspec needs for {scheme}"
            raise StorageError(
                f"output_path: {scheme}:// needs a package that is missing: install {what}"
            ) from None
        except Exception as error:  # noqa: BLE001 - whatever a file system takes amiss
            kind = type(error).__name__
            raise StorageError(
                f"output_path: cannot be used as a {scheme}:// address ({kind}); check it"
            ) from None
        return cls(files, root)

    @override
    def size(self, path: str) -> int | None:
        with self.telling("look at", path):
            try:
                found = self._files.info(self.full(path))
            except FileNotFoundError:
                return None
        size = found.get("size")
        return size if found.get("type") == "file" and isinstance(size, int) else None

    @override
    def draft(self, path: str) -> Draft:
        return _ObjectDraft(self, path)

    @override
    def append(self, path: str, line: bytes) -> None:
        raise NotImplementedError

    @override
    def names(self, folder: str) -> list[str]:
        with self.telling("list", folder):
            try:
                found = self._files.ls(self.full(folder), detail=False)
            except FileNotFoundError:
                return []
        return sorted(name.rsplit("/", 1)[-1] for name in found)

    def full(self, path: str) -> str:
        """Return the path on the file system.

        Raises:
            StorageError: The path leads elsewhere.
        """
        if not is_inside(path):
            raise StorageError("output_path: a path leads out of it; report this")
        return f"{self._root}/{path}"

    def put(self, path: str, content: bytes) -> None:
        """Write a small file in one request."""
        with self.telling("write", path):
            self._files.pipe_file(self.full(path), content)

    def begin(self, path: str) -> Any:  # noqa: ANN401 - fsspec has no types
        """Open a large file, which is not there before it is committed."""
        with self.telling("write", path):
            return self._files.open(self.full(path), "wb", block_size=BLOCK, autocommit=False)

    @contextmanager
    def telling(self, verb: str, path: str) -> Iterator[None]:
        """Turn the errors of any file system into one that names no secret."""
        try:
            yield
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - each has its own
            kind = type(error).__name__
            # The texts of others may hold addresses and keys.
            reason = error.strerror if isinstance(error, OSError) else None
            cause = f"{kind}: {told(reason)}" if reason else kind
            raise StorageError(
                f"output_path: cannot {verb} {path}: {cause}; check that it exists and that the "
                "credentials for it, from the environment, may read and write it"
            ) from None

    @override
    def pieces(self, path: str) -> Iterator[bytes]:
        full = self.full(path)
        with (
            self.telling("read", path),
            self._files.open(full, "rb", cache_type="readahead") as file,
        ):
            while piece := file.read(_PIECE):
                yield piece


class _ObjectDraft(Draft):
    """Bytes that are held until they are many, and then sent in parts that nobody sees."""

    def __init__(self, store: ObjectStore, path: str) -> None:
        self._store = store
        self._path = path
        self._held = bytearray()
        self._file: Any = None

    @override
    def write(self, piece: bytes) -> None:
        if self._file is None:
            self._held += piece
            if len(self._held) < BLOCK:
                return
            self._file = self._store.begin(self._path)
            piece, self._held = bytes(self._held), bytearray()
        with self._store.telling("write", self._path):
            self._file.write(piece)

    @override
    def commit(self) -> None:
        if self._file is None:
            self._store.put(self._path, bytes(self._held))
            return
        with self._store.telling("write", self._path):
            self._file.close()
            self._file.commit()
        self._file = None

    @override
    def discard(self) -> None:
        self._held = bytearray()
        file, self._file = self._file, None
        if file is not None:
            # Some file systems complete a file when it is closed, and the collector closes.
            file.closed = True
            with contextlib.suppress(Exception):
                file.discard()
