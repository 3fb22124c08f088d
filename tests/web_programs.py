"""Installs and runs programs of npm that examine the portal: html-validate, Lighthouse, a client.

`tests/npm/` has their versions and hashes. Run as `python -m tests.web_programs`.
"""

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

PINS = Path(__file__).parent / "npm"
FOLDER = Path(__file__).parent.parent / "var" / "npm"  # where they are installed
_MODULES = FOLDER / "node_modules"
_INSTALLED = FOLDER / "installed-lock.json"  # a copy of the lock file that was installed


def why_missing() -> str:
    """Installs the programs if they lack. Returns why that is not possible, else "".

    Processes that test in parallel wait for the first one.
    """
    if not (shutil.which("npm") and shutil.which("node")):
        return "node and npm are not installed"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        return "" if _is_current() else _install()


def require() -> None:
    """Skips the test, with the reason, if the programs cannot be installed."""
    if reason := why_missing():
        pytest.skip(reason)


def run(*command: str, seconds: int = 120, **environment: str) -> str:
    """Runs a program of `node_modules` or a script with node; returns its standard output.

    Exit 1 counts as findings. Raises AssertionError with the program's words on another number.
    """
    name, *arguments = command
    path = _MODULES / ".bin" / name
    started = [str(path) if path.exists() else name, *arguments]
    # A program that exits early loses what a pipe has not taken; a file takes everything at once.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            ["node", *started],
            cwd=FOLDER,
            env=os.environ | environment,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=seconds,
        )
        output.seek(0)
        printed = output.read()
    assert done.returncode in (0, 1), done.stderr or printed
    return printed


def html_messages(folder: Path, *, is_mail: bool) -> dict[str, list[str]]:
    """Returns {file: what html-validate finds} for the files `*.html` that are not valid."""
    config = str(PINS / "htmlvalidate.cjs")
    options = ["--formatter", "json", "--config", config, "--ext", "html"]
    reports = json.loads(run("html-validate", *options, str(folder), MAIL="1" if is_mail else ""))
    return {Path(report["filePath"]).stem: _sentences(report) for report in reports}


def _sentences(report: dict[str, Any]) -> list[str]:
    return [f"line {one['line']}: {one['message']} ({one['ruleId']})" for one in report["messages"]]


def _is_current() -> bool:
    return (
        _INSTALLED.exists() and _INSTALLED.read_bytes() == (PINS / "package-lock.json").read_bytes()
    )


def _install() -> str:
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(PINS / name, FOLDER / name)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            ["npm", "ci", *quiet], cwd=FOLDER, capture_output=True, check=False, timeout=300
        )
    except subprocess.TimeoutExpired:
        return "npm did not install the programs within 300 seconds"
    if done.returncode:
        return "npm could not install the programs: " + done.stderr.decode()[-300:]
    shutil.copyfile(PINS / "package-lock.json", _INSTALLED)
    return ""


if __name__ == "__main__":
    print("Programs of npm for the tests:", why_missing() or "installed")
