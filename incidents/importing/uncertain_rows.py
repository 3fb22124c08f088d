"""Writes what uncertain contacts of a row may mean, and entries of whose owner nothing is kept.

See incidents.uncertain_contacts and incidents.unlinked. Most rows have nothing of this.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain

from accounts import phones
from accounts.contacts import read_phones
from accounts.phones import usual_mobile
from incidents.importing import copy_format
from incidents.importing.cell_kinds import CellKind, kind_of
from incidents.importing.contact_reading import NO_NUMBER_DIGITS, CellReader, ContactReader
from incidents.importing.person_columns import PersonColumns
from incidents.importing.row_context import RowContext
from incidents.importing.row_messages import CellMessages
from incidents.uncertain_contacts import (
    contacts_held,
    contacts_meant,
    is_in_words,
    is_pattern,
    meant_beside,
    numbers_by_ends,
    pattern_of_user_name,
)

_IN_CONTACT = re.compile(r"[@\d]")
_LETTERS = re.compile(r"[^\W\d_]+")


class UncertainWriter:
    """A writer of the uncertain contacts of one person of each row."""

    def __init__(self, columns: PersonColumns, context: RowContext, reader: ContactReader) -> None:
        self._place, self._region, self._reader = context.place, context.region, reader
        self._cipher, self._out = context.cipher, context.out
        self._odd_cells = context.odd_cells
        # Whether something of the current row is kept that may show its owner at a sign-in.
        self.is_kept = False
        # The contacts that several columns hold.
        self._joined = [
            (cells, cells.label, blank, kind)
            for each, blank, kind in (
                (columns.email_cells, "", CellMessages.NO_EMAIL),
                (columns.phone_cells, "****", CellMessages.NO_PHONE),
            )
            for cells in each
            if not cells.only_column
        ]
        self.joins_columns = bool(self._joined)

    def write_odd(
        self,
        line: int,
        person: bytes,
        cells: list[str],
        odd: tuple[Sequence[str], Sequence[str]],
    ) -> None:
        """Adds what the odd addresses and numbers of a row, and incomplete ones, may mean."""
        emails, numbers = odd
        if emails or numbers:
            self._write_patterns(map(pattern_of_user_name, emails))
            emails = self._with_joined(cells, self._reader.email_readers, emails, "@")
            numbers = self._with_joined(cells, self._reader.phone_readers, numbers, "-")
            self.write_uncertain(line, person, [*emails, *numbers])
        if self._joined:
            self._write_incomplete(line, person, cells)

    def _with_joined(
        self, cells: list[str], readers: Sequence[CellReader], odd: Sequence[str], sign: str
    ) -> Sequence[str]:
        """Returns the odd cells, and what several columns say together, such as 010, 2345, 6781."""
        if len(readers) < 2:
            return odd
        return [*odd, sign.join(filter(None, (read(cells).strip() for read, _label in readers)))]

    def _write_incomplete(self, line: int, person: bytes, cells: list[str]) -> None:
        """Adds what contacts in several columns may mean of which a column is blank."""
        row = {column: cells[place] for column, place in self._place.items()}
        for template, label, blank, kind in self._joined:
            if text := template.fill_incomplete(row, blank):
                self._odd_cells[label, kind] += 1
                self.write_uncertain(line, person, [text])

    def write_beside(self, line: int, person: bytes, emails: Iterable[str]) -> None:
        """Adds what addresses that find the person may mean besides."""
        for text in chain.from_iterable(map(meant_beside, emails)):
            self._write_meant(line, person, "email", text)

    def write_ends(
        self, line: int, person: bytes, cells: list[str], numbers: Sequence[str]
    ) -> None:
        """Adds the numbers of which a cell holds the last digits only, unless they are known."""
        for read, _label in self._reader.phone_readers:
            for number in numbers_by_ends(read(cells), self._region):
                if number not in numbers:
                    self._write_meant(line, person, "phone", number)

    def write_unusual(
        self, line: int, person: bytes, identity: str, contact: tuple[tuple[str, ...], ...]
    ) -> None:
        """Adds the contacts that a reference or a name holds, unless they find the person."""
        if "@" in identity or is_in_words(identity):
            self.write_held(line, person, identity, contact)
        elif identity[0] in "0+" and (number := usual_mobile(identity, self._region)):
            self.write_held(line, person, number, contact)
        for name in filter(may_hold_contact, contact[0]):
            self.write_held(line, person, name, contact)

    def write_held(
        self, line: int, person: bytes, cell: str, contact: tuple[tuple[str, ...], ...]
    ) -> None:
        """Adds the contacts in a cell of another column, unless they find the person already.

        Notes the same as `write_uncertain`.
        """
        if cell in contact[1] or cell in contact[2]:
            return
        emails, numbers = contacts_held(cell, self._region)
        for kind, texts, known in (("email", emails, contact[1]), ("phone", numbers, contact[2])):
            for text in texts:
                if text not in known:
                    self._write_meant(line, person, kind, text)
        self.is_kept |= bool(emails) or _may_take_code(cell, numbers, self._region)

    def write_uncertain(self, line: int, person: bytes, cells: Iterable[str]) -> None:
        """Adds what cells with uncertain contacts may mean; see incidents.uncertain_contacts.

        Notes whether any of it may be the contact by which a person signs in.
        """
        for cell in cells:
            emails, numbers = contacts_meant(cell, self._region)
            for kind, texts in (("email", emails), ("phone", numbers)):
                for text in texts:
                    self._write_meant(line, person, kind, text)
            self.is_kept |= bool(emails) or _may_take_code(cell, numbers, self._region)

    def _write_patterns(self, patterns: Iterable[str]) -> None:
        for pattern in filter(None, patterns):
            self._write_meant(0, b"", "email", pattern)

    def _write_meant(self, line: int, person: bytes, kind: str, text: str) -> None:
        # A pattern is stored once a file: all rows of an export can hold the same one.
        at, key = (0, b"") if is_pattern(text) else (line, person)
        index = self._cipher.blind_index(f"{kind}\0{text}")
        email, phone = (index, b"") if kind == "email" else (b"", index)
        self._out.unread.append(copy_format.unread_contact(at, key, email, phone, b""))

    def write_unlinked(self, line: int, person: bytes, *, is_found: bool) -> None:
        """Adds an entry of whose owner nothing was kept; see incidents.unlinked.

        `person` is b"" for one that is not stored; `is_found` tells whether a contact of the row
        finds the person at a sign-in.
        """
        if not (is_found or self.is_kept):
            self._out.unread.append(copy_format.unread_contact(line, person, b"", b"", b""))


def _may_take_code(cell: str, numbers: Sequence[str], region: str) -> bool:
    """Returns whether one of the numbers that a cell may mean may be a person's that takes codes.

    A number of a service and a landline are none, and neither are the digits of a date.
    """
    text = _LETTERS.sub("", cell).strip()
    if not numbers or kind_of(text, region) in (CellKind.DATE, CellKind.RESIDENT, CellKind.CARD):
        return False
    if read_phones(text, region).oddity == phones.NO_PERSONS_NUMBER:
        return False
    landlines = [number for number in numbers if _is_landline(number, region)]
    # Of a landline with an extension, the last digits may be a number's end: `*8912`.
    others = (number for number in numbers if number not in landlines)
    return not landlines or any(number[0] != "*" for number in others)


def _is_landline(number: str, region: str) -> bool:
    found = () if is_pattern(number) else read_phones(number, region).phones
    return any(phone.is_landline for phone in found)


def may_hold_contact(name: str) -> bool:
    """Returns whether a name may hold an address or a number besides; fast."""
    if _IN_CONTACT.search(name) and ("@" in name or _digits(name) >= NO_NUMBER_DIGITS):
        return True
    return is_in_words(name)


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))
