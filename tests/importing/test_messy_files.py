"""Files as companies really send them: each is read rightly, or refused for what it is.

tests/importing/messy/README.md states what is odd in each file, and what is right.
"""

import csv
import gzip
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts.contacts import normalise_phone
from accounts.models import User
from harness.sign_in import step_up
from incidents import scope_versions, store_check
from incidents.importing import loading
from incidents.importing.progress import ImportProgress
from incidents.importing.reading import ImportRefusedError
from incidents.leaks import decrypted_leaks, exposed_rows_of
from incidents.models import AffectedPerson, DataClass, ExposureFile, Incident
from incidents.scope_versions import ScopeRefusedError
from tests.desk_pages import page_text
from tests.import_factory import import_and_report, read_reject_file

pytestmark = pytest.mark.django_db
MESSY = Path(__file__).parent / "messy"
TWENTY = [(str(1000 + number), f"user{number}@naver.example") for number in range(20)]


def mapping(name: str = "nodate", more: str = "") -> str:
    """Returns the text of a mapping; `more` are keys that come before its tables."""
    return more + (MESSY / f"{name}.toml").read_text(encoding="utf-8")


def load(name: str, incident: Incident, directory: Path, mapping_text: str = "") -> ImportProgress:
    return import_and_report(
        MESSY / name,
        incident=incident,
        mapping_text=mapping_text or mapping(),
        rejects_path=directory / f"{name}.rejects.csv",
    )


def rejected_lines(name: str, directory: Path) -> list[int]:
    path = directory / f"{name}.rejects.csv"
    return [int(row[0]) for row in read_reject_file(path)[1:]] if path.exists() else []


def refusal(name: str, incident: Incident, directory: Path, mapping_text: str = "") -> str:
    """Returns why the file is refused. Nothing of it may be in the store."""
    with pytest.raises(ImportRefusedError) as caught:
        loading.import_file(
            MESSY / name,
            incident=incident,
            mapping_text=mapping_text or mapping(),
            rejects_path=directory / f"{name}.rejects.csv",
        )
    assert not AffectedPerson.objects.exists()
    assert not ExposureFile.objects.filter(state=ExposureFile.State.LOADED).exists()
    message = str(caught.value)
    assert "\n" not in message
    return message


def found_by(incident: Incident, *, email: str = "", phone: str = "") -> list[Any]:
    """Returns the ids of the people that one address or number finds."""
    people = AffectedPerson.objects.with_contact(
        emails=[email] if email else [], phones=[phone] if phone else [], incidents=[incident]
    )
    return [person.pk for person in people]


def key(incident: Incident, reference: str) -> Any:
    return incident.cipher().person_id("member", reference)


def leaked(incident: Incident, reference: str) -> dict[str, list[str]]:
    """Returns the leaked values of a member, by the slug of their data class."""
    person = AffectedPerson.objects.get(pk=key(incident, reference))
    rows = exposed_rows_of([person.pk]).get(person.pk, [])
    leaks = decrypted_leaks(person, rows, DataClass.objects.in_bulk())
    return {leak.data_class.slug: sorted(text for text, _ in leak.values) for leak in leaks}


def assert_members(incident: Incident, expected: list[tuple[str, str]]) -> None:
    """Checks that the store holds exactly these members, each found by their address."""
    assert AffectedPerson.objects.filter(incident=incident).count() == len(expected)
    for reference, email in expected:
        assert found_by(incident, email=email) == [key(incident, reference)]
    assert store_check.check_whole(incident).faults == []


def page_of(user: User, name: str = "my_data") -> str:
    client = Client()
    client.force_login(user)
    step_up(client, user)
    with override("en"):
        url = reverse(name)
        return page_text(
            client.post(url, follow=True) if name == "my_data_reveal" else client.get(url)
        )


# Rows and quotes


def test_a_stray_quote_costs_its_own_lines_only(incident, tmp_path):
    load("01a_quote_swallows_rows.csv", incident, tmp_path)

    assert rejected_lines("01a_quote_swallows_rows.csv", tmp_path) == [2, 3, 4, 5]
    assert_members(incident, [("5", "e@b.example")])
    assert leaked(incident, "5")["names"] == ["정"]


def test_nobody_of_rejected_lines_is_told_not_to_be_among_them(incident, tmp_path):
    load("01a_quote_swallows_rows.csv", incident, tmp_path)
    with pytest.raises(ScopeRefusedError):
        scope_versions.close(incident.batches.get())

    for address in ("a", "b", "c", "d"):
        page = page_of(User.objects.create_user(f"{address}@b.example"))
        assert "not among" not in page


def test_single_quotes_are_no_part_of_a_value(incident, tmp_path):
    name = "11a_single_quotes.csv"
    assert "quote" in refusal(name, incident, tmp_path)

    load(name, incident, tmp_path, mapping(more='quote = "\'"\n'))
    assert_members(incident, [(str(number), f"u{number}@b.example") for number in range(12)])
    assert leaked(incident, "3")["names"] == ["김민준3"]


def test_escapes_of_mysql_are_read_as_the_mapping_says(incident, tmp_path):
    name = "10_mysql_outfile_escapes.csv"
    assert "escape" in refusal(name, incident, tmp_path, mapping("members"))

    load(name, incident, tmp_path, mapping("members", 'escape = "\\\\"\n'))
    names = {number: leaked(incident, number)["names"] for number in ("1", "2", "4", "5")}
    assert names == {"1": ['홍 "길" 동'], "2": ["김, 철수"], "4": ["박\\"], "5": ["정상"]}
    assert "phone-numbers" not in leaked(incident, "2")
    assert rejected_lines(name, tmp_path) == [4]  # a line break in a name


def test_one_comma_too_many_in_every_row_costs_nothing(incident, tmp_path):
    load("18_trailing_comma.csv", incident, tmp_path, mapping("members"))

    assert_members(incident, TWENTY)


@pytest.mark.parametrize("name", ["08a_cat_two_boms.csv", "08b_cat_header_case.csv"])
def test_a_second_header_is_recognised(incident, tmp_path, name):
    assert "header" in refusal(name, incident, tmp_path)


# Encodings


@pytest.mark.parametrize(
    ("name", "looks_like"),
    [
        ("cp1252q", "windows-1252|cp1252"),
        ("latin1pt", "windows-1252|cp1252|iso-8859-1|latin"),
        ("sjis", "shift_jis|cp932"),
        ("johab", "johab"),
        ("iso2022kr", "iso-2022-kr|iso2022_kr"),
    ],
)
def test_text_that_is_not_korean_is_not_read_as_korean(incident, tmp_path, name, looks_like):
    message = refusal(f"04_enc_{name}.csv", incident, tmp_path)

    assert any(each in message.lower() for each in looks_like.split("|")), message


def test_a_line_in_another_encoding_is_rejected(incident, tmp_path):
    name = "04_enc_mix3.csv"
    load(name, incident, tmp_path)

    lines = (MESSY / name).read_bytes().splitlines()[1:]
    in_utf8 = [number for number, line in enumerate(lines, start=2) if _is_utf8(line)]
    assert rejected_lines(name, tmp_path) == in_utf8
    for number, line in enumerate(lines, start=2):
        if number not in in_utf8:
            reference, person_name, *_ = line.decode("cp949").split(",")
            assert leaked(incident, reference)["names"] == [person_name]


def _is_utf8(line: bytes) -> bool:
    try:
        return not line.decode("utf-8").isascii()
    except UnicodeDecodeError:
        return False


# Cells


def test_placeholders_are_blank(incident, tmp_path):
    load("03a_mysql_null.csv", incident, tmp_path, mapping("nulls"))

    assert leaked(incident, "1") == {
        "names": ["홍길동"],
        "email-addresses": ["mn1@b.example"],
        "physical-addresses": ["서울"],
    }
    assert leaked(incident, "2") == {"email-addresses": ["mn2@b.example"]}


def phones() -> list[tuple[str, list[str]]]:
    """Returns the references of 05_phones and the numbers that may find each person."""
    with (MESSY / "05_phones.csv").open(encoding="utf-8", newline="") as stream:
        return [(row["member_id"], _right(row)) for row in csv.DictReader(stream)]


def _right(row: dict[str, str]) -> list[str]:
    if row["right"] == "both kept":
        return [str(normalise_phone(part.strip())) for part in row["mobile"].split(";")]
    return [row["right"]] if row["right"].startswith("+") else []


def test_a_phone_is_a_number_that_was_written(incident, tmp_path):
    load("05_phones.csv", incident, tmp_path)

    reaches = AffectedPerson.Reach
    for reference, numbers in phones():
        person = AffectedPerson.objects.get(pk=key(incident, reference))
        for number in numbers:
            assert key(incident, reference) in found_by(incident, phone=number), reference
        assert (person.phone_index is not None) == bool(numbers), reference
        if not numbers:
            assert person.phone_reach == reaches.UNUSABLE, reference
    everything = {number for _, numbers in phones() for number in numbers}
    for wrong in ("+821000000000", "+8201012345678", "+82821012345678", "+8245979"):
        assert wrong not in everything
        assert found_by(incident, phone=wrong) == []


def test_every_address_of_a_cell_finds_its_person(incident, tmp_path):
    load("06_emails.csv", incident, tmp_path)

    for email, reference in (("two1", "1"), ("two2", "1"), ("two3", "2"), ("two4", "3")):
        assert found_by(incident, email=f"{email}@b.example") == [key(incident, reference)]
    for phone, reference in (
        ("+821012345678", "1"),
        ("+8221234567", "2"),
        ("+821011112222", "3"),
        ("+821033334444", "3"),
    ):
        assert found_by(incident, phone=phone) == [key(incident, reference)]


def test_an_address_in_angle_brackets_is_one(incident, tmp_path):
    load("06b_all_angle.csv", incident, tmp_path)

    assert_members(incident, [(str(number), f"u{number}@b.example") for number in range(20)])


def test_a_contact_of_many_people_opens_nothing(incident, tmp_path):
    load("07_placeholder_shared.csv", incident, tmp_path)
    scope_versions.close(incident.batches.get())
    thief = User.objects.create_user("noemail@noemail.example")

    for page in (page_of(thief), page_of(thief, "my_data_reveal")):
        assert "이름" not in page
        assert "not among" not in page
        assert "010" not in page
    assert found_by(incident, phone="+821000000000") == []


def test_a_date_that_only_describes_costs_no_person(incident, tmp_path):
    name = "12_dates.csv"
    load(name, incident, tmp_path, mapping("members"))

    assert rejected_lines(name, tmp_path) == []
    assert_members(incident, [(str(n), f"user{n}@naver.example") for n in range(49)])


def test_dates_with_spaces_are_dates(incident, tmp_path):
    load("02_all_rejected_then_closed.csv", incident, tmp_path, mapping("members"))

    assert_members(incident, [(str(n), f"u{n}@b.example") for n in range(12)])


def test_resident_numbers_are_no_phones(incident, tmp_path):
    message = refusal("13a_rrn_as_phone.csv", incident, tmp_path, mapping("rrn"))

    assert "rrn" in message
    assert "1234500" not in message


def test_ids_that_a_spreadsheet_changed_are_told_once(incident, tmp_path):
    load("17a_ids.csv", incident, tmp_path)
    path = tmp_path / "codes.csv"
    path.write_text("member_id,code\n1001.0,#1\n7,#2\n", encoding="utf-8")

    with pytest.raises(ImportRefusedError, match=r"\.0"):
        import_and_report(path, incident=incident, mapping_text=mapping("known"))


# Files of other kinds


@pytest.mark.parametrize(
    "name",
    [
        "15a_array.json",
        "15b_cr_only.csv",
        "15c_sep_line.csv",
        "15d_header_case.csv",
        "16a_excel_unicode.txt",
        "16b.tsv",
    ],
)
def test_a_usual_file_of_another_kind_is_read(incident, tmp_path, name):
    load(name, incident, tmp_path)

    assert_members(incident, TWENTY)


@pytest.mark.parametrize("name", ["15i_gzip_of_gzip.csv.gz", "16d.zip"])
def test_a_packed_file_is_read(incident, tmp_path, name):
    load(name, incident, tmp_path)

    assert found_by(incident, email="user0@naver.example") == [key(incident, "1000")]
    assert AffectedPerson.objects.count() == 20


def test_cells_of_a_spreadsheet_are_read_as_text(incident, tmp_path):
    load("16e.xlsx", incident, tmp_path)

    assert_members(
        incident, [("70000001", "a@b.example"), ("007", "b@b.example"), ("1.5", "c@b.example")]
    )


def test_html_is_named(incident, tmp_path):
    assert "HTML" in refusal("15h_html.xls", incident, tmp_path)


def test_a_nested_value_is_no_contact(incident, tmp_path):
    refusal("14a_mongo.jsonl", incident, tmp_path)


def test_a_key_twice_rejects_the_row(incident, tmp_path):
    refusal("14b_duplicate_keys.jsonl", incident, tmp_path)  # it is the only row


def test_numbers_that_are_none_are_blank(incident, tmp_path):
    load("14d_nan.jsonl", incident, tmp_path)

    assert leaked(incident, "2") == {"names": ["a"], "phone-numbers": ["+821012345678"]}
    one = AffectedPerson.objects.filter(pk=key(incident, "1")).first()
    assert one is None or one.decrypt_contact() == {}


# Files as a whole


def test_a_file_of_which_nothing_is_taken_is_refused(incident, tmp_path):
    path = tmp_path / "members.csv"
    path.write_text(
        "member_id,name,email,mobile\n,김,a@b.example,\n,이,c@b.example,\n", encoding="utf-8"
    )
    for _ in range(2):
        with pytest.raises(ImportRefusedError):
            loading.import_file(path, incident=incident, mapping_text=mapping())
        path.with_name("members.csv.rejects.csv").unlink(missing_ok=True)
    for batch in incident.batches.all():
        with pytest.raises(ScopeRefusedError):
            scope_versions.close(batch)
    assert "not among" not in page_of(User.objects.create_user("a@b.example"))


def test_the_id_0_is_one_only_if_a_single_row_has_it(incident, tmp_path):
    rows = ["0,김,a@b.example,", "1,이,c@b.example,", "0,박,,010-1234-5678"]
    path = tmp_path / "members.csv"
    path.write_text("\n".join(["member_id,name,email,mobile", *rows]), encoding="utf-8")
    import_and_report(path, incident=incident, mapping_text=mapping())

    assert_members(incident, [("1", "c@b.example")])
    assert [row[0] for row in read_reject_file(tmp_path / "members.csv.rejects.csv")[1:]] == [
        "2",
        "4",
    ]


@pytest.mark.parametrize("is_packed_first", [True, False])
def test_the_same_content_is_loaded_once(incident, tmp_path, is_packed_first):
    plain = (MESSY / "12_dates.csv").read_bytes()
    (tmp_path / "a.csv").write_bytes(plain)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(plain))
    (tmp_path / "c.csv").write_bytes(b"\xef\xbb\xbf" + plain.replace(b"\r\n", b"\n"))
    first, *others = sorted(
        ["a.csv", "b.csv.gz", "c.csv"], key=lambda name: name.endswith("gz") != is_packed_first
    )
    import_and_report(tmp_path / first, incident=incident, mapping_text=mapping("members"))

    for name in others:
        with pytest.raises(ImportRefusedError, match="already loaded"):
            loading.import_file(tmp_path / name, incident=incident, mapping_text=mapping("members"))


def test_several_files_are_imported_in_order(incident, tmp_path, capsys):
    for name in ("15d_header_case.csv", "06b_all_angle.csv"):
        (tmp_path / name).write_bytes((MESSY / name).read_bytes())
    call_command(
        "import_exposures",
        *(str(tmp_path / name) for name in ("15d_header_case.csv", "06b_all_angle.csv")),
        incident=incident.slug,
        mapping=MESSY / "nodate.toml",
    )

    assert [file.name for file in ExposureFile.objects.order_by("pk")] == [
        "15d_header_case.csv",
        "06b_all_angle.csv",
    ]
    assert AffectedPerson.objects.count() == 40


@pytest.mark.parametrize(
    "path", sorted(path for path in MESSY.iterdir() if path.suffix not in (".toml", ".md"))
)
def test_the_check_of_a_messy_file_stores_nothing(incident, path, capsys):
    with open("/dev/null", "w") as nothing:  # noqa: PTH123
        try:
            call_command(
                "import_exposures",
                str(path),
                incident=incident.slug,
                mapping=MESSY / "nodate.toml",
                check=True,
                stdout=nothing,
            )
        except CommandError as error:
            assert "\n" not in str(error).strip()  # noqa: PT017

    assert not AffectedPerson.objects.exists()
    assert not ExposureFile.objects.exists()
