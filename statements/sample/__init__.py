"""The sample incident: the texts of the model case, without people, from this folder's files."""

from datetime import date
from pathlib import Path
from typing import Annotated

from django.db import transaction
from pydantic import AwareDatetime, PositiveInt, Strict

from accounts.models import User
from foundations import toml_files
from foundations.languages import LocalizedText
from foundations.toml_files import Localized, Text, Texts, TomlTable
from incidents.models import (
    Basis,
    DataClass,
    Incident,
    IncidentDataClass,
    IncidentJurisdiction,
    Standing,
)
from statements import publishing
from statements.models import Advisory, Section, Statement, TimelineEntry

SLUG = "coupang-2025"
EDITOR, APPROVER = "editor@breachportal.example", "approver@breachportal.example"
_HERE = Path(__file__).parent
STATEMENTS = ("apology", "notice", "kisa-advisory")

_Basis = Annotated[Basis, Strict(False)]


class _Claim(TomlTable):
    basis: _Basis
    slugs: Texts


class _Entry(TomlTable):
    happened_on: date
    basis: _Basis
    text: Localized
    source: Localized = LocalizedText()


class _Incident(TomlTable):
    slug: Text
    company: Localized
    title: Localized
    summary: Localized
    began_on: date
    ended_on: date
    aware_at: AwareDatetime
    reported_count: PositiveInt
    department: Localized
    contact_phone: Text
    contact_email: Text
    official_contacts: Localized
    jurisdictions: dict[
        Annotated[IncidentJurisdiction.Name, Strict(False)], Annotated[Standing, Strict(False)]
    ]
    classes: dict[Annotated[IncidentDataClass.State, Strict(False)], _Claim]
    timeline: Annotated[tuple[_Entry, ...], Strict(False)]


class _Advisory(TomlTable):
    issuer: Localized
    issued_on: date
    original_url: str = ""
    hotline: str = ""
    severity: Annotated[Advisory.Severity, Strict(False)]


class _Section(TomlTable):
    key: Annotated[Section.Key, Strict(False)]
    basis: _Basis
    heading: Localized = LocalizedText()
    body: Localized


class _Statement(TomlTable):
    kind: Annotated[Statement.Kind, Strict(False)]
    title: Localized
    advisory: _Advisory | None = None
    sections: Annotated[tuple[_Section, ...], Strict(False)]


@transaction.atomic
def load_sample_incident() -> Incident:
    """Creates the sample incident and publishes its statements; returns the incident.

    What exists already is not changed.
    """
    editor, approver = _staff(EDITOR), _staff(APPROVER)
    incident = Incident.objects.filter(slug=SLUG).first() or _make_incident()
    for slug in STATEMENTS:
        if not incident.statements.filter(slug=slug).exists():
            _publish(incident, slug, editor=editor, approver=approver)
    return incident


def _staff(email: str) -> User:
    user = User.objects.filter(email=email).first()
    return user or User.objects.create_user(email, is_staff=True, is_superuser=True)


def _make_incident() -> Incident:
    content = toml_files.load(_HERE / "incident.toml", _Incident)
    fields = content.model_dump(exclude={"jurisdictions", "classes", "timeline"})
    incident = Incident(**fields, is_public=True)
    incident.make_keysets()
    incident.save()
    IncidentJurisdiction.objects.bulk_create(
        IncidentJurisdiction(incident=incident, jurisdiction=name, standing=standing)
        for name, standing in content.jurisdictions.items()
    )
    IncidentDataClass.objects.bulk_create(
        IncidentDataClass(
            incident=incident,
            data_class=DataClass.objects.get(slug=slug),
            state=state,
            basis=claim.basis,
        )
        for state, claim in content.classes.items()
        for slug in claim.slugs
    )
    TimelineEntry.objects.bulk_create(
        TimelineEntry(incident=incident, **entry.model_dump()) for entry in content.timeline
    )
    return incident


def _publish(incident: Incident, slug: str, *, editor: User, approver: User) -> None:
    content = toml_files.load(_HERE / f"statements/{slug}.toml", _Statement)
    statement = Statement.objects.create(incident=incident, kind=content.kind, slug=slug)
    if content.advisory:
        Advisory.objects.create(statement=statement, **content.advisory.model_dump())
    draft = publishing.draft_next(statement, by=editor)
    draft.title = content.title
    draft.save()
    draft.sections.all().delete()  # the empty sections of a first draft
    Section.objects.bulk_create(
        Section(version=draft, position=position, **section.model_dump())
        for position, section in enumerate(content.sections, 1)
    )
    publishing.publish(draft, by=approver)
