"""What the laws and the wording lint say of a version: duties and wording, asked about the rows of
the database (docs/legal-checks.md).
"""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from foundations.languages import in_language
from incidents.models import Basis, Incident, IncidentDataClass
from incidents.scope_counts import counts_of
from statements.findings import Finding, Severity, Translatable
from statements.legal import duties, laws
from statements.models import DutyConfirmation, Section, Statement, StatementVersion
from statements.wording import RULES, lint, parity

LANGUAGES = [code for code, _name in settings.LANGUAGES]
TITLE = "title"  # where a finding stands that is about the title
NO_JURISDICTION = Finding(
    rule="jurisdiction",
    severity=Severity.BLOCK,
    why=_("Nobody has said yet which jurisdiction's law the incident falls under."),
    suggestion=_(
        "Name the jurisdictions on the incident's page: they decide what a notice must say."
    ),
)


def review(version: StatementVersion, sections: list[Section]) -> list[Finding]:
    """What the laws miss in a version and the lint objects to; what is waived only warns."""
    return [*_waived(version, _found(version, sections))]


def waivable(version: StatementVersion) -> dict[str, str]:
    """What keeps the version from being published and may be waived: rule, and its name."""
    sections = list(version.sections.all())
    blocking = [finding for finding in review(version, sections) if finding.blocks]
    return {
        finding.rule: str(name_of(finding.rule))
        for finding in blocking
        if finding != NO_JURISDICTION
    }


def name_of(rule: str) -> Translatable:
    """A duty or a rule of wording in words, for those who read of its waiver."""
    for duty in laws.all_duties():
        if duty.id == rule:
            return format_lazy(
                "{law}, {article}: {name}", law=duty.law, article=duty.cited, name=duty.name
            )
    return RULES[rule].why if rule in RULES else rule


def prescribed_title(statement: Statement) -> str:
    """The English title that a law prescribes; empty if none does."""
    return duties.prescribed_title(_duties(statement))


def prescribed_sections(statement: Statement) -> dict[str, str]:
    """The sections that laws ask for, each with the English heading that a law prescribes, or an
    empty one: the prescribed in the law's order, then those of Section.Key. What only perhaps
    applies is not among them.
    """
    certain = [duty for duty in _duties(statement) if duty.is_certain]
    headings = duties.prescribed_headings(certain)
    asked = {key for duty in certain for key in duty.sections} | headings.keys()
    others = {key: "" for key in Section.Key.values if key in asked and key not in headings}
    return headings | others


def display_days(statement: Statement) -> int:
    """For how many days a version has to be shown."""
    return max(settings.STATEMENT_DISPLAY_DAYS, duties.posting_days(_duties(statement)))


def _duties(statement: Statement) -> list[laws.Duty]:
    """Those of today: of a notice, the other kinds being free in what they say."""
    if statement.kind != Statement.Kind.NOTICE:
        return []
    incident = statement.incident
    standings = dict(incident.jurisdictions.values_list("jurisdiction", "standing"))
    return duties.applicable(standings, facts=facts_of(incident), on=timezone.localdate())


def facts_of(incident: Incident) -> laws.IncidentFacts:
    """What is known of the incident, with what people of the desk answered (DutyConfirmation).

    Whose contact is missing is not counted here: among millions that takes too long.
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
    """As the company reported it, else as its closed exports hold; the larger of both."""
    standing = counts_of(incident).total
    known = [incident.reported_count, standing.people if standing else None]
    return max((count for count in known if count is not None), default=None)


def confirmed(incident: Incident) -> set[str]:
    """The duties that a person confirmed to be met."""
    met = incident.confirmations.live().filter(verdict=DutyConfirmation.Verdict.MET)
    return set(met.values_list("duty", flat=True))


def _found(version: StatementVersion, sections: list[Section]) -> Iterator[Finding]:
    statement = version.statement
    if statement.kind == Statement.Kind.NOTICE and not statement.incident.jurisdictions.exists():
        yield NO_JURISDICTION
    yield from duties.unmet_content(
        _duties(statement),
        # One that holds text in one language only is refused for that already.
        sections={
            section.key for section in sections if (section.body_ko + section.body_en).strip()
        },
        title_en=version.title_en,
        headings_en=[section.heading_en for section in sections],
        confirmed=confirmed(statement.incident),
    )
    yield from _wording(version, sections)
    yield from _parity(version, sections)


def _wording(version: StatementVersion, sections: list[Section]) -> Iterator[Finding]:
    for language in LANGUAGES:
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


def _class_names(incident: Incident, language: str) -> tuple[list[str], list[str]]:
    """The names of what leaked, and of the incident's other classes."""
    leaked, others = list[str](), list[str]()
    for claim in incident.class_states.select_related("data_class"):
        names = leaked if claim.state == IncidentDataClass.State.INVOLVED else others
        names.append(in_language(claim.data_class, "name", language))
    return leaked, others


def _texts(
    version: StatementVersion, sections: list[Section], language: str
) -> Iterator[tuple[str, str, str]]:
    """Where it stands, on what basis it is said, and the text, of all that a version says."""
    yield TITLE, Basis.COMPANY, getattr(version, f"title_{language}")
    for section in sections:
        for field in ("heading", "body"):
            yield section.key, section.basis, getattr(section, f"{field}_{language}")


def _parity(version: StatementVersion, sections: list[Section]) -> list[Finding]:
    """Of the sections that are written in both languages: what is missing is refused already."""
    written = [
        section for section in sections if section.body_ko.strip() and section.body_en.strip()
    ]
    ko = [(section.key, f"{section.heading_ko}\n\n{section.body_ko}") for section in written]
    en = [(section.key, f"{section.heading_en}\n\n{section.body_en}") for section in written]
    if version.title_ko.strip() and version.title_en.strip():
        ko.append((TITLE, version.title_ko))
        en.append((TITLE, version.title_en))
    return parity(ko, en)


def _waived(version: StatementVersion, found: Iterator[Finding]) -> Iterator[Finding]:
    waivers = {waiver.rule: waiver for waiver in version.waivers.all()}
    for finding in found:
        waiver = waivers.get(finding.rule)
        if waiver is None:
            yield finding
        else:
            text = _("{why} Waived: {reason}")
            why = format_lazy(text, why=finding.why, reason=waiver.reason)
            yield replace(finding, severity=Severity.WARN, why=why)
