"""Refuses a file whose header or first rows do not show columns of people, with the way out.

`file` is the name of the file in the message. Each public function raises ImportRefusedError.
"""

from collections.abc import Collection, Sequence
from collections.abc import Mapping as MappingType

from incidents.importing import column_names
from incidents.importing.dialects import FEWEST_KNOWN, TITLE_ROWS, SampleRow
from incidents.importing.formats.base import NestedText
from incidents.importing.headers import name_key
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import RefusalMessages

_OF_PERSONS = (
    column_names.NAME,
    column_names.FIRST_NAME,
    column_names.LAST_NAME,
    column_names.EMAIL,
    column_names.PHONE,
)


# Rows above the header


def refuse_header_below(
    rows: Sequence[SampleRow], names: Sequence[str], used: Collection[str], *, file: str
) -> None:
    """Refuses the file if a row below the first one names all columns that are used."""
    wanted = set(map(name_key, used))
    if not wanted or wanted <= set(map(name_key, names)):
        return
    for row in rows[1:TITLE_ROWS]:
        if wanted <= set(map(name_key, row.cells)):
            raise ImportRefusedError(RefusalMessages.HEADER_BELOW.stored(file=file, line=row.line))


def refuse_title(rows: Sequence[SampleRow], names: Sequence[str], *, file: str) -> None:
    """Refuses the file if only a row below the first one, with more cells, has known names."""
    if column_names.known_in(names):
        return
    for row in rows[1:TITLE_ROWS]:
        is_fuller = sum(map(bool, row.cells)) > sum(map(bool, names))
        if is_fuller and column_names.known_in(row.cells) >= FEWEST_KNOWN:
            raise ImportRefusedError(RefusalMessages.TITLE_ABOVE.stored(file=file, line=row.line))


# Rows inside an object of JSON


def refuse_wrapped(
    line: int,
    cells: Sequence[str],
    names: Collection[str],
    used: Collection[str] | None,
    *,
    file: str,
) -> None:
    """Refuses the file if the rows stand inside its only object, whose cells these are.

    `used` are the columns of the mapping; None without a mapping.
    """
    nested = [cell for cell in cells if type(cell) is NestedText]
    if used is None:
        is_wrapped = not any(map(_is_of_person, names))
    else:
        is_wrapped = bool(used) and not set(used) & set(names)
    if nested and is_wrapped:
        raise ImportRefusedError(RefusalMessages.WRAPPED.stored(file=file, line=line))


def _is_of_person(column: str) -> bool:
    """Returns whether the name of a column means a name or a contact."""
    return column_names.role_of(column) in _OF_PERSONS


# Cells of spreadsheets


def refuse_uncomputed(
    names: Sequence[str],
    used: Collection[str],
    places: MappingType[int, int],
    *,
    file: str,
) -> None:
    """Refuses the file if a used column has formulas without values.

    `places` are the columns with such formulas, with the first line of each.
    """
    for place, line in places.items():
        if place < len(names) and names[place] in used:
            raise ImportRefusedError(
                RefusalMessages.UNCOMPUTED.stored(file=file, line=line, column=names[place])
            )


def refuse_merged(
    names: Sequence[str],
    used: Collection[str],
    places: MappingType[int, int],
    *,
    header: int,
    file: str,
) -> None:
    """Refuses the file if cells below the line `header` are merged in a used column.

    Of such cells only the first row has the value; the people of the others would lose it.
    `places` are the columns with merged cells, with the last line of each.
    """
    for place, line in places.items():
        if place < len(names) and names[place] in used and line > header:
            raise ImportRefusedError(
                RefusalMessages.MERGED.stored(file=file, line=line, column=names[place])
            )


def refuse_numbered_days(
    names: Sequence[str], numbered_days: Collection[str], *, file: str
) -> None:
    """Refuses a workbook that counts days from 1904 if the mapping takes numbers for days."""
    for column in names:
        if column in numbered_days:
            raise ImportRefusedError(RefusalMessages.FROM_1904.stored(file=file, column=column))
