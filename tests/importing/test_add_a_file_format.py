"""docs/how-to/add-a-file-format.md: its code is added, and a file is imported with it."""

import csv
import re
from pathlib import Path

import pytest

from incidents.importing import formats, loading, mapping
from incidents.importing.formats.base import Format
from incidents.importing.progress import ImportProgress
from incidents.models import AffectedPerson

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "add-a-file-format.md").read_text(encoding="utf-8")
MAPPING = """
[person]
relation = "member"
reference = "id"
name = "name"
email = "email"
contact_leaked = ["name", "email"]
"""
DUMP = "id:7\tname:김민지\temail:minji@example.com\nname:서준\tid:8\n\nname:지호\n"


@pytest.fixture
def added(monkeypatch) -> Format:
    """The format of the page, registered at the place that the page names."""
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    namespace = {"__name__": "incidents.importing.formats.labelled_tabs"}
    exec(code, namespace)  # noqa: S102
    form: Format = namespace["LabelledTabs"]()  # type: ignore[operator]
    monkeypatch.setattr(formats, "FORMATS", [form, *formats.FORMATS])
    return form


def test_a_file_in_the_format_of_the_page_is_imported(incident, added, tmp_path):
    path = tmp_path / "members.ltsv"
    path.write_bytes(DUMP.encode() + b"id:9\tname:\xff\n")
    reports: list[ImportProgress] = []
    loading.import_file(path, incident=incident, mapping_text=MAPPING, report=reports.append)

    people = AffectedPerson.objects.filter(incident=incident)
    contacts = sorted(person.decrypt_contact()["n"] for person in people)
    assert contacts == ["김민지", "서준"]
    done = reports[-1]
    assert (done.rows_read, done.rows_taken, done.rows_rejected) == (4, 2, 2)
    assert done.reject_file
    with done.reject_file.open(encoding="utf-8-sig", newline="") as stream:
        assert list(csv.reader(stream)) == [
            ["line", "reason", "id", "name", "email"],
            ["4", "missing id", "", "지호", ""],
            ["5", "undecodable bytes", "9", "\\xff", ""],
        ]


def test_files_in_other_formats_are_read_as_before(incident, added, tmp_path):
    path = tmp_path / "members.csv"
    path.write_text("id,name,email\n7,김민지,minji@example.com\n", encoding="utf-8")

    file = loading.import_file(path, incident=incident, mapping_text=MAPPING)
    assert file.rows_taken == 1


@pytest.mark.parametrize("form", formats.FORMATS, ids=lambda form: form.name)
def test_a_mapping_may_name_every_format(form):
    assert mapping.parse(f'format = "{form.name}"\n{MAPPING}', name="mapping").format == form.name


@pytest.mark.parametrize("place", re.findall(r"`([\w/]+\.py)`", PAGE))
def test_the_modules_that_the_page_names_are_there(place):
    assert (ROOT / place).exists() or (ROOT / "incidents/importing/formats" / place).exists()
