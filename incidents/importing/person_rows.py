"""Writes the people of a row and their exposures as rows for COPY, encrypted.

It runs for every row of a nation, so its inner functions cache all that they need again.
"""

import re
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from functools import lru_cache, partial
from hashlib import blake2b
from json.encoder import encode_basestring as in_json

from accounts.contacts import (
    usual_email,
)
from accounts.phones import read_phones, usual_mobile
from incidents.encryption import CONTACT, EXPOSURE
from incidents.importing import copy_format, person_languages
from incidents.importing.cell_fillers import filler, index_of_only
from incidents.importing.contact_json import contact_json
from incidents.importing.contact_reading import LANDLINE, MISSING, USABLE, ContactReader
from incidents.importing.days import DayReader
from incidents.importing.person_columns import LeakColumn, PersonColumns
from incidents.importing.placeholders import is_placeholder
from incidents.importing.row_context import RowContext
from incidents.importing.uncertain_rows import UncertainWriter, may_hold_contact
from incidents.kinds import CONTACT_CLASSES, ContactKind
from incidents.uncertain_contacts import (
    has_addition,
    is_in_words,
    numbers_by_ends,
)

FIRST, SECOND = 1, 2  # slots: the person that a row is about, and the other person in the row
_MOST_LANGUAGES = 1 << 10  # different cells of languages that are remembered
# Digits of any script, with the separators of one number.
_ONE_NUMBER = re.compile(r"[+\uff0b(]?\d[\d ().\uff0e\uff0d-]{5,24}\d")
_EMAIL, _PHONE = int(ContactKind.EMAIL), int(ContactKind.PHONE)


class PersonWriter:
    """A writer of one person of each row, and of the exposure of that person."""

    def __init__(
        self, columns: PersonColumns, context: RowContext, *, slot: int, takes_known_only: bool
    ) -> None:
        place, self._out, self._slot = context.place, context.out, slot
        self.without_contact = 0  # rows that were written without a contact that can be used
        self._cipher, self._file_id = context.cipher, context.out.file_id
        self._digest = blake2b(digest_size=8, key=context.secret)
        self._digest.update(b"\0")  # then the key is hashed once, not for each row
        self._region, self._has_lost_zeros = context.region, context.has_lost_zeros
        self._kind = f"person:{columns.relation.name.lower()}\0"
        self._traits = lru_cache(partial(copy_format.traits, int(columns.relation)))
        # Of rows with an address and a number, by the cell with the language.
        self._usual_traits: dict[str, bytes] = {}
        self._name = columns.name_cells and filler(columns.name_cells, place)
        self._reader = ContactReader(columns, context)
        self._uncertain = UncertainWriter(columns, context, self._reader)
        self._only_email = index_of_only(columns.email_cells, place)
        self._only_phone = index_of_only(columns.phone_cells, place)
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
        self._people = self._out.people
        self._exposures = self._out.exposures if slot == FIRST else self._out.second_exposures
        self._leaks = [
            _LeakReader(leak, context.class_ids, place, context.days) for leak in columns.leaks
        ]
        ids = {part: context.class_ids[slug] for part, slug in CONTACT_CLASSES.items()}
        # The texts of a contact by their class. A value that the contact holds is not stored twice.
        self._contact_places = {ids["name"]: 0, ids["email"]: 1, ids["phone"]: 2}
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

    def has_contact(self, cells: Sequence[str]) -> bool:
        """Returns whether the row has an address or a number of the person that can be used."""
        return self._reader.finds_contact(cells)

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
            ((address,), USABLE, 1) if address else self._reader.emails(cells)
        )
        numbers, phone_reach, usable_numbers = (
            ((number,), USABLE, 1) if number else self._reader.phones(cells)
        )
        contact = (name,) if name else (), emails, numbers
        uncertain, self._uncertain.is_kept = len(self._out.unread), False
        is_odd = len(emails) > usable_emails or len(numbers) > usable_numbers
        if is_odd or self._uncertain.joins_columns:
            odd = emails[usable_emails:], numbers[usable_numbers:]
            self._uncertain.write_odd(line, person, cells, odd)
        if usable_emails and (not address or usable_emails > 1 or has_addition(emails[0])):
            self._uncertain.write_beside(line, person, emails[:usable_emails])
        if usable_numbers and not number:
            self._uncertain.write_ends(line, person, cells, numbers[:usable_numbers])
        if not name.isalpha() or not identity.isdigit() or identity[0] == "0":
            self._uncertain.write_unusual(line, person, identity, contact)
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
        self.without_contact += not (usable_emails or usable_numbers)
        if is_odd or len(self._out.unread) > uncertain:
            takes_code = usable_numbers and phone_reach != LANDLINE
            self._uncertain.write_unlinked(line, person, is_found=bool(usable_emails or takes_code))

    def usual_contact(self, cells: list[str]) -> tuple[str, str, str] | None:
        """Returns name, address and number if each is in a usual form that says nothing else.

        Each is "" if its cell is blank, but not both address and number. The writer must have
        `usual_places`.
        """
        name_place, email_place, phone_place = self.usual_places
        name = cells[name_place]
        if name and (not (name.isalpha() or _is_plain(name)) or name in self._nulls):
            return None
        address = usual_email(cells[email_place])
        if not address and cells[email_place]:
            return None
        cell = cells[phone_place]
        number = usual_mobile(cell, self._region) or (self._mobile_alone(cell) if cell else "")
        if number or (address and not cell):
            return name, address, number
        return None

    def _mobile_alone(self, cell: str) -> str:
        """Returns the number of a cell that holds one mobile number, and says nothing else."""
        if not _ONE_NUMBER.fullmatch(cell):
            return ""
        found = read_phones(cell, self._region, has_lost_zeros=self._has_lost_zeros).phones
        if len(found) != 1 or found[0].is_landline:
            return ""
        number = found[0].number
        return "" if set(numbers_by_ends(cell, self._region)) - {number} else number

    def usual_traits(self, cells: list[str], contact: tuple[str, str, str]) -> bytes:
        """Returns the fields from the relation to the reach of a row with a usual contact.

        Returns b"" if the language is not decided.
        """
        cell = cells[self._language] if self._language >= 0 else ""
        has_both = contact[1] and contact[2]
        if has_both and (known := self._usual_traits.get(cell)) is not None:
            return known
        language = self.language(cells)
        reaches = [USABLE if text else MISSING for text in contact[1:]]
        traits = self._traits(language, *reaches) if language else b""
        if has_both and len(self._usual_traits) < _MOST_LANGUAGES:
            self._usual_traits[cell] = traits
        return traits

    def write_usual(
        self, line: int, identity: str, traits: bytes, contact: tuple[str, str, str]
    ) -> None:
        """Does what `write` does, for what `usual_contact` and `usual_traits` returned.

        The `identity` consists of digits.
        """
        name, address, number = contact
        index = self._cipher.blind_index
        person = index(self._kind + identity)
        if name and address and number:
            # The address and the number need no escapes in JSON.
            plain = f'{{"n":{in_json(name)},"e":"{address}","p":"{number}"}}'.encode()
            fields = _pack_indexes(16, index("email\0" + address), 16, index("phone\0" + number))
            rest = self._rest_of_contact[7]
        else:
            plain, fields, rest = self._usual_fields(name, address, number)
        self._write_person(line, person, plain, traits + fields)
        if rest:
            head = _pack_exposure(5, 16, person, 4, self._file_id, 4, line)
            self._exposures.append(head + rest)
        if address and has_addition(address):
            self._uncertain.write_beside(line, person, (address,))

    def _usual_fields(self, name: str, address: str, number: str) -> tuple[bytes, bytes, bytes]:
        """Returns the JSON, the indexes and the classes of a usual contact with blank cells."""
        index, has = self._cipher.blind_index, bool(name) + 2 * bool(address) + 4 * bool(number)
        email = _LENGTH_16 + index("email\0" + address) if address else _NULL
        phone = _LENGTH_16 + index("phone\0" + number) if number else _NULL
        plain = contact_json(name, [address] if address else (), [number] if number else ())
        return plain, email + phone, self._rest_of_contact[has]

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

    def write_without_number(self, line: int, cells: list[str], cell: str) -> bool:
        """Adds an entry of another person, without a number that identifies them.

        `cell` is that of the number, and may be uncertain. Returns whether there is such a person:
        the cell or the name is more than a placeholder, as `상동` for the member.
        """
        name = self._name(cells).strip() if self._name else ""
        if is_placeholder(name) and is_placeholder(cell):  # or blank
            return False
        self._uncertain.is_kept = False
        self._uncertain.write_uncertain(line, b"", [cell, *filter(may_hold_contact, [name])])
        self._uncertain.write_unlinked(line, b"", is_found=False)
        return True

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
        texts = (*contact, ())  # the last one is for all other classes
        for leak in self._leaks:
            if value := leak.value(cells):
                classes.append(leak.class_id)
                is_address = usual_email(value) if "@" in value else is_in_words(value)
                if leak.class_id in self._contact_ids or is_address:
                    self._uncertain.write_held(line, person, value, contact)
                if date := leak.date(cells):
                    values.append(f"[{leak.class_id},{in_json(value)},{in_json(date)}]")
                elif value not in texts[self._contact_places.get(leak.class_id, -1)]:
                    values.append(f"[{leak.class_id},{in_json(value)}]")
        return tuple(classes), ",".join(values)

    def _pack_classes(self, classes: tuple[int, ...]) -> bytes:
        data = copy_format.smallints(tuple(sorted(set(classes))))
        self._classes[classes] = data
        return data


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


def _is_plain(name: str) -> bool:
    """Returns whether a name is one line without outer spaces, and holds no contact."""
    if not name.isprintable() or name[:1] in ("", " ") or name[-1] == " ":
        return False
    return not may_hold_contact(name)


_pack_person, _pack_length = copy_format.person_head, copy_format.length
_pack_exposure, _pack_indexes = copy_format.exposure_head, copy_format.two_indexes
_LENGTH_16, _NULL = copy_format.LENGTH_16, copy_format.NULL
