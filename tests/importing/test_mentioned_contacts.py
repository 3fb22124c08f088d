"""The owner of a contact in any column never reads that they are not among the leaked data."""

import pytest

from incidents import store_check
from incidents.importing import loading
from incidents.mentioned_contacts import contacts_mentioned
from incidents.models import UnreadContact
from incidents.uncertain_contacts import meant_by, mention_of
from tests.importing.more_messy_files import GOOD, HEADER
from tests.importing.test_more_messy_files import MAPPING
from tests.importing.test_unread_contacts import close_version, shown_to

pytestmark = pytest.mark.django_db
NOT_AMONG, NOT_READ = "not among the leaked data", "not in what could be read"
STRANGERS = "stranger@else.example", "+821098765432"

# What a cell of another column holds, and whose contact that is.
MENTIONS = {
    "parent@b.example": "parent@b.example",
    "Parent <parent@b.example>": "parent@b.example",
    "010-2345-6791": "+821023456791",
    "01023456791": "+821023456791",
    "1023456791": "+821023456791",
    "+82 10 2345 6791": "+821023456791",
    "02-345-6791": "+8223456791",
    "어머니 010-2345-6791, 18시 이후": "+821023456791",
    "2025-11-18 010-2345-6791로 전화함": "+821023456791",
    "010-2345-6792 010-2345-6791": "+821023456791",
    "12 010-2345-6791": "+821023456791",
    "tel.01023456791": "+821023456791",
    "+1 415-555-2671": "+14155552671",
    "wrote to parent@b.example, no answer": "parent@b.example",
    "parent (at) b.example": "parent@b.example",
    "pa***@b.example": "parent@b.example",
    "parent@gmail.con": "parent@gmail.com",
    "par.ent@gmail.com": "parent@gmail.com",
    "parent+school@gmail.com": "parent@gmail.com",
    '{"guardian": {"phone": "010-2345-6791"}}': "+821023456791",
    "x" * 4_000 + " parent@b.example": "parent@b.example",
}
NO_CONTACTS = [
    "2025-11-18 09:00:01",
    "20251118-0000123",
    "192.168.100.123",
    "550e8400-e29b-41d4-a716-446655440000",
    "9e107d9d372bb6826bd81d3542a419d6",
    "1,250,000",
    "1588-1234",
    "서울시 강남구 테헤란로 123",
    "@minji",
]


@pytest.fixture
def load(incident, tmp_path):
    """Imports a text and closes the version."""

    def load(text: str) -> None:
        path = tmp_path / "members.csv"
        path.write_text(text, encoding="utf-8")
        loading.import_file(path, incident=incident, mapping_text=MAPPING)
        close_version(incident)

    return load


@pytest.mark.parametrize(("cell", "contact"), MENTIONS.items())
def test_the_owner_of_a_mentioned_contact_is_not_cleared(cell, contact):
    found = [mention_of(text) for _kind, text in contacts_mentioned(cell, "KR")]
    assert set(meant_by(contact)) & set(found)
    assert not {text for one in STRANGERS for text in meant_by(one)} & set(found)


def test_a_number_in_a_memo_has_no_zero_where_people_write_none():
    cell = "spoke to the mother on 98765 43210 twice"
    assert contacts_mentioned(cell, "IN") == (("phone", "+919876543210"),)


@pytest.mark.parametrize("cell", NO_CONTACTS)
def test_other_digits_and_words_mention_no_contact(cell):
    assert contacts_mentioned(cell, "KR") == ()


@pytest.mark.parametrize("rows", [1, 2, 6])
def test_contacts_in_unused_columns_clear_no_owner(incident, load, rows):
    """One cell of a memo and a column that is nearly blank are enough."""
    head, *others = GOOD[:rows]
    first = f'{head},010-2345-6791,"asks for parent@b.example"'
    load("\n".join([f"{HEADER},parent_phone,memo", first, *(f"{row},," for row in others)]))
    for contact in ("+821023456791", "parent@b.example"):
        page = shown_to(contact)
        assert NOT_AMONG not in page
        assert NOT_READ in page
    for contact in STRANGERS:
        assert NOT_AMONG in shown_to(contact)
    assert store_check.check_whole(incident).faults == []


def test_a_mentioned_contact_locks_no_row(incident, load):
    """The parent is a member, too, and still reads their own values."""
    parent = GOOD[1].split(",")[2]
    load("\n".join([f"{HEADER},parent", f"{GOOD[0]},{parent}", f"{GOOD[1]},"]))
    page = shown_to(parent)
    assert "이서연" in page
    assert "김민준" not in page
    assert "Several people" not in page


def test_the_persons_own_contact_in_another_column_is_not_kept(load):
    load("\n".join([f"{HEADER},login", *(f"{row},{row.split(',')[2]}" for row in GOOD[:2])]))
    assert not UnreadContact.objects.exists()


def test_a_contact_that_all_rows_mention_is_kept_once(load):
    load("\n".join([f"{HEADER},owner", *(f"{row},010-2345-6791" for row in GOOD[:2])]))
    assert UnreadContact.objects.count() == 1


def test_notes_that_leaked_may_mention_others(incident, tmp_path):
    path = tmp_path / "members.csv"
    path.write_text(f'{HEADER},note\n{GOOD[0]},"문 앞, 010-2345-6791로 전화"\n', encoding="utf-8")
    leaked = '\n[[leaked]]\nclass = "delivery-notes"\nvalue = "{note}"\n'
    loading.import_file(path, incident=incident, mapping_text=MAPPING + leaked)
    close_version(incident)
    assert NOT_READ in shown_to("+821023456791")


def test_a_date_that_is_a_contact_clears_no_owner(incident, tmp_path):
    path = tmp_path / "members.csv"
    rows = [f"{HEADER},joined", f"{GOOD[0]},parent@b.example", f"{GOOD[1]},2025-11-18"]
    path.write_text("\n".join(rows), encoding="utf-8")
    table = MAPPING + '\n[dates]\njoined = "date"\n'
    loading.import_file(path, incident=incident, mapping_text=table)
    close_version(incident)
    assert NOT_READ in shown_to("parent@b.example")
