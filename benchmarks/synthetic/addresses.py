"""The addresses file: many rows per person, spread over the whole file."""

import math
from bisect import bisect_right
from collections import defaultdict
from datetime import date
from functools import cache
from itertools import accumulate, chain, pairwise

from benchmarks.synthetic import sample_values
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

_UNUSED_MEMBER_ID = "99999999"
_UNDECODABLE = "undecodable bytes"
# Bytes FF FE FF, which are not valid in CP949 and in UTF-8.
_INVALID_BYTES = "\udcff\udcfe\udcff"
# The number of an entry among those of its person, as part of the entry's id.
_SLOTS = [f"{slot:02d}" for slot in range(100)]
_BAD_SLOT = _SLOTS[-1]
# The share of other entries than a member's own home that name a recipient. They are 31 % of all
# entries at 4.4 per person.
_RECIPIENT_BELOW = sample_values.DRAWS * 4 // 10
# By the last four bits of a draw. Most numbers have the form that the shop's page requests.
_RECIPIENT_PHONE_FORMS = [*sample_values.PHONE_FORMS, *[sample_values.PHONE_FORMS[0]] * 11]


@cache
def _bounds(per_person: float, at_least: float) -> list[int]:
    """Returns for each slot the smallest draw of the people who have an entry in it.

    Slot 2, for example, is the third entry of a person. Many people have few entries and few people
    have many. The mean is `per_person`, and every person has `at_least` (up to 1) of them.
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
    """Returns the people and the slots of the block's rows.

    The block has the first entries of one group of people, the second entries of a distant group,
    and so on. Over all blocks every person gets all entries, spread over the whole file.
    """
    step = max(1, plan.blocks // max(1, len(bounds)))
    people, slots = list[int](), list[int]()
    for slot, bound in enumerate(bounds):
        group = (number + slot * step) % plan.blocks
        members = plan.people_of(group)
        drawn = sample_values.draws(f"{plan.seed} addresses {group}", len(members))
        filled = [person for person, draw in zip(members, drawn, strict=True) if draw >= bound]
        people += filled
        slots += [slot] * len(filled)
    return _shuffled(people), _shuffled(slots)


def _shuffled(items: list[int]) -> list[int]:
    """Returns the items in an order that separates neighbours; it depends on their number only."""
    return list(chain.from_iterable(items[start::331] for start in range(331)))


def _every(step: int, rows: int, key: str) -> range:
    """Returns positions `step` apart with a random first one; at least one if there is a row."""
    first = sample_values.draws(key, 1)[0] % max(1, min(step, rows))
    return range(first, rows, step)


def make_addresses(plan: Plan, number: int) -> RowBlock:
    """Returns the block `number` of addresses.csv."""
    mean = plan.addresses_per_person
    people, slots = _entries(plan, number, _bounds(mean, min(mean, 1.0)))
    drawn = sample_values.draws(f"{plan.seed} entries {number}", 6 * len(people))
    streets, flats, postcodes = (
        sample_values.streets(),
        sample_values.flats(),
        sample_values.postcodes(),
    )
    last_cells, changed = _codes_and_notes(), _updated_on()
    block, rows = RowBlock(), []
    for person, slot, street, flat, postcode, last, day, other in zip(
        people, slots, *(drawn[column::6] for column in range(6)), strict=True
    ):
        recipient = ","
        if slot and other < _RECIPIENT_BELOW:
            named = _recipient(plan, person, slot, other)
            block.recipients.append(named)
            recipient = f"{sample_values.name_of(named)},{_phone_of(named, other)}"
        label = sample_values.ELSEWHERE[person + slot & 3] if slot else sample_values.HOME
        member = f"{FIRST_MEMBER + MEMBER_STEP * person}"
        rows.append(
            f"{member},A{member}{_SLOTS[slot]},{label},{recipient},{postcodes[postcode]}"
            f",{streets[street]},{flats[flat]},{last_cells[last]},{changed[day]}{ROW_END}"
        )
    bound = sample_values.ENTRANCE_CODE_BELOW
    block.people["entrance_codes"] = sum(draw < bound for draw in drawn[3::6])
    return fill(block, "addresses", rows, _bad_addresses(plan, number, people))


def _recipient(plan: Plan, person: int, slot: int, draw: int) -> int:
    """Returns the number of the person whom an entry names.

    Each member sends to two recipients of their own, sometimes to those of a neighbour or to
    another member. Therefore the same person is in several address books and under several ids.
    """
    kind = draw >> 4 & 15
    if kind == 0:
        return (person + 7919 * draw) % plan.people
    sender = person ^ 1 if kind == 1 else person
    return (plan.people + 2 * sender + (slot & 1)) % sample_values.PHONE_NUMBERS


def _phone_of(person: int, draw: int) -> str:
    first, second = sample_values.phone_fours(person)
    before, between = _RECIPIENT_PHONE_FORMS[draw & 15]
    return f"{before}{first}{between}{second}"


@cache
def _codes_and_notes() -> list[str]:
    """Returns the cells of entrance code and delivery note, by draw."""
    notes = [cell_of(note) for note in sample_values.NOTES]
    return [
        f"{sample_values.entrance_code(draw)},{notes[draw % len(notes)]}"
        for draw in range(sample_values.DRAWS)
    ]


@cache
def _updated_on() -> list[str]:
    return sample_values.dates(date(2020, 1, 1), date(2025, 11, 7))


def _bad_addresses(plan: Plan, number: int, people: list[int]) -> dict[int, list[Extra]]:
    """Returns the rows to reject, by position: of unknown members, and with invalid bytes."""
    extras = defaultdict[int, list[Extra]](list)
    for position in _every(400, len(people), f"{plan.seed} entries of nobody {number}"):
        cells = _bad_address(people[position], _UNUSED_MEMBER_ID, sample_values.HOME)
        extras[position].append(Extra(row_of(cells), UNKNOWN_MEMBER))
    for position in _every(400, len(people), f"{plan.seed} spoilt entries {number}"):
        member = member_id(people[position])
        cells = _bad_address(people[position], member, _INVALID_BYTES + sample_values.HOME)
        extras[position].append(Extra(row_of(cells), _UNDECODABLE))
    return extras


def _bad_address(beside: int, member: str, label: str) -> list[str]:
    """Returns the cells of an entry that an import must reject, with its recipient and code."""
    recipient, draw = beside + 77_000_000, beside & 0xFFFF
    return [
        member,
        f"A{member_id(beside)}{_BAD_SLOT}",
        label,
        sample_values.name_of(recipient),
        _phone_of(recipient, draw),
        sample_values.postcodes()[draw],
        sample_values.streets()[draw],
        sample_values.flats()[draw],
        sample_values.entrance_code(0),
        sample_values.NOTES[draw % len(sample_values.NOTES)],
        "2022-07-11",
    ]
