"""Looking at pages as a person does: in headless Chromium, which keeps account of what goes on.

    def test_a_page(browser: Browser) -> None:
        view = browser.open_page(path.as_uri(), width=390, dark=True)
        assert view.complaints == []

The fixture `browser` starts one for each module that asks for it. While one is open, its thread
counts as running an event loop: `asyncio.run` has to be called in another thread.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright
from typing_extensions import Self

from tests.chromium import chromium

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import ConsoleMessage, Page

WIDE = 1280
NARROW = 390
_HEIGHT = 900
_SECONDS = 30.0


@dataclass
class View:
    """A page that is open, in a profile of its own.

    Attributes:
        page: Playwright's handle, for everything else.
        complaints: Errors and warnings of the console, errors of scripts, requests that failed.
        requests: The addresses asked for, in order.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def ask(self, expression: str) -> Any:  # noqa: ANN401 - whatever the page answers
        """Return the value of a JavaScript expression; works under any policy of the page."""
        return self.page.evaluate(expression)

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        pixels: int = self.ask("document.documentElement.scrollWidth - window.innerWidth")
        return pixels

    @property
    def background(self) -> str:
        """The page's colour, as CSS writes it."""
        colour: str = self.ask("getComputedStyle(document.body).backgroundColor")
        return colour

    def see_all(self) -> None:
        """Scroll through the page, so that what loads when seen is loaded; back to the top."""
        self.ask(
            """async () => {
              const frame = () => new Promise((done) => requestAnimationFrame(done));
              const page = document.scrollingElement;
              for (let y = 0; y < page.scrollHeight; y += window.innerHeight / 2) {
                window.scrollTo(0, y);
                await frame();
                await frame();
              }
              await Promise.allSettled([...document.images].map((image) => image.decode()));
              window.scrollTo(0, 0);
              await frame();
            }"""
        )

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Write a PNG of what is seen, or of the whole page."""
        self.page.screenshot(path=path, full_page=whole)


class Browser:
    """A headless Chromium, from `with` to the end of its block."""

    def __init__(self) -> None:
        self._running = contextlib.ExitStack()

    def __enter__(self) -> Self:
        found = chromium()
        with contextlib.ExitStack() as running:
            playwright = running.enter_context(sync_playwright())
            self._browser = playwright.chromium.launch(
                executable_path=found.executable,
                env={**os.environ, **found.environ},
                # Root, and most containers, can have no sandbox; all pages are our own. And no
                # host is found but this one, whatever a page or the browser asks for.
                args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
            )
            running.callback(self._browser.close)
            self._running = running.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def open_page(
        self, url: str, width: int = WIDE, *, dark: bool = False, height: int = _HEIGHT
    ) -> View:
        """Open an address in a window of that many pixels and wait until it is loaded."""
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(_SECONDS * 1_000)
        view = View(context.new_page())

        def said(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                view.complaints.append(message.text)

        context.on("console", said)
        context.on("request", lambda request: view.requests.append(request.url))
        context.on(
            "requestfailed",
            lambda request: view.complaints.append(f"{request.failure}: {request.url}"),
        )
        view.page.on("pageerror", lambda error: view.complaints.append(str(error)))
        view.page.goto(url)
        return view
