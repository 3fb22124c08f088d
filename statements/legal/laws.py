"""The laws on file: `statements/legal/*.toml`, one law each, read and checked.

Not legal advice (docs/legal-checks.md). What becomes of them is in statements/legal/duties.py.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from django.utils.translation import get_language

from incidents.models import Standing
from statements.findings import Severity
from statements.models import Section

LEGAL = Path(__file__).parent

HIGH = 3  # incidents.models.DataClass.Sensitivity.HIGH


class LegalFileError(ValueError):
    """A file of the laws is broken; the message names the file, the duty and the mend."""


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


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """When a duty arises: any one of its parts is enough."""

    condition: Bilingual
    people_at_least: int | None = None
    residents_more_than: int | None = None
    classes: tuple[str, ...] = ()
    sensitive_class: bool = False
    illegal_access: bool = False
    contact_unknown: bool = False
    ask: bool = False

    def holds(self, facts: IncidentFacts, *, duty: str, jurisdiction: str) -> bool | None:
        """Whether the facts set it off; None if that depends on what nobody has said yet."""
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


@dataclass(frozen=True, kw_only=True)
class Duty:
    """One thing that one law asks."""

    id: str
    law: Bilingual
    jurisdiction: str
    article: str
    name: Bilingual
    kind: Literal["content", "deadline", "report", "display"]
    severity: Severity
    source: str
    # How sure the rule is, word for word as researched: R read in a public source, B background.
    mark: str
    hint: Bilingual = Bilingual()
    article_ko: str = ""  # as one cites it in Korean
    mark_ko: str = ""
    effective_from: date | None = None
    effective_to: date | None = None  # the last day
    trigger: Trigger | None = None
    # What satisfies it. Each of the sections must be there; what no program can see in them is
    # `by_hand`, for a person to confirm; `lint` names the wording rules that watch over it.
    sections: tuple[str, ...] = ()
    by_hand: bool = False
    title: str = ""  # of the English text
    headings: Mapping[str, str] = field(default_factory=dict)  # English, by section
    lint: tuple[str, ...] = ()
    deadline_hours: int | None = None
    deadline_days: int | None = None
    by_notice: bool = False  # sending the notice to everybody meets the deadline
    display_days: int | None = None
    font_points: int | None = None
    # How it stands in one incident; set by `applicable`.
    standing: Standing = Standing.APPLIES
    is_certain: bool = True  # False: it depends on what nobody has said yet

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

    Raises LegalFileError, one line, for the first thing that is wrong.
    """
    found = dict[str, Duty]()
    for path in sorted(folder.glob("*.toml")):
        for duty in _read(path):
            if duty.id in found:
                raise LegalFileError(
                    f"{path.name}, duty {duty.id}: the id is taken; give each duty its own."
                )
            found[duty.id] = duty
    if not found:
        raise LegalFileError(f"{folder}: there is no file of duties; put the laws there.")
    return tuple(found.values())


def _read(path: Path) -> list[Duty]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LegalFileError(f"{path.name}: it is not TOML ({error}); mend it there.") from None
    place = f"{path.name}, [law]"
    _refuse_unknown(content, {"law", "duty"}, path.name)
    law = _table(content.get("law"), place)
    _refuse_unknown(law, {"jurisdiction", "name_en", "name_ko"}, place)
    jurisdiction = _text(law, "jurisdiction", place)
    entries = content.get("duty")
    if not isinstance(entries, list) or not entries:
        raise LegalFileError(f"{path.name}: it holds no duty; add one under [[duty]].")
    shared = {"law": _bilingual(law, "name", place), "jurisdiction": jurisdiction}
    return [_duty(entry, shared, path.name, number) for number, entry in enumerate(entries, 1)]


_SET_BY_CODE = {"law", "jurisdiction", "standing", "is_certain"}


def _duty(entry: object, shared: dict[str, Any], file: str, number: int) -> Duty:
    table = _table(entry, f"{file}, duty number {number}")
    identity = table.get("id")
    place = f"{file}, duty {identity if isinstance(identity, str) else f'number {number}'}"
    trigger = table.get("trigger")
    values = _values(Duty, table, place, skip=_SET_BY_CODE | {"trigger"}, extra={"trigger"})
    if trigger is not None:
        values["trigger"] = _trigger(_table(trigger, f"{place}, trigger"), f"{place}, trigger")
    duty = Duty(**shared, **values)
    for problem in _problems(duty):
        raise LegalFileError(f"{place}: {problem}")
    return duty


def _trigger(table: dict[str, Any], place: str) -> Trigger:
    trigger = Trigger(**_values(Trigger, table, place))
    if trigger == Trigger(condition=trigger.condition):
        raise LegalFileError(
            f"{place}: nothing sets it off; add a part such as people_at_least, or ask = true."
        )
    return trigger


def _values(
    kind: type[Duty] | type[Trigger],
    table: dict[str, Any],
    place: str,
    *,
    skip: Collection[str] = (),
    extra: Collection[str] = (),
) -> dict[str, Any]:
    """The table's values by the fields of `kind`, checked; keys that are none are refused."""
    hints = get_type_hints(kind)
    wanted = [entry for entry in fields(kind) if entry.name not in skip]
    allowed = set(extra)
    for entry in wanted:
        is_bilingual = hints[entry.name] is Bilingual
        allowed |= {f"{entry.name}_ko", f"{entry.name}_en"} if is_bilingual else {entry.name}
    _refuse_unknown(table, allowed, place)
    values = {}
    for entry in wanted:
        if hints[entry.name] is Bilingual:
            if _is_required(entry) or table.keys() & {f"{entry.name}_ko", f"{entry.name}_en"}:
                values[entry.name] = _bilingual(table, entry.name, place)
        elif entry.name in table:
            values[entry.name] = _typed(table[entry.name], hints[entry.name], entry.name, place)
        elif _is_required(entry):
            raise LegalFileError(f"{place}: “{entry.name}” is missing; add it.")
    return values


def _is_required(entry: Field[Any]) -> bool:
    return entry.default is MISSING and entry.default_factory is MISSING


def _typed(value: object, hint: Any, key: str, place: str) -> Any:
    """`value` as the field's type holds it."""
    if isinstance(hint, UnionType):
        hint = next(part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is Literal:
        return _one_of(value, get_args(hint), key, place)
    if hint is Severity:
        return Severity(_one_of(value, Severity.values, key, place))
    if get_origin(hint) is tuple:
        return tuple(_checked(item, str, key, place) for item in _checked(value, list, key, place))
    if get_origin(hint) is Mapping:
        table = _checked(value, dict, key, place)
        return {name: _checked(text, str, key, place) for name, text in table.items()}
    return _checked(value, hint, key, place)


_TYPE_NAMES = {str: "a text", int: "a whole number", bool: "true or false", date: "a date"}


_TYPE_NAMES |= {list: "a list of texts", dict: "a table of texts"}


def _checked(value: Any, kind: Any, key: str, place: str) -> Any:
    # Exactly: true is no number and a moment is no date here, though Python thinks so.
    if type(value) is not kind or (kind is str and not value.strip()):
        raise LegalFileError(f"{place}: “{key}” is {value!r}; it must be {_TYPE_NAMES[kind]}.")
    if kind is int and value < 1:
        raise LegalFileError(f"{place}: “{key}” is {value}; it must be 1 or more.")
    return value


def _one_of(value: object, allowed: Collection[str], key: str, place: str) -> str:
    if not isinstance(value, str) or value not in allowed:
        choices = ", ".join(allowed)
        raise LegalFileError(f"{place}: “{key}” is {value!r}; it must be one of {choices}.")
    return value


def _bilingual(table: dict[str, Any], name: str, place: str) -> Bilingual:
    return Bilingual(ko=_text(table, f"{name}_ko", place), en=_text(table, f"{name}_en", place))


def _text(table: dict[str, Any], key: str, place: str) -> str:
    if key not in table:
        raise LegalFileError(f"{place}: “{key}” is missing; add it.")
    text: str = _checked(table[key], str, key, place)
    return text


def _table(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise LegalFileError(f"{place}: it is missing or no table; write it as one.")
    return value


def _refuse_unknown(table: Mapping[str, Any], allowed: Collection[str], place: str) -> None:
    unknown = sorted(table.keys() - set(allowed))
    if unknown:
        raise LegalFileError(
            f"{place}: unknown key “{unknown[0]}”; known are {', '.join(sorted(allowed))}."
        )


def _problems(duty: Duty) -> Iterator[str]:
    """What the types cannot say."""
    yield from _problems_of_time(duty)
    yield from _problems_of_content(duty)
    if not ({"R", "B"} & set(duty.mark.replace(";", " ").split())):
        yield f"“mark” is {duty.mark!r}; it must say R (read) or B (background)."
    if duty.severity == Severity.BLOCK and duty.kind in ("deadline", "report"):
        yield "a clock cannot block a notice, which would only be later still; set severity warn."
    if duty.kind != "display" and (duty.display_days or duty.font_points):
        yield "“display_days” and “font_points” belong to the kind display; move them."


def _problems_of_time(duty: Duty) -> Iterator[str]:
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


def _problems_of_content(duty: Duty) -> Iterator[str]:
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
    if duty.by_hand and not duty.hint:
        yield "what a person has to see needs “hint_ko” and “hint_en”; add them."
