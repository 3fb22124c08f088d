"""Refuses a file whose header or first rows do not show columns of people, with the way out.

`file` is the name of the file in the message. Each public function raises ImportRefusedError.
"""

import json
import re
from collections.abc import Collection, Sequence
from collections.abc import Mapping as MappingType
from itertools import pairwise

from accounts.contacts import read_emails
from incidents.importing import column_names
from incidents.importing.dialects import FEWEST_KNOWN, TITLE_ROWS, SampleRow
from incidents.importing.formats.base import NestedText
from incidents.importing.headers import name_key
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import RefusalMessages

Object = dict[str, object]  # of JSON
_OF_PERSONS = (
    column_names.NAME,
    column_names.FIRST_NAME,
    column_names.LAST_NAME,
    column_names.EMAIL,
    column_names.PHONE,
)
_CONTACTS = frozenset([column_names.EMAIL, column_names.PHONE])
_PHONE = re.compile(r"(?:0(?!0)|[+(])[\d ()./-]{8,24}")
_DIGIT = re.compile(r"\d")
_FEWEST_DIGITS = 9  # more than a day has, as 01-02-2025
# What `grep -n`, `grep -H` and `cat -n` write before a row: "17:", "a.csv:17:", "a.csv:", "   17 ".
_PREFIX = re.compile(
    r"(?=[^:]*:| +\d)(?P<file>[\w./~-]*[\w-]\.[a-z]{2,5}:)?(?P<line> *\d{1,9}(?::| +))?(?=\S)",
    re.ASCII,
)
_FEWEST_PREFIXED = 3


# A first row that is no header


def refuse_person(names: Sequence[str], *, line: int, file: str) -> None:
    """Refuses the file if a name of a column is an e-mail address or a phone number.

    The first row is a person's then. As the header it would be no row, and its owner would read
    "not among the leaked data".
    """
    if any(map(_is_contact, names)):
        raise ImportRefusedError(RefusalMessages.PERSON_FIRST.stored(file=file, line=line))


def _is_contact(name: str) -> bool:
    if "@" in name:
        return bool(read_emails(name).addresses)
    return len(_DIGIT.findall(name)) >= _FEWEST_DIGITS and bool(_PHONE.fullmatch(name))


def refuse_prefixed(rows: Sequence[SampleRow], *, file: str) -> None:
    """Refuses the file if the number of a line, or a file, stands before each row.

    The first cell would be another reference than that of the same person in other files. `rows`
    may begin with the header.
    """
    cells = [row.cells[0] for row in rows if len(row.cells) > 1 and not row.defect]
    if len(cells) < _FEWEST_PREFIXED:
        return
    found = [_PREFIX.match(cell) for cell in cells]
    files = {one["file"] or "" for one in found if one}
    if not all(found) or len(files) > 1:
        return
    numbers = [int((one["line"] or "0").rstrip(": ")) for one in found if one]
    is_counted = all(one < other for one, other in pairwise(numbers))
    if is_counted or (files != {""} and not any(numbers)):
        raise ImportRefusedError(RefusalMessages.PREFIXED.stored(file=file, line=rows[0].line))


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
    inside = [_objects_inside(cell) for cell in cells if type(cell) is NestedText]
    if used is None:
        is_person = any(map(_is_of_person, names))
        is_wrapped = any(_are_people(one, names) for one in inside) if is_person else bool(inside)
    else:
        is_wrapped = bool(inside and used) and not set(used) & set(names)
        is_wrapped |= bool(used) and any(set(used) <= _keys_of(one) for one in inside)
    if is_wrapped:
        raise ImportRefusedError(RefusalMessages.WRAPPED.stored(file=file, line=line))


def _are_people(objects: Sequence[Object], names: Collection[str]) -> bool:
    """Returns whether objects are people, rather than the one with these keys that holds them.

    The name of an export stands without a contact, or above several people with such contacts.
    """
    inner, outer = _contacts_in(_keys_of(objects)), _contacts_in(names)
    return bool(inner) and outer <= inner and (not outer or len(objects) > 1)


def _contacts_in(names: Collection[str]) -> set[str]:
    return set(map(column_names.role_of, names)) & _CONTACTS


def _keys_of(objects: Sequence[Object]) -> set[str]:
    return {key for one in objects for key in one}


def _objects_inside(cell: str) -> Sequence[Object]:
    """Returns the objects in a list of JSON; none if it holds anything else."""
    try:
        values = json.loads(cell)
    except (ValueError, RecursionError):
        return []
    are_objects = isinstance(values, list) and all(isinstance(one, dict) for one in values)
    return values if are_objects else []


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
