"""Recognises a file with one attribute of a person a line, as the table usermeta of WordPress.

A column names the attribute, and another one holds its value: an address on one line of a person,
and a name on the next one. So no column holds contacts alone. As leaked values such rows are fine.
"""

import re
from collections.abc import Collection, Iterable, Sequence

from incidents.importing import column_names
from incidents.importing.column_names import EMAIL, FIRST_NAME, LAST_NAME, NAME, PHONE

_ROLES = frozenset([PHONE, NAME, FIRST_NAME, LAST_NAME])
_NAME = re.compile(r"[^\W\d][\w .-]{1,40}")
_MOST_NAMES = 200  # different values of a column that are looked up


def column_of_attributes(
    rows: Sequence[Sequence[str]],
    *,
    identity: int,
    values: Iterable[int],
    both: Collection[int] = (),
) -> int:
    """Returns the place of the column that names the attributes; -1 if there is none.

    `rows` are the first ones, all of one width. `identity` is the place of their reference, and
    `values` are those of the columns with names and contacts, and `both` those of them that may
    hold an address or a number: there, rows with either are right.
    """
    columns = list(zip(*rows, strict=True))
    places = [place for place in values if place != identity] if columns else []
    for place, cells in enumerate(columns if places else ()):
        if place == identity:
            continue
        others = [
            (columns[value], _ROLES - {PHONE} if value in both else _ROLES)
            for value in places
            if value != place
        ]
        if _names_attributes(cells, columns[identity], others):
            return place
    return -1


def _names_attributes(
    cells: Sequence[str],
    identities: Sequence[str],
    columns: Iterable[tuple[Sequence[str], frozenset[str]]],
) -> bool:
    """Returns whether a column holds addresses exactly on the rows where `cells` names one.

    At least one person must have an address and something else, of the roles beside the column.
    """
    texts = set(cells)
    if len(texts) > _MOST_NAMES:
        return False
    roles = {text: column_names.role_of(text) for text in texts if _NAME.fullmatch(text)}
    addresses = [row for row, text in enumerate(cells) if roles.get(text) == EMAIL]
    people = {identities[row] for row in addresses}
    for column, wrong in columns:
        others = [row for row, text in enumerate(cells) if roles.get(text, "") in wrong]
        if (
            not people.isdisjoint(identities[row] for row in others)
            and all("@" in column[row] for row in addresses)
            and not any("@" in column[row] or not column[row].strip() for row in others)
        ):
            return True
    return False
