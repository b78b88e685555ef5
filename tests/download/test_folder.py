"""The local disk: whole files under final names, and nothing of killed runs."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tap_twilio_media.download.folder import Folder
from tap_twilio_media.download.storage import StorageError, storage_of
from tests.filing import as_ordinary_user

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Folder, path: str, content: bytes = b"content") -> None:
    with folder.draft(path) as draft:
        draft.write(content)
        draft.commit()


def parts_below(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.name.endswith(".part")]


def test_a_file(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path / "new" / "folder"))
    assert folder.size("a/b/c.bin") is None
    with folder.draft("a/b/c.bin") as draft:
        draft.write(b"one ")
        assert folder.size("a/b/c.bin") is None
        draft.write(b"two")
        draft.commit()
    assert folder.size("a/b/c.bin") == 7
    assert (tmp_path / "new/folder/a/b/c.bin").read_bytes() == b"one two"
    assert folder.digest("a/b/c.bin") == hashlib.sha256(b"one two").hexdigest()
    assert folder.names("a/b") == ["c.bin"]


def test_what_is_not_committed_leaves_nothing(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    write(folder, "a/b")
    with folder.draft("a/b") as draft:
        draft.write(b"other")
        assert len(parts_below(tmp_path)) == 1
    with folder.draft("a/never"):
        pass
    assert folder.names("a") == ["b"]
    assert (tmp_path / "a/b").read_bytes() == b"content"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    write(folder, "a/b")
    assert folder.size("a") is None
    assert folder.size("a/b/c") is None
    assert folder.size("x" * 300) is None
    with pytest.raises(StorageError, match="a folder stands"):
        write(folder, "a")
    assert parts_below(tmp_path) == []


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "a//b", "", "a/./b", "a\x00b"])
def test_paths_that_lead_elsewhere(tmp_path: Path, path: str) -> None:
    folder = Folder(str(tmp_path / "folder"))
    with pytest.raises(StorageError):
        write(folder, path)
    with pytest.raises(StorageError):
        folder.size(path)
    assert not list(tmp_path.iterdir())


def test_stale_parts_are_swept_and_others_are_not(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    stale = tmp_path / "a" / f".file.{'0' * 12}.part"
    held = tmp_path / "a" / f".file.{'1' * 12}.part"
    mine = tmp_path / "a" / ".file.part"
    for path in (stale, held, mine):
        path.write_text("x")
    with closing(held.open("rb+")) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write(Folder(str(tmp_path)), "a/file")
        assert (stale.exists(), held.exists(), mine.exists()) == (False, True, True)
    write(Folder(str(tmp_path)), "a/file")
    assert (held.exists(), mine.exists()) == (False, True)


def test_a_folder_is_swept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[int] = []
    listdir = os.listdir

    def noted(at: int) -> list[str]:
        listed.append(at)
        return listdir(at)

    monkeypatch.setattr(os, "listdir", noted)
    folder = Folder(str(tmp_path))
    for number in range(20):
        write(folder, f"a/{number}")
    assert len(listed) == 1


def test_the_part_is_locked_while_it_is_written(tmp_path: Path) -> None:
    with Folder(str(tmp_path)).draft("a") as draft:
        draft.write(b"x")
        (part,) = tmp_path.iterdir()
        with closing(part.open("rb+")) as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_part_taken_for_stale_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock = fcntl.flock
    taken = iter([True])

    def take_first(file: int, how: int) -> None:
        if next(taken, None):
            (part,) = tmp_path.iterdir()
            part.unlink()
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", take_first)
    write(Folder(str(tmp_path)), "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_lines_are_appended_whole(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    folder.append("m/x", b"one\n")
    folder.append("m/x", b"two\n")
    assert list(folder.lines("m/x")) == [b"one", b"two"]


@pytest.mark.parametrize("kind", ["error", "short"])
def test_a_line_that_does_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder = Folder(str(tmp_path))
    folder.append("m/x", b"one\n")
    write_all = os.write

    def full(file: int, data: bytes) -> int:
        count = write_all(file, data[: len(data) // 2])
        if kind == "error":
            raise OSError(errno.ENOSPC, "No space left on device")
        return count

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StorageError, match="make room"):
        folder.append("m/x", b"two and more\n")
    monkeypatch.undo()
    folder.append("m/x", b"three\n")
    assert list(folder.lines("m/x")) == [b"one", b"three"]


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
def test_a_disk_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), "/some/where")

    folder = Folder(str(tmp_path))
    write(folder, "a/b", b"before")
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(StorageError) as caught:
        write(folder, "a/b", b"after")
    monkeypatch.undo()
    assert os.strerror(number) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert folder.names("a") == ["b"]
    assert (tmp_path / "a/b").read_bytes() == b"before"


@pytest.mark.parametrize("mode", [0o500, 0o000])
def test_a_folder_that_may_not_be_written(mode: int) -> None:
    with as_ordinary_user() as place:
        folder = Folder(str(place))
        place.chmod(mode)
        for path in ("a", "a/b"):
            with pytest.raises(StorageError, match=r"cannot write .* give this user the right"):
                write(folder, path)
        with pytest.raises(StorageError, match="give this user the right"):
            folder.append("manifest/x", b"line\n")
        place.chmod(0o700)
        assert not list(place.iterdir())


def test_a_folder_that_may_not_be_read() -> None:
    with as_ordinary_user() as place:
        folder = Folder(str(place))
        write(folder, "a/b")
        (place / "a").chmod(0o000)
        with pytest.raises(StorageError, match=r"cannot look at .* give this user the right"):
            folder.size("a/b")
        with pytest.raises(StorageError, match=r"cannot read .* give this user the right"):
            folder.names("a")
        (place / "a").chmod(0o700)


def test_many_threads(tmp_path: Path) -> None:
    folder = Folder(str(tmp_path))
    threads = [
        threading.Thread(target=write, args=(folder, f"a/b/{n % 5}", bytes([n]) * 100_000))
        for n in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert folder.names("a/b") == [str(n) for n in range(5)]
    assert {folder.size(f"a/b/{n}") for n in range(5)} == {100_000}


@pytest.mark.parametrize("prefix", ["", "file://", "local://"])
def test_which_place(tmp_path: Path, prefix: str) -> None:
    storage = storage_of(f"{prefix}{tmp_path}")
    assert isinstance(storage, Folder)
    assert storage.root == tmp_path


def test_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(Folder("~/x"), "a")
    assert (tmp_path / "x/a").exists()
