"""A folder of this machine as a place for files."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import stat
import threading
from collections import OrderedDict
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from tap_twilio_media.download.storage import Draft, Storage, StorageError, is_inside

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 1_048_576
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_PLAIN = os.O_NOFOLLOW | os.O_CLOEXEC
_STALE = re.compile(r"\..+\.[0-9a-f]{12}\.part", re.DOTALL)
_KNOWN = 4_096
"""So many folders are remembered as swept: a folder of a million files is listed once."""
_ADVICE = {
    errno.ENOSPC: "make room and run again",
    errno.EDQUOT: "the quota is used up; make room and run again",
    errno.EFBIG: "files may not be so large here; raise the limit, or lower max_file_bytes",
    errno.EROFS: "the file system is read-only; choose another output_path",
    errno.EACCES: "give this user the right to write there, or choose another output_path",
    errno.EPERM: "give this user the right to write there, or choose another output_path",
    errno.ELOOP: "replace symbolic links below output_path by folders",
    errno.ENOTDIR: "replace symbolic links and files that stand where folders belong",
    errno.EISDIR: "a folder stands where a file belongs; move it away",
    errno.ENAMETOOLONG: "shorten path_template or output_path",
    errno.EMFILE: "raise the limit of open files (ulimit -n), or lower max_concurrency",
}


class Folder(Storage):
    """Files below a folder. Folders below it are entered only if they are no symbolic links."""

    appends = True

    def __init__(self, root: str) -> None:
        """Touch nothing yet.

        Args:
            root: The folder, which is made when it is first written to.
        """
        self.root = Path(root).expanduser()
        self._swept: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    @override
    def size(self, path: str) -> int | None:
        folder, name = _split(path)
        try:
            with self._opened(folder) as at:
                found = os.stat(name, dir_fd=at, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENAMETOOLONG}:
                return None
            raise self.failed("look at", path, error) from None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    @override
    def draft(self, path: str) -> Draft:
        return _FileDraft(self, *_split(path))

    @override
    def append(self, path: str, line: bytes) -> None:
        folder, name = _split(path)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | _PLAIN
        try:
            with self._opened(folder, make=True) as at:
                file = os.open(name, flags, 0o666, dir_fd=at)
            try:
                _append(file, line)
            finally:
                os.close(file)
        except OSError as error:
            raise self.failed("write", path, error) from None

    @override
    def names(self, folder: str) -> list[str]:
        try:
            with self._opened(folder) as at:
                return sorted(os.listdir(at))  # noqa: PTH208 - an open folder
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise self.failed("read", folder, error) from None

    def failed(self, verb: str, path: str, error: OSError) -> StorageError:
        """Return an error that says what to do."""
        advice = _ADVICE.get(error.errno or 0, "check output_path")
        reason = error.strerror or type(error).__name__
        return StorageError(f"output_path: cannot {verb} {self.root / path}: {reason}; {advice}")

    @contextmanager
    def opened(self, folder: str) -> Iterator[int]:
        """Open a folder to write in, made if needed, and free of what killed runs left there."""
        with self._opened(folder, make=True) as at:
            with self._lock:
                is_new = folder not in self._swept
                self._swept[folder] = None
                self._swept.move_to_end(folder)
                if len(self._swept) > _KNOWN:
                    self._swept.popitem(last=False)
            if is_new:
                _sweep(at)
            yield at

    @contextmanager
    def _opened(self, folder: str, *, make: bool = False) -> Iterator[int]:
        """Open a folder, one part of the path after the other so that no link leads elsewhere."""
        try:
            at = os.open(self.root, _FOLDER)
        except FileNotFoundError:
            if not make:
                raise
            self.root.mkdir(parents=True, exist_ok=True)
            at = os.open(self.root, _FOLDER)
        try:
            for part in folder.split("/") if folder else ():
                inner = _entered(at, part, make=make)
                os.close(at)
                at = inner
            yield at
        finally:
            os.close(at)

    @override
    def pieces(self, path: str) -> Iterator[bytes]:
        folder, name = _split(path)
        try:
            with self._opened(folder) as at:
                file = os.open(name, os.O_RDONLY | _PLAIN, dir_fd=at)
            try:
                while piece := os.read(file, _PIECE):
                    yield piece
            finally:
                os.close(file)
        except OSError as error:
            raise self.failed("read", path, error) from None


class _FileDraft(Draft):
    """A file with a random name beside the final one, locked for as long as it is written."""

    def __init__(self, place: Folder, folder: str, name: str) -> None:
        self._place = place
        self._folder = folder
        self._name = name
        self._opened = ExitStack()
        self._at = -1
        self._part = ""
        self._file = -1

    @override
    def write(self, piece: bytes) -> None:
        try:
            if self._file < 0:
                self._create()
            view = memoryview(piece)
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            raise self._failed(error) from None

    @override
    def commit(self) -> None:
        try:
            os.fsync(self._file)
            os.replace(self._part, self._name, src_dir_fd=self._at, dst_dir_fd=self._at)
            self._part = ""
            os.fsync(self._at)
        except OSError as error:
            raise self._failed(error) from None

    @override
    def discard(self) -> None:
        if self._part:
            with contextlib.suppress(OSError):
                os.unlink(self._part, dir_fd=self._at)
            self._part = ""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        self._opened.close()

    def _create(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _PLAIN
        self._at = self._opened.enter_context(self._place.opened(self._folder))
        while True:
            self._part = f".{self._name}.{secrets.token_hex(6)}.part"
            self._file = os.open(self._part, flags, 0o666, dir_fd=self._at)
            with contextlib.suppress(OSError):  # not every file system knows locks
                fcntl.flock(self._file, fcntl.LOCK_EX)
            # Before it was locked, somebody may have taken it for one of a killed run.
            if os.fstat(self._file).st_nlink:
                return
            os.close(self._file)

    def _failed(self, error: OSError) -> StorageError:
        path = f"{self._folder}/{self._name}" if self._folder else self._name
        return self._place.failed("write", path, error)


def _split(path: str) -> tuple[str, str]:
    """Return the folder and the name of a path.

    Raises:
        StorageError: The path leads elsewhere.
    """
    if not is_inside(path):
        raise StorageError("output_path: a path leads out of it; report this")
    folder, _, name = path.rpartition("/")
    return folder, name


def _entered(at: int, part: str, *, make: bool) -> int:
    """Open a folder inside of an open one."""
    flags = _FOLDER | os.O_NOFOLLOW
    try:
        return os.open(part, flags, dir_fd=at)
    except FileNotFoundError:
        if not make:
            raise
    with contextlib.suppress(FileExistsError):
        os.mkdir(part, dir_fd=at)
    return os.open(part, flags, dir_fd=at)


def _append(file: int, line: bytes) -> None:
    before = os.fstat(file).st_size
    try:
        count = os.write(file, line)
    except OSError:
        os.ftruncate(file, before)
        raise
    if count != len(line):
        os.ftruncate(file, before)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _sweep(at: int) -> None:
    """Remove files that were being written by who no longer lives."""
    for name in os.listdir(at):
        if _STALE.fullmatch(name) is None:
            continue
        with contextlib.suppress(OSError):
            file = os.open(name, os.O_RDWR | _PLAIN, dir_fd=at)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(name, dir_fd=at)
            finally:
                os.close(file)
