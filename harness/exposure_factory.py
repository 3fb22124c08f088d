"""Factories of incidents, affected people and exposures, with the rows that an import writes."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from accounts.contacts import normalise_email, read_phones
from accounts.models import User
from incidents import encryption, scope_versions, withdrawal_decisions
from incidents.models import (
    AffectedPerson,
    DataClass,
    Exposure,
    ExposureBatch,
    ExposureFile,
    Incident,
    IncidentDataClass,
    IncidentJurisdiction,
    WriteOff,
)
from incidents.unread import unread_files


def hanbit() -> Incident:
    """Creates a public incident under Korean law, without affected people."""
    incident = Incident(
        slug="hanbit-2025",
        company={"ko": "한빛상점", "en": "Hanbit Store"},
        title={"ko": "한빛상점 개인정보 유출", "en": "Hanbit Store data leak"},
        summary={"ko": "고객 정보가 유출되었습니다.", "en": "Customer data leaked."},
        aware_at=datetime(2025, 11, 18, 9, tzinfo=UTC),
        department={"ko": "개인정보보호팀", "en": "Privacy team"},
        contact_email="privacy@hanbit.example",
        is_public=True,
    )
    incident.make_keysets()
    incident.save()
    IncidentJurisdiction.objects.create(incident=incident, jurisdiction="KR")
    return incident


def class_id(slug: str) -> int:
    return DataClass.objects.get(slug=slug).pk


def state(incident: Incident, slug: str, state: str, basis: str = "company") -> IncidentDataClass:
    return IncidentDataClass.objects.create(
        incident=incident, data_class_id=class_id(slug), state=state, basis=basis
    )


def file_of(incident: Incident, *, number: int = 1, state: str = "closed") -> ExposureFile:
    """Creates a loaded file in the batch `number`, and that batch if it is missing."""
    batch, _ = ExposureBatch.objects.get_or_create(
        incident=incident, number=number, defaults={"state": state}
    )
    return ExposureFile.objects.create(
        batch=batch,
        incident=incident,
        name="members.csv",
        sha256=uuid.uuid4().hex * 2,
        size=1,
        encoding="utf-8",
        mapping="",
    )


def person(
    incident: Incident,
    *,
    relation: AffectedPerson.Relation = AffectedPerson.Relation.MEMBER,
    name: str = "",
    email: str = "",
    phone: str = "",
) -> AffectedPerson:
    """Creates an affected person, with the contact encrypted under the incident's data keyset."""
    reach = AffectedPerson.Reach
    cipher, key = incident.cipher(), uuid.uuid4()
    number = next(iter(read_phones(phone, incident.phone_region).phones), None)
    phone_reach = reach.LANDLINE if number and number.is_landline else reach.USABLE
    contact = {"n": name, "e": email, "p": phone}
    return AffectedPerson.objects.create(
        id=key,
        incident=incident,
        relation=relation,
        language="ko",
        email_reach=reach.USABLE if email else reach.MISSING,
        phone_reach=phone_reach if number else reach.MISSING,
        email_index=cipher.email_index(normalise_email(email)) if email else None,
        phone_index=cipher.phone_index(number.number) if number else None,
        contact=cipher.encrypt(
            {part: text for part, text in contact.items() if text},
            person=key,
            purpose=encryption.CONTACT,
        ),
    )


def write_off_unread(batch: ExposureBatch) -> None:
    """Lets two people write off what could not be read of a batch, so that it can be closed."""
    first, second = _two_people()
    for file in unread_files(batch):
        write_off = WriteOff.objects.create(
            file_id=file.pk, rows=file.rows, reason="Damaged.", proposed_by=first
        )
        write_off.confirm(second)


def decide_withdrawal(
    batch: ExposureBatch,
    reason: str = "The wrong file.",
    public_reason: str = ExposureBatch.PublicReason.OTHER,
) -> None:
    """Lets two people decide to withdraw a batch, which is not withdrawn yet."""
    first, second = _two_people()
    proposal = withdrawal_decisions.propose(
        batch, by=first, reason=reason, public_reason=public_reason
    )
    proposal.confirm(second)


def withdraw(
    batch: ExposureBatch,
    reason: str = "The wrong file.",
    public_reason: str = ExposureBatch.PublicReason.OTHER,
) -> None:
    """Lets two people withdraw a batch."""
    decide_withdrawal(batch, reason, public_reason)
    scope_versions.withdraw(batch)


def _two_people() -> tuple[User, User]:
    first, second = (
        User.objects.get_or_create(email=email, defaults={"is_staff": True})[0]
        for email in ("proposer@breachportal.example", "confirmer@breachportal.example")
    )
    return first, second


def expose(
    person: AffectedPerson,
    file: ExposureFile,
    *contact_classes: str,
    values: Sequence[tuple[str, Any] | tuple[str, Any, str]] | None = None,
) -> Exposure:
    """Creates the exposure of one row of `file`.

    `contact_classes` are slugs of data classes with their values in the contact. `values` are those
    of other classes: (slug, text) or (slug, text, date). The first file is that of the contact.
    """
    if person.file_id is None:
        person.file = file
        person.save(update_fields=["file"])
    entries = [[class_id(slug), *rest] for slug, *rest in values or []]
    data_classes = {class_id(slug) for slug in contact_classes} | {entry[0] for entry in entries}
    ciphertext = person.incident.cipher().encrypt(
        entries, person=person.pk, purpose=encryption.EXPOSURE
    )
    return Exposure.objects.create(
        person=person,
        file=file,
        line=Exposure.objects.filter(file=file).count() + 2,
        data_classes=sorted(data_classes),
        ciphertext=ciphertext if entries else None,
    )
