"""A withdrawn scope version leaves no contact behind."""

import pytest

from harness import exposure_factory
from incidents import scope_versions
from incidents.encryption import CONTACT
from incidents.importing import loading
from incidents.importing.stopping import NothingTakenError
from incidents.models import (
    AffectedPerson,
    ExposureBatch,
    ExposureFile,
    FileContact,
    FurtherContact,
    Incident,
)
from notices.engine import audiences
from notices.models import Notice

pytestmark = pytest.mark.django_db
MAPPING = """
[person]
relation = "member"
reference = "id"
name = "name"
email = "email"
phone = "phone"
contact_leaked = ["name", "email", "phone"]
"""
HEADER = "id,name,email,phone\n"
ORDERS = """
[person]
relation = "member"
reference = "id"
known = true
[[leaked]]
class = "purchases"
value = "{order}"
"""
WRONG, RIGHT = "+821011112341", "+821022222342"


@pytest.fixture
def load(incident, tmp_path):
    """Imports rows into the open scope version and closes it; returns the version."""
    numbers = iter(range(1, 100))

    def load(*rows: str, header: str = HEADER, mapping: str = MAPPING) -> ExposureBatch:
        path = tmp_path / f"file{next(numbers)}.csv"
        path.write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
        batch = loading.import_file(path, incident=incident, mapping_text=mapping).batch
        scope_versions.close(batch)
        return batch

    return load


def withdraw(batch: ExposureBatch) -> None:
    batch.refresh_from_db()
    exposure_factory.withdraw(batch, "another company's")


def found(incident: Incident, *, email: str = "", phone: str = "") -> list[AffectedPerson]:
    people = AffectedPerson.objects.with_contact(
        emails=[email] if email else [], phones=[phone] if phone else [], incidents=[incident]
    )
    return list(people)


def contact() -> dict[str, str]:
    return AffectedPerson.objects.get().decrypt_contact()


def test_the_right_file_loads_after_the_wrong_phone_was_withdrawn(incident, load):
    wrong = load("1,김민지,minji@example.com,010-1111-2341")
    assert found(incident, phone=WRONG)
    withdraw(wrong)
    assert not found(incident, phone=WRONG)
    assert not found(incident, email="minji@example.com")

    right = load("1,김민지,minji@example.com,010-2222-2342")

    assert not found(incident, phone=WRONG)
    [person] = found(incident, phone=RIGHT)
    assert person.decrypt_contact()["p"] == RIGHT
    assert person.file == right.files.get()


def test_the_right_file_in_a_later_version_loads_without_a_conflict(incident, load):
    withdraw(load("1,김민지,,010-1111-2341"))

    load("1,김민지,,010-2222-2342", "2,이지호,,010-3333-2343")
    assert not ExposureFile.objects.filter(rows_rejected__gt=0).exists()


def test_a_person_in_withdrawn_files_only_is_in_no_audience_and_reachable_by_nothing(
    incident, load
):
    withdraw(load("1,김민지,minji@example.com,010-1111-2341"))

    person = AffectedPerson.objects.get()
    assert (person.email_index, person.phone_index, bytes(person.contact)) == (None, None, b"")
    assert (person.email_reach, person.phone_reach) == (2, 2)
    notice = Notice(incident=incident, channel=Notice.Channel.SMS)
    assert not audiences.affected(notice.incident).exists()


def test_a_withdrawn_person_is_unknown_to_files_that_take_known_people_only(incident, load):
    withdraw(load("1,김민지,minji@example.com,"))

    with pytest.raises(NothingTakenError):
        load("1,coat", header="id,order\n", mapping=ORDERS)


def test_a_contact_that_a_live_file_holds_too_stays(incident, load):
    first = load("1,김민지,minji@example.com,010-1111-2341")
    second = load("1,김민지,minji@example.com,010-1111-2341", "2,이지호,,")
    assert FileContact.objects.get().contact is None  # as stored
    [before] = found(incident, phone=WRONG)

    withdraw(first)

    [person] = found(incident, phone=WRONG)
    assert bytes(person.contact) == bytes(before.contact)
    assert person.file == second.files.get()
    withdraw(second)
    assert not found(incident, phone=WRONG)


def test_only_the_parts_of_withdrawn_files_go(incident, load):
    first = load("1,김민지,minji@example.com,")
    second = load("1,,,010-1111-2341")
    third = load("1,지민,minji@example.com,")
    assert contact() == {"n": "김민지", "e": "minji@example.com", "p": WRONG}

    withdraw(second)
    assert contact() == {"n": "김민지", "e": "minji@example.com"}
    assert not found(incident, phone=WRONG)
    assert found(incident, email="minji@example.com")
    assert AffectedPerson.objects.get().phone_reach == 2

    load("1,김민지,,010-2222-2342")
    assert found(incident, phone=RIGHT)
    withdraw(first)
    assert contact() == {"n": "지민", "e": "minji@example.com", "p": RIGHT}
    withdraw(third)
    assert contact() == {"n": "김민지", "p": RIGHT}
    assert not found(incident, email="minji@example.com")


def test_parts_that_a_file_confirmed_before_they_were_completed_stay(incident, load):
    first = load("1,김민지,minji@example.com,")
    load("1,김민지,minji@example.com,", "1,김민지,minji@example.com,")
    third = load("1,김민지,,010-1111-2341")

    withdraw(first)
    assert contact() == {"n": "김민지", "e": "minji@example.com", "p": WRONG}
    withdraw(third)
    assert contact() == {"n": "김민지", "e": "minji@example.com"}
    assert not found(incident, phone=WRONG)


def test_further_contacts_of_withdrawn_files_go_and_others_stay(incident, load):
    """One file has two addresses of a person, as the encrypted contact holds them."""
    first = load("1,김민지,minji@example.com,")
    load("1,,,010-1111-2341")
    load("1,민지,minji@example.com,")
    person, cipher = AffectedPerson.objects.get(), incident.cipher()
    third = FileContact.objects.get(person=person, file__name="file3.csv")
    parts = {"n": "민지", "e": "new@example.com", "e2": "minji@example.com"}
    third.contact = cipher.encrypt(parts, person=person.pk, purpose=CONTACT)
    third.email_index = cipher.email_index("new@example.com")
    third.save()
    for address in ("new@example.com", "gone@example.com"):
        FurtherContact.objects.create(
            person=person, kind=1, contact_index=cipher.email_index(address)
        )

    withdraw(first)

    assert contact() == {**parts, "p": WRONG}
    assert not found(incident, email="gone@example.com")
    assert found(incident, email="new@example.com")
    assert found(incident, email="minji@example.com")


def test_a_rebuilt_table_of_people_restores_them_too(incident, load, monkeypatch):
    monkeypatch.setattr("incidents.importing.store.REBUILD_PEOPLE", 1)
    monkeypatch.setattr("incidents.importing.store.OWN_PARTITION_ROWS", 1)
    withdraw(load("1,김민지,,010-1111-2341", "2,이지호,,010-3333-2343"))

    load("1,김민지,,010-2222-2342", "3,박서준,,010-4444-2344")
    assert found(incident, phone=RIGHT)
    assert not found(incident, phone=WRONG)
    assert not found(incident, phone="+821033332343")


def test_people_of_other_incidents_and_versions_are_not_touched(incident, load):
    kept = load("2,이지호,,010-3333-2343")
    withdraw(load("1,김민지,,010-1111-2341"))

    [person] = found(incident, phone="+821033332343")
    assert person.file == kept.files.get()
    assert not found(incident, phone=WRONG)


def test_a_withdrawal_that_fails_changes_nothing(incident, load, monkeypatch):
    batch = load("1,김민지,,010-1111-2341")

    def fail(_incident: Incident) -> None:
        raise RuntimeError

    monkeypatch.setattr("incidents.scope_counts.count_total", fail)
    with pytest.raises(RuntimeError):
        withdraw(batch)
    assert found(incident, phone=WRONG)
    assert batch.incident.is_scope_complete()
