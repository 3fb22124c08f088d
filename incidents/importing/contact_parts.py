"""Finds addresses and numbers that a file writes into several columns, by their names and content.

Older shops have a column for each field of a form: `hp1`, `hp2`, `hp3`, or `email_id` and
`email_domain`. A guess needs both signs: the columns share a stem, and no cell holds a whole
contact.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from incidents.importing import column_names
from incidents.importing.cell_kinds import CellKind
from incidents.importing.column_names import EMAIL, EMAIL_PART, PHONE, PHONE_PART
from incidents.importing.column_profiles import ColumnProfile

_NUMBERED = re.compile(r"(.*?)[\W_]*(\d|[①-④])[\W_]*", re.DOTALL)
_USER = r"id|user|local|name|account|front|head|아이디|앞자리|앞"
_DOMAIN = r"domain|host|server|provider|back|tail|도메인|뒷자리|뒤|주소"
_HALF = re.compile(rf"(.*?)[\W_]*(?:({_USER})|({_DOMAIN}))", re.IGNORECASE | re.DOTALL)
_MOST_CHARACTERS = 100  # of a name; a longer one takes the patterns a quadratic time
_MOST_DIGITS = 5  # of a part of a number
_MOST_PARTS = 4
_WORDS = (CellKind.TEXT, CellKind.NUMBER, CellKind.PLACE)


def parts_of(columns: Iterable[ColumnProfile]) -> dict[str, str]:
    """Returns EMAIL_PART or PHONE_PART for each column that holds a part of a contact."""
    named = [one for one in columns if one.name and not column_names.is_of_another(one.name)]
    return _parts_of_numbers(named) | _parts_of_addresses(named)


def parts_of_each_number(columns: Sequence[str]) -> list[list[str]]:
    """Returns the columns of the parts of numbers, those of each number together and in order.

    Columns with the same stem are of one number. If a stem has one column only, stems say nothing,
    and all columns are of one number.
    """
    by_stem: defaultdict[str, list[str]] = defaultdict(list)
    for column in columns:
        by_stem[_stem(column)].append(column)
    groups = [sorted(group) for group in by_stem.values()]
    return groups if all(len(group) > 1 for group in groups) else [list(columns)]


def parts_of_each_address(columns: Sequence[str]) -> list[list[str]]:
    """Returns the columns of the parts of addresses in pairs: before and after the `@`."""
    pairs = [list(columns[place : place + 2]) for place in range(0, len(columns), 2)]
    return [sorted(pair, key=_is_domain) for pair in pairs]


def _numbered(name: str) -> re.Match[str] | None:
    return _NUMBERED.fullmatch(name) if len(name) <= _MOST_CHARACTERS else None


def _half(name: str) -> re.Match[str] | None:
    return _HALF.fullmatch(name) if len(name) <= _MOST_CHARACTERS else None


def _is_domain(column: str) -> bool:
    half = _half(column)
    return bool(half and half[3])


def _stem(column: str) -> str:
    found = _numbered(column)
    return found[1] if found else column


def _parts_of_numbers(columns: Sequence[ColumnProfile]) -> dict[str, str]:
    by_stem: defaultdict[str, list[ColumnProfile]] = defaultdict(list)
    for column in columns:
        if _numbered(column.name):
            by_stem[_stem(column.name)].append(column)
    return {
        column.name: PHONE_PART
        for stem, group in by_stem.items()
        if 1 < len(group) <= _MOST_PARTS and all(map(_is_short_number, group))
        if column_names.role_of(stem) == PHONE or _begins_like_a_number(group)
        for column in group
    }


def _is_short_number(column: ColumnProfile) -> bool:
    is_number = column.main_kind == CellKind.NUMBER and column.share(CellKind.NUMBER) == 1
    return is_number and max(column.lengths, default=0) <= _MOST_DIGITS


def _begins_like_a_number(group: Sequence[ColumnProfile]) -> bool:
    """Returns whether three columns hold a trunk prefix, and four digits at the end, as 02 and 010.

    So their meaning is clear even if their names say nothing.
    """
    first, last = group[0], group[-1]
    has_zeros = first.leading_zeros > 0.9 * first.values
    return len(group) == 3 and has_zeros and set(last.lengths) == {4}


def _parts_of_addresses(columns: Sequence[ColumnProfile]) -> dict[str, str]:
    by_name = {column.name: column for column in columns}
    users, domains = dict[str, str](), dict[str, str]()  # by stem
    for name in by_name:
        if half := _half(name):
            (users if half[2] else domains).setdefault(half[1], name)
        elif numbered := _numbered(name):
            place = users if numbered[2] in "1①" else domains
            place.setdefault(numbered[1], name)
    found: dict[str, str] = {}
    for stem, domain in domains.items():
        user = users.get(stem) if stem else next(filter(_is_address, by_name), None)
        is_address = user and (not stem or column_names.role_of(stem) == EMAIL)
        if user and is_address and all(_holds_words(by_name[one]) for one in (user, domain)):
            found |= {user: EMAIL_PART, domain: EMAIL_PART}
    return found


def _is_address(name: str) -> bool:
    return column_names.role_of(name) == EMAIL


def _holds_words(column: ColumnProfile) -> bool:
    return column.values > 0 and column.share(*_WORDS) == 1
