"""From manifests to pages on disk, and the command that does it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_twilio_media.gallery.paging import page_sizes
from tap_twilio_media.gallery.sheet import write_sheet
from tests.gallery.archives import png

if TYPE_CHECKING:
    from tests.gallery.archives import Archive


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [Path(sys.executable).with_name("twilio-media-index"), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def cards(page: Path) -> list[str]:
    """Return the names on a page, in order."""
    return re.findall(r'<p class="name">(?:<a[^>]*>)?<bdi>([^<]*)', page.read_text())


class TestManifests:
    def test_the_newest_row_of_a_sid_wins(self, archive: Archive) -> None:
        sid = "ME" + "a" * 32
        archive.add("x.png", png(), "image/png", sid=sid, filename="third")
        archive.write("2.jsonl")
        archive.rows.clear()
        archive.add(None, None, "image/png", sid=sid, filename="first", status="not_found")
        archive.add(None, None, "image/png", sid=sid, filename="second", status="not_found")
        archive.write("1.jsonl")
        made = write_sheet(archive.folder)
        assert made.totals == (1, len(png()), 0, 0)
        assert cards(made.first) == ["third"]

    def test_the_last_line_of_a_manifest_wins(self, archive: Archive) -> None:
        for name in ("first", "second"):
            archive.add(None, None, "x", sid="ME1", filename=name, status="forbidden")
        assert cards(write_sheet(archive.write()).first) == ["second"]

    def test_lines_that_cannot_be_read_are_passed_over(self, archive: Archive) -> None:
        good = archive.add("x.png", png(), "image/png", filename="good")
        half = json.dumps(good | {"filename": "half"})[:-9]
        lines = ["[]", "{}", "\xff", '{"sid": 5}', "[" * 100_000, "", json.dumps(good), half]
        (archive.folder / "manifest" / "1.jsonl").write_text("\n".join(lines), encoding="latin-1")
        made = write_sheet(archive.folder)
        assert made.unread == 6
        assert cards(made.first) == ["good"]

    def test_files_are_in_order(self, archive: Archive) -> None:
        talk = {"conversation_sid": "CH1", "stream": "mcs_media"}
        for name, date, more in (
            ("4", "2026-08-04T09:00:00Z", talk),
            ("1", "2026-08-05T00:00:00Z", {}),
            ("3", "2026-08-04T11:00:00.123456Z", talk),
            ("2", "2026-08-04T12:00:00Z", {}),
            ("5", "2026-08-04T10:00:00Z", {}),
            ("7", None, {"sid": "b"}),
            ("6", "2026-13-04T10:00:00Z", {"sid": "a"}),
        ):
            archive.add(None, None, "x", filename=name, date_created=date, **more)
        for row in archive.rows[-2:]:
            row["message_sid"] = None
        page = write_sheet(archive.write()).first
        assert cards(page) == ["1", "2", "3", "4", "5", "6", "7"]
        assert page.read_text().count("<h2>") == 3

    def test_what_is_not_there_is_told_apart(self, archive: Archive) -> None:
        (archive.folder.parent / "outside.png").write_bytes(png())
        archive.add("x.png", png(), "image/png")
        archive.add("y.png", None, "image/png", bytes=10)
        archive.add("../outside.png", None, "image/png", bytes=10)
        archive.add(str(archive.folder / "x.png"), None, "image/png", bytes=10)
        archive.add(None, None, "image/png", status="too_large", bytes=10)
        made = write_sheet(archive.write())
        assert made.totals == (1, len(png()), 3, 1)
        assert made.first.read_text().count("<img") == 1


class TestPaging:
    @given(st.lists(st.integers(1, 60), max_size=30), st.integers(1, 20))
    def test_pages_hold_whole_days_where_they_can(self, days: list[int], limit: int) -> None:
        sizes = page_sizes(days, limit)
        assert sum(sizes) == sum(days)
        assert max(sizes) <= limit
        assert days == [] or min(sizes) > 0
        page_of = [page for page, size in enumerate(sizes) for _ in range(size)]
        at = 0
        for count in days:
            pages = set(page_of[at : at + count])
            assert len(pages) == -(-count // limit)
            at += count

    def test_pages_of_a_larger_run_are_removed_and_nothing_else(self, archive: Archive) -> None:
        for number in range(10):
            archive.add(f"{number}.png", png(), "image/png", filename=f"n{number}")
        foreign = [archive.folder / name for name in ("index-9.html", "index-x.html")]
        for path in foreign:
            path.write_text("somebody's own")
        made = write_sheet(archive.write(), page_size=3)
        assert made.pages == 4
        pages = sorted(set(archive.folder.glob("index*.html")) - set(foreign))
        assert [path.name for path in pages] == [
            *("index-2.html", "index-3.html", "index-4.html", "index.html")
        ]
        names = Counter(name for page in pages for name in cards(page))
        assert names == Counter(f"n{number}" for number in range(10))
        assert write_sheet(archive.folder, page_size=5).pages == 2
        assert {path.name for path in archive.folder.glob("*.html")} == {
            *("index.html", "index-2.html"),
            *(path.name for path in foreign),
        }


class TestCommand:
    def test_says_how_many_files_and_where(self, archive: Archive) -> None:
        archive.add("x.png", png(), "image/png")
        archive.add(None, None, "image/png", status="not_found")
        done = run(archive.write())
        page = archive.folder / "index.html"
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"1 file, 1 not stored: {page}\n"
        assert page.read_text().startswith("<!DOCTYPE html>")

    def test_makes_a_page_of_nothing(self, archive: Archive) -> None:
        done = run(archive.write())
        assert done.stdout == f"0 files: {archive.folder / 'index.html'}\n"
        assert "no files yet" in (archive.folder / "index.html").read_text()

    def test_helps(self) -> None:
        done = run("--help")
        assert done.returncode == 0
        assert "OUTPUT_PATH" in done.stdout

    def test_without_a_folder_it_says_so(self) -> None:
        assert run().returncode == 2

    @pytest.mark.parametrize(
        ("where", "reason"),
        [
            ("nowhere", "no such folder"),
            ("s3://bucket/media", "only a local folder"),
            ("empty", "no manifest in"),
            ("file", "no such folder"),
            ("page-is-a-folder", "index.html"),
            ("manifest-is-a-folder", "1.jsonl"),
        ],
    )
    def test_fails_in_one_line(self, archive: Archive, where: str, reason: str) -> None:
        home = archive.folder.parent
        (home / "empty").mkdir()
        (home / "file").touch()
        (home / "page-is-a-folder" / "manifest").mkdir(parents=True)
        (home / "page-is-a-folder" / "manifest" / "1.jsonl").touch()
        (home / "page-is-a-folder" / "index.html" / "x").mkdir(parents=True)
        (home / "manifest-is-a-folder" / "manifest" / "1.jsonl").mkdir(parents=True)
        done = run(where if "://" in where else home / where)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("twilio-media-index: ")
        assert reason in done.stderr
        assert not list(home.rglob("*.part"))

    def test_a_page_that_fails_leaves_the_old_one(
        self, archive: Archive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        archive.add("x.png", png(), "image/png")
        page = write_sheet(archive.write()).first
        before = page.read_text()

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "replace", full)
        with pytest.raises(OSError, match="No space left"):
            write_sheet(archive.folder)
        assert page.read_text() == before
        assert sorted(path.name for path in archive.folder.iterdir()) == [
            *("index.html", "manifest", "x.png")
        ]
