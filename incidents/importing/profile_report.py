"""Says in sentences what is odd in the profile of a file, and what to do about it.

The sentences are stored messages: commands print them in English, and the desk shows them in the
language of the reader. They name columns, lines, counts and placeholders, and no value of a person.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext_noop as _

from foundations.stored_messages import StoredMessages, translate_stored
from incidents.importing import person_languages
from incidents.importing.cell_kinds import CellKind
from incidents.importing.column_names import PHONE, role_of
from incidents.importing.column_profiles import ColumnProfile, FileProfile
from incidents.importing.placeholders import NULLS
from incidents.importing.reading import Source

SHARED_BOUND = 3  # contacts on more rows than this are reported
_SHOWN_KINDS = 4


class ProfileMessages(StoredMessages):
    """What the profile of a file says about its rows and columns."""

    # The file
    FOUND = _("{file}: {format}, {encoding}; {rows} rows on {lines} lines, {columns} columns")
    SAMPLED = _("the cells of one row in {step} were looked at")
    OVER_LINES = _(
        "rows of several lines: {number}, the first on line {line}; "
        "look whether a quote is missing or one too many"
    )
    DEFECTS = _("lines that cannot be read as rows: {number}; the rejects name them")
    LAST_ROW = _(
        "the last row, on line {line}, is unlike the others: "
        "delete it if it holds totals, or export again if the file is cut short"
    )

    NULLS = _("write nulls = [{words}] in the mapping, without those that are values")

    # A column
    PLACEHOLDERS = _('cells that hold {words}: {number}; do they mean "no value"?')
    POINT_ZERO = _(
        "numbers that end in .0: {number}, the first on line {line}; a spreadsheet changed them: "
        "export the column as text, so that they match those of other files"
    )
    LOST_ZEROS = _(
        "numbers that are shorter than most: {number}, while {others} begin with a zero; "
        "a spreadsheet may have removed zeros: export the column as text"
    )
    PHONE_LOST_ZERO = _(
        "phone numbers without their first zero: {number}, the first on line {line}; "
        "a spreadsheet removed it: export the column as text, or write lost_zeros = true"
    )
    RESIDENT = _(
        "cells that look like resident registration numbers: {number}, the first on line {line}; "
        "these are no contact, but data of the class government-issued-ids"
    )
    CARD = _(
        "cells that look like payment card numbers: {number}, the first on line {line}; "
        "these are data of the class credit-cards"
    )
    MASKED = _("masked cells: {number}, the first on line {line}; no message reaches them")
    ODD_EMAIL = _(
        "cells with an @ but no address that can be used: {number}, the first on line {line}"
    )
    ODD = _("cells that hold {kind_words}: {number}, the first on line {line}")
    LANGUAGES = _("languages: {counts}")
    SHARED = _(
        "contacts on more than {bound} rows: {number}, one of them on {most} rows; "
        "look whether it stands for an address that is not known"
    )

    # Kinds
    KIND_BLANK = _("blank")
    KIND_PLACEHOLDER = _("placeholders")
    KIND_LOST = _("lost letters")
    KIND_ENCODED = _("encoded text")
    KIND_UNDECODABLE = _("undecodable text")
    KIND_EMAIL = _("e-mail addresses")
    KIND_RESIDENT = _("resident registration numbers")
    KIND_CARD = _("card-like numbers")
    KIND_DATE = _("dates")
    KIND_POINT_ZERO = _("numbers with .0")
    KIND_PHONE = _("phone numbers")
    KIND_LOST_ZERO = _("phone numbers without their zero")
    KIND_MASKED = _("masked values")
    KIND_NUMBER = _("numbers")
    KIND_PLACE = _("postal addresses")
    KIND_ODD_EMAIL = _("unusable e-mail addresses")
    KIND_TEXT = _("other text")


M, K = ProfileMessages, CellKind
KIND_WORDS = {
    K.BLANK: M.KIND_BLANK,
    K.LOST: M.KIND_LOST,
    K.ENCODED: M.KIND_ENCODED,
    K.PLACEHOLDER: M.KIND_PLACEHOLDER,
    K.UNDECODABLE: M.KIND_UNDECODABLE,
    K.EMAIL: M.KIND_EMAIL,
    K.RESIDENT: M.KIND_RESIDENT,
    K.CARD: M.KIND_CARD,
    K.DATE: M.KIND_DATE,
    K.NUMBER_POINT_ZERO: M.KIND_POINT_ZERO,
    K.PHONE: M.KIND_PHONE,
    K.PHONE_LOST_ZERO: M.KIND_LOST_ZERO,
    K.MASKED: M.KIND_MASKED,
    K.NUMBER: M.KIND_NUMBER,
    K.PLACE: M.KIND_PLACE,
    K.ODD_EMAIL: M.KIND_ODD_EMAIL,
    K.TEXT: M.KIND_TEXT,
}
_NUMBERED = {
    K.NUMBER_POINT_ZERO: M.POINT_ZERO,
    K.PHONE_LOST_ZERO: M.PHONE_LOST_ZERO,
    K.RESIDENT: M.RESIDENT,
    K.CARD: M.CARD,
    K.MASKED: M.MASKED,
    K.ODD_EMAIL: M.ODD_EMAIL,
}


@dataclass(frozen=True, kw_only=True)
class ColumnReport:
    """What is shown of one column. `kinds` and `remarks` hold stored ProfileMessages."""

    name: str
    filled: str  # the share of cells that are not blank, such as "98 %"
    kinds: list[tuple[str, str]]  # the share of a kind among all cells, and the kind
    examples: list[str]  # masked
    remarks: list[str]
    languages: dict[str, int] = field(default_factory=dict)  # without a text: cells by value


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """What is shown of a file before it is loaded."""

    found: str  # a stored ProfileMessages sentence
    remarks: list[str]
    advice: list[str]  # what the mapping needs; the form of the desk asks for it
    columns: list[ColumnReport]
    first_rows: list[list[str]]  # masked
    # The number of cells by a text that may mean "no value", also one that always means it.
    placeholders: dict[str, int] = field(default_factory=dict)


def report(
    profile: FileProfile,
    source: Source,
    *,
    bound: int = SHARED_BOUND,
    nulls: Collection[str] = NULLS,
    languages: Sequence[str] = (),
) -> FileReport:
    """Returns what a profile says. Contacts on more than `bound` rows are reported as shared.

    `nulls` are the cells that an import takes for blank. `languages` are those of the incident.
    """
    found = M.FOUND.stored(
        file=source.name,
        format=_format_of(source),
        encoding=source.encoding,
        rows=f"{profile.rows:,}",
        lines=f"{profile.lines:,}",
        columns=f"{len(profile.columns):,}",
    )
    return FileReport(
        found=found,
        remarks=list(_file_remarks(profile)),
        advice=list(_advice(profile, nulls)),
        columns=[
            _with_languages(_column_report(column, bound, nulls), column, nulls, languages)
            for column in profile.columns
        ],
        first_rows=profile.first_rows,
        placeholders=_placeholders(profile),
    )


def translate_profile(stored: str) -> str:
    """Returns a stored sentence of a report in the active language."""
    return translate_stored(stored, ProfileMessages)


def _format_of(source: Source) -> str:
    """Returns the format, with its separator if this is no comma."""
    separator = source.dialect.separator
    return source.format + (f" {json.dumps(separator)}" if separator != "," else "")


def _file_remarks(profile: FileProfile) -> Iterator[str]:
    if profile.step > 1:
        yield M.SAMPLED.stored(step=profile.step)
    if profile.rows_over_lines:
        yield M.OVER_LINES.stored(
            number=f"{profile.rows_over_lines:,}", line=f"{profile.first_over_lines:,}"
        )
    if profile.defects:
        yield M.DEFECTS.stored(number=f"{profile.defects.total():,}")
    if profile.is_last_row_odd():
        yield M.LAST_ROW.stored(line=f"{profile.last_line:,}")


def _advice(profile: FileProfile, nulls: Collection[str]) -> Iterator[str]:
    if proposed := {word for column in profile.columns for word in _unsure(column, nulls)}:
        held = {word for column in profile.columns for word in column.placeholders}
        yield M.NULLS.stored(words=_words(sorted(proposed | held & set(nulls))))


def _column_report(column: ColumnProfile, bound: int, nulls: Collection[str]) -> ColumnReport:
    common = column.kinds.most_common(_SHOWN_KINDS)
    return ColumnReport(
        name=column.name,
        filled=share(column.cells - column.kinds[K.BLANK], column.cells),
        kinds=[
            (share(count, column.cells), KIND_WORDS[kind].stored())
            for kind, count in common
            if kind != K.BLANK
        ],
        examples=column.shown_examples(),
        remarks=list(_column_remarks(column, bound, nulls)),
    )


def _with_languages(
    found: ColumnReport,
    column: ColumnProfile,
    nulls: Collection[str],
    languages: Sequence[str],
) -> ColumnReport:
    """Returns the report with the languages that the column holds."""
    if not column.languages:
        return found
    counts = dict(column.languages.most_common())
    remarks = [*found.remarks, M.LANGUAGES.stored(counts=person_languages.in_words(counts))]
    if not languages:
        return replace(found, remarks=remarks)
    blank = dict.fromkeys(map(person_languages.value_key, nulls), languages[0])
    read = person_languages.reader(blank, languages, languages[0])
    return replace(found, remarks=remarks, languages=person_languages.undecided(counts, read))


def _column_remarks(column: ColumnProfile, bound: int, nulls: Collection[str]) -> Iterator[str]:
    if unsure := _unsure(column, nulls):
        number = sum(column.placeholders[word] for word in unsure)
        yield M.PLACEHOLDERS.stored(number=f"{number:,}", words=_words(unsure))
    for kind, message in _NUMBERED.items():
        if column.kinds[kind] and (kind != K.PHONE_LOST_ZERO or _is_of_phones(column)):
            yield message.stored(**_place(column, kind))
    yield from _odd_kinds(column)
    yield from _lost_zeros(column)
    number, most = column.shared(bound)
    if number:
        yield M.SHARED.stored(number=f"{number:,}", bound=bound, most=f"{most:,}")


def _unsure(column: ColumnProfile, nulls: Collection[str]) -> list[str]:
    """Returns the placeholders of a column that an import takes for values.

    One `0` is left out: it is the first number of a count.
    """
    held = column.placeholders.items()
    return [word for word, count in held if word not in nulls and (count > 1 or set(word) != {"0"})]


def _placeholders(profile: FileProfile) -> dict[str, int]:
    """Returns how many cells hold each placeholder, the most frequent first."""
    found = Counter[str]()
    for column in profile.columns:
        offered = {word for word in column.placeholders if word in NULLS}.union(_unsure(column, ()))
        found.update({word: column.placeholders[word] for word in offered})
    return dict(found.most_common())


def _words(words: Iterable[str]) -> str:
    return ", ".join(json.dumps(word, ensure_ascii=False) for word in words)


def _is_of_phones(column: ColumnProfile) -> bool:
    return bool(column.kinds[K.PHONE]) or role_of(column.name) == PHONE


def _odd_kinds(column: ColumnProfile) -> Iterator[str]:
    """Yields a remark for each other kind in a column of contacts or dates."""
    if column.main_kind not in (K.EMAIL, K.PHONE, K.DATE) or column.share(column.main_kind) < 0.5:
        return
    for kind, count in column.kinds.items():
        if count and kind not in (K.BLANK, K.PLACEHOLDER, column.main_kind, *_NUMBERED):
            yield M.ODD.stored(kind_words=KIND_WORDS[kind].stored(), **_place(column, kind))


def _lost_zeros(column: ColumnProfile) -> Iterator[str]:
    if not column.leading_zeros or not column.lengths:
        return
    usual = column.lengths.most_common(1)[0][0]
    shorter = sum(count for length, count in column.lengths.items() if length < usual)
    if shorter:
        yield M.LOST_ZEROS.stored(number=f"{shorter:,}", others=f"{column.leading_zeros:,}")


def _place(column: ColumnProfile, kind: CellKind) -> dict[str, str]:
    return {"number": f"{column.kinds[kind]:,}", "line": f"{column.first_lines[kind]:,}"}


def share(number: int, total: int) -> str:
    """Returns a share in per cent; what is not nothing is not shown as 0 %, nor a part as 100 %."""
    if not total or not number:
        return "0 %"
    if number == total:
        return "100 %"
    return f"{min(99, max(1, round(100 * number / total)))} %"
