"""The law files: reads `statements/legal/*.toml`, one law a file, and validates them by a schema.

Not legal advice (docs/legal-checks.md). statements/legal/duties.py applies the duties to an
incident.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from django.conf import settings
from django.utils.functional import lazy
from django.utils.translation import get_language
from pydantic import Field, PositiveInt, Strict, field_validator, model_validator

from foundations import toml_files
from foundations.languages import CODE, LocalizedText
from foundations.toml_files import Localized, Text, Texts, TomlFileError, TomlTable
from incidents.models import DataClass, Standing
from statements.findings import Severity, Translatable
from statements.models import Section

LEGAL = Path(__file__).parent  # the folder of the law files
_JURISDICTION = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{2,7})?")  # fits IncidentJurisdiction


class LegalFileError(TomlFileError):
    """Raised when law files have mistakes; each problem names the file, the duty and what to do."""


@dataclass(frozen=True, kw_only=True)
class IncidentFacts:
    """The facts of an incident that the triggers of duties read. None means "not known"."""

    people: int | None = None  # number of affected people
    residents: Mapping[str, int] = field(default_factory=dict)  # number of people by jurisdiction
    classes: Mapping[str, int] = field(default_factory=dict)  # leaked: slug to sensitivity
    illegal_access: bool | None = None  # from outside the company
    contact_unknown: bool | None = None  # the contact of at least one person is not known
    answers: Mapping[str, bool] = field(default_factory=dict)  # by duty id: its condition holds


class Trigger(TomlTable):
    """The table [duty.trigger]: the condition of a duty. One part that holds is enough."""

    condition: Localized  # the whole condition, as the desk shows it
    people_at_least: PositiveInt | None = None
    residents_more_than: PositiveInt | None = None  # people in the duty's jurisdiction
    classes: Texts = ()  # slugs of data classes; one that leaked is enough
    sensitive_class: bool = False  # a class of high sensitivity leaked: a person answers
    illegal_access: bool = False  # from outside the company
    contact_unknown: bool = False  # the contact of at least one person is not known
    ask: bool = False  # no fact decides: a person answers

    @model_validator(mode="after")
    def _require_a_part(self) -> Self:
        if not self.model_dump(exclude={"condition"}, exclude_defaults=True):
            raise ValueError(
                "nothing sets it off; add a part such as people_at_least, or ask = true."
            )
        return self

    def holds(self, facts: IncidentFacts, *, duty: str, jurisdiction: str) -> bool | None:
        """Returns whether the facts meet the condition; None if that needs an unknown fact.

        `duty` is the duty's id, by which `facts.answers` holds a person's answer.
        """
        answer = facts.answers.get(duty)
        parts = set[bool | None]()
        if self.people_at_least is not None:
            parts.add(_reaches(facts.people, self.people_at_least))
        if self.residents_more_than is not None:
            residents = facts.residents.get(jurisdiction)
            parts.add(_residents_reach(residents, facts.people, self.residents_more_than + 1))
        if self.classes:
            parts.add(not facts.classes.keys().isdisjoint(self.classes))
        if self.sensitive_class:
            # "Sensitive" in a law differs from high sensitivity in the catalogue of data classes.
            # A class of high sensitivity is therefore only a reason to ask a person.
            has_high = DataClass.Sensitivity.HIGH in facts.classes.values()
            parts.add(answer if has_high else False)
        if self.illegal_access:
            parts.add(facts.illegal_access)
        if self.contact_unknown:
            parts.add(facts.contact_unknown)
        if self.ask:
            parts.add(answer)
        return True if True in parts else None if None in parts else False


class DutyEntry(TomlTable):
    """The table [[duty]]: one thing that one law asks, as the law file holds it."""

    id: Text  # unique in all files; stored in the database, so it never changes
    article: Text  # as cited; in languages that cite it in another way: `article_in`
    name: Localized
    # content: a text in the notice. deadline: until when to notify people. report: until when to
    # report to an authority. display: how long and how large the notice is shown.
    kind: Literal["content", "deadline", "report", "display"]
    severity: Annotated[Severity, Strict(False)]  # while the duty is unmet
    source: Text
    # How sure the rule is, literally as researched: R = read in a public source, B = background
    # knowledge.
    mark: Text
    hint: Localized = LocalizedText()  # one sentence on how to meet the duty
    article_in: Localized = LocalizedText()
    mark_in: Localized = LocalizedText()
    effective_from: date | None = None  # the first day
    effective_to: date | None = None  # the last day
    trigger: Trigger | None = None  # None: the duty always applies in its jurisdiction
    # Of the kind content: what meets the duty.
    sections: Texts = ()  # keys of sections that must hold text
    by_hand: bool = False  # a person confirms it, because a program cannot judge the text
    title: Localized = LocalizedText()  # the prescribed title
    headings: dict[Text, dict[Text, Text]] = {}  # prescribed, by language and section
    languages: Texts = ()  # codes of languages in which the notice has to be
    lint: Texts = ()  # lint rules that the text must not violate
    # Of the kinds deadline and report: the time allowed from becoming aware.
    deadline_hours: PositiveInt | None = None
    deadline_days: PositiveInt | None = None  # calendar days
    undue_delay: bool = False  # "without undue delay": the law names no number
    by_notice: bool = False  # a notice to all affected people meets the deadline
    # Of the kind display.
    display_days: PositiveInt | None = None
    font_points: PositiveInt | None = None

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        if problems := list(_problems(self)):
            raise ValueError(*problems)
        return self


class LawNames(TomlTable):
    """The table [law]: the jurisdiction, the name of the law and its authorities."""

    jurisdiction: Text
    name: Localized
    authorities: Texts = ()  # names as people write them, in any language; need not be all

    @field_validator("jurisdiction")
    @classmethod
    def _is_code(cls, code: str) -> str:
        if _JURISDICTION.fullmatch(code):
            return code
        raise ValueError(f"“jurisdiction” is {code!r}; write a code such as KR or US-TX.")


class LawFile(TomlTable):
    """One file of `statements/legal/`: the table [law] and at least one [[duty]]."""

    law: LawNames
    duty: Annotated[tuple[DutyEntry, ...], Strict(False), Field(min_length=1)]

    @model_validator(mode="after")
    def _check_languages(self) -> Self:
        languages = sorted(self.law.name.languages())
        problems = [each for duty in self.duty for each in _missing_languages(duty, languages)]
        if problems:
            raise ValueError(*problems)
        return self

    def duties(self) -> Iterator["Duty"]:
        """Yields the file's duties in their order, each with its law."""
        for entry in self.duty:
            # `model_construct` does not validate again: the entry is valid.
            yield Duty.model_construct(
                entry.model_fields_set,
                **dict(entry),
                law=self.law.name,
                jurisdiction=self.law.jurisdiction,
                authorities=self.law.authorities,
            )


class Duty(DutyEntry):
    """A duty together with its law and, after `duties.applicable`, its standing in an incident."""

    law: Localized  # name of the law
    jurisdiction: str  # an IncidentJurisdiction.Name, or a code of the company's own files
    authorities: tuple[str, ...] = ()  # names of the law's authorities
    # `duties.applicable` sets these two for one incident.
    standing: Standing = Standing.APPLIES
    is_certain: bool = True  # False: whether it applies depends on an unknown fact

    @property
    def cited(self) -> Translatable:
        """Returns the article as cited in the language of the reader."""
        return _as_read(self.article_in, self.article)

    @property
    def marked(self) -> Translatable:
        """Returns how sure the rule is (`mark`), in the language of the reader."""
        return _as_read(self.mark_in, self.mark)

    @property
    def current_severity(self) -> Severity:
        """Returns the severity in this incident.

        A duty that is followed voluntarily, or that may not apply, only warns.
        """
        is_due = self.standing == Standing.APPLIES and self.is_certain
        return self.severity if is_due else Severity.WARN

    def in_force(self, on: date) -> bool:
        """Returns whether the duty is in force on this day."""
        return (self.effective_from or date.min) <= on <= (self.effective_to or date.max)

    def time_allowed(self) -> timedelta | None:
        """Returns the time allowed from becoming aware; None if the law names no time."""
        if self.deadline_hours is not None:
            return timedelta(hours=self.deadline_hours)
        return timedelta(days=self.deadline_days) if self.deadline_days is not None else None


def _in_active_language(text: LocalizedText, otherwise: str) -> str:
    return text.get(get_language() or "") or otherwise


# The text in exactly the active language, else `otherwise`; evaluated when it is shown.
_as_read = lazy(_in_active_language, str)


def _reaches(number: int | None, least: int) -> bool | None:
    return None if number is None else number >= least


def _residents_reach(residents: int | None, people: int | None, least: int) -> bool | None:
    """Returns whether at least `least` people live in the jurisdiction; None if not known.

    If fewer people are affected in total, the number of residents need not be known.
    """
    if residents is None and people is not None and people < least:
        return False
    return _reaches(residents, least)


# ---------------------------------------------------------------- reading the files


def all_duties() -> tuple[Duty, ...]:
    """Returns every duty of the law files and of the company's own, read once a process.

    The company's are in settings.LAW_FOLDER. Raises LegalFileError.
    """
    return _duties_of(LEGAL, settings.LAW_FOLDER)


@cache
def _duties_of(shipped: Path, own: str) -> tuple[Duty, ...]:
    return load_duties(shipped, *([Path(own)] if own else []))


def jurisdictions() -> dict[str, list[LocalizedText]]:
    """Returns the names of the laws on file, by jurisdiction."""
    found = dict[str, list[LocalizedText]]()
    for duty in all_duties():
        laws = found.setdefault(duty.jurisdiction, [])
        if duty.law not in laws:
            laws.append(duty.law)
    return found


def load_duties(*folders: Path) -> tuple[Duty, ...]:
    """Returns the duties of every TOML file in these folders, by file name and the file's order.

    Raises LegalFileError with one sentence for each mistake in any of the files.
    """
    found, problems = dict[str, Duty](), list[str]()
    for path in [path for folder in folders for path in sorted(folder.glob("*.toml"))]:
        try:
            duties = list(toml_files.load(path, LawFile).duties())
        except TomlFileError as error:
            problems += error.problems
            continue
        for duty in duties:
            if duty.id in found:
                problems.append(
                    f"{path.name}, duty {duty.id}: the id is taken; give each duty its own."
                )
            found[duty.id] = duty
    if problems:
        raise LegalFileError(problems)
    empty = [folder for folder in folders if not any(folder.glob("*.toml"))]
    if empty:
        raise LegalFileError([f"{empty[0]}: there is no file of duties; put the laws there."])
    return tuple(found.values())


def _problems(duty: DutyEntry) -> Iterator[str]:
    """Yields the mistakes that the types of the fields cannot exclude, one sentence each."""
    yield from _problems_of_time(duty)
    yield from _problems_of_content(duty)
    if not ({"R", "B"} & set(duty.mark.replace(";", " ").split())):
        yield f"“mark” is {duty.mark!r}; it must say R (read) or B (background)."
    if duty.severity == Severity.BLOCK and duty.kind in ("deadline", "report"):
        yield "a clock cannot block a notice, which would only be later still; set severity warn."
    if duty.kind != "display" and (duty.display_days or duty.font_points):
        yield "“display_days” and “font_points” belong to the kind display; move them."


def _problems_of_time(duty: DutyEntry) -> Iterator[str]:
    clocks = [duty.deadline_hours, duty.deadline_days, duty.undue_delay or None]
    given = sum(clock is not None for clock in clocks)
    if given != (duty.kind in ("deadline", "report")):
        yield (
            "a deadline or report has “deadline_hours”, “deadline_days” or “undue_delay”, and no "
            "other kind has; give one."
        )
    if duty.by_notice and duty.kind != "deadline":
        yield "“by_notice” belongs to the kind deadline; remove it."
    if duty.effective_from and duty.effective_to and duty.effective_to < duty.effective_from:
        yield "“effective_to” is before “effective_from”; exchange them."


def _problems_of_content(duty: DutyEntry) -> Iterator[str]:
    titled = {key for headings in duty.headings.values() for key in headings}
    unknown = (set(duty.sections) | titled) - set(Section.Key.values)
    if unknown:
        known = ", ".join(Section.Key.values)
        yield f"there is no section “{min(unknown)}”; the sections are {known}."
    satisfied = (
        *(duty.sections, duty.title, duty.headings),
        *(duty.languages, duty.lint, duty.by_hand),
    )
    if any(satisfied) != (duty.kind == "content"):
        yield (
            "content says what satisfies it (sections, title, headings, languages, lint or "
            "by_hand), and no other kind does; add or remove that."
        )
    wrong = [code for code in duty.languages if not CODE.fullmatch(code)]
    if wrong:
        yield f"“languages” holds {wrong[0]!r}, which is no language code; write ko or zh-hant."
    if duty.by_hand and not duty.hint:
        yield "what a person has to see needs a “hint” in each language; add it."


def _missing_languages(duty: DutyEntry, languages: list[str]) -> Iterator[str]:
    """Yields the texts of a duty that are missing in a language of the law's name."""
    texts = {"name": duty.name, "hint": duty.hint}
    if duty.trigger:
        texts["trigger: condition"] = duty.trigger.condition
    for key, text in texts.items():
        if text:
            for language in text.missing(languages):
                yield f"duty {duty.id}, “{key}.{language}” is missing; add it."
