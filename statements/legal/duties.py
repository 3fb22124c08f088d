"""The duties applied: which ones an incident has, what a notice lacks, and when each one is due.

Not legal advice (docs/legal-checks.md). The functions take and return plain data and read no
database, so that they work on a draft in an editor's form, on a published version and in a test.
statements/legal/review.py calls them with the rows of a version.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from foundations.languages import LocalizedText, translated_name
from incidents.models import Standing
from statements.findings import Finding, Severity, Translatable
from statements.legal.laws import Duty, IncidentFacts, all_duties
from statements.models import Section

NO_TEXT = LocalizedText()


class UnknownJurisdictionError(ValueError):
    """Raised when no law file has the jurisdiction.

    Without the error, a missing file would look like a jurisdiction without duties.
    """


class DueTime(NamedTuple):
    """A duty with a deadline, and when it is due."""

    duty: Duty
    due_at: datetime  # in UTC


# ---------------------------------------------------------------- what applies, what is missing


def applicable(
    jurisdictions: Mapping[str, str],
    *,
    facts: IncidentFacts,
    on: date,
    duties: Iterable[Duty] | None = None,
) -> list[Duty]:
    """Returns the duties of an incident that are in force on a day, in the order of the law files.

    `jurisdictions` maps the incident's jurisdictions to a Standing. A duty with a trigger that
    needs an unknown fact is included with `is_certain` False, so that it warns until the fact is
    known. `duties` replaces those on file. Raises UnknownJurisdictionError, and ValueError for a
    value that is no Standing.
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
                in_incident = {"standing": standing, "is_certain": holds is True}
                found.append(duty.model_copy(update=in_incident))
    return found


def _holds(duty: Duty, facts: IncidentFacts) -> bool | None:
    if duty.trigger is None:
        return True
    return duty.trigger.holds(facts, duty=duty.id, jurisdiction=duty.jurisdiction)


def unmet_content(
    duties: Iterable[Duty],
    *,
    sections: Collection[str],
    title: LocalizedText = NO_TEXT,
    headings: Collection[LocalizedText] = (),
    languages: Collection[str] = (),
    confirmed: Collection[str] = (),
) -> list[Finding]:
    """Returns a finding for each thing that a content duty requires and the statement lacks.

    The finding's rule is the duty's id. `sections` are the keys of the sections with text,
    `title` and `headings` the title and the headings of the statement. `languages` are those of
    the incident, in which a published statement is complete. `confirmed` are the ids of the
    `by_hand` duties that a person confirmed. The lint checks the wording (`Duty.lint`).
    """
    found = list[Finding]()
    # Certain duties come first, so that an uncertain one does not report a missing section again.
    for duty in sorted(duties, key=lambda duty: not duty.is_certain):
        if duty.kind != "content":
            continue
        missing = [key for key in duty.sections if key not in sections]
        if not duty.is_certain:
            reported = {finding.section for finding in found}
            missing = [key for key in missing if key not in reported]
        found += [_missing_section(duty, key) for key in missing]
        found += _missing_languages(duty, languages)
        found += _wrong_titles(duty, title)
        found += _missing_headings(duty, headings)
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


def _missing_languages(duty: Duty, languages: Collection[str]) -> Iterator[Finding]:
    for language in duty.languages:
        if language not in languages:
            text = _("Add {language} to the languages of the incident, and write the texts in it.")
            suggestion = format_lazy(text, language=translated_name(language))
            yield _prescribed(duty, suggestion, language="")


def _wrong_titles(duty: Duty, title: LocalizedText) -> Iterator[Finding]:
    for language, prescribed in duty.title.in_order():
        if not _same_words(prescribed, title.get(language)):
            text = _("Give the text in {language} the title “{title}”.")
            name = translated_name(language)
            suggestion = format_lazy(text, language=name, title=prescribed)
            yield _prescribed(duty, suggestion, language)


def _missing_headings(duty: Duty, headings: Collection[LocalizedText]) -> Iterator[Finding]:
    for language, by_section in duty.headings.items():
        for section, heading in by_section.items():
            if not any(_same_words(heading, written.get(language)) for written in headings):
                text = _("Give the section in {language} the heading “{heading}”.")
                name = translated_name(language)
                suggestion = format_lazy(text, language=name, heading=heading)
                yield _prescribed(duty, suggestion, language, section=section)


def _prescribed(
    duty: Duty, suggestion: Translatable, language: str, *, section: str = ""
) -> Finding:
    return Finding(
        rule=duty.id,
        severity=duty.current_severity,
        why=_asked_by(duty),
        suggestion=suggestion,
        language=language,
        section=section,
    )


def _same_words(prescribed: str, written: str) -> bool:
    return prescribed.casefold() == " ".join(written.split()).casefold()


def _to_confirm(duty: Duty) -> Finding:
    """Returns the finding that a person has to confirm the duty.

    It only warns, because a program cannot determine that the content is missing.
    """
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


def due_times(duties: Iterable[Duty], aware_at: datetime) -> list[DueTime]:
    """Returns the duties that have a deadline and when each is due, the earliest first.

    The time runs in real hours from `aware_at`, when the company became aware. Raises ValueError
    if `aware_at` has no time zone.
    """
    if aware_at.tzinfo is None:
        raise ValueError("aware_at needs a time zone")
    # Computed in UTC, so that 72 hours stay 72 hours when summer time begins or ends.
    start = aware_at.astimezone(UTC)
    found = [
        DueTime(duty, start + allowed)
        for duty in duties
        if (allowed := duty.time_allowed()) is not None
    ]
    return sorted(found, key=lambda due: (due.due_at, due.duty.id))


def posting_days(duties: Iterable[Duty]) -> int:
    """Returns the number of days that the notice must be shown; 0 if no applying law requires it.

    An uncertain duty counts too, because a notice that was hidden cannot be shown afterwards for
    that time.
    """
    return max(
        (duty.display_days or 0 for duty in duties if duty.standing == Standing.APPLIES), default=0
    )


def duty_title(duty_id: str) -> str:
    """Returns a duty's article and name; its id if no law file has it any more."""
    for duty in all_duties():
        if duty.id == duty_id:
            return f"{duty.cited}: {duty.name}"
    return duty_id


def prescribed_title(duties: Iterable[Duty]) -> LocalizedText:
    """Returns the title that a law prescribes, for a new draft; without texts if none does."""
    return next((duty.title for duty in duties if duty.title), NO_TEXT)


def prescribed_headings(duties: Iterable[Duty]) -> dict[str, LocalizedText]:
    """Returns the headings that laws prescribe, by section key, for a new draft."""
    found = dict[str, LocalizedText]()
    for duty in duties:
        for language, by_section in duty.headings.items():
            for section, heading in by_section.items():
                found[section] = found.get(section, NO_TEXT) | {language: heading}
    return found
