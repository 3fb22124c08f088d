"""The addresses file: many rows a person, which do not stand together."""

import math
from bisect import bisect_right
from collections import defaultdict
from datetime import date
from functools import cache
from itertools import accumulate, chain, pairwise

from benchmarks.synthetic import words
from benchmarks.synthetic.blocks import (
    FIRST_MEMBER,
    MEMBER_STEP,
    ROW_END,
    UNKNOWN_MEMBER,
    Extra,
    Plan,
    RowBlock,
    cell_of,
    fill,
    member_id,
    row_of,
)

_NOBODY = "99999999"
_UNDECODABLE = "undecodable bytes"
# Bytes FF FE FF, which neither CP949 nor UTF-8 has.
_SPOILT = "\udcff\udcfe\udcff"
# Which of a person's entries it is, in the entry's id.
_SLOTS = [f"{slot:02d}" for slot in range(100)]
_BAD_SLOT = _SLOTS[-1]
# Of the entries that are not a member's own home; 31 % of all at 4.4 a person.
_RECIPIENT_BELOW = words.DRAWS * 4 // 10
# By a draw's last four bits. Most are typed as the shop's form asks for it.
_RECIPIENT_PHONE_FORMS = [*words.PHONE_FORMS, *[words.PHONE_FORMS[0]] * 11]


@cache
def _bounds(per_person: float, at_least: float) -> list[int]:
    """For each slot of a person's entries, the least draw of those who fill it.

    Many have few entries and few have many; the mean is `per_person`, and everyone has `at_least`
    (up to 1) of them.
    """
    shares = [min(-math.log(1 - (step + 0.5) / 1024), 4.0) for step in range(1024)]
    unit = (per_person - at_least) * 1024 / sum(shares)
    totals = [
        int(at_least * step + unit * share + 0.5)
        for step, share in enumerate(chain([0.0], accumulate(shares)))
    ]
    counts = sorted(after - before for before, after in pairwise(totals))
    return [bisect_right(counts, slot) << 6 for slot in range(counts[-1])]


def _entries(plan: Plan, number: int, bounds: list[int]) -> tuple[list[int], list[int]]:
    """(people, slots) of the block's rows.

    The first entries of one group of people, the second entries of another far from it, and so
    on: over all blocks everyone gets all of theirs, spread over the whole file.
    """
    step = max(1, plan.blocks // max(1, len(bounds)))
    people, slots = list[int](), list[int]()
    for slot, bound in enumerate(bounds):
        group = (number + slot * step) % plan.blocks
        members = plan.people_of(group)
        drawn = words.draws(f"{plan.seed} addresses {group}", len(members))
        filled = [person for person, draw in zip(members, drawn, strict=True) if draw >= bound]
        people += filled
        slots += [slot] * len(filled)
    return _dealt(people), _dealt(slots)


def _dealt(cards: list[int]) -> list[int]:
    return list(chain.from_iterable(cards[start::331] for start in range(331)))


def _every(step: int, rows: int, key: str) -> range:
    """Positions `step` apart, the first of them drawn; at least one if there is a row."""
    first = words.draws(key, 1)[0] % max(1, min(step, rows))
    return range(first, rows, step)


def make_addresses(plan: Plan, number: int) -> RowBlock:
    """A block of addresses.csv."""
    mean = plan.addresses_per_person
    people, slots = _entries(plan, number, _bounds(mean, min(mean, 1.0)))
    drawn = words.draws(f"{plan.seed} entries {number}", 6 * len(people))
    streets, flats, postcodes = words.streets(), words.flats(), words.postcodes()
    last_cells, changed = _codes_and_notes(), _updated_on()
    block, rows = RowBlock(), []
    for person, slot, street, flat, postcode, last, day, other in zip(
        people, slots, *(drawn[column::6] for column in range(6)), strict=True
    ):
        recipient = ","
        if slot and other < _RECIPIENT_BELOW:
            who = _recipient(plan, person, slot, other)
            block.recipients.append(who)
            recipient = f"{words.name_of(who)},{_phone_of(who, other)}"
        label = words.ELSEWHERE[person + slot & 3] if slot else words.HOME
        member = f"{FIRST_MEMBER + MEMBER_STEP * person}"
        rows.append(
            f"{member},A{member}{_SLOTS[slot]},{label},{recipient},{postcodes[postcode]}"
            f",{streets[street]},{flats[flat]},{last_cells[last]},{changed[day]}{ROW_END}"
        )
    bound = words.ENTRANCE_CODE_BELOW
    block.people["entrance_codes"] = sum(draw < bound for draw in drawn[3::6])
    return fill(block, "addresses", rows, _bad_addresses(plan, number, people))


def _recipient(plan: Plan, person: int, slot: int, draw: int) -> int:
    """The number of the person an entry names.

    Each member sends to two people of their own, some to a neighbour's, some to another member;
    so the same person stands in several address books and under several ids.
    """
    kind = draw >> 4 & 15
    if kind == 0:
        return (person + 7919 * draw) % plan.people
    sender = person ^ 1 if kind == 1 else person
    return (plan.people + 2 * sender + (slot & 1)) % words.PHONE_NUMBERS


def _phone_of(person: int, draw: int) -> str:
    first, second = words.phone_fours(person)
    before, between = _RECIPIENT_PHONE_FORMS[draw & 15]
    return f"{before}{first}{between}{second}"


@cache
def _codes_and_notes() -> list[str]:
    """The entrance code and the delivery note, as they stand in a row."""
    notes = [cell_of(note) for note in words.NOTES]
    return [
        f"{words.entrance_code(draw)},{notes[draw % len(notes)]}" for draw in range(words.DRAWS)
    ]


@cache
def _updated_on() -> list[str]:
    return words.dates(date(2020, 1, 1), date(2025, 11, 7))


def _bad_addresses(plan: Plan, number: int, people: list[int]) -> dict[int, list[Extra]]:
    """Entries of nobody, and entries with bytes that are not of the encoding."""
    extras = defaultdict[int, list[Extra]](list)
    for position in _every(400, len(people), f"{plan.seed} entries of nobody {number}"):
        cells = _bad_address(people[position], _NOBODY, words.HOME)
        extras[position].append(Extra(row_of(cells), UNKNOWN_MEMBER))
    for position in _every(400, len(people), f"{plan.seed} spoilt entries {number}"):
        member = member_id(people[position])
        cells = _bad_address(people[position], member, _SPOILT + words.HOME)
        extras[position].append(Extra(row_of(cells), _UNDECODABLE))
    return extras


def _bad_address(beside: int, member: str, label: str) -> list[str]:
    """An entry that must be rejected, and with it the recipient and the code it names."""
    recipient, draw = beside + 77_000_000, beside & 0xFFFF
    return [
        member,
        f"A{member_id(beside)}{_BAD_SLOT}",
        label,
        words.name_of(recipient),
        _phone_of(recipient, draw),
        words.postcodes()[draw],
        words.streets()[draw],
        words.flats()[draw],
        words.entrance_code(0),
        words.NOTES[draw % len(words.NOTES)],
        "2022-07-11",
    ]
