"""ShellCheck finds nothing in the shell scripts."""

import os
import shutil
import subprocess

import pytest

from harness.product import BIN
from tests.running.packages import ROOT, tracked

SHELLCHECK = shutil.which("shellcheck", path=f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}")


def scripts() -> list[str]:
    return [name for name in tracked() if _first_line(name).endswith("sh\n")]


def _first_line(name: str) -> str:
    with (ROOT / name).open("rb") as file:
        line = file.readline(80).decode(errors="replace")
    return line if line.startswith("#!") else ""


def test_the_scripts_of_an_operator_are_among_them():
    assert {"deploy/install", "deploy/container/make-secrets", ".ci/run"} <= set(scripts())


@pytest.mark.skipif(
    not SHELLCHECK, reason="shellcheck is not installed; `make lint-deploy` installs it"
)
@pytest.mark.parametrize("name", scripts())
def test_shellcheck_finds_nothing(name):
    done = subprocess.run(
        [str(SHELLCHECK), "--external-sources", "--severity", "style", name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
