"""Finds columns of contacts that hold something else, and wrong letters, before a file is loaded.

A finding refuses the file until the operator accepts it by its code. It is what a wrong mapping or
a broken export looks like; but a column of masked addresses may also have leaked like this.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from incidents.importing import person_languages, profiling
from incidents.importing.cell_kinds import CellKind
from incidents.importing.column_profiles import SOME, ColumnProfile, FileProfile
from incidents.importing.headers import name_key
from incidents.importing.mapping import ColumnMapping
from incidents.importing.reading import UTF8, UTF8_MARKED, ImportRefusedError, Source
from incidents.importing.refusals import BETWEEN, RefusalMessages

# A column is found if at least so many values, and more than this share, are of another kind: the
# fewer there are, the larger the share must be. Two must be all. See docs/decisions/0105.
_SHARE = 0.5
_SHARES = ((10, _SHARE), (SOME, 2 / 3), (2, 0.99))
# Unusable values say less than values of another kind, so more of them are needed. Fewer are listed
# in the profile and the summary, and their owners are not told that they are not affected.
_FEWEST_UNUSABLE = 30
# In a small file, SOME different ones and this share; see docs/decisions/0097.
_SHARE_OF_FEW = 2 / 3
EMAIL, PHONE, NAME = (
    RefusalMessages.EMAIL.stored(),
    RefusalMessages.PHONE.stored(),
    RefusalMessages.NAME.stored(),
)
_RESIDENT = RefusalMessages.RESIDENT_NUMBER.stored()
_PLACE = RefusalMessages.POSTAL_ADDRESS.stored()
# Text that a program must decode is never a name: few cells show how the column was exported.
_FEWEST_CODED = 3
_CODED = (
    (CellKind.ENCODED, RefusalMessages.ENCODED, 0.05),
    (CellKind.LOST, RefusalMessages.LOST, _SHARE),
)
# A column of contacts that the mapping does not use: those people would not be found.
_FEWEST_UNUSED = 3
_USABLE = {EMAIL: (CellKind.EMAIL,), PHONE: (CellKind.PHONE,)}
_OTHERS = {
    CellKind.EMAIL: EMAIL,
    CellKind.PHONE: PHONE,
    CellKind.RESIDENT: _RESIDENT,
    CellKind.PLACE: _PLACE,
}


class ColumnFinding(NamedTuple):
    """A column, or an encoding, that most likely is not what the mapping says."""

    code: str  # names the finding for --accept, such as "swapped:mobile"
    message: str  # a stored RefusalMessages sentence


def refuse_findings(
    source: Source,
    mapping: ColumnMapping,
    accepted: Collection[str],
    *,
    region: str = "",
    languages: Sequence[str] = (),
) -> None:
    """Raises ImportRefusedError with every finding that is not in `accepted` (codes).

    `region` is that of phone numbers without a country code, "" for settings.PHONE_REGION.
    `languages` are those of the incident. Looks at some rows of every part of the file. Does
    nothing for a reject file, which may hold only odd values. A file that cannot be read is refused
    by the import, which names the place.
    """
    if source.is_reject_file:
        return
    try:
        found = profiling.quick_profile(
            source,
            region=region,
            languages=mapping.language_columns(),
            mapped=mapping.profiled_contacts(),
        )
    except ImportRefusedError:
        return
    every = findings(found, mapping, source, languages=languages)
    why = [one for one in every if one.code not in accepted]
    if why:
        raise ImportRefusedError(BETWEEN.join(one.message for one in why))


def findings(
    profile: FileProfile, mapping: ColumnMapping, source: Source, *, languages: Sequence[str] = ()
) -> list[ColumnFinding]:
    """Returns the findings of the profile of a file.

    `languages` are those of the incident; without them, values of languages are not judged.
    """
    columns, file = {column.name: column for column in profile.columns}, source.name
    undecided = _undecided_languages(columns, mapping, languages, file) if languages else ()
    unused = _unused_contacts(profile.columns, mapping, source)
    contacts = columns | {contact.name: contact for contact in profile.mapped}
    return [*_encoding(source), *undecided, *_contact_findings(contacts, mapping, file), *unused]


def _encoding(source: Source) -> Iterator[ColumnFinding]:
    """Yields the encoding of a file, if its letters are those of text in another one."""
    if likely := source.likely_encoding:
        code = f"encoding:{likely}"
        is_utf8 = source.encoding in (UTF8, UTF8_MARKED)
        why = RefusalMessages.READ_WRONGLY if is_utf8 else RefusalMessages.LIKELY_ENCODING
        yield ColumnFinding(
            code, why.stored(file=source.name, said=source.encoding, found=likely, code=code)
        )


def _unused_contacts(
    columns: Sequence[ColumnProfile], mapping: ColumnMapping, source: Source
) -> Iterator[ColumnFinding]:
    """Yields each column of contacts that the mapping does not use."""
    # JSON may spell a key in several ways; a header may have two columns alike.
    key = str if source.has_header else name_key
    used = set(map(key, mapping.used_columns()))
    for column in columns:
        for why, words, number in _contacts_in(column):
            # Objects of JSON without a contact stand where other columns have blank cells.
            is_json = why is RefusalMessages.UNUSED_JSON
            is_most = is_json or number > _SHARE * column.values
            if is_most and number >= _FEWEST_UNUSED and key(column.name) not in used:
                code = f"unused:{column.name}"
                message = why.stored(
                    file=source.name,
                    mapping_words=mapping.name,
                    column=column.name,
                    kind_words=words,
                    number=f"{number:,}",
                    cells=f"{column.values:,}",
                    code=code,
                )
                yield ColumnFinding(code, message)


def _contacts_in(column: ColumnProfile) -> Iterator[tuple[RefusalMessages, str, int]]:
    """Yields how many cells hold a contact of each kind, plainly and in JSON, with the words."""
    for words, kinds in _USABLE.items():
        yield RefusalMessages.UNUSED, words, sum(column.kinds[kind] for kind in kinds)
        inside = sum(column.json_contacts[kind] for kind in kinds)
        yield RefusalMessages.UNUSED_JSON, words, inside


def _undecided_languages(
    columns: Mapping[str, ColumnProfile],
    mapping: ColumnMapping,
    languages: Sequence[str],
    file: str,
) -> Iterator[ColumnFinding]:
    """Yields each column with languages of which nothing says what their people get."""
    nulls = map(person_languages.value_key, mapping.nulls)
    blank = dict.fromkeys(nulls, languages[0])
    for person in mapping.people():
        if person.language not in columns:
            continue
        read = person_languages.reader(blank | person.languages, languages, languages[0])
        found = person_languages.undecided(columns[person.language].languages, read)
        if found:
            code = f"language:{person.language}"
            counts = person_languages.in_words(found)
            example = person_languages.example(found, languages)
            message = RefusalMessages.UNDECIDED.stored(
                file=file,
                column=person.language,
                counts=counts,
                mapping_words=mapping.name,
                example=example,
                code=code,
            )
            yield ColumnFinding(code, message)


def _contact_findings(
    columns: Mapping[str, ColumnProfile], mapping: ColumnMapping, file: str
) -> list[ColumnFinding]:
    return [
        finding
        for name, meant in _meanings(mapping).items()
        if name in columns
        for finding in _of_column(columns[name], meant, file=file, mapping=mapping)
    ]


def _meanings(mapping: ColumnMapping) -> dict[str, list[str]]:
    """Returns the kinds that the cells of each column should have; a column may have two."""
    found = defaultdict[str, list[str]](list)
    for name, meant in _expected_kinds(mapping):
        found[name].append(meant)
    return found


def _expected_kinds(mapping: ColumnMapping) -> Iterator[tuple[str, str]]:
    """Yields each column with names or contacts, with the kind that its cells should have.

    Contacts in several columns are one.
    """
    for columns in mapping.people():
        names = columns.name_cells.columns() if columns.name_cells else ()
        emails = (cells.label for cells in columns.email_cells)
        phones = (cells.label for cells in columns.phone_cells)
        for used, meant in ((emails, EMAIL), (phones, PHONE), (names, NAME)):
            yield from ((column, meant) for column in used)


def _of_column(
    column: ColumnProfile, meant: Sequence[str], *, file: str, mapping: ColumnMapping
) -> Iterator[ColumnFinding]:
    def finding(kind: str, why: RefusalMessages, number: int, **slots: str) -> ColumnFinding:
        code = f"{kind}:{column.name}"
        message = why.stored(
            file=file,
            mapping_words=mapping.name,
            column=column.name,
            meant_words=meant[0],
            number=f"{number:,}",
            cells=f"{column.values:,}",
            code=code,
            **slots,
        )
        return ColumnFinding(code, message)

    for kind, words in _OTHERS.items():
        # A name may be the address of the person: few of them show nothing.
        shares = _SHARES[:1] if NAME in meant and words == EMAIL else _SHARES
        if words not in meant and _is_most(column, column.kinds[kind], shares):
            yield finding("swapped", RefusalMessages.SWAPPED, column.kinds[kind], kind_words=words)
            return
    if coded := _coded(column):
        kind, why = coded
        yield finding(kind.name.lower(), why, column.kinds[kind])
        return
    if unusable := _unusable(column, meant, mapping):
        yield finding("unusable", *unusable)


def _unusable(
    column: ColumnProfile, meant: Sequence[str], mapping: ColumnMapping
) -> tuple[RefusalMessages, int] | None:
    """Returns why cells of a column of contacts cannot be used, and how many, if these are many."""
    if NAME in meant:
        return None
    usable = {kind for one in meant for kind in _USABLE[one]}
    unusable = column.values - sum(column.kinds[kind] for kind in usable)
    without_zero = column.kinds[CellKind.PHONE_LOST_ZERO] if PHONE in meant else 0
    if mapping.lost_zeros:
        unusable -= without_zero
    elif _is_unusable(column, without_zero):
        return RefusalMessages.WITHOUT_ZERO, without_zero
    return (RefusalMessages.UNUSABLE, unusable) if _is_unusable(column, unusable) else None


def _is_unusable(column: ColumnProfile, unusable: int) -> bool:
    """Returns whether so many cells of a column that cannot be used are a finding."""
    if unusable >= _FEWEST_UNUSABLE:
        return unusable > _SHARE * column.values
    # One value that repeats stands for "unknown", and does not show another column.
    return len(column.other_values) >= SOME and unusable > _SHARE_OF_FEW * column.values


def _coded(column: ColumnProfile) -> tuple[CellKind, RefusalMessages] | None:
    """Returns the kind of cells whose text is encoded or lost, and why, if there are many."""
    for kind, why, share in _CODED:
        if column.kinds[kind] >= _FEWEST_CODED and column.kinds[kind] > share * column.values:
            return kind, why
    return None


def _is_most(column: ColumnProfile, number: int, shares: Sequence[tuple[int, float]]) -> bool:
    return any(number >= least and number > share * column.values for least, share in shares)
