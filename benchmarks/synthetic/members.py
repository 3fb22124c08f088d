"""The members file: one row per person. Each defect occurs once in every hundred people."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cache
from typing import NamedTuple

from benchmarks.synthetic import sample_values
from benchmarks.synthetic.blocks import (
    FIRST_MEMBER,
    MEMBER_STEP,
    ROW_END,
    Extra,
    Plan,
    RowBlock,
    fill,
    member_id,
    row_of,
)

_NO_MEMBER_ID = "missing member_id"
_CUT_OFF = "wrong number of columns"
_CONFLICT = "conflict: member_id already read with another e-mail"
_ID, _NAME, _EMAIL, _MOBILE, _JOINED, _STATUS, _LANG = range(7)
_Change = Callable[[str, int], str]  # (cell, person) to cell
# The changed cells of unusual rows, by offset in the hundred. An import accepts all these rows.
_ODD: dict[int, dict[int, _Change]] = {
    3: {_EMAIL: lambda cell, _: cell.upper() + "  "},
    7: {_EMAIL: lambda cell, _: cell.replace("@", "+rocket@")},
    11: {_EMAIL: lambda *_: ""},
    13: {_EMAIL: lambda cell, _: cell.replace("@", "(at)")},
    17: {_MOBILE: lambda *_: ""},
    19: {_MOBILE: lambda cell, _: cell.translate(sample_values.FULL_WIDTH)},
    23: {_NAME: lambda *_: sample_values.HTML_NAME},
    29: {_NAME: lambda *_: sample_values.FORMULA_NAME},
    31: {_NAME: lambda *_: sample_values.FOREIGN_NAME, _LANG: lambda *_: "en"},
    37: {_NAME: lambda *_: sample_values.QUOTED_NAME, _LANG: lambda *_: "en"},
    41: {
        _MOBILE: lambda _, person: (
            f"+1 415 555 {sample_values.FOUR_DIGITS[person // 100 % 10_000]}"
        ),
        _LANG: lambda *_: "en",
    },
    43: {_NAME: lambda *_: ""},
    47: {_STATUS: lambda *_: "dormant"},
    53: {_STATUS: lambda *_: "withdrawn"},
    73: {_MOBILE: lambda *_: "번호 바뀜"},
}
_COUNTED_AS = {
    11: "members_without_email",
    13: "members_with_unusable_email",
    17: "members_without_phone",
    73: "members_with_unusable_phone",
}
# The offsets of people with an inserted row after their own.
_REPEATED, _CONTRADICTED, _WITHOUT_ID, _CUT = 59, 61, 67, 71


class _Hundred(NamedTuple):
    """A hundred people (the last hundred may have fewer), and the draws for their cells."""

    people: range
    rotation: int
    local: Sequence[int]
    domain: Sequence[int]
    joined: Sequence[int]

    def place(self, offset: int) -> int | None:
        """Returns the place of the person with this offset, or None if there is no such person."""
        place = (offset + self.rotation) % 100
        return place if place < len(self.people) else None

    def cells(self, place: int) -> list[str]:
        """Returns the cells of the person at `place`, without defects."""
        one = slice(place, place + 1)
        draws = self.local[one], self.domain[one], self.joined[one]
        alone = _Hundred(self.people[one], 0, *draws)
        return _plain_rows(alone)[0].removesuffix(ROW_END).split(",")


def make_members(plan: Plan, number: int) -> RowBlock:
    """Returns the block `number` of members.csv."""
    block, rows, extras = RowBlock(), list[str](), defaultdict[int, list[Extra]](list)
    people = plan.people_of(number)
    for first in range(people.start, people.stop, 100):
        hundred = _hundred(plan, first)
        begin = len(rows)
        rows += _plain_rows(hundred)
        for offset, place, cells in _odd_people(hundred):
            rows[begin + place] = row_of(cells)
            if offset in _COUNTED_AS:
                block.people[_COUNTED_AS[offset]] += 1
        for place, extra in _extra_members(plan, hundred):
            extras[begin + place].append(extra)
    block.people["members"] = len(people)
    return fill(block, "members", rows, extras)


def _hundred(plan: Plan, first: int) -> _Hundred:
    drawn = sample_values.draws(f"{plan.seed} members {first}", 301)
    people = range(first, min(first + 100, plan.people))
    return _Hundred(people, drawn[300] % 100, drawn[:100], drawn[100:200], drawn[200:300])


def _plain_rows(hundred: _Hundred) -> list[str]:
    """Returns the rows without defects.

    Each row is one long expression, because it is evaluated up to 33 million times.
    """
    tail = f",active,ko{ROW_END}"
    name_of, phone_fours = sample_values.name_of, sample_values.phone_fours
    locals_, joined = sample_values.locals_of_emails(), _joined_on()
    domains, forms = sample_values.DOMAINS, sample_values.PHONE_FORMS
    rows = []
    for person, local, domain, day in zip(
        hundred.people, hundred.local, hundred.domain, hundred.joined, strict=False
    ):
        first, second = phone_fours(person)
        before, between = forms[day % 5]
        rows.append(
            f"{FIRST_MEMBER + MEMBER_STEP * person},{name_of(person)}"
            f",{locals_[local]}{person}@{domains[domain % 5]}"
            f",{before}{first}{between}{second},{joined[day]}{tail}"
        )
    return rows


def _odd_people(hundred: _Hundred) -> Iterator[tuple[int, int, list[str]]]:
    """Yields (offset, place, cells) of the unusual rows that an import accepts."""
    for offset, changes in _ODD.items():
        place = hundred.place(offset)
        if place is not None:
            cells = hundred.cells(place)
            for column, change in changes.items():
                cells[column] = change(cells[column], hundred.people[place])
            yield offset, place, cells


@cache
def _joined_on() -> list[str]:
    return sample_values.dates(date(2014, 1, 1), date(2024, 12, 28))


def _extra_members(plan: Plan, hundred: _Hundred) -> Iterator[tuple[int, Extra]]:
    """Yields the rows to insert: (the place of the row before it, the row)."""
    yield from _repeats(plan, hundred)
    place = hundred.place(_WITHOUT_ID)
    if place is not None:
        cells = hundred.cells(place)
        cells[_ID], cells[_EMAIL] = "", "nobody@naver.example"
        yield place, Extra(row_of(cells), _NO_MEMBER_ID)
    place = hundred.place(_CUT)
    if place is not None:
        stranger, name = str(int(member_id(hundred.people[place])) + 1), hundred.cells(place)[_NAME]
        yield place, Extra(row_of([stranger, name, "short@row.example"]), _CUT_OFF)


def _repeats(plan: Plan, hundred: _Hundred) -> Iterator[tuple[int, Extra]]:
    """Yields repeated members, of this hundred or of the hundred half a file before.

    A quarter are half a file away from the row that they repeat, as in a dump that was joined from
    two. A reader that looks only at its own part of the file does not find them.
    """
    half = -(-plan.people // 100) // 2
    first = hundred.people.start
    if not _is_repeated_later(plan, first, half):
        yield from _repeats_of(hundred, hundred)
    origin = first - 100 * half
    if half and origin >= 0 and _is_repeated_later(plan, origin, half):
        yield from _repeats_of(_hundred(plan, origin), hundred)


def _is_repeated_later(plan: Plan, first: int, half: int) -> bool:
    return first // 100 % 2 == 1 and first + 100 * half < plan.people


def _repeats_of(origin: _Hundred, here: _Hundred) -> Iterator[tuple[int, Extra]]:
    for offset in (_REPEATED, _CONTRADICTED):
        place = origin.place(offset)
        if place is None:
            continue
        cells = origin.cells(place)
        cells[_JOINED] = "2019-01-01"
        reason = ""
        if offset == _CONTRADICTED:
            cells[_EMAIL], reason = f"other{origin.people[place]}@naver.example", _CONFLICT
        elif origin is not here:
            cells[_EMAIL] = cells[_EMAIL].upper() + "  "
        yield min(place, len(here.people) - 1), Extra(row_of(cells), reason)
