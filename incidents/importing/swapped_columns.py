"""Whether a mapping fits its file: columns that were mixed up show in the first rows.

Only what cannot be meant is refused: phone numbers where the mapping says e-mail, and the like. A
column full of masked or broken values is taken as it leaked.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

from accounts.contacts import is_usable_email, normalise_email, normalise_phone
from incidents.importing import formats
from incidents.importing.mapping import ColumnMapping
from incidents.importing.reading import ImportRefusedError, Source
from incidents.importing.refusals import RefusalMessages
from incidents.importing.rows import rows_of

FIRST_ROWS = 1_000
_FEWEST, _SHARE = 10, 0.5
EMAIL, PHONE, OTHER = (
    RefusalMessages.EMAIL.stored(),
    RefusalMessages.PHONE.stored(),
    "something else",
)


def refuse_swapped_columns(source: Source, mapping: ColumnMapping) -> None:
    """Raises ImportRefusedError if most of a column's first cells are of another kind."""
    if not formats.named(source.format).has_header or source.is_reject_file:
        return  # keys stand beside their values; rejects may be all of what is odd
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    # What cannot be read is refused by the import itself, which says where.
    with suppress(ImportRefusedError):
        _count(source, mapping, seen)
    for column, kind in _meant(mapping):
        _refuse_column(source, mapping, column, kind, seen[column])


def _count(source: Source, mapping: ColumnMapping, seen: defaultdict[str, Counter[str]]) -> None:
    place = {name: number for number, name in enumerate(source.header)}
    for row in islice(rows_of(source), FIRST_ROWS):
        if row.defect or len(row.cells) != len(source.header):
            continue
        for column, _ in _meant(mapping):
            if text := source.decode(row.cells[place[column]], "replace").strip():
                seen[column][_kind(text)] += 1


def _meant(mapping: ColumnMapping) -> Iterator[tuple[str, str]]:
    """(column, the kind its cells should be of) of names and contacts."""
    for columns in filter(None, (mapping.person, mapping.second_person)):
        for column, kind in (
            (columns.email, EMAIL),
            (columns.phone, PHONE),
            (columns.name, OTHER),
        ):
            if column:
                yield column, kind


def _kind(text: str) -> str:
    if is_usable_email(normalise_email(text)):
        return EMAIL
    return PHONE if normalise_phone(text) else OTHER


def _refuse_column(
    source: Source, mapping: ColumnMapping, column: str, meant: str, seen: Counter[str]
) -> None:
    for kind in {EMAIL, PHONE} - {meant}:
        if seen[kind] >= _FEWEST and seen[kind] > _SHARE * seen.total():
            raise ImportRefusedError(
                RefusalMessages.SWAPPED.stored(
                    file=source.name,
                    mapping_words=mapping.name,
                    column=column,
                    meant_words=RefusalMessages.NAME.stored() if meant == OTHER else meant,
                    number=f"{seen[kind]:,}",
                    cells=f"{seen.total():,}",
                    kind_words=kind,
                )
            )
