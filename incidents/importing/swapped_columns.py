"""Detects columns that were swapped in a mapping, from the first rows of the file.

Only clear errors are refused, such as phone numbers in a column that the mapping uses for e-mail. A
column full of masked or broken values is accepted, because it may have leaked like this.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from accounts.contacts import normalise_phone, read_emails
from incidents.importing import formats
from incidents.importing.mapping import ColumnMapping
from incidents.importing.reading import ImportRefusedError, Source
from incidents.importing.refusals import RefusalMessages
from incidents.importing.rows import rows_of

FIRST_ROWS = 1_000
# A column is refused if at least _FEWEST cells, and more than this share, are of the other kind.
_FEWEST, _SHARE = 10, 0.5
EMAIL, PHONE, OTHER = (
    RefusalMessages.EMAIL.stored(),
    RefusalMessages.PHONE.stored(),
    "something else",
)


def refuse_swapped_columns(source: Source, mapping: ColumnMapping) -> None:
    """Raises ImportRefusedError if most of the first cells of a column are of another kind.

    Reads FIRST_ROWS rows. Does nothing for a format without a header and for a reject file.
    """
    if not formats.named(source.format).has_header or source.is_reject_file:
        return  # keys are written beside their values; a reject file may hold only odd values
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    # A file that cannot be read is refused by the import itself, which reports the place.
    with suppress(ImportRefusedError):
        _count_kinds(source, mapping, seen)
    for column, kind in _expected_kinds(mapping):
        _refuse_column(source, mapping, column, kind, seen[column])


def _count_kinds(
    source: Source, mapping: ColumnMapping, seen: defaultdict[str, Counter[str]]
) -> None:
    place = {name: number for number, name in enumerate(source.header)}
    for row in islice(rows_of(source), FIRST_ROWS):
        if row.defect or len(row.cells) != len(source.header):
            continue
        for column, _ in _expected_kinds(mapping):
            if text := source.decode(row.cells[place[column]], "replace").strip():
                seen[column][_kind(text)] += 1


def _expected_kinds(mapping: ColumnMapping) -> Iterator[tuple[str, str]]:
    """Yields each column with names or contacts, with the kind that its cells should have."""
    for columns in filter(None, (mapping.person, mapping.second_person)):
        names = columns.name_cells.columns() if columns.name_cells else ()
        for used, kind in ((columns.email, EMAIL), (columns.phone, PHONE), (names, OTHER)):
            yield from ((column, kind) for column in used)


def _kind(text: str) -> str:
    if read_emails(text).addresses:
        return EMAIL
    return PHONE if normalise_phone(text) else OTHER


def _refuse_column(
    source: Source, mapping: ColumnMapping, column: str, expected: str, seen: Counter[str]
) -> None:
    for kind in {EMAIL, PHONE} - {expected}:
        if seen[kind] >= _FEWEST and seen[kind] > _SHARE * seen.total():
            raise ImportRefusedError(
                RefusalMessages.SWAPPED.stored(
                    file=source.name,
                    mapping_words=mapping.name,
                    column=column,
                    meant_words=RefusalMessages.NAME.stored() if expected == OTHER else expected,
                    number=f"{seen[kind]:,}",
                    cells=f"{seen.total():,}",
                    kind_words=kind,
                )
            )
