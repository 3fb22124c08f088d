"""What everybody may read, and what makes a page public: the same bytes for everyone."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.formats import number_format
from django.utils.text import Truncator, capfirst
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from incidents.models import DataClass, Incident, IncidentDataClass
from statements import markdown, publishing
from statements.findings import Translatable
from statements.legal.review import name_of
from statements.models import Advisory, Section, Statement, StatementVersion
from statements.public import linked_data, preview_images
from statements.public.differences import Change, changes

Facts = list[tuple[str, Any]]

STEPS_ON_HOME = 4
HASH_SHOWN = 16
DESCRIPTION_LENGTH = 160


def incident_context(incident: Incident) -> dict[str, Any]:
    """What the incident's page shows."""
    versions = sorted(
        StatementVersion.objects.current().filter(statement__incident=incident),
        key=lambda version: version.statement.created_at,
    )
    issued = _newest_first(version for version in versions if _is_advisory(version))
    return {
        "incident": incident,
        "facts": _incident_facts(incident),
        "claims": _claims(incident),
        "statements": [version for version in versions if not _is_advisory(version)],
        "advisories": issued,
        "steps": next(filter(None, map(_steps, _most_urgent_first(issued))), []),
        "picture": preview_images.of_incident(incident),
    }


def advisories() -> list[StatementVersion]:
    """The advisories and scam warnings in force, of every public incident, newest first."""
    kind = Statement.Kind.ADVISORY
    return _newest_first(StatementVersion.objects.current().filter(statement__kind=kind))


def _newest_first(versions: Iterable[StatementVersion]) -> list[StatementVersion]:
    return sorted(
        versions,
        key=lambda version: (version.statement.advisory.issued_on, version.statement_id),
        reverse=True,
    )


def _most_urgent_first(versions: list[StatementVersion]) -> list[StatementVersion]:
    """A scam warning of today does not push aside what everybody should do."""
    return sorted(versions, key=lambda version: -version.statement.advisory.severity)


def version_context(version: StatementVersion) -> dict[str, Any]:
    """What the page of one version shows: a statement's or an advisory's, or a draft's preview."""
    sections = list(version.sections.all())
    description = _description(sections)
    return {
        "incident": version.statement.incident,
        "version": version,
        "description": description,
        "picture": preview_images.of_version(version),
        "linked_data": linked_data.announcement(version, description),
        "sections": sections,
        "facts": _version_facts(version),
        **_advisory_context(version.statement),
    }


class LogEntry(NamedTuple):
    """One version in the log."""

    version: StatementVersion
    changes: list[Change]  # against the version before; none for the first
    waivers: list[tuple[Translatable, str]]  # what is waived, and why
    problems: list[str]  # what is not as it was published; none, if nobody broke in


def log_context(incident: Incident) -> dict[str, Any]:
    """What the log shows: every version of every statement, newest first, and that each stands."""
    versions = public_versions(incident)
    numbered = {(version.statement_id, version.number): version for version in versions}
    problems = verify_hash_chains(versions)
    entries = []
    for version in versions:
        before = numbered.get((version.statement_id, version.number - 1))
        waivers = [(name_of(waiver.rule), waiver.reason) for waiver in version.waivers.all()]
        changed = changes(before, version) if before else []
        entries.append(LogEntry(version, changed, waivers, problems[version]))
    return {
        "incident": incident,
        "entries": entries,
        "problems": [entry for entry in entries if entry.problems],
        "picture": preview_images.of_incident(incident),
    }


def log_record(incident: Incident) -> dict[str, Any]:
    """The log for programs, newest first."""
    versions = public_versions(incident)
    problems = verify_hash_chains(versions)
    return {
        "incident": incident.slug,
        "is_unbroken": not any(problems.values()),
        "versions": [
            {
                "statement": version.statement.slug,
                "kind": version.statement.kind,
                "number": version.number,
                "published_at": version.published_at,
                "sha256": version.hash,
                "previous_sha256": version.previous_hash,
                "is_unaltered": not problems[version],
                "url": settings.PORTAL_URL + version.get_absolute_url(),
                "record": settings.PORTAL_URL + version.get_record_url(),
            }
            for version in versions
        ],
    }


def public_versions(incident: Incident) -> list[StatementVersion]:
    """Every published version, newest first, with all that its hash covers."""
    versions = StatementVersion.objects.public().filter(statement__incident=incident)
    return list(versions.order_by("-published_at").prefetch_related("waivers", "sections"))


def verify_hash_chains(versions: Iterable[StatementVersion]) -> dict[StatementVersion, list[str]]:
    """What is wrong with each version, of whichever statement (publishing.verified)."""
    by_statement = defaultdict(list)
    for version in versions:
        by_statement[version.statement_id].append(version)
    checked = [publishing.verified(chain) for chain in by_statement.values()]
    return {version: problems for chain in checked for version, problems in chain.items()}


def _is_advisory(version: StatementVersion) -> bool:
    return version.statement.kind == Statement.Kind.ADVISORY


class Claim(NamedTuple):
    """Data classes of which the same is claimed, on the same basis."""

    state: str
    label: str
    basis: str
    data_classes: list[DataClass]


def _claims(incident: Incident) -> list[Claim]:
    """What is claimed of each data class, the leaked ones first."""
    order = IncidentDataClass.State.values
    rows = list(incident.class_states.select_related("data_class"))
    rows.sort(key=lambda row: (order.index(row.state), row.basis))  # stable: keeps positions
    return [
        Claim(
            first.state,
            first.get_state_display(),
            first.get_basis_display(),
            [first.data_class, *(row.data_class for row in rest)],
        )
        for _key, (first, *rest) in groupby(rows, key=lambda row: (row.state, row.basis))
    ]


def _steps(advisory: StatementVersion) -> list[Any]:
    section = advisory.sections.filter(key=Section.Key.SELF_PROTECTION_STEPS).first()
    return list(markdown.list_items(section.body)[:STEPS_ON_HOME]) if section else []


def _incident_facts(incident: Incident) -> Facts:
    facts: Facts = []
    if incident.began_on:
        facts.append((_("Access began"), incident.began_on))
    if incident.ended_on:
        facts.append((_("Access ended"), incident.ended_on))
    facts.append((_("The company noticed"), localdate(incident.aware_at)))
    if incident.reported_count is not None:
        count = number_format(incident.reported_count, force_grouping=True)
        facts.append((_("Accounts affected"), count))
    return facts


def _version_facts(version: StatementVersion) -> Facts:
    facts: Facts = [(_("Version"), version.number)]
    if version.published_at:
        facts.append((_("Published"), version.published_at))
    facts.append((_("Shown at least until"), version.display_until))
    if version.hash:
        facts.append((_("Fingerprint (SHA-256)"), f"{version.hash[:HASH_SHOWN]}…"))
    return facts


def _description(sections: list[Section]) -> str:
    """What a search engine or a messenger shows under the title."""
    text = " ".join(markdown.plain(sections[0].body).split()) if sections else ""
    return Truncator(text).chars(DESCRIPTION_LENGTH)


def _advisory_context(statement: Statement) -> dict[str, Any]:
    try:
        advisory = statement.advisory
    except Advisory.DoesNotExist:
        return {}
    facts: Facts = [
        (_("Issued by"), advisory.issuer),
        (_("Issued on"), advisory.issued_on),
        (_("How urgent"), capfirst(advisory.get_severity_display())),
    ]
    if advisory.hotline:
        facts.append((_("Hotline"), advisory.hotline))
    return {"advisory_facts": facts, "original_url": advisory.original_url}
