"""The laws on file: `statements/legal/*.toml`, one law each, read and checked.

Not legal advice (docs/legal-checks.md). statements/legal/duties.py applies them to an incident.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from django.utils.translation import get_language
from pydantic import Field, PositiveInt, Strict, model_validator

from foundations import toml_files
from foundations.toml_files import Text, Texts, TomlFileError, TomlTable
from incidents.models import Standing
from statements.findings import Severity
from statements.models import Section

LEGAL = Path(__file__).parent

HIGH = 3  # incidents.models.DataClass.Sensitivity.HIGH


class LegalFileError(TomlFileError):
    """Files of the laws are wrong; each line names the file, the duty and what to do."""


@dataclass(frozen=True)
class Bilingual:
    """Words in both languages; `str()` gives those of the active one."""

    ko: str = ""
    en: str = ""

    def __str__(self) -> str:
        return self.en if (get_language() or "ko").startswith("en") else self.ko

    def __bool__(self) -> bool:
        return bool(self.ko or self.en)


@dataclass(frozen=True, kw_only=True)
class IncidentFacts:
    """What is known of an incident as far as the laws' triggers ask; None is "not known"."""

    people: int | None = None
    residents: Mapping[str, int] = field(default_factory=dict)  # by jurisdiction
    classes: Mapping[str, int] = field(default_factory=dict)  # involved: slug to sensitivity
    illegal_access: bool | None = None  # from outside
    contact_unknown: bool | None = None  # of at least one person
    answers: Mapping[str, bool] = field(default_factory=dict)  # by duty: its condition holds


class Trigger(TomlTable):
    """When a duty arises: any one of its parts is enough."""

    condition_ko: Text
    condition_en: Text
    people_at_least: PositiveInt | None = None
    residents_more_than: PositiveInt | None = None
    classes: Texts = ()
    sensitive_class: bool = False
    illegal_access: bool = False
    contact_unknown: bool = False
    ask: bool = False

    @property
    def condition(self) -> Bilingual:
        """The condition in words."""
        return Bilingual(ko=self.condition_ko, en=self.condition_en)

    @model_validator(mode="after")
    def _something_sets_it_off(self) -> Self:
        if not self.model_dump(exclude={"condition_ko", "condition_en"}, exclude_defaults=True):
            raise ValueError(
                "nothing sets it off; add a part such as people_at_least, or ask = true."
            )
        return self

    def holds(self, facts: IncidentFacts, *, duty: str, jurisdiction: str) -> bool | None:
        """Whether the facts set it off; None if that depends on a fact that is not known yet."""
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
            # A law's "sensitive" is not the catalogue's: a high one is a reason to ask, no more.
            parts.add(answer if HIGH in facts.classes.values() else False)
        if self.illegal_access:
            parts.add(facts.illegal_access)
        if self.contact_unknown:
            parts.add(facts.contact_unknown)
        if self.ask:
            parts.add(answer)
        return True if True in parts else None if None in parts else False


class DutyEntry(TomlTable):
    """One thing that one law asks, as its file holds it."""

    id: Text
    article: Text
    name_ko: Text
    name_en: Text
    kind: Literal["content", "deadline", "report", "display"]
    severity: Annotated[Severity, Strict(False)]
    source: Text
    # How sure the rule is, word for word as researched: R read in a public source, B background.
    mark: Text
    hint_ko: Text = ""
    hint_en: Text = ""
    article_ko: Text = ""  # as one cites it in Korean
    mark_ko: Text = ""
    effective_from: date | None = None
    effective_to: date | None = None  # the last day
    trigger: Trigger | None = None
    # What satisfies it. Each of the sections must be there; what no program can see in them is
    # `by_hand`, for a person to confirm; `lint` names the wording rules that watch over it.
    sections: Texts = ()
    by_hand: bool = False
    title: Text = ""  # of the English text
    headings: dict[Text, Text] = {}  # English, by section
    lint: Texts = ()
    deadline_hours: PositiveInt | None = None
    deadline_days: PositiveInt | None = None
    by_notice: bool = False  # sending the notice to every recipient meets the deadline
    display_days: PositiveInt | None = None
    font_points: PositiveInt | None = None

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        if problems := list(_problems(self)):
            raise ValueError(*problems)
        return self


class LawNames(TomlTable):
    """The table [law]: whose law it is, and what it is called."""

    jurisdiction: Text
    name_ko: Text
    name_en: Text


class LawFile(TomlTable):
    """One file of `notices/legal/`."""

    law: LawNames
    duty: Annotated[tuple[DutyEntry, ...], Strict(False), Field(min_length=1)]

    def duties(self) -> Iterator["Duty"]:
        """Its duties, in the order of the file."""
        law = Bilingual(ko=self.law.name_ko, en=self.law.name_en)
        for entry in self.duty:
            # The entry is checked already.
            known = {"law": law, "jurisdiction": self.law.jurisdiction}
            yield Duty.model_construct(entry.model_fields_set, **dict(entry), **known)


class Duty(DutyEntry):
    """A duty with its law, and how it stands in one incident."""

    law: Bilingual
    jurisdiction: str
    # Set by `duties.applicable`.
    standing: Standing = Standing.APPLIES
    is_certain: bool = True  # False: it depends on a fact that is not known yet

    @property
    def name(self) -> Bilingual:
        """What it asks, in a few words."""
        return Bilingual(ko=self.name_ko, en=self.name_en)

    @property
    def hint(self) -> Bilingual:
        """What satisfies it, in a sentence; both languages are empty where none is needed."""
        return Bilingual(ko=self.hint_ko, en=self.hint_en)

    @property
    def cited(self) -> Bilingual:
        """The article, as one cites it in each language."""
        return Bilingual(ko=self.article_ko or self.article, en=self.article)

    @property
    def marked(self) -> Bilingual:
        """How sure the rule is, in each language."""
        return Bilingual(ko=self.mark_ko or self.mark, en=self.mark)

    @property
    def current_severity(self) -> Severity:
        """Its severity here: what is followed voluntarily, or only perhaps applies, warns."""
        is_due = self.standing == Standing.APPLIES and self.is_certain
        return self.severity if is_due else Severity.WARN

    def in_force(self, on: date) -> bool:
        """Whether it is the law on that day."""
        return (self.effective_from or date.min) <= on <= (self.effective_to or date.max)

    def time_allowed(self) -> timedelta | None:
        """From becoming aware; None for a duty without a clock."""
        if self.deadline_hours is not None:
            return timedelta(hours=self.deadline_hours)
        return timedelta(days=self.deadline_days) if self.deadline_days is not None else None


def _reaches(number: int | None, least: int) -> bool | None:
    return None if number is None else number >= least


def _residents_reach(residents: int | None, people: int | None, least: int) -> bool | None:
    """Of fewer people in all there cannot be more residents."""
    if residents is None and people is not None and people < least:
        return False
    return _reaches(residents, least)


# ---------------------------------------------------------------- reading the files


@cache
def all_duties() -> tuple[Duty, ...]:
    """Every duty on file. Raises LegalFileError."""
    return load_duties(LEGAL)


def jurisdictions() -> dict[str, list[Bilingual]]:
    """The jurisdictions on file and the names of their laws."""
    found = dict[str, list[Bilingual]]()
    for duty in all_duties():
        laws = found.setdefault(duty.jurisdiction, [])
        if duty.law not in laws:
            laws.append(duty.law)
    return found


def load_duties(folder: Path) -> tuple[Duty, ...]:
    """The duties of every TOML file in `folder`, in the order of files and lines.

    Raises LegalFileError with a line for everything that is wrong in any of the files.
    """
    found, problems = dict[str, Duty](), list[str]()
    for path in sorted(folder.glob("*.toml")):
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
    if not found:
        raise LegalFileError([f"{folder}: there is no file of duties; put the laws there."])
    return tuple(found.values())


def _problems(duty: DutyEntry) -> Iterator[str]:
    """What the types cannot say."""
    yield from _problems_of_time(duty)
    yield from _problems_of_content(duty)
    if not ({"R", "B"} & set(duty.mark.replace(";", " ").split())):
        yield f"“mark” is {duty.mark!r}; it must say R (read) or B (background)."
    if duty.severity == Severity.BLOCK and duty.kind in ("deadline", "report"):
        yield "a clock cannot block a notice, which would only be later still; set severity warn."
    if duty.kind != "display" and (duty.display_days or duty.font_points):
        yield "“display_days” and “font_points” belong to the kind display; move them."


def _problems_of_time(duty: DutyEntry) -> Iterator[str]:
    clocks = [duty.deadline_hours, duty.deadline_days]
    given = sum(clock is not None for clock in clocks)
    if given != (duty.kind in ("deadline", "report")):
        yield (
            "a deadline or report has “deadline_hours” or “deadline_days”, and no other kind has; "
            "give one."
        )
    if duty.by_notice and duty.kind != "deadline":
        yield "“by_notice” belongs to the kind deadline; remove it."
    if duty.effective_from and duty.effective_to and duty.effective_to < duty.effective_from:
        yield "“effective_to” is before “effective_from”; exchange them."


def _problems_of_content(duty: DutyEntry) -> Iterator[str]:
    has_hint = bool(duty.hint_ko or duty.hint_en)
    for key in ("hint_ko", "hint_en"):
        if has_hint and not getattr(duty, key):
            yield f"“{key}” is missing; add it."
    unknown = (set(duty.sections) | set(duty.headings)) - set(Section.Key.values)
    if unknown:
        known = ", ".join(Section.Key.values)
        yield f"there is no section “{min(unknown)}”; the sections are {known}."
    satisfied = (duty.sections, duty.title, duty.headings, duty.lint, duty.by_hand)
    if any(satisfied) != (duty.kind == "content"):
        yield (
            "content says what satisfies it (sections, title, headings, lint or by_hand), and no "
            "other kind does; add or remove that."
        )
    if duty.by_hand and not has_hint:
        yield "what a person has to see needs “hint_ko” and “hint_en”; add them."
