"""Cells of real exports: each becomes the value of its own person, or of none."""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import User, VerifiedPhone
from incidents.importing import other_spellings, placeholders
from incidents.importing.formats.comma_separated import CommaSeparated
from incidents.importing.line_breaks import LineBreaks
from incidents.importing.mapping import parse as parse_mapping
from incidents.importing.progress import ImportProgress
from incidents.importing.reading import ImportRefusedError
from incidents.leaks import decrypted_leaks, exposed_rows_of
from incidents.models import AffectedPerson, DataClass, Exposure, FurtherContact, Incident
from incidents.own_rows import own_rows
from incidents.store_digest import compute_store_digest
from tests.import_factory import import_and_report, read_reject_file

pytestmark = pytest.mark.django_db
MESSY = Path(__file__).parent / "messy"
Reach = AffectedPerson.Reach
NOTES = """
[person]
relation = "member"
reference = "id"
name = "name"
email = "email"
contact_leaked = ["name", "email"]
[[leaked]]
class = "delivery-notes"
value = "{note}"
"""


def mapping(name: str) -> str:
    return (MESSY / name).read_text(encoding="utf-8")


@pytest.fixture
def load(incident, tmp_path):
    """Imports a messy file, or a text, and returns the last report."""
    numbers = iter(range(1_000))

    def load(content: str, mapping_text: str) -> ImportProgress:
        path = tmp_path / f"{next(numbers)}.csv"
        messy = MESSY / content if "\n" not in content else None
        path.write_bytes(messy.read_bytes() if messy else content.encode())
        return import_and_report(path, incident=incident, mapping_text=mapping_text)

    return load


def person(incident, reference: str, relation: str = "member") -> AffectedPerson:
    return AffectedPerson.objects.get(pk=incident.cipher().person_id(relation, reference))


def contact(incident, reference: str) -> dict[str, str]:
    return person(incident, reference).decrypt_contact()


def reasons(report: ImportProgress) -> list[tuple[int, str]]:
    if report.reject_file is None:
        return []
    return [(int(row[0]), row[1]) for row in read_reject_file(report.reject_file)[1:]]


def leaked(one: AffectedPerson) -> dict[str, set[str]]:
    """Returns the texts that the owner of the row reads, by data class."""
    catalogue = {row.pk: row for row in DataClass.objects.all()}
    rows = exposed_rows_of([one.pk]).get(one.pk, [])
    return {
        leak.data_class.slug: {text for text, _ in leak.values}
        for leak in decrypted_leaks(one, rows, catalogue)
    }


# Rows are lines


def test_a_stray_quote_rejects_all_its_lines_as_they_are(incident, load):
    report = load("01a_quote_swallows_rows.csv", mapping("nodate.toml"))

    assert (report.rows_read, report.rows_taken, report.rows_rejected) == (2, 1, 1)
    assert report.notes() == ["5 lines made 2 rows"]
    assert contact(incident, "5") == {"n": "정", "e": "e@b.example", "p": "+821012345672"}
    assert AffectedPerson.objects.count() == 1
    rows = read_reject_file(report.reject_file)[1:]
    assert [row[0] for row in rows] == ["2", "3", "4", "5"]
    assert all("line break in name" in row[1] for row in rows)
    assert [row[2:] for row in rows][::3] == [
        ["1", '"홍', "a@b.example", "010-1234-5678"],
        ["4", '이"', "d@b.example", "010-1234-5671"],
    ]


def test_corrected_lines_of_a_reject_file_are_taken(incident, load, tmp_path):
    report = load("01a_quote_swallows_rows.csv", mapping("nodate.toml"))
    header, *rows = read_reject_file(report.reject_file)
    corrected = tmp_path / "corrected.csv"
    with corrected.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *([c.replace('"', "") for c in r] for r in rows)])

    again = import_and_report(corrected, incident=incident, mapping_text=mapping("nodate.toml"))

    assert (again.rows_taken, again.rows_rejected) == (4, 0)
    assert contact(incident, "3")["e"] == "c@b.example"


@pytest.mark.parametrize("line_break", ["\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_no_kind_of_line_break_is_taken_in_a_short_cell(incident, load, line_break):
    report = load(f'id,name,email,note\n1,"Min{line_break}ji",a@b.example,\n', NOTES)

    assert report.rows_taken == 0


def test_a_note_may_have_lines_but_no_rows(incident, load):
    note = '"문 앞에 놓아 주세요\n벨은 누르지 마세요, 아기가 잡니다"'
    report = load(
        f"id,name,email,note,memo\n1,Minji,a@b.example,{note},\n"
        '2,Jiho,b@b.example,"문 앞,\n3,Seojun,c@b.example,경비실",\n'
        '4,Hana,d@b.example,문 앞,"x\n5,Sua,e@b.example,경비실,y"\n',
        NOTES,
    )

    assert leaked(person(incident, "1"))["delivery-notes"] == {note.strip('"')}
    assert {line for line, _ in reasons(report)} == {4, 5, 6, 7}
    assert not AffectedPerson.objects.filter(email_index__isnull=False).exclude(
        pk=person(incident, "1").pk
    )


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_stray_quotes_bring_no_value_into_the_row_of_another(data):
    """Each cell names its person; a row that is taken names one person only."""
    columns = data.draw(st.permutations(["id", "name", "email", "note", "memo"]))
    lines = [",".join(columns)]
    for one in range(11, 11 + data.draw(st.integers(2, 6))):
        note = data.draw(st.sampled_from([f"n{one}x", f'"n{one}x\nat the door n{one}x"', ""]))
        row = {"id": f"{one}", "name": f"m{one}x", "email": f"e{one}x@b.example", "note": note}
        row["memo"] = data.draw(st.sampled_from(["", f"o{one}x"]))
        lines.append(",".join(row[column] for column in columns))
    text = "\n".join([*lines, ""])
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(text.index("\n"), len(text)))
        text = text[:place] + '"' + text[place:]

    parsed = parse_mapping(NOTES, name="notes.toml")
    check = LineBreaks(columns, parsed, long_classes=["delivery-notes"], separator=",", region="KR")
    for _, cells, defect in CommaSeparated().rows(text.partition("\n")[2], 2, columns):
        if not defect and len(cells) == len(columns) and not check.reject_reason(cells):
            found = " ".join(cells).replace('"', "")
            assert len(set(re.findall(r"[0-9]+", found))) <= 1, cells


@pytest.mark.parametrize("mark", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\r"])
def test_a_row_inside_is_found_when_one_of_its_cells_has_another_break(mark):
    columns = ["name", "email", "id", "tier", "note"]
    check = LineBreaks(
        columns,
        parse_mapping(NOTES, name="notes.toml"),
        long_classes=["delivery-notes"],
        separator=",",
        region="KR",
    )
    inside = f"Kim,none,10{mark}02,gold,x"
    assert check.reject_reason(["Lee", "a@b.example", "1001", "gold", f"x\n{inside}"])


# Placeholders and references


def test_nulls_are_blank(incident, load):
    load("03a_mysql_null.csv", mapping("nulls.toml"))

    assert leaked(person(incident, "1")) == {
        "names": {"홍길동"},
        "email-addresses": {"mn1@b.example"},
        "physical-addresses": {"서울"},
    }
    assert contact(incident, "2") == {"e": "mn2@b.example"}


def test_the_mapping_names_other_nulls(incident, load):
    load("id,name,email,note\n1,-,a@b.example,NULL\n", 'nulls = ["-"]' + NOTES)

    assert leaked(person(incident, "1")) == {
        "email-addresses": {"a@b.example"},
        "delivery-notes": {"NULL"},
    }


@pytest.mark.parametrize(
    "reference", ["NULL", "\\N", "0", "00", "-", "N/A", "guest", "비회원", "없음", "null", "x", "."]
)
def test_a_placeholder_is_never_a_reference(incident, load, reference):
    report = load(f"id,name,email,note\n{reference},A,a@b.example,\n{reference},B,,\n", NOTES)

    assert report.rows_rejected == 2
    assert not AffectedPerson.objects.exists()


def test_a_reference_0_is_taken_once_only(incident, load):
    load("id,name,email,note\n0,A,a@b.example,\n1,B,b@b.example,\n", NOTES)
    later = load("id,name,email,note\n0,C,,\n", NOTES)
    values = load("member_id,code\n0,1234#\n1,1234#\n", mapping("known.toml"))

    assert contact(incident, "0") == {"n": "A", "e": "a@b.example"}
    assert (later.rows_rejected, values.rows_rejected) == (1, 1)


@pytest.mark.parametrize("cell", ["-", "none", "없음", "N/A", "x", "."])
def test_a_placeholder_is_no_contact(incident, load, cell):
    load(
        f"member_id,name,email,mobile\n1,Minji,{cell},{cell}\n",
        mapping("nodate.toml"),
    )

    minji = person(incident, "1")
    assert (minji.email_reach, minji.phone_reach) == (Reach.MISSING, Reach.MISSING)
    assert minji.decrypt_contact() == {"n": "Minji"}


def test_proposals_are_the_placeholders_that_are_not_blank_by_themselves():
    cells = ["NULL", "-", "없음 ", "Minji", "", "N/A", "1004", "0"]

    assert placeholders.proposals(cells) == ["-", "0", "N/A", "없음"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_rows_that_disagree_are_never_merged_in_any_order_or_file(incident, load, order):
    rows = [
        "7,Minji Kim,a@b.example,010-1234-5678",
        "7,Seojun Lee,,010-2222-3333",
        "7,Hana Choi,c@b.example,",
    ]
    for number in order:
        load(f"member_id,name,email,mobile\n{rows[number]}\n", mapping("nodate.toml"))

    first = rows[order[0]].split(",")
    found = leaked(person(incident, "7"))
    assert found["names"] == {first[1]}
    assert found.get("email-addresses", set()) == {first[2]} - {""}


def test_two_names_without_a_contact_in_common_are_a_conflict(incident, load):
    report = load(
        "member_id,name,email,mobile\n7,Minji,a@b.example,\n7,Seojun,,010-1234-5678\n",
        mapping("nodate.toml"),
    )

    assert reasons(report) == [
        (3, "conflict: member_id already read with another name and no contact in common")
    ]


def test_one_name_in_two_spellings_is_one_name(incident, load):
    load(
        "member_id,name,email,mobile\n7,Min-ji Kim,a@b.example,\n7,MINJI KIM,,010-1234-5678\n",
        mapping("nodate.toml"),
    )

    assert contact(incident, "7")["p"] == "+821012345678"


# Phones and e-mail addresses


def test_phones_of_a_real_export(incident, load):
    report = load("05_phones.csv", mapping("nodate.toml"))

    with (MESSY / "05_phones.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        one = person(incident, row["member_id"])
        phones = [text for key, text in one.decrypt_contact().items() if key[0] == "p"]
        if row["right"].startswith("+"):
            assert phones == [row["right"]]
            assert one.phone_index == incident.cipher().phone_index(row["right"])
        elif row["right"] == "both kept":
            assert len(phones) == 2
            assert one.further_contacts.count() == 1
        else:
            assert one.phone_index is None
            assert phones == [row["mobile"]]
    assert person(incident, "0").phone_reach == Reach.LANDLINE
    assert person(incident, "36").phone_reach == Reach.USABLE
    assert report.rows_rejected == 0
    assert "mobile: 1 numbers that cannot be one person's" in report.notes()


def test_numbers_belong_to_the_region_of_the_mapping_or_the_incident(incident, load):
    text = "member_id,name,email,mobile\n{},A,,020 7946 0106\n"
    load(text.format(1), mapping("nodate.toml"))
    load(text.format(2), 'region = "GB"\n' + mapping("nodate.toml"))
    incident.phone_region = "GB"
    incident.save()
    load(text.format(3), mapping("nodate.toml"))

    assert [contact(incident, str(n))["p"] for n in (1, 2, 3)] == [
        "020 7946 0106",
        "+442079460106",
        "+442079460106",
    ]


def test_lost_zeros_are_added_if_the_mapping_says_so(incident, load):
    text = "member_id,name,email,mobile\n{},A,,1012345678\n"
    report = load(text.format(1), mapping("nodate.toml"))
    load(text.format(2), "lost_zeros = true\n" + mapping("nodate.toml"))

    assert person(incident, "1").phone_reach == Reach.UNUSABLE
    assert "lost_zeros = true" in report.notes()[0]
    assert contact(incident, "2")["p"] == "+821012345678"


@pytest.mark.parametrize(
    "number", ["1588-1234", "0502-1234-5678", "010-0000-0000", "02-123-4567-8"]
)
def test_a_number_that_is_no_persons_identifies_no_recipient(incident, load, number):
    recipients = """
[person]
relation = "recipient"
phone = "tel"
name = "who"
contact_leaked = ["name", "phone"]
"""
    report = load(f"who,tel\nMinji,{number}\nSeojun,{number}\n", recipients)

    assert report.rows_rejected == 2


def opened_by(user: User, incident: Incident) -> list[AffectedPerson]:
    return own_rows(user, [incident])[incident.pk].opened


def test_every_address_of_a_cell_finds_the_person(incident, load, minji, seojun):
    load("06_emails.csv", mapping("nodate.toml"))
    for user, number in ((minji, "+821033334444"), (seojun, "+821011112222")):
        VerifiedPhone.objects.create(user=user, number=number)
    found = User.objects.create_user("two2@b.example")

    assert opened_by(found, incident) == [person(incident, "1")]
    assert opened_by(minji, incident) == [person(incident, "3")]
    assert opened_by(seojun, incident) == [person(incident, "3")]
    assert leaked(person(incident, "1"))["email-addresses"] == {"two1@b.example", "two2@b.example"}
    assert contact(incident, "2")["e"] == "two3@b.example"
    assert contact(incident, "3") == {
        "n": "이영희",
        "e": "two4@b.example",
        "p": "+821011112222",
        "p2": "+821033334444",
    }


def test_addresses_are_peeled_out_of_angle_brackets(incident, load):
    report = load("06b_all_angle.csv", mapping("nodate.toml"))

    assert report.notes() == []
    assert contact(incident, "19")["e"] == "u19@b.example"
    assert not AffectedPerson.objects.exclude(email_reach=Reach.USABLE).exists()


def test_contacts_of_several_columns_are_those_of_the_person(incident, load):
    several = """
[person]
relation = "member"
reference = "id"
name = "{last}{first}"
email = ["email", "email2"]
phone = ["home", "mobile"]
contact_leaked = ["name", "email", "phone"]
"""
    load(
        "id,last,first,email,email2,home,mobile\n"
        "1,김,민지,broken@,a@b.example,02-123-4567,010-1234-5678\n",
        several,
    )

    minji = person(incident, "1")
    assert minji.decrypt_contact() == {
        "n": "김민지",
        "e": "a@b.example",
        "e2": "broken@",
        "p": "+821012345678",
        "p2": "+8221234567",
    }
    assert minji.phone_reach == Reach.USABLE
    assert minji.further_contacts.get().kind == FurtherContact.Kind.PHONE


def test_masked_addresses_are_counted_and_reach_nobody(incident, load):
    report = load(
        "member_id,name,email,mobile\n1,A,a***@b.example,\n2,B,?,\n", mapping("nodate.toml")
    )

    assert person(incident, "1").email_reach == Reach.UNUSABLE
    assert report.notes() == ["email: 1 masked e-mail addresses, kept as they leaked"]


def test_rows_that_share_an_address_are_one_persons_and_add_their_others(incident, load):
    for row in ("7,Minji,a@b.example;b@b.example,", "7,Minji,b@b.example;c@b.example,"):
        load(f"member_id,name,email,mobile\n{row}\n", mapping("nodate.toml"))

    cipher = incident.cipher()
    minji = person(incident, "7")
    assert minji.email_index == cipher.email_index("a@b.example")
    assert set(minji.further_contacts.values_list("contact_index", flat=True)) == {
        cipher.email_index("b@b.example"),
        cipher.email_index("c@b.example"),
    }
    assert leaked(minji)["email-addresses"] == {"a@b.example", "b@b.example", "c@b.example"}


def test_the_first_address_of_a_later_row_becomes_a_further_one(incident, load):
    load(
        "member_id,name,email,mobile\n7,Minji,a@b.example,\n7,Minji,c@b.example;a@b.example,\n",
        mapping("nodate.toml"),
    )

    index = incident.cipher().email_index("c@b.example")
    assert person(incident, "7").further_contacts.get().contact_index == index


def test_the_store_digest_knows_further_contacts(incident, load):
    load("member_id,name,email,mobile\n7,A,a@b.example;b@b.example,\n", mapping("nodate.toml"))
    before = compute_store_digest(incident)
    FurtherContact.objects.all().delete()

    assert compute_store_digest(incident) != before


# Dates and references of spreadsheets


def test_no_spelling_of_a_date_costs_the_person(incident, load):
    report = load("12_dates.csv", mapping("members.toml"))

    assert (report.rows_taken, report.rows_rejected) == (49, 0)
    [note] = report.notes()
    assert note.startswith("joined_on: 11 dates left out")


@pytest.mark.parametrize("ids", [("1001.0", "0007.0"), ("1001", "7"), ("1001.0", "7.0")])
def test_references_that_a_spreadsheet_changed_are_told_once(incident, load, ids):
    load("17a_ids.csv", mapping("nodate.toml"))
    before = Exposure.objects.count()
    rows = "".join(f"{one},1234#\n" for one in ids if one != "1001")

    with pytest.raises(ImportRefusedError, match="zeros lost"):
        load(f"member_id,code\n{rows}", mapping("known.toml"))
    assert Exposure.objects.count() == before


def test_unknown_references_that_no_spelling_explains_are_told_row_by_row(incident, load):
    load("17a_ids.csv", mapping("nodate.toml"))

    report = load("member_id,code\n2001,1234#\n2002,1234#\n1001,1#\n", mapping("known.toml"))

    assert [line for line, _ in reasons(report)] == [2, 3]


def test_other_spellings_of_a_reference():
    assert other_spellings.of("7.0")[:3] == ["7", "07", "007"]
    assert other_spellings.of("0007") == ["0007.0", "7"]
    assert "0007" in other_spellings.of("7")
    assert other_spellings.of("M-7") == []
