"""The duty review: reads a version's rows and returns what the duties and the wording lint find.

See docs/legal-checks.md.
"""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Model
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from foundations.languages import LocalizedText
from incidents.models import Basis, Incident, IncidentDataClass
from incidents.scope_counts import counts_of
from statements.findings import Finding, Severity, Translatable
from statements.legal import duties, laws, own_laws
from statements.models import DutyConfirmation, Section, Statement, StatementVersion
from statements.wording import RULES, has_rules, lint, no_rules, parity

TITLE = "title"  # `Finding.section` of a finding about the title
NO_JURISDICTION = Finding(
    rule="jurisdiction",
    severity=Severity.BLOCK,
    why=_("Nobody has said yet which jurisdiction's law the incident falls under."),
    suggestion=_(
        "Name the jurisdictions on the incident's page: they decide what a notice must say."
    ),
)
NOT_WAIVABLE = {NO_JURISDICTION.rule, "law_file"}


def review(version: StatementVersion, sections: list[Section]) -> list[Finding]:
    """Returns the findings of duties, lint and parity check; a waived finding only warns.

    `sections` may be unsaved sections from an editor's form.
    """
    return [*_with_waivers(version, _unwaived_findings(version, sections))]


def waivable(version: StatementVersion) -> dict[str, str]:
    """Returns the rules that block the version and may be waived, each with its name."""
    sections = list(version.sections.all())
    blocking = [finding for finding in review(version, sections) if finding.blocks]
    return {
        finding.rule: str(rule_name(finding.rule))
        for finding in blocking
        if finding.rule not in NOT_WAIVABLE
    }


def rule_name(rule: str) -> Translatable:
    """Returns a rule as readers of its waiver see it.

    For a duty this is the law, the article and the name; for a lint rule its reason. An id that
    no duty and no lint rule has any more is returned unchanged.
    """
    for duty in laws.all_duties():
        if duty.id == rule:
            return format_lazy(
                "{law}, {article}: {name}", law=duty.law, article=duty.cited, name=duty.name
            )
    return RULES[rule].why if rule in RULES else rule


def statement_prescribed_title(statement: Statement) -> LocalizedText:
    """Returns the title that a law prescribes for the statement; without texts if none does."""
    return duties.prescribed_title(_duties(statement))


def prescribed_sections(statement: Statement) -> dict[str, LocalizedText]:
    """Returns the keys of the sections that duties require, with the prescribed heading.

    Sections with a prescribed heading come first, in the law's order. The others follow in the
    order of Section.Key with an empty heading. Uncertain duties are left out.
    """
    certain = [duty for duty in _duties(statement) if duty.is_certain]
    headings = duties.prescribed_headings(certain)
    required = {key for duty in certain for key in duty.sections} | headings.keys()
    others = {
        key: duties.NO_TEXT for key in Section.Key.values if key in required and key not in headings
    }
    return headings | others


def display_days(statement: Statement) -> int:
    """Returns the number of days that a version must be shown.

    It is the larger of settings.STATEMENT_DISPLAY_DAYS and what the duties require.
    """
    return max(settings.STATEMENT_DISPLAY_DAYS, duties.posting_days(_duties(statement)))


def _duties(statement: Statement) -> list[laws.Duty]:
    """Returns the duties that apply today. Only a notice has duties; other kinds have none."""
    if statement.kind != Statement.Kind.NOTICE:
        return []
    incident = statement.incident
    standings = own_laws.standings_of(incident)
    today = timezone.localdate(timezone=incident.zone)
    return duties.applicable(standings, facts=facts_of(incident), on=today)


def facts_of(incident: Incident) -> laws.IncidentFacts:
    """Returns the known facts of the incident, with the answers of staff (DutyConfirmation).

    `contact_unknown` and `residents` stay unknown. Counting the people without a contact takes
    too long with millions of people.
    """
    verdicts = DutyConfirmation.Verdict
    answered = incident.confirmations.live().values_list("duty", "verdict")
    claims = incident.class_states.filter(state=IncidentDataClass.State.INVOLVED)
    return laws.IncidentFacts(
        people=_people(incident),
        classes=dict(claims.values_list("data_class__slug", "data_class__sensitivity")),
        illegal_access=incident.illegal_access,
        answers={duty: verdict != verdicts.NOT_APPLICABLE for duty, verdict in answered},
    )


def _people(incident: Incident) -> int | None:
    """Returns the number of people: the larger of the reported and the counted number.

    The counted number covers the closed exposure batches. Returns None if neither is known.
    """
    total = counts_of(incident).total
    known = [incident.reported_count, total.people if total else None]
    return max((count for count in known if count is not None), default=None)


def confirmed(incident: Incident) -> set[str]:
    """Returns the ids of the duties that a person confirmed as met."""
    met = incident.confirmations.live().filter(verdict=DutyConfirmation.Verdict.MET)
    return set(met.values_list("duty", flat=True))


def _unwaived_findings(version: StatementVersion, sections: list[Section]) -> Iterator[Finding]:
    statement = version.statement
    if statement.kind == Statement.Kind.NOTICE and not statement.incident.jurisdictions.exists():
        yield NO_JURISDICTION
    if statement.kind == Statement.Kind.NOTICE:
        yield from map(_no_law, own_laws.without_law(statement.incident))
    yield from duties.unmet_content(
        _duties(statement),
        # publishing.py refuses a section with text in one language only.
        sections={section.key for section in sections if section.body},
        title=version.title,
        headings=[section.heading for section in sections],
        languages=statement.incident.languages,
        confirmed=confirmed(statement.incident),
    )
    yield from _wording(version, sections)
    yield from _parity(version, sections)


def _no_law(jurisdiction: str) -> Finding:
    return Finding(
        rule="law_file",
        severity=Severity.BLOCK,
        why=format_lazy(_("No law is on file for {name}."), name=jurisdiction),
        suggestion=_(
            "Set LAW_FOLDER, for every process, to the folder of the company's law files."
        ),
    )


def _wording(version: StatementVersion, sections: list[Section]) -> Iterator[Finding]:
    for language in version.statement.incident.languages:
        if not has_rules(language):
            yield no_rules(language)
        leaked, others = _class_names(version.statement.incident, language)
        for key, basis, text in _texts(version, sections, language):
            found = lint(
                text,
                language=language,
                is_mandatory=version.statement.kind == Statement.Kind.NOTICE,
                involved_classes=leaked,
                other_classes=others,
                own_domains=[urlsplit(settings.PORTAL_URL).hostname or ""],
                basis=basis,
            )
            yield from (finding.in_section(key) for finding in found)


def fact_objection(text: str, language: str, row: Model) -> str:
    """Returns the first finding of the lint that blocks a text of an incident's facts, or "".

    `row` is the incident, the timeline entry or the data class that has the text.
    """
    incident = row if isinstance(row, Incident) else getattr(row, "incident", None)
    leaked, others = _class_names(incident, language) if incident and incident.pk else ([], [])
    found = lint(
        text,
        language=language,
        is_mandatory=False,
        involved_classes=leaked,
        other_classes=others,
        own_domains=[urlsplit(settings.PORTAL_URL).hostname or ""],
        basis=getattr(row, "basis", "") or Basis.COMPANY,
    )
    return next((_one_line(finding) for finding in found if finding.blocks), "")


def _one_line(finding: Finding) -> str:
    return " ".join(str(part) for part in (f"“{finding.quote}”:", finding.why, finding.suggestion))


def _class_names(incident: Incident, language: str) -> tuple[list[str], list[str]]:
    """Returns the names of the leaked data classes and of the incident's other classes."""
    leaked, others = list[str](), list[str]()
    for claim in incident.class_states.select_related("data_class"):
        names = leaked if claim.state == IncidentDataClass.State.INVOLVED else others
        names.append(claim.data_class.name.in_language(language))
    return leaked, others


def _texts(
    version: StatementVersion, sections: list[Section], language: str
) -> Iterator[tuple[str, str, str]]:
    """Yields the place (TITLE or a section key), the basis and the text of each part."""
    yield TITLE, Basis.COMPANY, version.title.get(language)
    for section in sections:
        for text in (section.heading, section.body):
            yield section.key, section.basis, text.get(language)


def _parity(version: StatementVersion, sections: list[Section]) -> Iterator[Finding]:
    """Yields the findings of the parity check: the authority's language with each other one.

    Compares the parts that have text in both. publishing.py refuses a part that is missing in one.
    """
    authority, *others = version.statement.incident.languages
    for other in others:
        parts = [
            (section.key, _whole(section, authority), _whole(section, other))
            for section in sections
            if not section.body.missing([authority, other])
        ]
        if not version.title.missing([authority, other]):
            parts.append((TITLE, version.title.get(authority), version.title.get(other)))
        yield from parity(
            {authority: [(key, first) for key, first, _second in parts]}
            | {other: [(key, second) for key, _first, second in parts]}
        )


def _whole(section: Section, language: str) -> str:
    return f"{section.heading.get(language)}\n\n{section.body.get(language)}"


def _with_waivers(version: StatementVersion, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yields the findings; a waived one becomes a warning with the waiver's reason."""
    waivers = {waiver.rule: waiver for waiver in version.waivers.all()}
    for finding in findings:
        waiver = waivers.get(finding.rule)
        if waiver is None:
            yield finding
        else:
            text = _("{why} Waived: {reason}")
            why = format_lazy(text, why=finding.why, reason=waiver.reason)
            yield replace(finding, severity=Severity.WARN, why=why)
