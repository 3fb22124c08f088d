"""The sample incident: the model case in words, without people. Its texts are the files here."""

import tomllib
from pathlib import Path
from typing import Any

from django.db import transaction

from accounts.models import User
from incidents.models import DataClass, Incident, IncidentDataClass, IncidentJurisdiction
from statements import publishing
from statements.models import Advisory, Section, Statement, TimelineEntry

SLUG = "coupang-2025"
EDITOR, APPROVER = "editor@breachportal.example", "approver@breachportal.example"
_HERE = Path(__file__).parent
STATEMENTS = ("apology", "notice", "kisa-advisory")


@transaction.atomic
def load_sample_incident() -> Incident:
    """The sample incident with its published texts. What is there already is left as it is."""
    editor, approver = _staff(EDITOR), _staff(APPROVER)
    incident = Incident.objects.filter(slug=SLUG).first() or _make_incident()
    for slug in STATEMENTS:
        if not incident.statements.filter(slug=slug).exists():
            _publish(incident, slug, editor=editor, approver=approver)
    return incident


def _staff(email: str) -> User:
    user = User.objects.filter(email=email).first()
    return user or User.objects.create_user(email, is_staff=True, is_superuser=True)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_HERE / name).read_text(encoding="utf-8"))


def _make_incident() -> Incident:
    fields = _read("incident.toml")
    classes, timeline = fields.pop("classes"), fields.pop("timeline")
    jurisdictions = fields.pop("jurisdictions")
    incident = Incident(**fields, is_public=True)
    incident.make_keysets()
    incident.save()
    IncidentJurisdiction.objects.bulk_create(
        IncidentJurisdiction(incident=incident, jurisdiction=name, standing=standing)
        for name, standing in jurisdictions.items()
    )
    IncidentDataClass.objects.bulk_create(
        IncidentDataClass(
            incident=incident,
            data_class=DataClass.objects.get(slug=slug),
            state=state,
            basis=claim["basis"],
        )
        for state, claim in classes.items()
        for slug in claim["slugs"]
    )
    TimelineEntry.objects.bulk_create(
        TimelineEntry(incident=incident, **entry) for entry in timeline
    )
    return incident


def _publish(incident: Incident, slug: str, *, editor: User, approver: User) -> None:
    texts = _read(f"statements/{slug}.toml")
    statement = Statement.objects.create(incident=incident, kind=texts["kind"], slug=slug)
    if "advisory" in texts:
        Advisory.objects.create(statement=statement, **texts["advisory"])
    draft = publishing.draft_next(statement, by=editor)
    draft.title_ko, draft.title_en = texts["title_ko"], texts["title_en"]
    draft.save()
    draft.sections.all().delete()  # the empty ones of a first draft
    Section.objects.bulk_create(
        Section(version=draft, position=position, **section)
        for position, section in enumerate(texts["sections"], 1)
    )
    publishing.publish(draft, by=approver)
