"""The files of many rows a person, which do not stand together: addresses and orders."""

import math
from bisect import bisect_right
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from itertools import accumulate, chain, pairwise

from incidents.synthetic import words
from incidents.synthetic.blocks import (
    FIRST_MEMBER,
    MEMBER_STEP,
    UNKNOWN_MEMBER,
    Extra,
    Form,
    Plan,
    SyntheticBlock,
    fill,
    form_of,
    member_id,
)

_NOBODY = "99999999"
_UNDECODABLE, _BAD_DATE = "undecodable bytes", "bad date"
# Bytes FF FE FF, which neither CP949 nor UTF-8 has.
_SPOILT = "\udcff\udcfe\udcff"
# Which of a person's entries it is, in the entry's id.
_SLOTS = [f"{slot:02d}" for slot in range(100)]
_BAD_SLOT = _SLOTS[-1]
# Of the entries that are not a member's own home; 31 % of all at 4.4 a person.
_RECIPIENT_BELOW = words.DRAWS * 4 // 10
# By a draw's last four bits. Most are typed as the shop's form asks for it.
_RECIPIENT_PHONE_FORMS = [*words.PHONE_FORMS, *[words.PHONE_FORMS[0]] * 11]
_KOREA = timezone(timedelta(hours=9))
_LAST_ORDER = datetime(2025, 10, 28, 13, 15, tzinfo=UTC)
_ORDERS_SPAN = timedelta(days=5 * 365)


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


def _entries(plan: Plan, file: str, number: int, bounds: list[int]) -> tuple[list[int], list[int]]:
    """(people, slots) of the block's rows.

    The first entries of one group of people, the second entries of another far from it, and so
    on: over all blocks everyone gets all of theirs, spread over the whole file.
    """
    step = max(1, plan.blocks // max(1, len(bounds)))
    people, slots = list[int](), list[int]()
    for slot, bound in enumerate(bounds):
        group = (number + slot * step) % plan.blocks
        members = plan.people_of(group)
        drawn = words.draws(f"{plan.seed} {file} {group}", len(members))
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


def make_addresses(plan: Plan, number: int) -> SyntheticBlock:
    """A block of addresses.csv."""
    form = form_of("addresses", plan.format)
    mean = plan.addresses_per_person
    people, slots = _entries(plan, "addresses", number, _bounds(mean, min(mean, 1.0)))
    drawn = words.draws(f"{plan.seed} entries {number}", 6 * len(people))
    f0, f1, f2, f3, f4, f5, f6, f7, f8, _, f10, f11 = form.frame
    streets, flats, postcodes = words.streets(), words.flats(), words.postcodes()
    last_cells, changed = _codes_and_notes(plan.format), _updated_on()
    nobody = f4
    block, rows = SyntheticBlock(), []
    for person, slot, street, flat, postcode, last, day, other in zip(
        people, slots, *(drawn[column::6] for column in range(6)), strict=True
    ):
        recipient = nobody
        if slot and other < _RECIPIENT_BELOW:
            who = _recipient(plan, person, slot, other)
            block.recipients.append(who)
            recipient = f"{words.name_of(who)}{f4}{_phone_of(who, other)}"
        label = words.ELSEWHERE[person + slot & 3] if slot else words.HOME
        member = f"{FIRST_MEMBER + MEMBER_STEP * person}"
        rows.append(
            f"{f0}{member}{f1}A{member}{_SLOTS[slot]}"
            f"{f2}{label}{f3}{recipient}{f5}{postcodes[postcode]}{f6}{streets[street]}"
            f"{f7}{flats[flat]}{f8}{last_cells[last]}{f10}{changed[day]}{f11}"
        )
    bound = words.ENTRANCE_CODE_BELOW
    block.people["entrance_codes"] = sum(draw < bound for draw in drawn[3::6])
    return fill(block, form, rows, _bad_addresses(plan, number, people, form))


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
def _codes_and_notes(file_format: str) -> list[str]:
    """The entrance code and the delivery note, with what stands between them."""
    form = form_of("addresses", file_format)
    notes = [form.cell(note) for note in words.NOTES]
    return [
        words.entrance_code(draw) + form.frame[9] + notes[draw % len(notes)]
        for draw in range(words.DRAWS)
    ]


@cache
def _updated_on() -> list[str]:
    return words.dates(date(2020, 1, 1), date(2025, 11, 7))


def _bad_addresses(
    plan: Plan, number: int, people: list[int], form: Form
) -> dict[int, list[Extra]]:
    """Entries of nobody, and entries with bytes that are not of the encoding."""
    extras = defaultdict[int, list[Extra]](list)
    for position in _every(400, len(people), f"{plan.seed} entries of nobody {number}"):
        cells = _bad_address(people[position], _NOBODY, words.HOME)
        extras[position].append(Extra(form.row(cells), UNKNOWN_MEMBER))
    for position in _every(400, len(people), f"{plan.seed} spoilt entries {number}"):
        member = member_id(people[position])
        cells = _bad_address(people[position], member, _SPOILT + words.HOME)
        extras[position].append(Extra(form.row(cells), _UNDECODABLE))
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


def make_orders(plan: Plan, number: int) -> SyntheticBlock:
    """A block of orders.csv."""
    form = form_of("orders", plan.format)
    people, slots = _entries(plan, "orders", number, _bounds(plan.orders_per_person, 0.0))
    drawn = words.draws(f"{plan.seed} lines {number}", len(people))
    f0, f1, f2, f3, _, f5 = form.frame
    bought, times = _items_and_quantities(plan.format), _ordered_at(plan, number)
    rows = []
    for row, (person, slot, draw) in enumerate(zip(people, slots, drawn, strict=True)):
        member = f"{FIRST_MEMBER + MEMBER_STEP * person}"
        time = times[row * len(times) // len(people)]
        rows.append(f"{f0}O{member}{_SLOTS[slot]}{f1}{member}{f2}{time}{f3}{bought[draw]}{f5}")
    return fill(SyntheticBlock(), form, rows, _bad_orders(plan, number, people, form))


@cache
def _items_and_quantities(file_format: str) -> list[str]:
    form = form_of("orders", file_format)
    items = [form.cell(item) for item in words.ITEMS]
    return [
        f"{items[draw % len(items)]}{form.frame[4]}{1 + draw // len(items) % 3}"
        for draw in range(words.DRAWS)
    ]


def _ordered_at(plan: Plan, block: int) -> list[str]:
    """Times of a block's rows: the file begins with the latest order, as the sample does."""
    each = _ORDERS_SPAN / (plan.blocks * 500)
    return [
        (_LAST_ORDER - each * (block * 500 + step)).astimezone(_KOREA).isoformat(timespec="seconds")
        for step in range(500)
    ]


def _bad_orders(plan: Plan, number: int, people: list[int], form: Form) -> dict[int, list[Extra]]:
    """Orders of nobody, and orders on a day that is none."""
    extras = defaultdict[int, list[Extra]](list)
    for position in _every(1000, len(people), f"{plan.seed} orders of nobody {number}"):
        order = f"O{member_id(people[position])}{_BAD_SLOT}"
        cells = [order, _NOBODY, "2025-10-28T22:15:00+09:00", words.ITEMS[0], "1"]
        extras[position].append(Extra(form.row(cells), UNKNOWN_MEMBER))
    for position in _every(1000, len(people), f"{plan.seed} orders of no day {number}"):
        member = member_id(people[position])
        cells = [f"O{member}{_BAD_SLOT}", member, "2025-13-40", words.ITEMS[0], "1"]
        extras[position].append(Extra(form.row(cells), _BAD_DATE))
    return extras
