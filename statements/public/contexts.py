"""The template contexts of the public pages, and the record of the public log.

They depend on the rows and on the active language only, not on the reader, because a public page
has the same bytes for every reader (foundations.page_cache).
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.text import Truncator, capfirst
from django.utils.timezone import localdate
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from accounts import code_texts
from foundations import formatting
from incidents import phrasing
from incidents.models import DataClass, Incident, IncidentDataClass
from incidents.steps import steps_for
from statements import markdown, publishing
from statements.findings import Translatable
from statements.legal.review import rule_name
from statements.models import Advisory, Section, Statement, StatementVersion
from statements.public import linked_data, preview_images
from statements.public.differences import Change, changes

Facts = list[tuple[str, Any]]  # label and value, in the order of the page

STEPS_ON_HOME = 4
HASH_SHOWN = 16  # hex digits of a fingerprint
DESCRIPTION_LENGTH = 160  # characters


def incident_context(incident: Incident) -> dict[str, Any]:
    """Returns the context of the incident's page."""
    versions = sorted(
        StatementVersion.objects.current().filter(statement__incident=incident),
        key=lambda version: version.statement.created_at,
    )
    issued = _newest_first(version for version in versions if _is_advisory(version))
    states = list(incident.class_states.select_related("data_class"))
    steps = next(filter(None, map(_steps, _most_urgent_first(issued))), None)
    return {
        "incident": incident,
        "updated_at": max(filter(None, (one.published_at for one in versions)), default=None),
        "corrected": _last_correction(versions),
        "facts": _incident_facts(incident),
        "claims": _claims(states),
        "statements": [version for version in versions if not _is_advisory(version)],
        "advisories": issued,
        **(steps or _class_steps(incident, states)),
        "picture": preview_images.of_incident(incident),
        "takes_numbers": code_texts.are_offered(),
    }


def _last_correction(versions: Iterable[StatementVersion]) -> StatementVersion | None:
    """Returns the version that last replaced an earlier one, or None."""
    dated = [(one.published_at, one) for one in versions if one.number > 1 and one.published_at]
    return max(dated, key=itemgetter(0))[1] if dated else None


def advisories() -> list[StatementVersion]:
    """Returns the current advisories and scam warnings of all public incidents, newest first."""
    kind = Statement.Kind.ADVISORY
    return _newest_first(StatementVersion.objects.current().filter(statement__kind=kind))


def _newest_first(versions: Iterable[StatementVersion]) -> list[StatementVersion]:
    return sorted(
        versions,
        key=lambda version: (version.statement.advisory.issued_on, version.statement_id),
        reverse=True,
    )


def _most_urgent_first(versions: list[StatementVersion]) -> list[StatementVersion]:
    """Returns the advisories by severity, the highest first; the order within one is unchanged.

    Otherwise a new scam warning would hide more urgent advice on what to do.
    """
    return sorted(versions, key=lambda version: -version.statement.advisory.severity)


def version_context(version: StatementVersion) -> dict[str, Any]:
    """Returns the context of one version's page. It serves statements, advisories and previews."""
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
    """One version in the public log."""

    version: StatementVersion
    changes: list[Change]  # from the previous version; empty for the first one
    waivers: list[tuple[Translatable, str]]  # name of the waived duty or rule, and the reason
    problems: list[str]  # differences from what was published; empty if there are none


def log_context(incident: Incident) -> dict[str, Any]:
    """Returns the context of the public log: all published versions, newest first.

    Every hash is computed again. `problems` holds the entries that differ from what was published.
    """
    versions = public_versions(incident)
    numbered = {(version.statement_id, version.number): version for version in versions}
    problems = verify_hash_chains(versions)
    entries = []
    for version in versions:
        previous = numbered.get((version.statement_id, version.number - 1))
        waivers = _waivers(version)
        changed = changes(previous, version) if previous else []
        entries.append(LogEntry(version, changed, waivers, problems[version]))
    return {
        "incident": incident,
        "entries": entries,
        "problems": [entry for entry in entries if entry.problems],
        "picture": preview_images.of_incident(incident),
    }


def _waivers(version: StatementVersion) -> list[tuple[Translatable, str]]:
    """Returns the waivers in the language of the version's texts: laws and rules have no other."""
    with override(version.title.language_for(get_language() or "") or None):
        return [
            (str(rule_name(waiver.rule)), str(waiver.reason)) for waiver in version.waivers.all()
        ]


def log_record(incident: Incident) -> dict[str, Any]:
    """Returns the public log for programs, newest version first. The view writes it as JSON."""
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
    """Returns the incident's published versions, newest first, with all rows that a hash covers."""
    versions = StatementVersion.objects.public().filter(statement__incident=incident)
    return list(versions.order_by("-published_at").prefetch_related("waivers", "sections"))


def verify_hash_chains(versions: Iterable[StatementVersion]) -> dict[StatementVersion, list[str]]:
    """Returns the problems of each version; a version without problems has an empty list.

    `versions` must hold all published versions of each statement that occurs in it, in any order.
    See publishing.verify_versions.
    """
    by_statement = defaultdict(list)
    for version in versions:
        by_statement[version.statement_id].append(version)
    checked = [publishing.verify_versions(chain) for chain in by_statement.values()]
    return {version: problems for chain in checked for version, problems in chain.items()}


def _is_advisory(version: StatementVersion) -> bool:
    return version.statement.kind == Statement.Kind.ADVISORY


class Claim(NamedTuple):
    """The data classes with the same state and the same basis."""

    state: str  # an IncidentDataClass.State
    label: str  # of the state, in the active language
    basis: str  # label of the Basis, in the active language
    data_classes: list[DataClass]


def _claims(states: Iterable[IncidentDataClass]) -> list[Claim]:
    """Returns the claims about the incident's data classes, the leaked ones first."""
    order = IncidentDataClass.State.values
    # A stable sort: the order of the data classes within a claim does not change.
    rows = sorted(states, key=lambda row: (order.index(row.state), row.basis))
    return [
        Claim(
            first.state,
            first.get_state_display(),
            first.get_basis_display(),
            [first.data_class, *(row.data_class for row in rest)],
        )
        for _key, (first, *rest) in groupby(rows, key=lambda row: (row.state, row.basis))
    ]


def _steps(advisory: StatementVersion) -> dict[str, Any]:
    """Returns the first steps of an advisory, and the text that has them; {} without steps."""
    section = advisory.sections.filter(key=Section.Key.SELF_PROTECTION_STEPS).first()
    steps = list(markdown.list_items(str(section.body))[:STEPS_ON_HOME]) if section else []
    return {"steps": steps, "steps_text": section.body} if section and steps else {}


def _class_steps(incident: Incident, states: Iterable[IncidentDataClass]) -> dict[str, Any]:
    """Returns the steps about the classes that leaked or may have: the first ones and the rest."""
    no = IncidentDataClass.State.NOT_INVOLVED
    classes = [row.data_class for row in states if row.state != no]
    names = [each.jurisdiction for each in incident.jurisdictions.all()]
    texts = [step.text for step in steps_for(classes, (), names)]
    return {"class_steps": texts[:STEPS_ON_HOME], "further_steps": texts[STEPS_ON_HOME:]}


def _incident_facts(incident: Incident) -> Facts:
    facts: Facts = []
    if incident.began_on:
        facts.append((_("Access began"), incident.began_on))
    if incident.ended_on:
        facts.append((_("Access ended"), incident.ended_on))
    facts.append((_("The company noticed"), localdate(incident.aware_at, incident.zone)))
    if incident.reported_count is not None:
        count = formatting.number(incident.reported_count)
        facts.append((_("Accounts affected"), count))
    if any(unread := incident.unread()):
        facts.append((_("Not complete"), phrasing.unread(unread)))
    if entries := incident.unlinked().entries:
        facts.append((_("Without a contact"), phrasing.unlinked(entries)))
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
    """Returns the text that search engines and messengers show under the title."""
    text = " ".join(markdown.plain(str(sections[0].body)).split()) if sections else ""
    return Truncator(text).chars(DESCRIPTION_LENGTH)


def _advisory_context(statement: Statement) -> dict[str, Any]:
    try:
        advisory = statement.advisory
    except Advisory.DoesNotExist:
        return {}
    facts: Facts = [
        (_("Issued by"), str(advisory.issuer)),
        (_("Issued on"), advisory.issued_on),
        (_("How urgent"), capfirst(advisory.get_severity_display())),
    ]
    if advisory.hotline:
        facts.append((_("Hotline"), advisory.hotline))
    return {"advisory_facts": facts, "original_url": advisory.original_url}
