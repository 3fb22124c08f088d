"""What the command shows before it loads a file, and how it ends when it does not."""

import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError

from incidents.importing import loading, mapping
from incidents.models import AffectedPerson, DataClass, ExposureFile
from tests.database import database_url

pytestmark = pytest.mark.django_db
MAPPING = """
[person]
relation = "member"
reference = "id"
name = "name"
phone = "phone"
contact_leaked = ["name", "phone"]
"""


@pytest.fixture
def files(tmp_path):
    """The paths of a dump with resident numbers in place of phones, and of its mapping."""
    dump, map_file = tmp_path / "members.csv", tmp_path / "members.toml"
    rows = "".join(f"{n},김민지,800101-123{n}\n" for n in range(1000, 1020))
    dump.write_text(f"id,name,phone\n{rows}", encoding="utf-8")
    map_file.write_text(MAPPING, encoding="utf-8")
    return dump, map_file


def run(*words: object) -> str:
    """Runs the command. An error gets what was printed before it as `printed`."""
    out = StringIO()
    try:
        call_command("import_exposures", *map(str, words), stdout=out)
    except CommandError as error:
        error.printed = out.getvalue()  # type: ignore[attr-defined]
        raise
    return out.getvalue()


def test_a_check_without_a_mapping_shows_the_profile(files):
    printed = run(files[0], "--check")

    assert "members.csv: csv, utf-8; 20 rows on 20 lines, 3 columns." in printed
    assert "100 % resident registration numbers; such as 999999-9999999" in printed
    assert "--draft-mapping writes one to correct" in printed
    assert "800101" not in printed


def test_swapped_columns_are_refused_until_the_operator_accepts_them(incident, files):
    dump, map_file = files
    words = [dump, "--incident", incident.slug, "--mapping", map_file]

    with pytest.raises(CommandError, match='--accept "swapped:phone"') as caught:
        run(*words, "--check")
    printed = vars(caught.value)["printed"]
    assert (
        "Refused: members.csv: members.toml takes column phone for a phone number, but" in printed
    )
    assert "Rows read 20, can be taken 20" in printed
    with pytest.raises(CommandError, match='or accept "swapped:phone"'):
        run(*words)
    assert not AffectedPerson.objects.exists()

    assert "Accepted: members.csv" in run(*words, "--check", "--accept", "swapped:phone")
    assert "taken 20" in run(*words, "--accept", "swapped:phone")
    assert AffectedPerson.objects.count() == 20


def test_a_check_of_a_file_of_which_nothing_can_be_taken_is_an_error(incident, files):
    dump, map_file = files
    dump.write_text("id,name,phone\n,김민지,010-1234-5678\n", encoding="utf-8")

    with pytest.raises(CommandError, match=r"members.csv: no row can be taken"):
        run(dump, "--incident", incident.slug, "--mapping", map_file, "--check")


def test_a_wrong_mapping_is_refused_with_a_line_for_each_fault_after_the_profile(incident, files):
    dump, map_file = files
    leak = '[[leaked]]\nclass = "card-numbers"\nvalue = "{card}"\n'
    map_file.write_text(MAPPING + leak, encoding="utf-8")

    with pytest.raises(CommandError) as caught:
        run(dump, "--incident", incident.slug, "--mapping", map_file, "--check")
    lines = str(caught.value).split("\n")
    assert [line.partition(";")[0] for line in lines] == [
        "members.toml: 'card-numbers' is no data class",
        "members.csv, line 1: the header lacks card, which members.toml names",
    ]
    assert "20 rows on 20 lines" in vars(caught.value)["printed"]


def test_incident_and_mapping_are_needed_to_load(incident, files):
    with pytest.raises(CommandError, match="name --incident and --mapping"):
        run(files[0])


def test_a_draft_is_printed_and_loads_the_file(incident, tmp_path):
    dump, map_file = tmp_path / "members.csv", tmp_path / "draft.toml"
    dump.write_text("회원번호,이름,메일\n1,김민지,minji@example.com\n", encoding="utf-8")

    text = run(dump, "--draft-mapping")
    mapping.parse(text, name="draft.toml").check_classes(DataClass.objects.descriptions())
    map_file.write_text(text, encoding="utf-8")

    assert "taken 1" in run(dump, "--incident", incident.slug, "--mapping", map_file)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (KeyboardInterrupt(), "interrupted; start it again"),
        (OperationalError("minji@example.com"), r"the database ended the import \(Operational"),
        (OSError(28, "No space left on device", "x.rejects.csv"), "x.rejects.csv: No space left"),
    ],
)
def test_an_outside_end_is_one_line_without_a_value(incident, files, monkeypatch, error, says):
    def stop(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(loading, "import_file", stop)
    with pytest.raises(CommandError, match=says) as caught:
        run(files[0], "--incident", incident.slug, "--mapping", files[1])
    assert "\n" not in str(caught.value)
    assert "minji" not in str(caught.value)
    assert caught.value.returncode != 0


def test_control_c_ends_an_import_with_one_line(transactional_db, incident, tmp_path):
    dump, map_file = tmp_path / "members.csv", tmp_path / "members.toml"
    map_file.write_text(MAPPING, encoding="utf-8")
    rows = "".join(f"{n},김민지,010-1234-5678\n" for n in range(200_000))
    dump.write_text(f"id,name,phone\n{rows}", encoding="utf-8")
    words = [dump, "--incident", incident.slug, "--mapping", map_file]
    process = subprocess.Popen(
        [sys.executable, "manage.py", "import_exposures", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "DATABASE_URL": database_url(), "BREACHPORTAL_VAR": str(settings.VAR)},
    )
    while not ExposureFile.objects.exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)

    assert process.returncode == 1
    assert errors.strip().split("\n")[-1].startswith("CommandError: members.csv: stopped")
    assert "Traceback" not in errors
    assert not AffectedPerson.objects.exists()
