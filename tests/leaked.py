"""People whose data leaked, written as the import writes them."""

import uuid
from typing import Any

from accounts.contacts import normalise_email, normalise_phone
from incidents import sealing
from incidents.models import (
    AffectedPerson,
    DataClass,
    Exposure,
    ExposureBatch,
    ExposureFile,
    Incident,
    IncidentDataClass,
)


def class_id(slug: str) -> int:
    return DataClass.objects.get(slug=slug).pk


def state(incident: Incident, slug: str, state: str, basis: str = "company") -> IncidentDataClass:
    return IncidentDataClass.objects.create(
        incident=incident, data_class_id=class_id(slug), state=state, basis=basis
    )


def file_of(incident: Incident, *, number: int = 1, state: str = "closed") -> ExposureFile:
    """A loaded file in the batch `number`, which is made if there is none."""
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
    """An affected person whose contact the incident's keyset seals."""
    reach = AffectedPerson.Reach
    seal, key = incident.seal(), uuid.uuid4()
    e164 = normalise_phone(phone) if phone else None
    contact = {"n": name, "e": email, "p": phone}
    return AffectedPerson.objects.create(
        id=key,
        incident=incident,
        relation=relation,
        language="ko",
        email_reach=reach.USABLE if email else reach.MISSING,
        phone_reach=reach.USABLE if e164 else reach.MISSING,
        email_index=seal.email_index(normalise_email(email)) if email else None,
        phone_index=seal.phone_index(e164) if e164 else None,
        contact=seal.seal(
            {part: text for part, text in contact.items() if text},
            person=key,
            purpose=sealing.CONTACT,
        ),
    )


def expose(
    person: AffectedPerson,
    file: ExposureFile,
    *contact_classes: str,
    values: list[tuple[str, Any]] | list[tuple[str, Any, str]] | None = None,
) -> Exposure:
    """A row of `file`: classes that the contact holds, and values of others (slug, text, date)."""
    entries = [[class_id(slug), *rest] for slug, *rest in values or []]
    data_classes = {class_id(slug) for slug in contact_classes} | {entry[0] for entry in entries}
    sealed = person.incident.seal().seal(entries, person=person.pk, purpose=sealing.EXPOSURE)
    return Exposure.objects.create(
        person=person,
        file=file,
        line=Exposure.objects.filter(file=file).count() + 2,
        data_classes=sorted(data_classes),
        sealed=sealed if entries else None,
    )
