"""The sample incidents: their texts, without people, from this folder's files.

The first one is the model case. The others are invented: a retailer in the European Union and the
United Kingdom, one in Japan, and a pharmacy in the United States, whose company adds a law of its
own. A sample is loaded in those of its languages that the portal has.
"""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from django.db import transaction
from django.utils.translation import override
from pydantic import AwareDatetime, PositiveInt, Strict

from accounts.models import User
from foundations import toml_files
from foundations.languages import SOURCE_LANGUAGE, LocalizedText, portal_codes
from foundations.toml_files import Localized, Text, Texts, TomlTable
from incidents.models import (
    Basis,
    DataClass,
    Incident,
    IncidentDataClass,
    IncidentJurisdiction,
    Standing,
)
from incidents.models.jurisdiction import jurisdiction_choices
from statements import publishing
from statements.legal import regulator_reports
from statements.legal.regulator_reports import FilingRefusedError
from statements.models import (
    Advisory,
    DutyConfirmation,
    RegulatorReport,
    Section,
    Statement,
    StatementVersion,
    TimelineEntry,
)
from statements.publishing import PublishingRefusedError

# Slugs, and folders of this one.
SAMPLES = ("coupang-2025", "eu-retailer", "japan-retailer", "us-pharmacy")
SLUG = SAMPLES[0]
EDITOR, APPROVER = "editor@breachportal.example", "approver@breachportal.example"
_HERE = Path(__file__).parent
LAW_FOLDER = _HERE / "laws"  # the law files that samples add, as a company does

_Basis = Annotated[Basis, Strict(False)]


class _Claim(TomlTable):
    basis: _Basis
    slugs: Texts


class _Entry(TomlTable):
    happened_on: date
    basis: _Basis
    text: Localized
    source: Localized = LocalizedText()


class _Told(TomlTable):
    """Whom else the company told by a deadline, with the evidence of it."""

    duty: Text
    at: AwareDatetime
    evidence: Text


class _Report(TomlTable):
    duty: Text
    form: Annotated[RegulatorReport.Form, Strict(False)]
    authority: Text
    filed_at: AwareDatetime
    reference: str = ""
    text: str = ""  # empty: as the form drafts it


class _Incident(TomlTable):
    slug: Text
    languages: Texts  # of all texts of the sample; the first is the authority
    time_zone: Text
    phone_region: Text
    statements: Texts  # files beside this one
    company: Localized
    title: Localized
    summary: Localized
    began_on: date
    ended_on: date
    aware_at: AwareDatetime
    illegal_access: bool | None = None
    reported_count: PositiveInt
    department: Localized
    contact_phone: Text
    contact_email: Text
    official_contacts: Localized
    jurisdictions: dict[Text, Annotated[Standing, Strict(False)]]
    confirmed: dict[Text, Text] = {}  # evidence in the notice, by duty that no program can judge
    told: Annotated[tuple[_Told, ...], Strict(False)] = ()
    reports: Annotated[tuple[_Report, ...], Strict(False)] = ()
    classes: dict[Annotated[IncidentDataClass.State, Strict(False)], _Claim]
    class_names: dict[Text, Localized] = {}  # by slug, in languages that the catalogue may lack
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


class SampleRefusedError(ValueError):
    """Raised when the portal lacks a law file of a sample, or languages that the sample needs."""


@transaction.atomic
@override(SOURCE_LANGUAGE)
def load_sample_incident(slug: str = SLUG) -> Incident:
    """Creates a sample incident and publishes its statements; returns the incident.

    `slug` is one of SAMPLES. What exists already is not changed. Raises SampleRefusedError.
    """
    editor, approver = _staff(EDITOR), _staff(APPROVER)
    require_laws(slug)
    content = _content(slug)
    known = Incident.objects.filter(slug=slug).first()
    incident = known or _make_incident(content)
    try:
        for name in content.statements:
            if not incident.statements.filter(slug=name).exists():
                _publish(incident, name, editor=editor, approver=approver)
        if not known:
            _confirm(incident, content, approver)
            _file_reports(incident, content, editor=editor, approver=approver)
    except (PublishingRefusedError, FilingRefusedError) as error:
        text = f"{slug} cannot be loaded in {', '.join(incident.languages)}: {error}"
        if waiting := waiting_languages(slug):
            text += f" Add {' or '.join(waiting)} to PORTAL_LANGUAGES."
        raise SampleRefusedError(text) from error
    return incident


def waiting_languages(slug: str) -> list[str]:
    """Returns the languages of a sample in which the portal has no catalogue yet."""
    return [code for code in _content(slug).languages if code not in portal_codes()]


def _content(slug: str) -> _Incident:
    return toml_files.load(_HERE / slug / "incident.toml", _Incident)


def _staff(email: str) -> User:
    user = User.objects.filter(email=email).first()
    return user or User.objects.create_user(email, is_staff=True, is_superuser=True)


def require_laws(slug: str) -> None:
    """Raises SampleRefusedError if the law of a jurisdiction of the sample is not on file."""
    if not _content(slug).jurisdictions.keys() <= dict(jurisdiction_choices()).keys():
        raise SampleRefusedError(f"{slug} adds a law: set LAW_FOLDER={LAW_FOLDER}")


def _make_incident(content: _Incident) -> Incident:
    languages = [code for code in content.languages if code in portal_codes()]
    if not languages:
        raise SampleRefusedError(
            f"the portal has none of the languages of {content.slug}: "
            f"{', '.join(content.languages)}"
        )
    separate = {"jurisdictions", "classes", "class_names", "timeline", "statements", "languages"}
    separate |= {"confirmed", "told", "reports"}
    incident = Incident(
        **_in(languages, content.model_dump(exclude=separate)),
        languages=languages,
        default_language=languages[0],
        is_public=True,
    )
    incident.make_keysets()
    incident.save()
    _add_class_names(content, languages)
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
        TimelineEntry(incident=incident, **_in(languages, entry.model_dump()))
        for entry in content.timeline
    )
    return incident


def _confirm(incident: Incident, content: _Incident, approver: User) -> None:
    """Confirms what the published notice says, and whom else the company told."""
    versions = StatementVersion.objects.current().filter(statement__incident=incident)
    published_at = versions.get(statement__kind=Statement.Kind.NOTICE).published_at
    met = [(duty, published_at, evidence) for duty, evidence in content.confirmed.items()]
    met += [(each.duty, each.at, each.evidence) for each in content.told]
    DutyConfirmation.objects.bulk_create(
        DutyConfirmation(
            incident=incident,
            duty=duty,
            verdict=DutyConfirmation.Verdict.MET,
            met_at=met_at,
            evidence=evidence,
            confirmed_by=approver,
        )
        for duty, met_at, evidence in met
    )


def _file_reports(incident: Incident, content: _Incident, *, editor: User, approver: User) -> None:
    for each in content.reports:
        report = RegulatorReport.objects.create(
            incident=incident,
            duty=each.duty,
            form=each.form,
            authority=each.authority,
            text=each.text or regulator_reports.drafted(incident, each.form),
            created_by=editor,
        )
        regulator_reports.file(report, at=each.filed_at, reference=each.reference, by=approver)


def _add_class_names(content: _Incident, languages: Sequence[str]) -> None:
    """Names the data classes in languages of the incident that the catalogue of classes lacks."""
    for slug, names in content.class_names.items():
        data_class = DataClass.objects.get(slug=slug)
        missing = data_class.name.missing(languages)
        if missing:
            data_class.name |= {code: names.get(code) for code in missing}
            data_class.save(update_fields=["name"])


def _in(languages: Sequence[str], values: dict[str, Any]) -> dict[str, Any]:
    """Returns the values with each text in these languages only."""
    return {
        key: value.only(languages) if isinstance(value, LocalizedText) else value
        for key, value in values.items()
    }


def _publish(incident: Incident, slug: str, *, editor: User, approver: User) -> None:
    content = toml_files.load(_HERE / incident.slug / f"{slug}.toml", _Statement)
    statement = Statement.objects.create(incident=incident, kind=content.kind, slug=slug)
    if content.advisory:
        issued = _in(incident.languages, content.advisory.model_dump())
        Advisory.objects.create(statement=statement, **issued)
    draft = publishing.draft_next(statement, by=editor)
    draft.title = content.title.only(incident.languages)
    draft.save()
    draft.sections.all().delete()  # the empty sections of a first draft
    Section.objects.bulk_create(
        Section(version=draft, position=position, **_in(incident.languages, section.model_dump()))
        for position, section in enumerate(content.sections, 1)
    )
    publishing.publish(draft, by=approver)
