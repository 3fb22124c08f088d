"""The list of third-party licences names what requirements.txt pins, and nothing else."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LISTED = (ROOT / "docs" / "third-party-licences.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| ([\w.-]+) \| (\d[\w.]*) \| (.+) \| (.+) \|$", re.MULTILINE)


def test_the_list_names_exactly_what_is_pinned():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)
    assert pinned
    assert [row[:2] for row in ROW.findall(LISTED)] == sorted(pinned)


def test_every_package_has_a_licence():
    licences = {name: licence for name, _version, licence, _files in ROW.findall(LISTED)}
    assert licences["django"] == "BSD-3-Clause"
    assert all(licences.values())


def test_the_command_writes_the_list_that_is_there():
    script = "import sys, licences; sys.stdout.write(licences.page())"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT / "docs",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == LISTED, "run `make licences`"


def test_the_licence_of_the_project_is_left_to_its_owner():
    assert not list(ROOT.glob("LICEN[CS]E*"))
    assert "licence" in (ROOT / "README.md").read_text(encoding="utf-8")
