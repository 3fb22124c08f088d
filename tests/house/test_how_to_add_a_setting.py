"""docs/how-to/add-a-setting.md: its steps, followed in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running.test_settings import COMPLETE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "add-a-setting.md").read_text(encoding="utf-8")
SETTING, ROW, REQUIRED = re.findall(r"^```\w+\n(.+?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LEFT_OUT = shutil.ignore_patterns(".*", "var", "staticfiles", "__pycache__", "node_modules")


def add_after(path: Path, line: str, block: str) -> None:
    """Inserts `block` below the first line of the file that begins with `line`."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    index = next(number for number, text in enumerate(lines) if text.startswith(line))
    lines.insert(index + 1, block)
    path.write_text("".join(lines), encoding="utf-8")


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of the repository with steps 1 and 2 done."""
    copy = tmp_path / "repository"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    add_after(copy / "breachportal" / "settings.py", "TIME_ZONE = ", SETTING)
    add_after(copy / "docs" / "running.md", "| `TIME_ZONE` ", ROW)
    return copy


def run(copy: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs Python in the copy, with a complete production environment and no other variables."""
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=copy,
        env={"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "breachportal.settings"}
        | COMPLETE
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )


PRINT = "from django.conf import settings; print(settings.EXAMPLE_DAYS)"


def test_the_setting_has_its_default_and_takes_a_value(copy):
    assert run(copy, PRINT).stdout == "30\n"
    assert run(copy, PRINT, EXAMPLE_DAYS="7").stdout == "7\n"
    (copy / "days").write_text("9\n")
    assert run(copy, PRINT, EXAMPLE_DAYS_FILE=str(copy / "days")).stdout == "9\n"


def test_a_wrong_value_is_named(copy):
    done = run(copy, PRINT, EXAMPLE_DAYS="soon")
    assert done.returncode != 0
    assert "EXAMPLE_DAYS is 'soon'" in done.stderr.splitlines()[-1]


def test_the_table_is_complete_again(copy):
    script = (
        "from tests.house.test_docs import variables_documented, variables_read\n"
        "assert 'EXAMPLE_DAYS' in variables_documented()\n"
        "assert variables_documented() == variables_read() - {'PATH'}"
    )
    done = run(copy, script)
    assert done.returncode == 0, done.stderr


def test_production_names_it_once_it_is_required(copy):
    add_after(
        copy / "breachportal" / "production_settings.py", "REQUIRED_IN_PRODUCTION = ", REQUIRED
    )
    done = run(copy, PRINT)
    assert done.returncode != 0
    assert REQUIRED.strip().strip('",').replace('": "', ": ") in done.stderr
    assert run(copy, PRINT, EXAMPLE_DAYS="7").stdout == "7\n"
