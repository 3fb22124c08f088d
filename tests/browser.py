"""Finds or installs what the tests need of the system: Chromium and pdftotext.

Run as `python -m tests.browser`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

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
    for name in SYSTEM_BROWSERS:
        if found := shutil.which(name):
            return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


@contextmanager
def chromium() -> Iterator[Browser]:
    """Context manager: gives a running Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        yield browser
        browser.close()


def is_complete() -> bool:
    """Returns whether a browser and pdftotext (which reads the portal's PDFs) are installed."""
    return executable() is not None and shutil.which("pdftotext") is not None


def install() -> str:
    """Installs what is missing: Playwright's Chromium, else the system's packages.

    Exits the process if no browser can be installed. Tests that read PDFs are skipped without
    pdftotext.
    """
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get"):
        sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
        attempts += [
            [*sudo, "apt-get", "update", "-qq"],
            [*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends"]
            + ["chromium", "fonts-noto-cjk", "poppler-utils"],
        ]
    for command in attempts:
        print("  $", *command, flush=True)
        try:
            subprocess.run(command, check=False, timeout=900)
        except (FileNotFoundError, subprocess.TimeoutExpired) as error:
            print(f"  {error}")
        if is_complete():
            break
    if found := executable():
        return found
    sys.exit("No Chromium: install one (the package `chromium`) and run `make test` again.")


if __name__ == "__main__":
    print("Browser for the tests:", (executable() if is_complete() else None) or install())
