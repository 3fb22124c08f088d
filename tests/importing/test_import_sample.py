"""The sample export is imported exactly as its expected.json lists."""

import json
import stat
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from allauth.account.models import EmailAddress
from django.db import transaction

import incidents
from accounts.contacts import normalise_phone
from accounts.models import User
from harness.exposure_factory import write_off_unread
from incidents import scope_versions
from incidents.encryption import EXPOSURE
from incidents.importing import loading
from incidents.importing.progress import ImportProgress
from incidents.models import (
    AffectedPerson,
    DataClass,
    Exposure,
    ExposureBatch,
    ExposureFile,
    Incident,
)
from incidents.own_rows import own_rows
from tests.import_factory import read_reject_file

SAMPLE = Path(incidents.__file__).parent / "sample"
EXPORT = SAMPLE / "export-2025-11"
EXPECTED = json.loads((EXPORT / "expected.json").read_text())
FILES = {
    "members": ("members.csv", "members.toml", "utf-8-sig"),
    "address_book": ("addresses.csv", "addresses.toml", "cp949"),
    "orders": ("orders.csv.gz", "orders.toml", "utf-8"),
}
Relation, Reach = AffectedPerson.Relation, AffectedPerson.Reach
# The mark creates the test database; the fixture below wraps all tests in one transaction.
pytestmark = pytest.mark.django_db


class Imported(NamedTuple):
    incident: Incident
    files: dict[str, ExposureFile]
    results: dict[str, ImportProgress]
    rejects: Path


@pytest.fixture(scope="module")
def imported(django_db_setup, django_db_blocker, tmp_path_factory):
    """The sample export, imported once for all tests of this module."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield import_sample(tmp_path_factory.mktemp("rejects"))
        transaction.set_rollback(True)


def import_sample(rejects: Path) -> Imported:
    incident = Incident(slug="sample-import", aware_at=datetime(2025, 11, 18, tzinfo=UTC))
    incident.is_public = True
    incident.make_keysets()
    incident.save()
    files, results = {}, {}
    for key, (name, mapping, _) in FILES.items():
        reports: list[ImportProgress] = []
        files[key] = loading.import_file(
            EXPORT / name,
            incident=incident,
            mapping_text=(SAMPLE / mapping).read_text(encoding="utf-8"),
            mapping_name=mapping,
            rejects_path=rejects,
            report=reports.append,
        )
        results[key] = reports[-1]
    write_off_unread(incident.batches.get())
    scope_versions.close(incident.batches.get(), note="first version")
    return Imported(incident, files, results, rejects)


def people(imported: Imported, relation: AffectedPerson.Relation):
    return AffectedPerson.objects.filter(incident=imported.incident, relation=relation)


def member(imported: Imported, reference: str) -> AffectedPerson:
    return AffectedPerson.objects.get(pk=imported.incident.cipher().person_id("member", reference))


def class_ids() -> dict[str, int]:
    return dict(DataClass.objects.values_list("slug", "pk"))


def values_of(person: AffectedPerson, slug: str) -> list[list[str]]:
    """Returns [value] or [value, date] of one class, in the order of the file."""
    cipher, wanted = person.incident.cipher(), class_ids()[slug]
    return [
        value[1:]
        for exposure in person.exposures.exclude(ciphertext=None).order_by("file_id", "line")
        for value in cipher.decrypt(exposure.ciphertext or b"", person=person.pk, purpose=EXPOSURE)
        if value[0] == wanted
    ]


@pytest.mark.parametrize("key", FILES)
def test_every_row_is_read_and_taken_or_rejected(imported, key):
    file, expected = imported.files[key], EXPECTED[key]

    assert file.state == ExposureFile.State.LOADED
    assert file.rows_read == expected["rows"]
    assert file.rows_rejected == len(expected["rejected"])
    assert file.rows_taken == expected["rows"] - len(expected["rejected"])


@pytest.mark.parametrize("key", FILES)
def test_rejects_have_exactly_the_expected_lines_and_reasons(imported, key):
    path = imported.results[key].reject_file
    _header, *rejected = read_reject_file(path) if path else [[]]

    assert [[int(line), reason] for line, reason, *_ in rejected] == EXPECTED[key]["rejected"]


@pytest.mark.parametrize("key", FILES)
def test_the_encoding_is_detected_and_stored(imported, key):
    assert imported.files[key].encoding == FILES[key][2]


def test_reject_file_is_for_its_owner_and_for_a_spreadsheet(imported):
    path = imported.results["address_book"].reject_file

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"\xef\xbb\xbfline,reason,member_id,")
    undecodable = next(row for row in read_reject_file(path) if row[1] == "undecodable bytes")
    assert any("\\x" in cell for cell in undecodable[2:])


def test_members_are_counted_by_how_they_can_be_reached(imported):
    members, expected = people(imported, Relation.MEMBER), EXPECTED["people"]

    assert members.count() == expected["members"] == imported.results["members"].people_new
    assert members.filter(email_reach=Reach.USABLE).count() == expected["members_mailable"]
    assert members.filter(email_reach=Reach.MISSING).count() == expected["members_without_email"]
    assert (
        members.filter(email_reach=Reach.UNUSABLE).count()
        == expected["members_with_unusable_email"]
    )
    assert members.filter(phone_reach=Reach.MISSING).count() == expected["members_without_phone"]


def test_recipients_with_one_phone_are_one_person(imported):
    recipients = people(imported, Relation.RECIPIENT)

    assert recipients.count() == EXPECTED["people"]["recipients_by_distinct_phone"]
    assert imported.results["address_book"].people_new == recipients.count()
    assert recipients.filter(phone_reach=Reach.USABLE).count() == recipients.count()


def test_entrance_codes_are_counted(imported):
    entrance_code = class_ids()["entrance-codes"]

    found = Exposure.objects.filter(
        file=imported.files["address_book"], data_classes__contains=[entrance_code]
    )
    assert found.count() == EXPECTED["people"]["entrance_codes"]


def test_a_member_repeated_with_the_same_contact_is_taken_and_adds_nothing(imported):
    """Line 62 repeats the member of line 61."""
    exposures = Exposure.objects.filter(file=imported.files["members"])

    assert (
        member(imported, "70000413").exposures.filter(file=imported.files["members"]).count() == 1
    )
    assert exposures.count() == EXPECTED["people"]["members"]


def test_first_row_of_a_conflict_wins(imported):
    assert member(imported, "70000427").decrypt_contact()["e"] == "user00061@daum.example"


def test_the_contact_of_a_member_is_encrypted_once(imported):
    person = member(imported, "70000021")

    assert person.decrypt_contact() == {
        "n": "송시우",
        "e": "user00003@naver.example",
        "p": "+821031102065",
    }
    ids = class_ids()
    exposure = person.exposures.get(file=imported.files["members"])
    assert exposure.ciphertext is None
    assert exposure.data_classes == sorted(
        ids[slug] for slug in ("names", "email-addresses", "phone-numbers")
    )


def test_unusable_email_is_kept_as_it_leaked(imported):
    person = people(imported, Relation.MEMBER).filter(email_reach=Reach.UNUSABLE)[0]

    assert person.decrypt_contact()["e"]
    assert person.email_index is None


def test_address_rows_give_their_values_as_typed(imported):
    person = member(imported, "70000007")

    assert values_of(person, "physical-addresses") == [
        ["서울특별시 송파구 송파대로 481 109동 1500호, 49346", "2021-03-11"],
        ["부산광역시 해운대구 센텀중앙로 730 112동 2099호, 20812", "2022-03-11"],
    ]
    assert values_of(person, "entrance-codes") == [["7585#", "2022-03-11"]]
    notes = [value for value, _ in values_of(person, "delivery-notes")]
    assert [note.split() for note in notes] == [["배송", "전", "전화", "주세요"]] * 2
    assert all("\n" in note for note in notes)


def test_markup_and_formulas_are_data(imported):
    notes = values_of(member(imported, "70000000"), "delivery-notes")

    assert {note for note, _ in notes} == {'<img src=x onerror="fetch(1)">'}
    names = Counter(
        person.decrypt_contact().get("n") for person in people(imported, Relation.MEMBER)
    )
    assert names['=HYPERLINK("http://evil.example","환불")'] == 30
    assert names['<script>alert("x")</script>'] == 30


def test_one_address_row_names_two_people_on_the_same_line(imported):
    phone = normalise_phone("010-8590-4668")
    assert phone
    recipient = AffectedPerson.objects.get(
        pk=imported.incident.cipher().person_id("recipient", phone)
    )
    ids = class_ids()

    exposure = recipient.exposures.get()
    assert exposure.line == 3
    assert exposure.data_classes == sorted((ids["names"], ids["phone-numbers"]))
    assert member(imported, "70000000").exposures.filter(
        file=imported.files["address_book"], line=3
    )
    assert recipient.decrypt_contact() == {"n": "장채원", "p": "+821085904668"}


def test_orders_are_purchases_with_their_day(imported):
    found = values_of(member(imported, "70010360"), "purchases")

    assert ["혈압계 × 3", "2025-10-28"] in found
    file = imported.files["orders"]
    assert Exposure.objects.filter(file=file).count() == file.rows_taken


def test_a_customer_finds_their_row_by_address_in_any_spelling(imported):
    minji = User.objects.create_user("minji@example.com")
    EmailAddress.objects.create(user=minji, email="USER00003@naver.example", verified=True)

    own = own_rows(minji, [imported.incident])[imported.incident.pk]
    assert own.opened == [member(imported, "70000021")]


def test_a_closed_batch_is_recorded_as_closed(imported):
    batch = imported.incident.batches.get()

    assert (batch.number, batch.state, batch.note) == (
        1,
        ExposureBatch.State.CLOSED,
        "first version",
    )
    assert imported.incident.is_scope_complete()


def test_nothing_is_stored_unencrypted(imported):
    person = member(imported, "70000007")
    stored = [bytes(person.contact)] + [
        bytes(exposure.ciphertext or b"") for exposure in person.exposures.exclude(ciphertext=None)
    ]

    for clear in ("정영숙", "user00001", "7585#", "송파대로"):
        assert not any(clear.encode() in ciphertext for ciphertext in stored)
