"""Walks through the portal in a browser as a person would, and counts taps and seconds.

If SCREENSHOTS names a folder, each step leaves a picture there, and each walk a line in walks.md.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from accounts.models import User
from harness.sign_in import step_up
from tests import browser

PHONE, DESKTOP = (390, 844), (1280, 800)


class Walk:
    """One person's walk, from the page they open first to the answer they came for."""

    def __init__(self, page: Page, origin: str, *, name: str, language: str, has_axe: bool) -> None:
        self.page, self._origin, self._has_axe = page, origin, has_axe
        self._name, self._language = name, language
        self._step = 0
        self._began = time.monotonic()
        self.taps = 0

    def open(self, path: str) -> None:
        """Opens a page of the portal by its path without the language, as from a link."""
        self.page.goto(f"{self._origin}/{self._language}/{path}")

    def tap(self, target: Locator) -> None:
        """Taps on a link, a button or a box."""
        self.taps += 1
        target.click()

    def type(self, field: str, text: str) -> None:
        """Types into a field. A tap leads to it unless the page has put the focus there."""
        target = self.page.locator(field)
        if not target.evaluate("field => field === document.activeElement"):
            self.tap(target)
        target.fill(text)

    def see(self, what: str, *landmarks: Locator) -> None:
        """Waits for the page with `landmarks` (else a heading), checks it and keeps a picture.

        The page does not scroll sideways and axe finds nothing in it.
        """
        for landmark in landmarks or (self.page.locator("main h1"),):
            expect(landmark.first).to_be_visible()
        self._step += 1
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        assert browser.loaded_width(self.page) <= width, what
        if folder := pictures():
            path = folder / f"{self._name}-{self._step}-{what}-{width}-{self._language}.png"
            self.page.screenshot(path=str(path), full_page=True)
        found = Axe().run(self.page).response["violations"] if self._has_axe else []
        faults = [(each["id"], each["nodes"][0]["html"]) for each in found]
        assert not faults, (what, faults)

    def answered(self) -> None:
        """Ends the walk: the person has the answer."""
        seconds = time.monotonic() - self._began
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        if folder := pictures():
            with (folder / "walks.md").open("a", encoding="utf-8") as table:
                table.write(f"| {self._name} | {width} | {self.taps} | {seconds:.1f} |\n")


def pictures() -> Path | None:
    """Returns the folder for pictures, or None."""
    folder = os.environ.get("SCREENSHOTS")
    return Path(folder) if folder else None


@contextmanager
def walk(
    chromium: Browser,
    origin: str,
    *,
    name: str,
    language: str,
    size: tuple[int, int],
    user: User | None = None,
    has_javascript: bool = True,
) -> Iterator[Walk]:
    """Context manager: gives a walk in a new browser, in which `user` has just signed in, if given.

    `size` is width and height in CSS pixels. axe needs JavaScript, so without it it does not look.
    """
    width, height = size
    size_of_window: ViewportSize = {"width": width, "height": height}
    context = chromium.new_context(viewport=size_of_window, java_script_enabled=has_javascript)
    cookies = {settings.LANGUAGE_COOKIE_NAME: language}
    if user:
        client = Client()
        client.force_login(user)
        step_up(client, user)
        cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    for key, value in cookies.items():
        context.add_cookies([{"name": key, "value": value, "url": origin}])
    yield Walk(context.new_page(), origin, name=name, language=language, has_axe=has_javascript)
    context.close()
