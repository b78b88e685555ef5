"""The page in a browser: what shows, what is read, what must not happen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tap_twilio_media.report.places import DuckPlace
from tap_twilio_media.report.report import Wishes, write_report
from tests.browser import NARROW, WIDE, Browser
from tests.report.marts import COLUMNS, made_up, write_duckdb
from tests.report.reading import Page
from tests.report.test_words import linear, luminance

if TYPE_CHECKING:
    from pathlib import Path

SMALLEST = 11
PLOTS = ("media", "families", "senders", "delivery", "storage", "expiry")
# What is drawn of a section, in one of the drawings for each width.
SHOWN = "[...document.querySelectorAll('svg')].filter((svg) => svg.getBoundingClientRect().width)"


def page_of(duck: Path, folder: Path, wishes: Wishes | None = None) -> Path:
    """Return where the page of some marts is."""
    path = folder / "report.html"
    write_report(DuckPlace(duck), path, wishes or Wishes())
    return path


@pytest.fixture(scope="module")
def path(duck: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of 90 days."""
    return page_of(duck, tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with names as long as names can be, in every place where one can come."""
    folder = tmp_path_factory.mktemp("crowded")
    rows = made_up(8)
    names = ("W" * 900, "many words " * 90, "\N{HEBREW LETTER ALEF}" * 300, "<b>&amp;", "", "x")
    for table, columns in (
        ("media_items", ("sender", "content_family", "channel")),
        ("media_usage_daily", ("content_family", "channel")),
        ("message_delivery_daily", ("status", "channel", "direction", "price_unit")),
    ):
        for number, row in enumerate(rows[table]):
            row |= {column: names[number % len(names)] for column in columns}
    for row in rows["storage_growth"]:
        row |= {"bytes_total": 10**17 + 1, "media_total": 10**14, "expiring_media": 10**12}
    duck = write_duckdb(folder / "marts.duckdb", rows)
    return page_of(duck, folder, Wishes(plain=True, title="W" * 300))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [320, NARROW, 768, WIDE, 2560])
class TestAnyWindow:
    def test_is_filled_and_not_more(
        self, browser: Browser, path: Path, crowded: Path, width: int, *, dark: bool
    ) -> None:
        for each in (path, crowded):
            view = browser.open_page(each.as_uri(), width, dark=dark)
            view.ask("document.querySelectorAll('details').forEach((each) => each.open = true)")
            assert view.overflow <= 0
            assert view.complaints == []
            assert view.requests == [each.as_uri()]
            assert view.ask(OUTSIDE) == []
            view.page.context.close()

    def test_shows_each_plot_once_with_text_that_can_be_read(
        self, browser: Browser, path: Path, width: int, *, dark: bool
    ) -> None:
        view = browser.open_page(path.as_uri(), width, dark=dark)
        shown = view.ask(f"{SHOWN}.map((svg) => svg.closest('section').id)")
        assert shown == list(PLOTS)
        sizes = view.ask(
            f"""{SHOWN}.flatMap((svg) => {{
              const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
              return [...svg.querySelectorAll("text")].map(
                (text) => parseFloat(getComputedStyle(text).fontSize) * scale);
            }})"""
        )
        assert len(sizes) > 50
        assert min(sizes) >= SMALLEST
        assert view.ask(f"{SHOWN}.filter((svg) => svg.textContent.includes('\u2026')).length") == 0
        # And none lies on another, nor is any cut off at the edges: see above.
        assert view.ask(ON_EACH_OTHER) == []
        view.page.context.close()


OUTSIDE = f"""{SHOWN}.flatMap((svg) => {{
  const box = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter((text) => {{
    const own = text.getBoundingClientRect();
    return own.left < box.left - 1 || own.right > box.right + 1 || own.bottom > box.bottom + 1;
  }}).map((text) => text.textContent);
}})"""
ON_EACH_OTHER = f"""{SHOWN}.flatMap((svg) => {{
  const boxes = [...svg.querySelectorAll("text")].map((text) => text.getBoundingClientRect());
  return boxes.filter((one, n) => boxes.slice(n + 1).some((other) =>
    one.left < other.right && other.left < one.right
    && one.top + 3 < other.bottom && other.top + 3 < one.bottom)).map((box) => box.left);
}})"""


class TestLooks:
    @pytest.mark.parametrize("dark", [False, True])
    def test_text_stands_out(self, browser: Browser, path: Path, *, dark: bool) -> None:
        view = browser.open_page(path.as_uri(), dark=dark)
        view.ask("document.querySelectorAll('details').forEach((each) => each.open = true)")
        # Every text with the colour that it stands on: the next one around it that is not clear.
        pairs = view.ask(
            """() => [...document.querySelectorAll("body *")].filter((node) =>
              node.tagName !== "title"
              && [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
              .map((node) => {
                let below = node;
                const ground = () => getComputedStyle(below).backgroundColor;
                while (/rgba\\(.*, 0\\)/.test(ground())) below = below.parentElement;
                const style = getComputedStyle(node);
                const colour = node.closest("svg") ? style.fill : style.color;
                return [node.tagName, colour, ground()];
              })"""
        )
        assert {"H1", "H2", "P", "DD", "DT", "BDI", "TH", "text", "CAPTION"} <= {
            tag for tag, *_ in pairs
        }
        for tag, text, ground in set(map(tuple, pairs)):
            low, high = sorted((brightness(text), brightness(ground)))
            assert (high + 0.05) / (low + 0.05) >= 4.5, (tag, text, ground)

    def test_dark_mode_is_dark(self, browser: Browser, path: Path) -> None:
        light, dark = (
            brightness(browser.open_page(path.as_uri(), dark=choice).background)
            for choice in (False, True)
        )
        assert light > 0.8
        assert dark < 0.05

    def test_bars_have_the_colours_of_their_legend(self, browser: Browser, path: Path) -> None:
        for dark in (False, True):
            view = browser.open_page(path.as_uri(), dark=dark)
            legend, bars = (
                set(view.ask(f"[...document.querySelectorAll('{what}')].map({how})"))
                for what, how in (
                    ("#media .swatch", "(each) => getComputedStyle(each).backgroundColor"),
                    ("#media .wide path:has(title)", "(each) => getComputedStyle(each).fill"),
                )
            )
            assert legend == bars
            assert len(legend) == 5

    def test_bars_are_as_high_as_their_figures(self, browser: Browser, path: Path) -> None:
        view = browser.open_page(path.as_uri())
        bars = view.ask(
            """[...document.querySelectorAll("#media .wide path:has(title)")].map((bar) =>
              [bar.querySelector("title").textContent, bar.getBoundingClientRect().height])"""
        )
        table = Page(path.read_text()).tables["media-table"]
        wanted = {
            f"{line[0]}, {channel}: {cell}"
            for line in table[1:-1]
            for channel, cell in zip(table[0][1:-1], line[1:-1], strict=True)
            if cell != "0"
        }
        assert {told for told, _ in bars} == wanted
        each = {height / int(told.rpartition(": ")[2]) for told, height in bars}
        assert max(each) == pytest.approx(min(each), rel=0.02)


class TestReading:
    def test_headings_are_in_order_and_plots_have_names(self, browser: Browser, path: Path) -> None:
        view = browser.open_page(path.as_uri())
        levels = view.ask("[...document.querySelectorAll('h1,h2,h3')].map((h) => +h.tagName[1])")
        assert levels == [1, *[2] * len(PLOTS)]
        named = view.ask(
            "[...document.querySelectorAll('svg')].every((svg) => svg.role === 'img'"
            " && svg.ariaLabel.length > 20)"
        )
        assert named
        assert view.ask("[...document.querySelectorAll('table')].every((t) => t.caption)")
        assert view.ask("document.documentElement.lang") == "en"

    def test_every_plot_has_a_table(self, browser: Browser, path: Path) -> None:
        view = browser.open_page(path.as_uri())
        for name in PLOTS:
            assert view.page.locator(f"#{name} table").count() >= 1
            assert view.page.locator(f"#{name} svg").count() >= 1
        folded = view.page.locator("details table").first
        assert not folded.is_visible()
        view.page.keyboard.press("Tab")
        assert view.ask("document.activeElement.className") == "skip"
        view.page.keyboard.press("Tab")
        view.page.keyboard.press("Enter")
        assert folded.is_visible()

    def test_figures_line_up(self, browser: Browser, path: Path) -> None:
        view = browser.open_page(path.as_uri())
        cells = "document.querySelectorAll('td.n')"
        assert view.ask(f"{cells}.length") > 50
        style = f"[...{cells}].map((td) => getComputedStyle(td))"
        assert view.ask(f"{style}.every((s) => s.textAlign === 'right')")
        assert view.ask(f"{style}.every((s) => s.fontVariantNumeric === 'tabular-nums')")


class TestHostility:
    def test_nothing_runs_and_nothing_is_asked(self, browser: Browser, path: Path) -> None:
        view = browser.open_page(path.as_uri())
        title = view.page.title()
        view.ask(
            """async () => {
              const add = (tag, fields) => document.body.append(
                Object.assign(document.createElement(tag), fields));
              add("script", { textContent: "document.title = 'ran'" });
              add("img", { src: "pixel.png" });
              add("style", { textContent: "body { background: red }" });
              document.body.setAttribute("style", "background: red");
              await fetch("http://127.0.0.1:9/").catch(() => {});
            }"""
        )
        assert view.page.title() == title
        assert view.background != "rgb(255, 0, 0)"
        refusals = [text for text in view.complaints if "Content Security Policy" in text]
        assert len(refusals) >= 5

    def test_an_empty_account_is_told_so(self, browser: Browser, tmp_path: Path) -> None:
        duck = write_duckdb(tmp_path / "x.duckdb", {name: [] for name in COLUMNS})
        for width in (NARROW, WIDE):
            view = browser.open_page(page_of(duck, tmp_path).as_uri(), width)
            assert "no messages and no media yet" in view.page.inner_text("main")
            assert view.complaints == []
            assert view.overflow <= 0


def brightness(colour: str) -> float:
    """Return the relative luminance of a colour as CSS writes it."""
    red, green, blue = (int(part) / 255 for part in re.findall(r"\d+", colour)[:3])
    return luminance((linear(red), linear(green), linear(blue)))
