"""Importing rows: which rows become people, which become exposures, which are rejected."""

import gzip
from pathlib import Path

import pytest

from incidents import scope_versions
from incidents.encryption import EXPOSURE
from incidents.importing import loading
from incidents.importing.progress import ImportProgress
from incidents.importing.reading import ImportRefusedError
from incidents.models import (
    AffectedPerson,
    DataClass,
    Exposure,
    ExposureBatch,
    ExposureFile,
    Incident,
)
from incidents.scope_versions import IncidentBusyError, ScopeRefusedError
from tests.import_factory import import_and_report, read_reject_file

pytestmark = pytest.mark.django_db
Relation, Reach = AffectedPerson.Relation, AffectedPerson.Reach

MEMBERS = """
[person]
relation = "member"
reference = "member_id"
name = "name"
email = "email"
phone = "mobile"
language = "lang"
contact_leaked = ["name", "email", "phone"]
"""
GIFTS = """
[person]
relation = "member"
reference = "member_id"
known = true
[dates]
on = "date"
[[leaked]]
class = "physical-addresses"
value = "{zip} {street}"
date = "on"
[second_person]
relation = "recipient"
name = "to"
phone = "to_phone"
contact_leaked = ["name", "phone"]
"""


@pytest.fixture
def load(incident, tmp_path):
    """Writes a CSV, imports it, and returns the last report."""
    numbers = iter(range(100))

    def load(text: str, mapping: str = MEMBERS, **options) -> ImportProgress:
        path = tmp_path / f"file{next(numbers)}.csv"
        path.write_text(text.lstrip(), encoding="utf-8")
        return import_and_report(path, incident=incident, mapping_text=mapping, **options)

    return load


def person(incident, reference: str, relation: str = "member") -> AffectedPerson:
    return AffectedPerson.objects.get(pk=incident.cipher().person_id(relation, reference))


def reasons(report: ImportProgress) -> list[tuple[int, str]]:
    if report.reject_file is None:
        return []
    return [(int(row[0]), row[1]) for row in read_reject_file(report.reject_file)[1:]]


def values(exposure: Exposure) -> list[list[object]]:
    slugs = dict(DataClass.objects.values_list("pk", "slug"))
    if exposure.ciphertext is None:
        return []
    opened = exposure.person.incident.cipher().decrypt(
        exposure.ciphertext, person=exposure.person_id, purpose=EXPOSURE
    )
    return [[slugs[value[0]], *value[1:]] for value in opened]


def test_a_row_becomes_a_person_and_an_exposure(incident, load):
    load("""
member_id,name,email,mobile,lang
7,Minji Kim, MINJI@Example.com ,+82 10-1234-5678,en
""")

    minji = person(incident, "7")
    assert (minji.relation, minji.language) == (Relation.MEMBER, "en")
    assert minji.decrypt_contact() == {
        "n": "Minji Kim",
        "e": "minji@example.com",
        "p": "+821012345678",
    }
    assert minji.email_index == incident.cipher().email_index("minji@example.com")
    assert minji.phone_index == incident.cipher().phone_index("+821012345678")
    assert minji.exposures.get().line == 2


@pytest.mark.parametrize("written", ["EN", "en-US", "en_GB", "en_US.UTF-8", "English", " en "])
def test_language_is_read_from_common_spellings(incident, load, written):
    load(f"member_id,name,email,mobile,lang\n7,Minji,,,{written}\n")

    assert person(incident, "7").language == "en"


@pytest.mark.parametrize("written", ["fr", "fra", "konkani", "e", "en-", "홍길동"])
def test_people_of_a_language_without_a_text_are_never_given_another_silently(
    incident, load, written
):
    text = f"member_id,name,email,mobile,lang\n7,Minji,,,{written}\n8,Seojun,,,ko\n"
    with pytest.raises(ImportRefusedError, match="lang holds languages without a text"):
        load(text)
    report = load(text, accepted=["language:lang"])
    [(line, why)] = reasons(report)
    assert line == 2
    assert why.startswith("lang holds a language without a text in the incident")


def test_the_mapping_decides_what_they_get(incident, load):
    decided = MEMBERS.replace('"lang"', '"lang"\nlanguages = { FR = "en", "*" = "ko" }')
    rows = "7,Minji,,,fr\n8,Seojun,,,de\n9,Jiwoo,,,"
    load(f"member_id,name,email,mobile,lang\n{rows}\n", decided)

    assert [person(incident, one).language for one in "789"] == ["en", "ko", "ko"]


def test_a_mapping_gives_people_a_language_of_the_incident_only(incident, load):
    decided = MEMBERS.replace('"lang"', '"lang"\nlanguages = { FR = "eng", "*" = "ko" }')
    with pytest.raises(ImportRefusedError, match="languages names eng; the incident has ko, en"):
        load("member_id,name,email,mobile,lang\n7,Minji,,,fr\n", decided)


def test_people_without_a_language_get_the_incidents_default(incident, load):
    Incident.objects.update(languages=["en"], default_language="en")
    incident.refresh_from_db()
    load("member_id,name,email,mobile,lang\n7,Minji,,,\n")

    assert person(incident, "7").language == "en"


@pytest.mark.parametrize(
    ("written", "code"),
    [("zh-TW", "zh-hant"), ("zh_CN", "zh-hans"), ("pt_BR", "pt-br"), ("简体中文", "zh-hans")],
)
def test_languages_with_a_script_or_region_are_read(incident, load, written, code):
    Incident.objects.update(languages=["zh-hans", "zh-hant", "pt-br"], default_language="zh-hans")
    incident.refresh_from_db()
    load(f"member_id,name,email,mobile,lang\n7,Minji,,,{written}\n")

    assert person(incident, "7").language == code


def test_a_person_without_contact_is_kept(incident, load):
    report = load("member_id,name,email,mobile,lang\n7,,,,\n")

    assert (report.people_new, report.exposures) == (1, 0)
    assert person(incident, "7").email_reach == Reach.MISSING


def test_unusable_contacts_are_kept_as_they_leaked(incident, load):
    load("member_id,name,email,mobile,lang\n7,Minji, minji@ ,call me,ko\n")

    minji = person(incident, "7")
    assert minji.decrypt_contact() == {"n": "Minji", "e": "minji@", "p": "call me"}
    assert (minji.email_reach, minji.phone_reach) == (Reach.UNUSABLE, Reach.UNUSABLE)


def test_another_email_or_phone_of_one_member_is_a_conflict(incident, load):
    report = load("""
member_id,name,email,mobile,lang
7,Minji,minji@example.com,010-1234-5678,ko
7,Minji,other@example.com,010-1234-5678,ko
7,Minji,minji@example.com,010-9999-9999,ko
7,Minji,MINJI@example.com,01012345678,ko
""")

    assert reasons(report) == [
        (3, "conflict: member_id already read with another e-mail"),
        (4, "conflict: member_id already read with another phone"),
    ]
    assert (report.rows_read, report.rows_taken, report.rows_rejected) == (4, 2, 2)
    assert person(incident, "7").exposures.count() == 1


def test_conflicts_are_seen_across_files_and_batches(incident, load):
    load("member_id,name,email,mobile,lang\n7,Minji,minji@example.com,,ko\n")
    scope_versions.close(incident.batches.get())

    report = load("member_id,name,email,mobile,lang\n7,Minji,other@example.com,,ko\n")

    assert report.batch == 2
    assert reasons(report) == [(2, "conflict: member_id already read with another e-mail")]
    assert person(incident, "7").decrypt_contact()["e"] == "minji@example.com"


def test_the_same_member_in_a_later_batch_gets_an_exposure_again(incident, load):
    """The second batch must hold all data, because the first can be withdrawn."""
    load("member_id,name,email,mobile,lang\n7,Minji,minji@example.com,,ko\n")
    scope_versions.close(incident.batches.get())
    report = load("member_id,name,email,mobile,lang\n7,Minji,minji@example.com,,en\n")

    assert (report.people_new, report.exposures) == (0, 1)
    assert person(incident, "7").language == "ko"


def test_a_later_row_completes_a_contact(incident, load):
    report = load("""
member_id,name,email,mobile,lang
7,Minji,,010-1234-5678,ko
7,,minji@example.com,,ko
7,Minji,third@example.com,,ko
""")

    assert reasons(report) == [(4, "conflict: member_id already read with another e-mail")]
    minji = person(incident, "7")
    assert minji.decrypt_contact() == {
        "n": "Minji",
        "e": "minji@example.com",
        "p": "+821012345678",
    }
    assert minji.email_index == incident.cipher().email_index("minji@example.com")
    assert minji.email_reach == Reach.USABLE


def test_a_later_file_completes_a_contact(incident, load):
    load("member_id,name,email,mobile,lang\n7,Minji,minji@example.com,,ko\n")
    load("member_id,name,email,mobile,lang\n7,Minji,,010-1234-5678,ko\n")

    assert person(incident, "7").phone_index == incident.cipher().phone_index("+821012345678")


def test_another_name_of_one_member_is_kept_as_a_value(incident, load):
    load("""
member_id,name,email,mobile,lang
7,Minji,minji@example.com,,ko
7,민지,minji@example.com,,ko
""")

    first, second = person(incident, "7").exposures.order_by("line")
    assert values(first) == []
    assert values(second) == [["names", "민지"]]


def test_people_of_an_earlier_file_may_be_required(incident, load):
    load("member_id,name,email,mobile,lang\n7,Minji,minji@example.com,,ko\n")

    report = load(
        """
member_id,zip,street,on,to,to_phone
7,04524,Sejong-daero 1,2025.06.24,,
8,04524,Sejong-daero 2,2025-06-24,Seojun,010-2222-3333
""",
        GIFTS,
    )

    assert reasons(report) == [(3, "unknown member_id")]
    assert not AffectedPerson.objects.filter(relation=Relation.RECIPIENT).exists()
    [address] = person(incident, "7").exposures.filter(line=2, ciphertext__isnull=False)
    assert values(address) == [["physical-addresses", "04524 Sejong-daero 1", "2025-06-24"]]


def test_recipients_with_one_phone_number_are_one_person_under_any_name(incident, load):
    load("member_id,name,email,mobile,lang\n7,Minji,,,ko\n8,Jiho,,,ko\n")
    report = load(
        """
member_id,zip,street,on,to,to_phone
7,,,,Seojun,010-2222-3333
8,,,,Brother,+82 10 2222 3333
8,,,,Seojun,01022223333
""",
        GIFTS,
    )

    assert (report.people_new, report.rows_taken) == (1, 3)
    seojun = person(incident, "+821022223333", "recipient")
    assert seojun.decrypt_contact() == {"n": "Seojun", "p": "+821022223333"}
    first, second = seojun.exposures.order_by("line")
    assert (values(first), values(second)) == ([], [["names", "Brother"]])


def test_a_second_person_without_a_usable_phone_does_not_cost_the_row(incident, load):
    load("member_id,name,email,mobile,lang\n7,Minji,,,ko\n")
    report = load("member_id,zip,street,on,to,to_phone\n7,04524,Street 1,,Seojun,none\n", GIFTS)

    assert (report.rows_taken, report.second_people_without_phone) == (1, 1)
    assert not AffectedPerson.objects.filter(relation=Relation.RECIPIENT).exists()


def test_a_file_of_recipients_knows_them_by_phone(incident, load):
    mapping = """
[person]
relation = "recipient"
phone = "tel"
name = "who"
contact_leaked = ["name", "phone"]
"""
    report = load("who,tel\nSeojun,010-2222-3333\nMinji,\nJiho,none\n", mapping)

    assert reasons(report) == [(3, "missing tel"), (4, "tel is no phone number")]
    assert person(incident, "+821022223333", "recipient").decrypt_contact()["n"] == "Seojun"


@pytest.mark.parametrize("date", ["2025-13-40", "yesterday", "2025-02-29", "05/06/2025"])
def test_a_date_that_is_not_certain_is_left_out_and_counted(incident, load, date):
    load("member_id,name,email,mobile,lang\n7,Minji,,,ko\n")
    report = load(f"member_id,zip,street,on,to,to_phone\n7,1,Street,{date},,\n", GIFTS)

    assert reasons(report) == []
    assert values(person(incident, "7").exposures.get(ciphertext__isnull=False)) == [
        ["physical-addresses", "1 Street"]
    ]
    assert report.notes() == [
        "on: 1 dates left out, because their day is not certain; write their format in [dates]"
    ]


def test_a_blank_date_is_no_date(incident, load):
    load("member_id,name,email,mobile,lang\n7,Minji,,,ko\n")
    load("member_id,zip,street,on,to,to_phone\n7,1,Street, ,,\n", GIFTS)

    assert values(person(incident, "7").exposures.get(ciphertext__isnull=False)) == [
        ["physical-addresses", "1 Street"]
    ]


def test_lines_are_physical_lines(incident, load):
    report = load(
        'member_id,name,email,mobile,lang,note\n1,Minji,,,ko,"a\nb"\n\n2,Jiho,,,ko,\n,Seojun,,,ko,\n'
    )

    assert person(incident, "2").exposures.get().line == 5
    assert reasons(report) == [(6, "missing member_id")]
    assert (report.lines_read, report.rows_read) == (4, 3)
    assert report.notes() == ["4 lines made 3 rows"]


def test_a_misplaced_quote_rejects_its_row(incident, load):
    report = load('member_id,name,email,mobile,lang\n1,"Min"ji,,,ko\n2,Jiho,,,ko\n')

    assert reasons(report) == [(2, "misplaced quote")]
    assert report.rows_taken == 1


def test_cells_stay_as_typed(incident, load):
    name = '=cmd|"x" <b>\t\' 민지'
    cell = name.replace('"', '""')
    load(f'member_id,name,email,mobile,lang\n7,"{cell}",,,ko\n')

    assert person(incident, "7").decrypt_contact()["n"] == name


def test_gzip_is_known_by_its_bytes(incident, tmp_path):
    path = tmp_path / "members.csv"
    path.write_bytes(gzip.compress(b"member_id,name,email,mobile,lang\n7,Minji,,,ko\n"))

    file = loading.import_file(path, incident=incident, mapping_text=MEMBERS)

    assert file.rows_taken == 1


def test_no_reject_file_without_rejects(load, tmp_path):
    report = load("member_id,name,email,mobile,lang\n7,Minji,,,ko\n")

    assert report.reject_file is None
    assert not list(tmp_path.glob("*.rejects*"))


def test_the_same_file_twice_is_refused_naming_its_batch(load):
    load("member_id,name,email,mobile,lang\n7,Minji,,,ko\n")

    with pytest.raises(ImportRefusedError, match=r"file1.csv: already loaded as file0.csv in .* 1"):
        load("member_id,name,email,mobile,lang\n7,Minji,,,ko\n")
    assert ExposureFile.objects.count() == 1


def test_files_go_into_the_open_batch_until_it_is_closed(incident, load):
    header = "member_id,name,email,mobile,lang\n"
    first, second = load(f"{header}1,A,,,ko\n"), load(f"{header}2,B,,,ko\n")
    scope_versions.close(incident.batches.get(), note="all of it")
    third = load(f"{header}3,C,,,ko\n")

    assert (first.batch, second.batch, third.batch) == (1, 1, 2)
    assert (first.is_new_batch, second.is_new_batch, third.is_new_batch) == (True, False, True)
    closed = incident.batches.get(number=1)
    assert (closed.state, closed.note) == (ExposureBatch.State.CLOSED, "all of it")
    assert closed.closed_at


def test_a_batch_number_that_takes_no_files_is_refused(incident, load):
    with pytest.raises(ScopeRefusedError, match="scope version 2 takes no files; next is version"):
        load("member_id,name,email,mobile,lang\n7,Minji,,,ko\n", batch_number=2)
    assert not incident.batches.exists()


def test_a_batch_without_files_cannot_be_closed(incident):
    batch = incident.batches.create(number=1)

    with pytest.raises(ScopeRefusedError, match="no file is loaded"):
        scope_versions.close(batch)


def test_a_closed_batch_cannot_be_closed_again(incident, load):
    load("member_id,name,email,mobile,lang\n7,Minji,,,ko\n")
    batch = incident.batches.get()
    scope_versions.close(batch)

    with pytest.raises(ScopeRefusedError, match="not open"):
        scope_versions.close(batch)


def test_nothing_is_stored_of_a_file_that_fails_in_the_middle(incident, load, tmp_path):
    rows = "".join(f"{number},Minji,,,ko\n" for number in range(6000))
    with pytest.raises(ImportRefusedError, match=r"line 6002: a NUL byte"):
        load(f"member_id,name,email,mobile,lang\n{rows}\0,,,,\n")

    assert not AffectedPerson.objects.exists()
    assert not Exposure.objects.exists()
    assert ExposureFile.objects.get().state == ExposureFile.State.FAILED
    assert not list(tmp_path.glob("*.rejects*"))


def test_a_failed_file_can_be_imported_again(incident, load, tmp_path):
    text = "member_id,name,email,mobile,lang\n7,Minji,,,ko\n,,,,\n"
    with pytest.raises(ImportRefusedError, match="directory does not exist"):
        load(text, rejects_path=tmp_path / "none" / "rejects.csv")
    assert load(text).rows_taken == 1


def test_a_killed_import_does_not_block_the_next(incident, load):
    batch = incident.batches.create(number=1)
    killed = ExposureFile.objects.create(
        batch=batch, incident=incident, name="killed.csv", sha256="0" * 64, size=1
    )

    load("member_id,name,email,mobile,lang\n7,Minji,,,ko\n")

    killed.refresh_from_db()
    assert killed.state == ExposureFile.State.FAILED


def test_a_check_finds_everything_and_loads_nothing(incident, tmp_path):
    path = tmp_path / "members.csv"
    path.write_text(
        "member_id,name,email,mobile,lang\n7,Minji,a@example.com,,ko\n"
        "7,Minji,b@example.com,,ko\n,Minji,,,ko\n",
        encoding="utf-8",
    )

    found = loading.check_file(path, incident=incident, mapping_text=MEMBERS)

    assert (found.rows_read, found.rows_taken, found.rows_rejected) == (3, 1, 2)
    assert (found.people_new, found.exposures) == (1, 1)
    assert found.first_rejects == [
        (3, "conflict: member_id already read with another e-mail"),
        (4, "missing member_id"),
    ]
    assert not ExposureBatch.objects.exists()
    assert [entry.name for entry in Path(tmp_path).iterdir()] == ["members.csv"]


def test_a_shredded_incident_takes_no_more_data(incident, load):
    incident.shred()

    with pytest.raises(Exception, match="shredded"):
        load("member_id,name,email,mobile,lang\n7,Minji,,,ko\n")
    assert not ExposureFile.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_second_import_and_closing_are_refused_during_an_import(incident, tmp_path):
    """Another connection tries both while an import is running."""
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    refusals: list[str] = []

    def attempt(action) -> None:
        try:
            action()
        except IncidentBusyError as error:
            refusals.append(str(error))
        finally:
            connection.close()

    def meanwhile(progress: ImportProgress) -> None:
        if progress.rows_read == 0:
            with ThreadPoolExecutor(1) as other:
                batch = incident.batches.get()
                other.submit(attempt, lambda: scope_versions.close(batch)).result()
                other.submit(
                    attempt,
                    lambda: loading.check_file(path, incident=incident, mapping_text=MEMBERS),
                ).result()

    path = tmp_path / "members.csv"
    path.write_text("member_id,name,email,mobile,lang\n7,Minji,,,ko\n", encoding="utf-8")
    loading.import_file(path, incident=incident, mapping_text=MEMBERS, report=meanwhile)

    assert len(refusals) == 2
    assert all("a file is being imported" in refusal for refusal in refusals)


def test_an_import_encrypts_with_the_current_keys(incident, load):
    """An incident object in memory may hold keysets that were changed since."""
    changed = Incident.objects.get(pk=incident.pk)
    changed.make_keysets()
    changed.save()

    load("member_id,name,email,mobile,lang\n7,Minji,,,ko\n")

    assert person(changed, "7").decrypt_contact() == {"n": "Minji"}
