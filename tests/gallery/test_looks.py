"""The contact sheet in a browser: what shows, what loads, what must not happen."""

from __future__ import annotations

import functools
import re
import socket
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from tap_twilio_media.gallery.sheet import write_sheet
from tests.browser import NARROW, WIDE, Browser, View
from tests.gallery.archives import Archive, png, wav

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = "<img src=x onerror=\"document.title='ran'\"><script>document.title='ran'</script>"
CALENDAR = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
DECODED = "[...document.images].map((image) => image.naturalWidth)"


@pytest.fixture
def sheet(archive: Archive) -> Path:
    """A sheet with one of each: the address of its first page."""
    for number in range(12):
        archive.add(f"AC/MM/{number}.png", png(40 + number), "image/png")
    spoken = {"conversation_sid": "CH" + "1" * 32, "stream": "mcs_media"}
    archive.add("AC/a b#%?.png", png(7), "image/png", filename="holiday.png", **spoken)
    archive.add("AC/MM/note.wav", wav(), "audio/wav; codecs=1", filename="note.wav", **spoken)
    archive.add("AC/MM/clip.mp4", b"no video", "video/mp4", **spoken)
    archive.add("AC/MM/bill.pdf", b"%PDF-1.4", "application/pdf")
    archive.add("AC/MM/party.ics", CALENDAR, "text/calendar", filename="party.ics")
    archive.add("AC/MM/evil.svg", SCRIPT.encode(), "image/svg+xml", filename="evil.svg")
    archive.add("AC/MM/evil.html", SCRIPT.encode(), "image/png", filename="evil.png")
    archive.add("AC/MM/old.bin", b"?", "x", date_created=None)
    archive.add("AC/MM/gone.png", None, "image/png", filename="gone.png")
    archive.add(None, None, "video/mp4", status="too_large", detail="19.2 MB, 16 MB allowed")
    return write_sheet(archive.write()).first


def seen(browser: Browser, sheet: Path, width: int = WIDE, *, dark: bool = False) -> View:
    view = browser.open_page(sheet.as_uri(), width, dark=dark)
    view.see_all()
    return view


class TestContent:
    def test_shows_pictures_players_and_links(self, browser: Browser, sheet: Path) -> None:
        view = seen(browser, sheet)
        widths = view.ask(DECODED)
        assert sorted(widths) == [7, *range(40, 52)]
        assert view.ask("document.querySelectorAll('audio[controls]').length") == 1
        assert view.ask("document.querySelectorAll('video[controls]').length") == 1
        links = view.ask("[...document.querySelectorAll('.name a')].map((a) => a.innerText)")
        assert {"holiday.png", "note.wav", "party.ics"} <= set(links)
        assert not {"evil.svg", "evil.png", "gone.png"} & set(links)
        text = view.page.inner_text("body")
        assert "Too large" in text
        assert "19.2 MB, 16 MB allowed" in text
        assert "not in the archive: AC/MM/gone.png" in text
        figures = view.ask("[...document.querySelectorAll('.figures dd')].map((d) => d.innerText)")
        assert (figures[0], figures[2:]) == ("20", ["1", "1"])

    def test_loads_nothing_but_its_own_pictures(self, browser: Browser, sheet: Path) -> None:
        view = seen(browser, sheet)
        pictures = {path.as_uri() for path in sheet.parent.rglob("*.png")}
        assert set(view.requests) == {sheet.as_uri(), *pictures}
        assert view.complaints == []

    def test_plays_audio(self, browser: Browser, sheet: Path) -> None:
        view = seen(browser, sheet)
        duration = view.ask(
            """async () => {
              const player = document.querySelector("audio");
              player.muted = true;
              await player.play();
              return player.duration;
            }"""
        )
        assert duration == pytest.approx(0.5)
        assert view.complaints == []

    def test_has_headings_in_order_and_names_for_everything(
        self, browser: Browser, sheet: Path
    ) -> None:
        view = seen(browser, sheet)
        levels = view.ask("[...document.querySelectorAll('h1,h2,h3')].map((h) => +h.tagName[1])")
        assert levels[:3] == [1, 2, 3]
        assert levels.count(1) == 1
        assert view.ask("[...document.images].every((image) => image.alt)")
        assert view.ask("[...document.querySelectorAll('audio,video')].every((p) => p.ariaLabel)")
        assert "holiday.png" in view.ask("[...document.images].map((image) => image.alt).join()")
        assert "Tuesday, 4 August 2026" in view.page.inner_text("h2")
        assert "Conversation CH1111…1111" in view.page.inner_text("main").replace("\n", " ")

    def test_bears_more_videos_than_chromium_has_players(
        self, browser: Browser, archive: Archive
    ) -> None:
        for number in range(200):
            archive.add(f"{number}.mp4", b"", "video/mp4")
        view = seen(browser, write_sheet(archive.write()).first)
        assert view.ask("document.querySelectorAll('video').length") == 200
        assert view.complaints == []

    def test_can_be_served(self, browser: Browser, sheet: Path) -> None:
        class Quiet(SimpleHTTPRequestHandler):
            @override
            def log_message(self, *_: Any) -> None:
                pass

        handler = functools.partial(Quiet, directory=sheet.parent)
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                view = browser.open_page(f"http://127.0.0.1:{server.server_port}/")
                view.see_all()
                assert len(view.ask(DECODED)) == 13
                assert 0 not in view.ask(DECODED)
                assert view.complaints == []
                view.page.context.close()
            finally:
                server.shutdown()
                thread.join()


class TestLooks:
    @pytest.mark.parametrize("dark", [False, True])
    @pytest.mark.parametrize("width", [320, NARROW, 768, WIDE, 2560])
    def test_fits_the_window(
        self, browser: Browser, sheet: Path, archive: Archive, width: int, *, dark: bool
    ) -> None:
        endless = "W" * 4_000
        archive.add("w.png", png(), endless, filename=endless, message_sid=endless, sid=endless)
        archive.add(None, None, endless, status=endless, detail=endless, filename=endless)
        archive.add(endless, None, "image/png", filename="two\nlines\t" * 50)
        write_sheet(archive.write())
        view = seen(browser, sheet, width, dark=dark)
        assert view.overflow <= 0
        cut = "[...document.querySelectorAll('.box, .box > *')].filter((b) => b.offsetWidth > 400)"
        assert view.ask(f"{cut}.length") == 0
        assert view.complaints == []

    def test_dark_mode_is_dark(self, browser: Browser, sheet: Path) -> None:
        light, dark = (
            luminance(seen(browser, sheet, dark=choice).background) for choice in (False, True)
        )
        assert light > 0.8
        assert dark < 0.05

    @pytest.mark.parametrize("dark", [False, True])
    def test_text_stands_out(self, browser: Browser, sheet: Path, *, dark: bool) -> None:
        view = seen(browser, sheet, dark=dark)
        # Text and what it stands on, nearest first; the last of them is never transparent.
        pairs = view.ask(
            """() => ["h1", "header p", ".figures dt", ".figures .amiss dd", "h2 small", "h3",
                      ".name a", ".meta", ".badge", ".why", ".status", "summary"].map((what) => {
              const colour = (node) => getComputedStyle(node).backgroundColor;
              const text = document.querySelector(what);
              let below = text;
              while (colour(below) === "rgba(0, 0, 0, 0)") below = below.parentElement;
              return [what, getComputedStyle(text).color, colour(below)];
            })"""
        )
        for what, text, ground in pairs:
            low, high = sorted((luminance(text), luminance(ground)))
            assert (high + 0.05) / (low + 0.05) >= 4.5, what

    def test_the_keyboard_shows_where_it_is(self, browser: Browser, sheet: Path) -> None:
        view = seen(browser, sheet)
        view.page.keyboard.press("Tab")
        assert view.ask("document.activeElement.className") == "skip"
        assert view.ask("document.activeElement.getBoundingClientRect().left") >= 0
        view.page.keyboard.press("Enter")
        view.page.keyboard.press("Tab")
        assert view.ask("document.activeElement.closest('.name') !== null")
        assert view.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"


class TestHostility:
    def test_what_a_sender_chose_stays_text(self, browser: Browser, archive: Archive) -> None:
        quotes = "'\"><svg onload=document.title='ran'>"
        for bad in (SCRIPT, quotes, "</title></style></script>" + SCRIPT, "<!--" + SCRIPT):
            said = ("filename", "message_sid", "sid", "detail", "status")
            archive.add(bad, None, bad, **dict.fromkeys(said, bad))
            archive.add(f"{len(archive.rows)}.png", png(), "image/png", filename=bad, sid=f"1{bad}")
        view = seen(browser, write_sheet(archive.write()).first)
        assert view.page.title() == "Media archive"
        assert view.ask("document.querySelectorAll('script, svg, [onerror], [onload]').length") == 0
        assert SCRIPT in view.ask("document.body.textContent")
        assert view.complaints == []

    def test_its_policy_holds_for_local_files(self, browser: Browser, sheet: Path) -> None:
        view = seen(browser, sheet)
        with socket.create_server(("127.0.0.1", 0)) as elsewhere:
            elsewhere.setblocking(False)  # noqa: FBT003 - its only form
            self.intrude(view, elsewhere.getsockname()[1])
            with pytest.raises(BlockingIOError):
                elsewhere.accept()
        assert view.page.title() == "Media archive"
        assert view.background != "rgb(255, 0, 0)"
        refusals = [text for text in view.complaints if "Content Security Policy" in text]
        assert len(refusals) >= 6

    @staticmethod
    def intrude(view: View, port: int) -> None:
        """Try what markup could try, had any slipped in."""
        view.ask(
            """async () => {
              const host = "http://127.0.0.1:PORT/";
              const add = (tag, fields) => document.body.append(
                Object.assign(document.createElement(tag), fields));
              add("script", { textContent: "document.title = 'ran'" });
              add("img", { src: host + "pixel.png" });
              add("iframe", { src: "AC/MM/evil.html" });
              add("link", { rel: "stylesheet", href: host + "style.css" });
              add("style", { textContent: "body { background: red }" });
              document.body.setAttribute("onclick", "document.title = 'ran'");
              document.body.click();
              // Answered, or refused, only after all that was asked for before.
              await fetch(host, { signal: AbortSignal.timeout(2000) }).catch(() => {});
            }""".replace("PORT", str(port))
        )

    def test_no_click_leads_to_a_document_that_runs(self, browser: Browser, sheet: Path) -> None:
        view = seen(browser, sheet)
        hrefs = view.ask("[...document.querySelectorAll('.card a')].map((a) => a.href)")
        assert hrefs
        assert not [href for href in hrefs if "evil" in href]
        saved = (".pdf", ".ics", ".bin")
        for href in sorted({href for href in hrefs if not href.endswith(saved)}):
            view.page.goto(href)
            assert view.ask("document.contentType").startswith(("image/", "audio/", "video/"))

    def test_files_that_no_browser_shows_are_saved(self, browser: Browser, sheet: Path) -> None:
        view = seen(browser, sheet)
        with view.page.expect_download() as download:
            view.page.click("text=party.ics")
        assert download.value.path().read_bytes() == CALENDAR


class TestPaging:
    @pytest.fixture
    def pages(self, archive: Archive) -> Path:
        for number in range(30):
            day = f"2026-08-{number // 3 + 1:02}"
            archive.add(f"{number}.png", png(), "image/png", date_created=f"{day}T10:00:00Z")
        return write_sheet(archive.write(), page_size=7).first

    def test_leads_from_the_newest_page_to_the_oldest_and_back(
        self, browser: Browser, pages: Path
    ) -> None:
        view = seen(browser, pages)
        days = []
        while True:
            days += view.ask("[...document.querySelectorAll('.day')].map((day) => day.id)")
            older = view.page.query_selector("a[rel=next]")
            if older is None:
                break
            older.click()
            view.page.wait_for_load_state()
        assert days == [f"2026-08-{day:02}" for day in range(10, 0, -1)]
        assert "Page 5 of 5" in view.page.inner_text("body")
        view.page.click("a[rel=prev]")
        view.page.wait_for_url("**/index-4.html")
        assert view.complaints == []


def luminance(colour: str) -> float:
    """Return the relative luminance, 0 to 1, of an opaque colour as CSS computes it."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (int(digits) / 255 for digits in re.findall(r"\d+", colour)[:3])
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
