"""An undecodable cell of a column that only describes costs the value, and no person."""

import pytest

from incidents import leaks
from incidents.importing import loading
from incidents.importing.progress import ImportProgress
from incidents.models import AffectedPerson, DataClass, RejectedRow

pytestmark = pytest.mark.django_db
MAPPING = """
[person]
relation = "member"
reference = "id"
email = "email"
language = "lang"
contact_leaked = ["email"]
[dates]
at = "date"
[[leaked]]
class = "purchases"
value = "{order}"
date = "at"
"""
HEADER = b"id,email,order,at,lang\n"
# So many that the encoding is certain.
ROWS = 60 * "1,minji@example.com,겨울 외투 주문입니다,2025-01-01,ko\n"
KOREAN = ("utf-8", "cp949")
OTHER_ROWS = {
    "windows-1252": 60 * "1,minji@example.com,Übergröße für Männer,2025-01-01,ko\n",
    "gb18030": 60 * "1,minji@example.com,冬天的衣服和我们的帽子,2025-01-01,ko\n",
}


@pytest.fixture
def load(incident, tmp_path):
    def load(row: bytes, *, encoding: str = "utf-8", strict: str = "false") -> list[str]:
        reports: list[ImportProgress] = []
        path = tmp_path / "orders.csv"
        rows = ROWS if encoding in KOREAN else OTHER_ROWS[encoding]
        path.write_bytes(HEADER + rows.encode(encoding) + row)
        said = "" if encoding in KOREAN else f'encoding = "{encoding}"\n'
        mapping = f"strict = {strict}\n{said}{MAPPING}"
        loading.import_file(path, incident=incident, mapping_text=mapping, report=reports.append)
        return reports[-1].notes()

    return load


def shown() -> list[str]:
    people, classes = AffectedPerson.objects.all(), DataClass.objects.in_bulk()
    rows = leaks.exposed_rows_of([person.pk for person in people])
    found = [leak for one in people for leak in leaks.decrypted_leaks(one, rows[one.pk], classes)]
    return [
        text for leak in found if leak.data_class.slug == "purchases" for text, _ in leak.values
    ]


def reasons() -> list[str]:
    return list(RejectedRow.objects.values_list("reason", flat=True))


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_an_undecodable_date_or_language_costs_no_person(load, encoding):
    load(b"2,seojun@example.com,hat,2025-\xff-01,k\xff\n", encoding=encoding)

    assert AffectedPerson.objects.count() == 2
    assert reasons() == []
    assert sorted(shown()) == ["hat", "겨울 외투 주문입니다"]


@pytest.mark.parametrize(
    ("encoding", "lang"), [("cp949", "Español"), ("windows-1252", "Português"), ("gb18030", "中文")]
)
def test_utf_8_in_a_file_of_another_encoding_costs_no_person_either(load, encoding, lang):
    row = f"2,seojun@example.com,hat,2025-01-01,{lang}\n"
    notes = load(row.encode(), encoding=encoding)

    assert reasons() == []
    assert notes == ["lang: 1 cells left out, because their bytes cannot be decoded"]


def test_the_cells_left_out_are_counted_by_column(load):
    notes = load(b"2,seojun@example.com,hat,2025-\xff-01,k\xff\n")

    assert notes == [
        "at: 1 cells left out, because their bytes cannot be decoded",
        "lang: 1 cells left out, because their bytes cannot be decoded",
    ]


def test_a_strict_mapping_rejects_the_row(load):
    load(b"2,seojun@example.com,hat,2025-\xff-01,ko\n", strict="true")

    assert reasons() == ["undecodable bytes"]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_cell_that_names_a_person_or_leaked_rejects_the_row(load, place):
    cells = [b"2", b"seojun@example.com", b"hat", b"2025-01-01", b"ko"]
    cells[place] += b"\xff"
    load(b",".join(cells) + b"\n")

    assert reasons() == ["undecodable bytes"]
