"""The content of a file decides whether it was loaded before, and repeats count once."""

import gzip

import pytest

from incidents import leaks
from incidents.importing import loading
from incidents.importing.reading import ImportRefusedError
from incidents.models import AffectedPerson, DataClass

pytestmark = pytest.mark.django_db
MAPPING = """
[person]
relation = "member"
reference = "id"
[dates]
at = "date"
[[leaked]]
class = "purchases"
value = "{order}"
date = "at"
"""
ROWS = "id,order,at\n1,coat,2025-01-01\n1,coat,2025-01-01\n"


@pytest.fixture
def load(incident, tmp_path):
    def load(content: bytes, name: str, mapping: str = MAPPING) -> None:
        path = tmp_path / name
        path.write_bytes(content)
        loading.import_file(path, incident=incident, mapping_text=mapping)

    return load


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (gzip.compress(ROWS.encode()), "orders.csv.gz"),
        (ROWS.encode("utf-8-sig"), "marked.csv"),
        (ROWS.replace("\n", "\r\n").encode(), "windows.csv"),
        (ROWS.rstrip("\n").encode(), "cut.csv"),
    ],
)
def test_the_same_rows_in_another_form_are_refused_as_loaded(load, content, name):
    load(ROWS.encode(), "orders.csv")

    with pytest.raises(ImportRefusedError, match=f"{name}: already loaded as orders.csv"):
        load(content, name)


def orders() -> int:
    person = AffectedPerson.objects.get()
    rows = leaks.exposed_rows_of([person.pk])[person.pk]
    [leak] = leaks.decrypted_leaks(person, rows, DataClass.objects.in_bulk())
    return leak.count


def test_rows_that_another_file_of_the_version_repeats_count_once(load):
    load(ROWS.encode(), "orders.csv")
    assert orders() == 2
    load(f"{ROWS}1,hat,2025-02-02\n".encode(), "all.csv")

    assert orders() == 3  # two coats and a hat


def test_a_corrected_row_counts_beside_those_of_its_file(load):
    strict = f"strict = true\n{MAPPING}"
    load(f"{ROWS}1,coat,2025-01-xx\n".encode(), "orders.csv", strict)
    rejects = b"line,reason,id,order,at\n4,bad date,1,coat,2025-01-01\n"
    load(rejects, "orders.csv.rejects.csv", strict)

    assert orders() == 3
