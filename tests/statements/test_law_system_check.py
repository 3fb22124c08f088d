"""A broken law file is reported by the system checks."""

import shutil

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from statements.legal import laws


@pytest.fixture
def legal(tmp_path, monkeypatch):
    """A copy of the law files that a test can break."""
    copy = tmp_path / "legal"
    shutil.copytree(laws.LEGAL, copy)
    monkeypatch.setattr(laws, "LEGAL", copy)
    return copy


def test_the_law_files_pass_the_check(legal):
    call_command("check")


def test_a_broken_file_is_reported_with_its_correction(legal):
    with (legal / "sg-pdpa.toml").open("a", encoding="utf-8") as file:
        file.write("colour = 'blue'\n")
    with pytest.raises(SystemCheckError, match=r"statements\.E001.*sg-pdpa\.toml"):
        call_command("check")


def test_a_jurisdiction_that_no_incident_can_name_is_reported(legal):
    path = legal / "sg-pdpa.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"SG"', '"XX"'), encoding="utf-8")
    with pytest.raises(SystemCheckError, match=r"statements\.E002.*SG, XX"):
        call_command("check")
