"""Finds the contacts that a text mentions which is not a person's contact itself.

A column that no mapping uses, or a note, may hold the address or number of a person who is not
found by it: a parent's number, an address in a memo. That person must not read that they are not
among the leaked data. So the import keeps the blind index of each such contact under a text of its
own (UnreadContact). It opens no row and, unlike an uncertain contact, locks none. Both sides use
the same text: `uncertain_contacts.mention_of`. See docs/decisions/0138.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from phonenumbers import PhoneMetadata, PhoneNumberDesc

from accounts.contacts import is_usable_email, read_phones, usual_email
from accounts.phones import is_trunk_optional
from incidents.uncertain_contacts import (
    MOST_CHARACTERS,
    addresses_in,
    contacts_held,
    meant_beside,
)

_FEWEST_DIGITS, _MOST_DIGITS = 7, 16  # of a number as it is written
_MOST_PARTS = 6  # between the signs of one number
_MOST_READINGS = 200  # of the numbers of one text
# Fast: the signs of an address, as people write them.
_SIGNS_OF_ADDRESS = (
    "@",
    "\uff20",
    "골뱅이",
    " at ",
    "(at)",
    "[at]",
    "_at_",
    " AT ",
    "(AT)",
    "[AT]",
)
_FURTHER_DIGITS = rf"(?:[ ().\-/~\u00a0\u2010-\u2015]{{0,2}}\d){{{_FEWEST_DIGITS - 1},}}"
# Days, times, addresses of the internet protocol and UUIDs are no numbers of phones.
_OTHER_DIGITS = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d([-./])\d\d?\1\d\d?(?!\d)(?:[T ]?\d\d?:\d\d[\d:.]*)?"
    r"|\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"
    r"|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})",
    re.ASCII | re.IGNORECASE,
)
_PART = re.compile(r"\+?\d+", re.ASCII)
_NOT_DIGITS = re.compile(r"\D+", re.ASCII)


class _Form(NamedTuple):
    """How the numbers of a region are written."""

    run: re.Pattern[str]  # digits and signs that begin like a number
    begin: re.Pattern[str]  # of the first digits of a number
    number: re.Pattern[str]  # its digits, without a `+` before them
    without_zero: re.Pattern[str]  # a line of a mobile number, as a spreadsheet leaves it


@lru_cache
def _form(region: str) -> _Form:
    data = PhoneMetadata.metadata_for_region(region)
    every = _pattern(data.general_desc if data else None)
    mobile = _pattern(data.mobile if data else None)
    code = str(data.country_code or 0) if data else "0"
    # It starts with a set of characters, which `re` finds fastest.
    begin, begin_of_run = r"[+\d]", r"[+\d](?:(?<=\+)\(?\d|(?<![A-Za-z\d]\d))"
    if data and data.national_prefix == "0" and not is_trunk_optional(region):
        first, rest = code[0], code[1:]
        begin = rf"\+|0(?!00)|{code}"
        begin_of_run = (
            rf"[0+{first}](?:(?<=0)(?<!\d0)(?!00)|(?<=\+)\(?\d"
            rf"|(?<={first})(?<![A-Za-z\d]{first}){rest})"
        )
    return _Form(
        run=re.compile(rf"{begin_of_run}{_FURTHER_DIGITS}", re.ASCII),
        begin=re.compile(begin, re.ASCII),
        number=re.compile(rf"0?(?:0*{code})?0?(?:{every})|00\d+", re.ASCII),
        without_zero=re.compile(rf"^(?:{mobile})$", re.ASCII | re.MULTILINE),
    )


def _pattern(numbers: PhoneNumberDesc | None) -> str:
    return (numbers.national_number_pattern if numbers else None) or r"(?!)"


def may_mention(text: str, region: str) -> bool:
    """Returns whether a text of one or more lines may mention a contact; fast."""
    for sign in _SIGNS_OF_ADDRESS:
        if sign in text:
            return True
    form = _form(region)
    return form.run.search(text) is not None or form.without_zero.search(text) is not None


@lru_cache(maxsize=1 << 10)  # a column often holds the same few texts
def contacts_mentioned(text: str, region: str) -> tuple[tuple[str, str], ...]:
    """Returns the contacts in a text, each with its kind: "email" or "phone".

    They are normalised addresses, patterns of those of which characters are hidden, and numbers in
    E.164. `region` is that of numbers without a country code.
    """
    text = text.encode("utf-8", "replace").decode()  # half a character of JSON means nothing
    has_sign = any(sign in text for sign in _SIGNS_OF_ADDRESS)
    emails = _emails(text, region) if has_sign else []
    found = [("email", one) for one in emails]
    return tuple(dict.fromkeys([*found, *(("phone", one) for one in _numbers(text, region))]))


def _emails(text: str, region: str) -> list[str]:
    if len(text) > MOST_CHARACTERS:
        return list(addresses_in(text))
    usual = usual_email(text)
    found = [usual] if usual else contacts_held(text, region)[0]
    beside = [other for one in found if is_usable_email(one) for other in meant_beside(one)]
    return [*found, *beside]


def _numbers(text: str, region: str) -> Iterator[str]:
    form, readings = _form(region), 0
    for run in form.run.finditer(_OTHER_DIGITS.sub("|", text)):
        for reading in _readings(run[0], form):
            readings += 1
            if readings > _MOST_READINGS:
                return
            yield from (phone.number for phone in read_phones(reading, region).phones)
    if form.without_zero.fullmatch(text):
        yield from (one.number for one in read_phones(text, region, has_lost_zeros=True).phones)


def _readings(run: str, form: _Form) -> Iterator[str]:
    """Yields the parts of a run of digits and signs that may be numbers."""
    parts = _PART.findall(run)
    for first, part in enumerate(parts):
        if not form.begin.match(part):
            continue
        for end in range(first + 1, min(first + _MOST_PARTS, len(parts)) + 1):
            digits = _NOT_DIGITS.sub("", "".join(parts[first:end]))
            if len(digits) > _MOST_DIGITS:
                break
            if len(digits) >= _FEWEST_DIGITS and (part[0] == "+" or form.number.fullmatch(digits)):
                yield "-".join(parts[first:end])
