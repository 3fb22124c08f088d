"""The check of the store finds every way in which one person's row could show another's values."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

import incidents
from harness import exposure_factory
from harness.exposure_factory import expose, file_of, person
from incidents import scope_versions, store_check
from incidents.encryption import CONTACT, EXPOSURE
from incidents.models import AffectedPerson, Exposure, ExposureBatch, ExposureFile, FurtherContact
from incidents.scope_versions import ScopeRefusedError
from tests.import_factory import import_and_report
from tests.incident_factory import another_incident

pytestmark = pytest.mark.django_db
SAMPLE = Path(incidents.__file__).parent / "sample"


@pytest.fixture
def file(incident) -> ExposureFile:
    file = file_of(incident, state="open")
    file.state, file.finished_at = ExposureFile.State.LOADED, incident.aware_at
    file.rows_read = file.rows_taken = 10
    file.save()
    return file


@pytest.fixture
def minji_row(incident, file) -> AffectedPerson:
    row = person(incident, name="김민지", email="minji@example.com", phone="010-1234-5678")
    expose(row, file, "names", "email-addresses", "phone-numbers")
    return row


@pytest.fixture
def seojun_row(incident, file) -> AffectedPerson:
    row = person(incident, name="이서준", email="seojun@example.com", phone="010-8765-4321")
    expose(row, file, "names", "email-addresses", "phone-numbers")
    return row


def faults(incident) -> list[str]:
    """Returns the faults of a whole check, which a check of a small sample finds too."""
    whole = store_check.check_whole(incident).faults
    sampled = store_check.check_sample(incident).faults
    assert set(sampled) <= set(whole)
    return whole


def contact_of(row: AffectedPerson, **parts: str) -> None:
    ciphertext = row.incident.cipher().encrypt(parts, person=row.pk, purpose=CONTACT)
    AffectedPerson.objects.filter(pk=row.pk).update(contact=ciphertext)


def test_the_sample_export_has_no_faults(incident, tmp_path):
    for name in ("members.csv", "addresses.csv", "orders.csv.gz"):
        mapping = (SAMPLE / f"{name.partition('.')[0]}.toml").read_text(encoding="utf-8")
        source = SAMPLE / "export-2025-11" / name
        import_and_report(
            source, incident=incident, mapping_text=mapping, rejects_path=tmp_path / f"{name}.csv"
        )
    found = store_check.check_whole(incident)

    assert found.faults == []
    assert found.people == AffectedPerson.objects.count() > 2_000
    assert store_check.check_version(incident.batches.get()).faults == []
    assert store_check.check_sample(incident, 500).people in range(1, 501)


def test_rows_that_fit_have_no_faults(incident, minji_row, seojun_row):
    assert faults(incident) == []


def test_a_contact_of_another_person_is_found(incident, minji_row, seojun_row):
    contact_of(minji_row, n="김민지", e="seojun@example.com", p="+821012345678")

    assert faults(incident) == [
        f"person {minji_row.pk}, e-mail: the index is not that of the contact"
    ]


def test_an_index_of_another_person_is_found(incident, minji_row, seojun_row):
    AffectedPerson.objects.filter(pk=minji_row.pk).update(phone_index=seojun_row.phone_index)

    assert faults(incident) == [
        f"person {minji_row.pk}, phone: the index is not that of the contact"
    ]


def test_a_reachable_contact_without_an_index_is_found(incident, minji_row):
    AffectedPerson.objects.filter(pk=minji_row.pk).update(email_index=None, email_reach=2)

    assert faults(incident) == [
        f"person {minji_row.pk}, e-mail: the index is not that of the contact",
        f"person {minji_row.pk}, e-mail: the reach is not that of the contact",
    ]


def test_a_ciphertext_of_another_person_is_found(incident, minji_row, seojun_row):
    AffectedPerson.objects.filter(pk=minji_row.pk).update(contact=seojun_row.contact)

    assert f"person {minji_row.pk}, contact: cannot be decrypted" in faults(incident)


def test_a_value_that_cannot_be_decrypted_is_found(incident, file, minji_row):
    row = expose(minji_row, file, values=[("purchases", "책", "2025-10-01")])
    Exposure.objects.filter(file=file, line=row.line).update(ciphertext=b"\x01broken")

    assert faults(incident) == [
        f"person {minji_row.pk}, file {file.pk}, line {row.line}: cannot be decrypted"
    ]


def test_a_class_without_a_value_is_found(incident, file, minji_row):
    contact_of(minji_row, n="김민지", p="+821012345678")
    AffectedPerson.objects.filter(pk=minji_row.pk).update(email_index=None, email_reach=2)

    (fault,) = faults(incident)
    assert "leaked without a value" in fault


def test_a_name_that_swallowed_rows_is_found(incident, minji_row, seojun_row):
    swallowed = '김,minji@example.com,010-1234-5678\n2,이,seojun@example.com,010-8765-4321\n3,"박'
    contact_of(minji_row, n=swallowed, e="minji@example.com", p="+821012345678")

    (fault,) = faults(incident)
    assert fault.startswith(f"person {minji_row.pk}, contact: holds contacts of {seojun_row.pk}")
    assert "seojun" not in fault
    assert "8765" not in fault


def test_a_value_with_a_row_of_another_person_on_one_line_is_found(
    incident, file, minji_row, seojun_row
):
    note = "2;이서준;seojun@example.com;010-8765-4321"
    expose(minji_row, file, values=[("delivery-notes", note)])

    (fault,) = faults(incident)
    assert f"holds contacts of {seojun_row.pk}" in fault


def test_a_note_that_names_another_persons_number_is_counted(incident, file, minji_row, seojun_row):
    expose(minji_row, file, values=[("delivery-notes", "부재 시 010-8765-4321 로 전화")])

    found = store_check.check_whole(incident)
    assert (found.faults, found.mentions) == ([], 1)


def test_few_of_the_people_that_share_a_contact_are_read(incident, file, minji_row, monkeypatch):
    monkeypatch.setattr(store_check, "_OWNERS_READ", 1)
    further = incident.cipher().email_index("none@example.com")
    for place in range(30):
        row = person(incident, email=f"u{place}@example.com", phone="010-5555-6666")
        FurtherContact.objects.create(person=row, kind=1, contact_index=further)
    expose(minji_row, file, values=[("delivery-notes", "010-5555-6666, none@example.com")])

    (fault,) = store_check.check_whole(incident).faults
    named = fault.partition("holds contacts of ")[2].partition(";")[0].split(", ")
    assert len(named) in (1, 2)  # one by contact


def test_a_further_contact_is_the_persons_own(incident, file, minji_row, seojun_row):
    index = incident.cipher().phone_index("+821055556666")
    FurtherContact.objects.create(person=minji_row, kind=2, contact_index=index)
    FurtherContact.objects.create(person=seojun_row, kind=2, contact_index=index)
    expose(minji_row, file, values=[("delivery-notes", "010-5555-6666\n문 앞")])

    assert faults(incident) == []


def test_a_further_contact_without_a_person_is_found(incident, minji_row):
    FurtherContact.objects.create(
        person_id=incident.cipher().person_id("member", "none"),
        kind=1,
        contact_index=minji_row.email_index,
    )

    assert faults(incident) == ["hanbit-2025: 1 further contacts without a person, of any incident"]


def test_an_exposure_of_another_incidents_person_is_found(incident, file, minji_row):
    stranger = person(another_incident(incident, "hanbit-2024"), email="stranger@example.com")
    Exposure.objects.create(person=stranger, file=file, line=9, data_classes=[1])

    assert store_check.check_whole(incident).faults == [
        "hanbit-2025: 1 exposures of people of another incident, or of none"
    ]


def test_a_wrong_count_is_found(incident, file, minji_row):
    scope_versions.close(file.batch)
    incident.scope_counts.filter(batch=None).update(people=7)

    assert any("7 kept, 1 counted" in fault for fault in faults(incident))


def test_an_open_version_with_faults_is_withdrawn(incident, file, minji_row):
    AffectedPerson.objects.filter(pk=minji_row.pk).update(
        phone_index=incident.cipher().phone_index("+82101")
    )
    with pytest.raises(ScopeRefusedError, match="or withdraw this version"):
        scope_versions.close(file.batch)
    exposure_factory.withdraw(file.batch, "faults")
    file.batch.refresh_from_db()
    file.refresh_from_db()
    assert (file.batch.state, file.state) == ("withdrawn", "withdrawn")
    assert not incident.batches.all().are_complete()


def test_a_value_of_a_withdrawn_version_is_not_checked(incident, file, minji_row, seojun_row):
    scope_versions.close(file.batch)
    exposure_factory.withdraw(file.batch, "wrong file")
    swallowed = [[1, "이서준,seojun@example.com\n"]]
    ciphertext = incident.cipher().encrypt(swallowed, person=minji_row.pk, purpose=EXPOSURE)
    Exposure.objects.filter(person=minji_row).update(ciphertext=ciphertext)

    assert faults(incident) == []


def test_a_version_with_faults_does_not_close(incident, file, minji_row, seojun_row):
    AffectedPerson.objects.filter(pk=minji_row.pk).update(phone_index=seojun_row.phone_index)

    with pytest.raises(ScopeRefusedError, match="1 faults in what is stored"):
        scope_versions.close(file.batch)
    assert file.batch.state == ExposureBatch.State.OPEN


def test_the_command_names_faults_without_values(incident, minji_row, seojun_row, capsys):
    AffectedPerson.objects.filter(pk=minji_row.pk).update(phone_index=seojun_row.phone_index)
    with pytest.raises(CommandError, match="faults"):
        call_command("check_store", "hanbit-2025")

    printed = capsys.readouterr()
    assert str(minji_row.pk) in printed.out
    assert "1 faults" in printed.out
    for secret in ("minji", "5678", "김민지"):
        assert secret not in printed.out + printed.err


def test_the_command_checks_everything_with_progress(incident, minji_row, monkeypatch, capsys):
    monkeypatch.setattr("incidents.management.progress_reporter.LOG_SECONDS", 0)
    call_command("check_store", "hanbit-2025", "--all")

    printed = capsys.readouterr()
    assert "1 people checked, 0 faults" in printed.out
    assert "people" in printed.err


def test_the_command_refuses_an_unknown_incident(db):
    with pytest.raises(CommandError, match="no such incident"):
        call_command("check_store", "hanbit")


def test_memory_is_bounded_by_chunks(incident, file, monkeypatch):
    monkeypatch.setattr(store_check, "CHUNK_PEOPLE", 3)
    for number in range(10):
        row = person(incident, name=f"이름{number}", email=f"u{number}@example.com")
        expose(row, file, "names")
    positions: list[int] = []
    store_check.check_whole(incident, report=lambda _, done: positions.append(done))

    assert positions == [3, 6, 9, 10]


def test_a_sample_of_many_people_is_small(incident, file):
    for number in range(30):
        expose(person(incident, email=f"u{number}@example.com"), file, "email-addresses")

    assert store_check.check_version(file.batch, people=10).people <= 30
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM incidents_affectedperson")
        assert cursor.fetchone() == (30,)
