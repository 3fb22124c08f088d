"""What the laws ask of a notice: those on file (statements/legal/laws.py), applied.

Not legal advice (docs/legal-checks.md). Plain data in and out, no database: the same functions work
on a draft while it is written, on a published version, and in a test.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from incidents.models import Standing
from statements.findings import Finding, Severity, Translatable
from statements.legal.laws import Duty, IncidentFacts, all_duties
from statements.models import Section


class UnknownJurisdictionError(ValueError):
    """No file holds this jurisdiction's law: to ignore it would pass for "nothing to do"."""


class Clock(NamedTuple):
    """When a duty is due."""

    duty: Duty
    due_at: datetime


# ---------------------------------------------------------------- what applies, what is missing


def applicable(
    jurisdictions: Mapping[str, str],
    *,
    facts: IncidentFacts,
    on: date,
    duties: Iterable[Duty] | None = None,
) -> list[Duty]:
    """The duties of these jurisdictions (each with its Standing) in force on that day.

    One whose trigger nobody can judge yet is among them, not certain: it warns until `facts` say
    more. Raises UnknownJurisdictionError, and ValueError for a Standing that is none.
    """
    known = tuple(all_duties() if duties is None else duties)
    unknown = jurisdictions.keys() - {duty.jurisdiction for duty in known}
    if unknown:
        raise UnknownJurisdictionError(f"no law is on file for {', '.join(sorted(unknown))}")
    standings = {name: Standing(value) for name, value in jurisdictions.items()}
    found = []
    for duty in known:
        if duty.jurisdiction in standings and duty.in_force(on):
            holds = _holds(duty, facts)
            if holds is not False:
                standing = standings[duty.jurisdiction]
                stands = {"standing": standing, "is_certain": holds is True}
                found.append(duty.model_copy(update=stands))
    return found


def _holds(duty: Duty, facts: IncidentFacts) -> bool | None:
    if duty.trigger is None:
        return True
    return duty.trigger.holds(facts, duty=duty.id, jurisdiction=duty.jurisdiction)


def unmet_content(
    duties: Iterable[Duty],
    *,
    sections: Collection[str],
    title_en: str = "",
    headings_en: Collection[str] = (),
    confirmed: Collection[str] = (),
) -> list[Finding]:
    """What the statement does not say yet, each finding under its duty's id.

    `sections` are the keys of the sections that hold text; `confirmed` the ids of `by_hand` duties
    that a person has confirmed. Wording (`Duty.lint`) is the lint's matter, not repeated here.
    """
    found = list[Finding]()
    # The certain first: what they miss already, an uncertain one need not ask for again.
    for duty in sorted(duties, key=lambda duty: not duty.is_certain):
        if duty.kind != "content":
            continue
        missing = [key for key in duty.sections if key not in sections]
        if not duty.is_certain:
            asked = {finding.section for finding in found}
            missing = [key for key in missing if key not in asked]
        found += [_missing_section(duty, key) for key in missing]
        found += _wrong_title(duty, title_en)
        found += _missing_headings(duty, headings_en)
        if duty.by_hand and not missing and duty.id not in confirmed:
            found.append(_to_confirm(duty))
    return found


def _missing_section(duty: Duty, key: str) -> Finding:
    return Finding(
        rule=duty.id,
        severity=duty.current_severity,
        why=_asked_by(duty),
        suggestion=format_lazy(_("Write the section “{section}”."), section=Section.Key(key).label),
        section=key,
    )


def _wrong_title(duty: Duty, title_en: str) -> Iterator[Finding]:
    if duty.title and not _same_words(duty.title, title_en):
        yield Finding(
            rule=duty.id,
            severity=duty.current_severity,
            why=_asked_by(duty),
            suggestion=format_lazy(
                _("Give the English text the title “{title}”."), title=duty.title
            ),
            language="en",
        )


def _missing_headings(duty: Duty, headings_en: Collection[str]) -> Iterator[Finding]:
    for section, heading in duty.headings.items():
        if not any(_same_words(heading, written) for written in headings_en):
            yield Finding(
                rule=duty.id,
                severity=duty.current_severity,
                why=_asked_by(duty),
                suggestion=format_lazy(
                    _("Give the English section the heading “{heading}”."), heading=heading
                ),
                language="en",
                section=section,
            )


def _same_words(wanted: str, written: str) -> bool:
    return wanted.casefold() == " ".join(written.split()).casefold()


def _to_confirm(duty: Duty) -> Finding:
    """A warning at most: no program can tell that it is really missing."""
    return Finding(
        rule=duty.id,
        severity=Severity.WARN,
        why=_asked_by(duty),
        suggestion=format_lazy(_("A person has to see to it: {hint}"), hint=duty.hint),
        section=duty.sections[0] if duty.sections else "",
    )


def _asked_by(duty: Duty) -> Translatable:
    parts = {"law": duty.law, "article": duty.cited, "duty": duty.name}
    if duty.trigger and not duty.is_certain:
        text = _("{law}, {article}: {duty}. Only if this holds: {condition}")
        return format_lazy(text, condition=duty.trigger.condition, **parts)
    if duty.standing == Standing.VOLUNTARY:
        return format_lazy(_("{law}, {article}, followed voluntarily: {duty}."), **parts)
    return format_lazy(_("{law}, {article}: {duty}."), **parts)


def deadlines(duties: Iterable[Duty], aware_at: datetime) -> list[Clock]:
    """The duties with a clock and when each is due, in UTC, the first first.

    Counted in real hours from `aware_at`, which needs a time zone (else ValueError).
    """
    if aware_at.tzinfo is None:
        raise ValueError("aware_at needs a time zone")
    # In UTC: 72 hours stay 72 hours where a summer time begins in between.
    start = aware_at.astimezone(UTC)
    clocks = [
        Clock(duty, start + allowed)
        for duty in duties
        if (allowed := duty.time_allowed()) is not None
    ]
    return sorted(clocks, key=lambda clock: (clock.due_at, clock.duty.id))


def posting_days(duties: Iterable[Duty]) -> int:
    """For how many days the notice has to stay on the site; 0 if no law that applies says.

    A duty that is not certain yet counts: what was taken down cannot be shown after the fact.
    """
    return max(
        (duty.display_days or 0 for duty in duties if duty.standing == Standing.APPLIES), default=0
    )


def named(identity: str) -> str:
    """A duty's article and name; its id if no file holds it any more."""
    for duty in all_duties():
        if duty.id == identity:
            return f"{duty.cited}: {duty.name}"
    return identity


def prescribed_title(duties: Iterable[Duty]) -> str:
    """The English title that a law prescribes, to be laid out in a draft; empty if none does."""
    return next((duty.title for duty in duties if duty.title), "")


def prescribed_headings(duties: Iterable[Duty]) -> dict[str, str]:
    """The English headings that laws prescribe, by section, to be laid out in a draft."""
    return {section: heading for duty in duties for section, heading in duty.headings.items()}
