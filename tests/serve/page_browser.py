"""A headless Chromium that shows the page of a real server, and notes whatever it asks for, says or throws."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]
PATIENCE_S = 30.0


@contextmanager
def chromium(microphone: Path | None = None) -> Iterator[Browser]:
    """Run one; its microphone gives a WAVE file over and over."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    flags = [*FLAGS, *([] if microphone is None else [f"--use-file-for-fake-audio-capture={microphone}"])]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page, all requests it has made, and all that has gone wrong in it."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}} | options)
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.faults: list[str] = []
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._said)

    def _said(self, message: Any) -> None:
        # What the tests provoke, an answer of 4xx, Chromium reports as an error of its own.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.faults.append(message.text)

    def open(self, path: str = "/") -> Page:
        """Go to a page of the server."""
        self.page.goto(self.url + path)
        return self.page

    def check(self) -> None:
        """Assert that nothing went wrong, and that no other host was asked for anything."""
        assert self.faults == []
        own = (f"{self.url}/", f"ws{self.url.removeprefix('http')}/", "blob:", "data:")
        foreign = [url for url in self.requests if not url.startswith(own)]
        assert foreign == []


@contextmanager
def watched(browser: Browser, url: str, **options: Any) -> Iterator[Watched]:
    """Show a page, check at the end that nothing went wrong, and close it."""
    shown = Watched(browser, url, **options)
    try:
        yield shown
        shown.check()
    finally:
        shown.context.close()


def until(page: Page, script: str, argument: Any = None, seconds: float = PATIENCE_S) -> Any:
    """Wait until a function of the page gives something that is true; the page's policy forbids waiting inside it."""
    end_s = time.monotonic() + seconds
    while True:
        found = page.evaluate(script, argument)
        if found:
            return found
        assert time.monotonic() < end_s, f"in vain: {script}; the page says: {page.inner_text('main')[:600]}"
        time.sleep(0.04)


def clean_file(page: Page, path: Path) -> None:
    """Give the page a file, and wait until the result is there."""
    page.set_input_files("#clean-file", path)
    until(
        page,
        "() => !document.querySelector('#clean-result').hidden || !document.querySelector('#clean-error').hidden",
    )
    assert page.is_hidden("#clean-error"), page.inner_text("#clean-error")
    until(page, "() => document.querySelector('#timeline').dataset.drawn")


def set_strength(page: Page, per_cent: int, slider: str = "#strength") -> None:
    """Move a slider as a hand would."""
    page.locator(slider).fill(str(per_cent))


def saved(page: Page, button: str, folder: Path) -> Path:
    """Click a button, and return the file that it makes."""
    with page.expect_download(timeout=1000 * PATIENCE_S) as kept:
        page.click(button)
    path = folder / kept.value.suggested_filename
    kept.value.save_as(path)
    return path
