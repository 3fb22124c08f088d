"""Writes the people of a row and their exposures as rows for COPY, encrypted.

It runs for every row of a nation, so its inner functions cache all that they need again.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as MappingType
from functools import lru_cache, partial
from hashlib import blake2b
from itertools import chain
from json.encoder import encode_basestring as in_json
from typing import NamedTuple

from accounts import phones
from accounts.contacts import (
    MASKED,
    MISTYPED,
    NOT_AN_ADDRESS,
    Phone,
    read_emails,
    read_phones,
    usual_email,
)
from accounts.phones import usual_mobile
from incidents.bulk_encryption import BulkEncryptor
from incidents.encryption import CONTACT, EXPOSURE
from incidents.importing import copy_format, person_languages
from incidents.importing.block_output import BlockOutput
from incidents.importing.cell_fillers import contact_filler, filler, index_of_only
from incidents.importing.cell_kinds import CellKind, kind_of
from incidents.importing.contact_json import contact_json
from incidents.importing.days import DayReader
from incidents.importing.mapping import LeakColumn, PersonColumns
from incidents.importing.placeholders import is_placeholder
from incidents.importing.refusals import CellMessages
from incidents.models import CONTACT_CLASSES, AffectedPerson, FurtherContact
from incidents.uncertain_contacts import (
    contacts_held,
    contacts_meant,
    has_addition,
    is_in_words,
    is_pattern,
    meant_beside,
    pattern_of_user_name,
)

Reach, Relation = AffectedPerson.Reach, AffectedPerson.Relation
FIRST, SECOND = 1, 2  # slots: the person that a row is about, and the other person in the row
_MISSING, _UNUSABLE, _USABLE = int(Reach.MISSING), int(Reach.UNUSABLE), int(Reach.USABLE)
_LANDLINE = int(Reach.LANDLINE)
_EMAIL, _PHONE = int(FurtherContact.Kind.EMAIL), int(FurtherContact.Kind.PHONE)
_NO_NUMBER_DIGITS = 7  # a text of fewer characters can be a placeholder; a longer one is a number
_ODD_EMAILS = {
    MASKED: CellMessages.MASKED_EMAIL,
    MISTYPED: CellMessages.MISTYPED_EMAIL,
    NOT_AN_ADDRESS: CellMessages.NO_EMAIL,
}
_ODD_PHONES = {
    phones.NOT_A_NUMBER: CellMessages.NO_PHONE,
    phones.NO_PERSONS_NUMBER: CellMessages.NO_PERSONS_PHONE,
    phones.LOST_ZERO: CellMessages.LOST_ZERO,
}
_IN_CONTACT = re.compile(r"[@\d]")
_LETTERS = re.compile(r"[^\W\d_]+")


class RowContext(NamedTuple):
    """The values that all writers and readers of rows share."""

    cipher: BulkEncryptor
    class_ids: MappingType[str, int]
    secret: bytes
    place: dict[str, int]  # the index of its cell, by column
    days: MappingType[str, DayReader]  # by column
    languages: tuple[str, ...]  # of the incident
    default_language: str  # of people whose language is not given
    region: str  # of phone numbers without a country code
    nulls: frozenset[str]  # texts of cells that are blank
    has_lost_zeros: bool  # whether a spreadsheet removed the zero before phone numbers
    odd_cells: Counter[tuple[str, CellMessages]]
    out: BlockOutput


# The e-mail addresses or the phone numbers of a person in one row, the reach of the first one, and
# how many have an index. These come first, in their normal form; the others are as they leaked. It
# is a plain tuple, because each row makes two.
Texts = tuple[tuple[str, ...], int, int]
_NONE: Texts = ((), _MISSING, 0)
# Reads one contact of a row; and the columns that it reads, for messages.
_Reader = tuple[Callable[[Sequence[str]], str], str]


class PersonWriter:
    """A writer of one person of each row, and of the exposure of that person."""

    def __init__(
        self, columns: PersonColumns, context: RowContext, *, slot: int, takes_known_only: bool
    ) -> None:
        place, self._out, self._slot = context.place, context.out, slot
        self._cipher, self._file_id = context.cipher, context.out.file_id
        self._digest = blake2b(digest_size=8, key=context.secret)
        self._digest.update(b"\0")  # then the key is hashed once, not for each row
        self._region, self._has_lost_zeros = context.region, context.has_lost_zeros
        self._odd_cells = context.odd_cells
        self._kind = f"person:{columns.relation.name.lower()}\0"
        self._traits = lru_cache(partial(copy_format.traits, int(columns.relation)))
        self._name = columns.name_cells and filler(columns.name_cells, place)
        emails, numbers = columns.email_cells, columns.phone_cells
        self._emails = [(contact_filler(cells, place), cells.label) for cells in emails]
        self._phones = [(contact_filler(cells, place), cells.label) for cells in numbers]
        # The contacts that several columns hold; see `_write_incomplete`.
        self._place = place
        self._joined = [
            (cells, cells.label, blank, kind)
            for each, blank, kind in (
                (emails, "", CellMessages.NO_EMAIL),
                (numbers, "****", CellMessages.NO_PHONE),
            )
            for cells in each
            if not cells.only_column
        ]
        self._only_email, self._only_phone = (
            index_of_only(emails, place),
            index_of_only(numbers, place),
        )
        self._default_language = context.default_language
        self.language_column = columns.language
        self._language = place[columns.language] if columns.language else -1
        self._language_of = person_languages.reader(
            columns.languages, context.languages, context.default_language
        )
        self._writes_contact = columns.has_contact or not takes_known_only
        self._nulls = context.nulls
        only_name = index_of_only([columns.name_cells], place) if columns.name_cells else -1
        usual_places = only_name, self._only_email, self._only_phone
        has_usual = self._writes_contact and not columns.leaks and min(usual_places) >= 0
        # The places of the cells of `usual_contact`; none if a row always needs more.
        self.usual_places: tuple[int, ...] = usual_places if has_usual else ()
        # Whether something of the current row is kept that may show its owner at a sign-in.
        self._is_kept = False
        self._people = self._out.people
        self._exposures = self._out.exposures if slot == FIRST else self._out.second_exposures
        self._leaks = [
            _LeakReader(leak, context.class_ids, place, context.days) for leak in columns.leaks
        ]
        ids = {part: context.class_ids[slug] for part, slug in CONTACT_CLASSES.items()}
        self._ids = ids["name"], ids["email"], ids["phone"]
        self._contact_ids = ids["email"], ids["phone"]
        parts = ("name", "email", "phone")
        leaked = [ids[part] if part in columns.contact_leaked else 0 for part in parts]
        # By the parts that a contact has: the name counts 1, the addresses 2, the numbers 4.
        self._of_contact = [
            tuple(one for place, one in enumerate(leaked) if one and has & 1 << place)
            for has in range(8)
        ]
        self._classes: dict[tuple[int, ...], bytes] = {}
        # The fields after the head of an exposure without values; b"" if nothing leaked.
        self._rest_of_contact = [
            self._pack_classes(classes) + _NULL if classes else b"" for classes in self._of_contact
        ]

    def person_id(self, identity: str) -> bytes:
        """Returns the primary key of the person with this reference or phone number."""
        return self._cipher.blind_index(self._kind + identity)

    def language(self, cells: list[str]) -> str:
        """Returns the language of the person; "" for a value that is not decided."""
        if self._language < 0:
            return self._default_language
        return self._language_of(cells[self._language]) or ""

    def write(self, line: int, cells: list[str], identity: str, language: str) -> None:
        """Adds the person and the exposure of a row to the output.

        `identity` is the id in the source, or the phone number of a recipient in E.164; `language`
        is what `language` returned.
        """
        index = self._cipher.blind_index
        person = index(self._kind + identity)
        name = self._name(cells) if self._name else ""
        # Most rows have one address and one number in a usual form, which take the least time.
        email_place, phone_place = self._only_email, self._only_phone
        address = usual_email(cells[email_place]) if email_place >= 0 else ""
        number = usual_mobile(cells[phone_place], self._region) if phone_place >= 0 else ""
        emails, email_reach, usable_emails = (
            ((address,), _USABLE, 1) if address else self._read_emails(cells)
        )
        numbers, phone_reach, usable_numbers = (
            ((number,), _USABLE, 1) if number else self._read_phones(cells)
        )
        contact = (name,) if name else (), emails, numbers
        uncertain, self._is_kept = len(self._out.unread), False
        is_odd = len(emails) > usable_emails or len(numbers) > usable_numbers
        if is_odd or self._joined:
            odd = emails[usable_emails:], numbers[usable_numbers:]
            self._write_odd(line, person, cells, odd)
        if usable_emails and (not address or usable_emails > 1 or has_addition(emails[0])):
            self._write_beside(line, person, emails[:usable_emails])
        if not name.isalpha() or not identity.isdigit() or identity[0] == "0":
            self._write_unusual(line, person, identity, contact)
        if self._writes_contact:
            plain = contact_json(name, emails, numbers)
            indexes = (
                _LENGTH_16 + index("email\0" + emails[0]) if usable_emails else _NULL,
                _LENGTH_16 + index("phone\0" + numbers[0]) if usable_numbers else _NULL,
            )
            traits = self._traits(language, email_reach, phone_reach)
            self._write_person(line, person, plain, traits + b"".join(indexes))
            if usable_emails > 1 or usable_numbers > 1:
                self._write_further(
                    line, person, emails[1:usable_emails], numbers[1:usable_numbers]
                )
        self._write_exposure(line, cells, person, contact)
        if is_odd or len(self._out.unread) > uncertain:
            takes_code = usable_numbers and phone_reach != _LANDLINE
            self._write_unlinked(line, person, is_found=bool(usable_emails or takes_code))

    def usual_contact(self, cells: list[str]) -> tuple[str, str, str] | None:
        """Returns name, address and number if each is in a usual form that says nothing else.

        The writer must have `usual_places`.
        """
        name_place, email_place, phone_place = self.usual_places
        name = cells[name_place]
        if not name.isalpha() or name in self._nulls:
            return None
        address = usual_email(cells[email_place])
        if not address or has_addition(address):
            return None
        number = usual_mobile(cells[phone_place], self._region)
        return (name, address, number) if number else None

    def write_usual(
        self, line: int, identity: str, language: str, contact: tuple[str, str, str]
    ) -> None:
        """Does what `write` does, for what `usual_contact` returned and an `identity` of digits."""
        name, address, number = contact
        index = self._cipher.blind_index
        person = index(self._kind + identity)
        # The address and the number need no escapes in JSON.
        plain = f'{{"n":{in_json(name)},"e":"{address}","p":"{number}"}}'.encode()
        fields = _pack_indexes(16, index("email\0" + address), 16, index("phone\0" + number))
        self._write_person(line, person, plain, self._traits(language, _USABLE, _USABLE) + fields)
        if rest := self._rest_of_contact[7]:
            head = _pack_exposure(5, 16, person, 4, self._file_id, 4, line)
            self._exposures.append(head + rest)

    def _write_person(self, line: int, person: bytes, plain: bytes, fields: bytes) -> None:
        """Adds a row of people. `fields` are those from the relation to the number's index."""
        ciphertext = self._cipher.encrypt_bytes(plain, person, CONTACT)
        digest = self._digest.copy()  # takes a third of the time of a new one
        digest.update(plain)
        head = _pack_person(11, 4, line, 2, self._slot, 8, digest.digest(), 16, person)
        self._people.append(b"".join((head, fields, _pack_length(len(ciphertext)), ciphertext)))

    def _write_further(
        self, line: int, person: bytes, emails: Sequence[str], numbers: Sequence[str]
    ) -> None:
        further = [(_EMAIL, "email\0" + one) for one in emails]
        further += [(_PHONE, "phone\0" + one) for one in numbers]
        for kind, kind_and_text in further:
            index = self._cipher.blind_index(kind_and_text)
            self._out.further.append(
                copy_format.further_contact(4, 4, line, 16, person, 2, kind, 16, index)
            )

    def _write_odd(
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
            emails = self._with_joined(cells, self._emails, emails, "@")
            numbers = self._with_joined(cells, self._phones, numbers, "-")
            self._write_uncertain(line, person, [*emails, *numbers])
        if self._joined:
            self._write_incomplete(line, person, cells)

    def _write_unlinked(self, line: int, person: bytes, *, is_found: bool) -> None:
        """Adds an entry of whose owner nothing was kept; see incidents.unlinked.

        `person` is b"" for one that is not stored; `is_found` tells whether a contact of the row
        finds the person at a sign-in.
        """
        if not (is_found or self._is_kept):
            self._out.unread.append(copy_format.unread_contact(line, person, b"", b"", b""))

    def _write_uncertain(self, line: int, person: bytes, cells: Iterable[str]) -> None:
        """Adds what cells with uncertain contacts may mean; see incidents.uncertain_contacts.

        Notes whether any of it may be the contact by which a person signs in.
        """
        for cell in cells:
            emails, numbers = contacts_meant(cell, self._region)
            for kind, texts in (("email", emails), ("phone", numbers)):
                for text in texts:
                    self._write_meant(line, person, kind, text)
            self._is_kept |= bool(emails) or _may_take_code(cell, numbers, self._region)

    def _write_held(
        self, line: int, person: bytes, cell: str, contact: tuple[tuple[str, ...], ...]
    ) -> None:
        """Adds the contacts in a cell of another column, unless they find the person already.

        Notes the same as `_write_uncertain`.
        """
        if cell in contact[1] or cell in contact[2]:
            return
        emails, numbers = contacts_held(cell, self._region)
        for kind, texts, known in (("email", emails, contact[1]), ("phone", numbers, contact[2])):
            for text in texts:
                if text not in known:
                    self._write_meant(line, person, kind, text)
        self._is_kept |= bool(emails) or _may_take_code(cell, numbers, self._region)

    def _write_incomplete(self, line: int, person: bytes, cells: list[str]) -> None:
        """Adds what contacts in several columns may mean of which a column is blank."""
        row = {column: cells[place] for column, place in self._place.items()}
        for template, label, blank, kind in self._joined:
            if text := template.fill_incomplete(row, blank):
                self._odd_cells[label, kind] += 1
                self._write_uncertain(line, person, [text])

    def _write_unusual(
        self, line: int, person: bytes, identity: str, contact: tuple[tuple[str, ...], ...]
    ) -> None:
        """Adds the contacts that a reference or a name holds, unless they find the person."""
        if "@" in identity or is_in_words(identity):
            self._write_held(line, person, identity, contact)
        elif identity[0] in "0+" and (number := usual_mobile(identity, self._region)):
            self._write_held(line, person, number, contact)
        for name in filter(_may_hold_contact, contact[0]):
            self._write_held(line, person, name, contact)

    def write_without_number(self, line: int, cells: list[str], cell: str) -> bool:
        """Adds an entry of another person, without a number that identifies them.

        `cell` is that of the number, and may be uncertain. Returns whether there is such a person:
        the cell or the name is more than a placeholder, as `상동` for the member.
        """
        name = self._name(cells).strip() if self._name else ""
        if is_placeholder(name) and is_placeholder(cell):  # or blank
            return False
        self._is_kept = False
        self._write_uncertain(line, b"", [cell, *filter(_may_hold_contact, [name])])
        self._write_unlinked(line, b"", is_found=False)
        return True

    def _with_joined(
        self, cells: list[str], readers: Sequence[_Reader], odd: Sequence[str], sign: str
    ) -> Sequence[str]:
        """Returns the odd cells, and what several columns say together, such as 010, 2345, 6781."""
        joined = sign.join(filter(None, (read(cells).strip() for read, _label in readers)))
        return [*odd, joined] if len(readers) > 1 else odd

    def _write_beside(self, line: int, person: bytes, emails: Iterable[str]) -> None:
        """Adds what addresses that find the person may mean besides."""
        for text in chain.from_iterable(map(meant_beside, emails)):
            self._write_meant(line, person, "email", text)

    def _write_patterns(self, patterns: Iterable[str]) -> None:
        for pattern in filter(None, patterns):
            self._write_meant(0, b"", "email", pattern)

    def _write_meant(self, line: int, person: bytes, kind: str, text: str) -> None:
        # A pattern is stored once a file: all rows of an export can hold the same one.
        at, key = (0, b"") if is_pattern(text) else (line, person)
        index = self._cipher.blind_index(f"{kind}\0{text}")
        email, phone = (index, b"") if kind == "email" else (b"", index)
        self._out.unread.append(copy_format.unread_contact(at, key, email, phone, b""))

    def _write_exposure(
        self, line: int, cells: list[str], person: bytes, contact: tuple[tuple[str, ...], ...]
    ) -> None:
        name, emails, numbers = contact
        parts = (1 if name else 0) + (2 if emails else 0) + (4 if numbers else 0)
        if not self._leaks and (rest := self._rest_of_contact[parts]):
            head = _pack_exposure(5, 16, person, 4, self._file_id, 4, line)
            self._exposures.append(head + rest)
            return
        classes, values = self._of_contact[parts], ""
        if self._leaks:
            further, values = self._leaked_values(line, cells, person, contact)
            classes += further
        if not classes:
            if self._slot == FIRST and not self._writes_contact:
                self._out.mentions.append(copy_format.mention(2, 4, line, 16, person))
            return
        head = _pack_exposure(5, 16, person, 4, self._file_id, 4, line)
        data_classes = self._classes.get(classes) or self._pack_classes(classes)
        if values:
            ciphertext = self._cipher.encrypt_bytes(f"[{values}]".encode(), person, EXPOSURE)
            self._exposures.append(
                b"".join((head, data_classes, _pack_length(len(ciphertext)), ciphertext))
            )
        else:
            self._exposures.append(head + data_classes + _NULL)

    def _leaked_values(
        self, line: int, cells: list[str], person: bytes, contact: tuple[tuple[str, ...], ...]
    ) -> tuple[tuple[int, ...], str]:
        """Returns the classes of a row's leaked values, and the values that the contact lacks.

        Adds the contacts that a value holds; of free text, which may name others, only one that is
        an address as a whole.
        """
        classes, values = list[int](), list[str]()
        for leak in self._leaks:
            if value := leak.value(cells):
                classes.append(leak.class_id)
                is_address = usual_email(value) if "@" in value else is_in_words(value)
                if leak.class_id in self._contact_ids or is_address:
                    self._write_held(line, person, value, contact)
                if date := leak.date(cells):
                    values.append(f"[{leak.class_id},{in_json(value)},{in_json(date)}]")
                elif not self._is_in_contact(leak.class_id, value, contact):
                    values.append(f"[{leak.class_id},{in_json(value)}]")
        return tuple(classes), ",".join(values)

    def _is_in_contact(
        self, class_id: int, value: str, contact: tuple[tuple[str, ...], ...]
    ) -> bool:
        """Returns whether the contact holds the value already. Then it is not stored twice."""
        return any(
            class_id == held and value in texts
            for held, texts in zip(self._ids, contact, strict=True)
        )

    def _pack_classes(self, classes: tuple[int, ...]) -> bytes:
        data = copy_format.smallints(tuple(sorted(set(classes))))
        self._classes[classes] = data
        return data

    # The contact

    def _read_emails(self, cells: list[str]) -> Texts:
        """Returns the e-mail addresses of a row. A cell without one stays as it leaked."""
        usable, others = list[str](), list[str]()
        for read, column in self._emails:
            text = read(cells).strip()
            if not text:
                continue
            found, oddity = read_emails(text)
            if found:
                usable += found
            elif not is_placeholder(text):
                others.append(text)
                self._odd_cells[column, _ODD_EMAILS[oddity]] += 1
        return _texts(usable, others, _USABLE)

    def _read_phones(self, cells: list[str]) -> Texts:
        """Returns the phone numbers of a row. A cell without one stays as it leaked."""
        usable, others = list[Phone](), list[str]()
        for read, column in self._phones:
            text = read(cells).strip()
            if not text:
                continue
            found, oddity = read_phones(text, self._region, has_lost_zeros=self._has_lost_zeros)
            if found:
                usable += found
            elif len(text) >= _NO_NUMBER_DIGITS or not is_placeholder(text):
                others.append(text)
                self._odd_cells[column, _ODD_PHONES[oddity]] += 1
        ordered = usable if len(usable) < 2 else in_order(usable)
        reach = _LANDLINE if ordered and ordered[0].is_landline else _USABLE
        return _texts([phone.number for phone in ordered], others, reach)


def in_order(found: Iterable[Phone]) -> list[Phone]:
    """Returns the numbers with those first that take text messages."""
    return sorted(found, key=lambda phone: phone.is_landline)


def _texts(usable: Sequence[str], others: Sequence[str], reach: int) -> Texts:
    kept = tuple(dict.fromkeys(usable))
    texts = (*kept, *dict.fromkeys(others))
    if not texts:
        return _NONE
    return texts, reach if kept else _UNUSABLE, len(kept)


class _LeakReader:
    """A reader of one leaked value of a row, and of its date."""

    def __init__(
        self,
        leak: LeakColumn,
        class_ids: MappingType[str, int],
        place: dict[str, int],
        days: MappingType[str, DayReader],
    ) -> None:
        self.class_id = class_ids[leak.data_class]
        self.value = filler(leak.value, place)
        self._date = place[leak.date] if leak.date else -1
        self._day = days[leak.date] if leak.date else None

    def date(self, cells: list[str]) -> str:
        """Returns the date of the value in ISO 8601; "" if there is none, or none for certain."""
        return (self._day(cells[self._date]) or "") if self._day else ""


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


def _may_hold_contact(name: str) -> bool:
    """Returns whether a name may hold an address or a number besides; fast."""
    if _IN_CONTACT.search(name) and ("@" in name or _digits(name) >= _NO_NUMBER_DIGITS):
        return True
    return is_in_words(name)


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


_pack_person, _pack_length = copy_format.person_head, copy_format.length
_pack_exposure, _pack_indexes = copy_format.exposure_head, copy_format.two_indexes
_LENGTH_16, _NULL = copy_format.LENGTH_16, copy_format.NULL
