"""Finds or installs what the tests need of the system: Chromium, pdftotext, nginx and PgBouncer.

Run as `python -m tests.browser`.
"""

import asyncio
import atexit
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, Playwright, sync_playwright

from harness.nginx import program

SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",  # the pages are our own; root and containers cannot use the sandbox
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def executable() -> str | None:
    """Returns the path of a Chromium: the system's, else Playwright's, else None."""
    if found := _of_the_system():
        return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def _of_the_system() -> str | None:
    return next(filter(None, map(shutil.which, SYSTEM_BROWSERS)), None)


@dataclass
class _Kept:
    """What a process starts once, because a start takes longer than many tests."""

    playwright: Playwright
    loop: asyncio.AbstractEventLoop
    browser: Browser | None = None


_kept: list[_Kept] = []


@contextmanager
def chromium() -> Iterator[Browser]:
    """Context manager: gives a running Chromium, and closes the windows that were opened in it.

    The next test gets the same Chromium. Playwright's event loop is the running loop of this thread
    inside of the block only: Django and asyncio refuse to work in a thread with a running loop.
    """
    if not _kept:
        playwright = sync_playwright().start()
        _kept.append(_Kept(playwright, asyncio.get_running_loop()))
        atexit.register(_end)
    with _in_loop(_kept[0]) as kept:
        if kept.browser is None or not kept.browser.is_connected():
            path = _of_the_system() or kept.playwright.chromium.executable_path
            kept.browser = kept.playwright.chromium.launch(executable_path=path, args=FLAGS)
        browser = kept.browser
        try:
            yield browser
        finally:
            for context in browser.contexts:
                context.close()


@contextmanager
def _in_loop(kept: _Kept) -> Iterator[_Kept]:
    asyncio._set_running_loop(kept.loop)
    try:
        yield kept
    finally:
        asyncio._set_running_loop(None)


def _end() -> None:
    with _in_loop(_kept.pop()) as kept:
        kept.playwright.stop()  # ends Chromium, too


def loaded_width(page: Page) -> int:
    """Returns the width of the page's content in pixels, after the page is loaded.

    A click ends when the new page's address is known. At that time the page may have no element.
    """
    page.wait_for_load_state()
    return int(page.evaluate("document.documentElement.scrollWidth"))


def follow(link: Locator, to: str = "**") -> None:
    """Presses a link or button, and waits until the page that comes at the address `to` is loaded.

    A click need not wait for a slow server. `wait_for_url` returns at once if the address of the
    page before fits, too, as that of a form does which comes back at its own address.
    """
    with link.page.expect_navigation(url=to):
        link.click()


def missing_packages() -> list[str]:
    """Returns the packages of Debian that are missing; pdftotext reads the portal's PDFs."""
    browser = [] if executable() else ["chromium", "fonts-noto-cjk"]
    programs = {"pdftotext": "poppler-utils", "nginx": "nginx-light", "pgbouncer": "pgbouncer"}
    return browser + [package for name, package in programs.items() if not program(name)]


def is_complete() -> bool:
    """Returns whether everything is installed."""
    return not missing_packages()


def install() -> str:
    """Installs what is missing: Playwright's Chromium, else the system's packages.

    Exits the process if no browser can be installed. Tests of another missing program are skipped.
    """
    if executable() is None:
        _try(sys.executable, "-m", "playwright", "install", "chromium")
    if missing_packages() and shutil.which("apt-get"):
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        _try(*sudo, "apt-get", "update", "-qq")
        quiet = ["-y", "-qq", "--no-install-recommends"]
        _try(*sudo, "apt-get", "install", *quiet, *missing_packages())
    if found := executable():
        return found
    sys.exit("No Chromium: install one (the package `chromium`) and run `make test` again.")


def _try(*command: str) -> None:
    print("  $", *command, flush=True)
    try:
        subprocess.run(command, check=False, timeout=900)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        print(f"  {error}")


if __name__ == "__main__":
    print("Browser for the tests:", (executable() if is_complete() else None) or install())
