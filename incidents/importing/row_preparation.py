"""Prepares the rows of a block for loading: people and exposures, encrypted, as rows for COPY.

It needs only the bytes, the mapping and the keys, and neither the database nor another block. It
can therefore run in any process and in any order. It returns bytes for PostgreSQL's binary COPY.
It runs for every row of a nation, so its inner functions cache all that they need again.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingType
from functools import lru_cache, partial
from hashlib import blake2b
from json.encoder import encode_basestring as in_json
from typing import NamedTuple

from django.conf import settings

from accounts.contacts import is_usable_email, normalise_email, normalise_phone
from incidents.bulk_encryption import BulkEncryptor
from incidents.encryption import CONTACT, EXPOSURE
from incidents.importing import copy_format, formats, rejects
from incidents.importing.blocks import FileBlock
from incidents.importing.mapping import (
    CellTemplate,
    ColumnMapping,
    LeakColumn,
    PersonColumns,
)
from incidents.importing.reading import Source
from incidents.importing.refusals import RejectMessages
from incidents.importing.rows import HEADER, RowReader
from incidents.models import CONTACT_CLASSES, AffectedPerson

Reach, Relation = AffectedPerson.Reach, AffectedPerson.Relation
FIRST, SECOND = 1, 2  # slots: the person that a row is about, and the other person in the row
DEFAULT_LANGUAGE = settings.LANGUAGES[0][0]
_LANGUAGES = {code for code, _ in settings.LANGUAGES}
_MISSING, _UNUSABLE, _USABLE = int(Reach.MISSING), int(Reach.UNUSABLE), int(Reach.USABLE)


class RowRejectedError(Exception):
    """A row is rejected; the message is a stored RejectMessages sentence."""


class Prepared(NamedTuple):
    """The prepared rows of a block, as COPY rows for the staging tables, with counts."""

    position: int  # FileBlock.position
    rows: int
    taken: int  # rows that have no fault of their own; other rows may still reject them
    people_rows: int
    exposure_rows: int
    people: bytes
    exposures: bytes
    second_exposures: bytes
    mentions: bytes
    rejects: bytes
    faulty: int  # rows that are rejected here
    without_phone: int  # second people without a usable phone number
    header_again: int  # the line that repeats the header; 0 for none


class Preparer:
    """A preparer of the blocks of one file."""

    def __init__(
        self,
        source: Source,
        mapping: ColumnMapping,
        *,
        cipher: BulkEncryptor,
        class_ids: MappingType[str, int],
        file_id: int,
        secret: bytes,
    ) -> None:
        self._reader = RowReader(source)
        self._mapping = mapping
        place = {name: number for number, name in enumerate(source.header)}
        self._identity = place[mapping.person.identity]
        self._is_recipient = mapping.person.relation == Relation.RECIPIENT
        self._dates = [(place[column], _DATES[kind]) for column, kind in mapping.dates.items()]
        self._out = _Output(file_id)
        context = _RowContext(cipher, class_ids, secret, place, mapping.dates, self._out)
        takes_known_only = mapping.takes_known_only
        self._first = _Person(
            mapping.person, context, slot=FIRST, takes_known_only=takes_known_only
        )
        second = mapping.second_person
        self._second = second and _Person(
            second, context, slot=SECOND, takes_known_only=takes_known_only
        )
        self._second_identity = place[second.identity] if second else 0
        self._may_hold_surrogates = formats.named(source.format).may_hold_surrogates
        self._without_phone = 0

    def prepare(self, block: FileBlock) -> Prepared:
        """Returns the prepared rows of a block. Stops at a row that repeats the header."""
        self._out.clear()
        self._without_phone = rows = 0
        rejected: list[tuple[int, str]] = []
        header_again = 0
        for line, cells, defect in self._reader.rows(block):
            rows += 1
            if defect == HEADER:
                header_again = line
                break
            try:
                if defect:
                    raise RowRejectedError(defect)
                self._row(line, cells)
            except RowRejectedError as error:
                rejected.append((line, str(error)))
        return self._out.prepared(
            block, rows, rejected, without_phone=self._without_phone, header_again=header_again
        )

    def _row(self, line: int, cells: list[str]) -> None:
        """Writes the people and exposures of a row to the output. Raises RowRejectedError."""
        identity = cells[self._identity].strip()
        if not identity:
            raise RowRejectedError(
                RejectMessages.MISSING.stored(column=self._mapping.person.identity)
            )
        try:
            for place, check in self._dates:
                check(cells[place])
        except ValueError:
            raise RowRejectedError(RejectMessages.BAD_DATE.stored()) from None
        if self._is_recipient:
            identity = normalise_phone(identity) or ""
            if not identity:
                why = RejectMessages.NO_PHONE.stored(column=self._mapping.person.identity)
                raise RowRejectedError(why)
        mark = self._out.mark() if self._may_hold_surrogates else None
        try:
            self._first.write(line, cells, identity)
            if self._second:
                self._write_second(line, cells, self._second)
        except UnicodeEncodeError:  # half a character, written as \ud800 in JSON
            self._out.go_back(mark or ())
            raise RowRejectedError(rejects.UNDECODABLE) from None

    def _write_second(self, line: int, cells: list[str], second: "_Person") -> None:
        """Writes the other person in a row, if the row has a phone number that identifies them.

        If the cell is not a phone number, the row is still taken for the first person. The case is
        counted, and the import reports the count.
        """
        cell = cells[self._second_identity]
        if not cell.strip():
            return
        phone = normalise_phone(cell)
        if phone is None:
            self._without_phone += 1
        else:
            second.write(line, cells, phone)


class _Output:
    """The COPY rows of one block, collected by staging table."""

    def __init__(self, file_id: int) -> None:
        self.file_id = file_id
        self.people: list[bytes] = []
        self.exposures: list[bytes] = []
        self.second_exposures: list[bytes] = []
        self.mentions: list[bytes] = []

    def _all(self) -> tuple[list[bytes], ...]:
        return self.people, self.exposures, self.second_exposures, self.mentions

    def clear(self) -> None:
        for rows in self._all():
            rows.clear()

    def mark(self) -> tuple[int, int, int, int]:
        """Returns the current number of rows of each table, for `go_back`."""
        people, exposures, second, mentions = self._all()
        return len(people), len(exposures), len(second), len(mentions)

    def go_back(self, mark: tuple[int, ...]) -> None:
        """Removes the rows that were added after `mark` was called."""
        for rows, count in zip(self._all(), mark, strict=False):
            del rows[count:]

    def prepared(
        self,
        block: FileBlock,
        rows: int,
        rejected: list[tuple[int, str]],
        *,
        without_phone: int,
        header_again: int,
    ) -> Prepared:
        return Prepared(
            position=block.position,
            rows=rows,
            taken=rows - len(rejected),
            people_rows=len(self.people),
            exposure_rows=len(self.exposures) + len(self.second_exposures),
            people=b"".join(self.people),
            exposures=b"".join(self.exposures),
            second_exposures=b"".join(self.second_exposures),
            mentions=b"".join(self.mentions),
            rejects=b"".join(copy_format.reject(line, _reason(why)) for line, why in rejected),
            faulty=len(rejected),
            without_phone=without_phone,
            header_again=header_again,
        )


class _RowContext(NamedTuple):
    """The values that all writers and readers of rows share."""

    cipher: BulkEncryptor
    class_ids: MappingType[str, int]
    secret: bytes
    place: dict[str, int]  # the index of its cell, by column
    dates: MappingType[str, str]  # "date" or "datetime", by column
    out: _Output


class _Person:
    """A writer of one person of each row, and of the exposure of that person."""

    def __init__(
        self, columns: PersonColumns, context: _RowContext, *, slot: int, takes_known_only: bool
    ) -> None:
        place, self._out, self._slot = context.place, context.out, slot
        self._cipher, self._secret = context.cipher, context.secret
        self._kind = f"person:{columns.relation.name.lower()}\0"
        self._is_by_phone = columns.relation == Relation.RECIPIENT
        self._traits = lru_cache(partial(copy_format.traits, int(columns.relation)))
        self._name, self._email, self._phone, self._language = (
            place[column] if column else -1
            for column in (columns.name, columns.email, columns.phone, columns.language)
        )
        self._writes_contact = columns.has_contact or not takes_known_only
        self._exposures = self._out.exposures if slot == FIRST else self._out.second_exposures
        self._leaks = [
            _LeakReader(leak, context.class_ids, place, context.dates) for leak in columns.leaks
        ]
        ids = {part: context.class_ids[slug] for part, slug in CONTACT_CLASSES.items()}
        self._ids = ids["name"], ids["email"], ids["phone"]
        self._leaked = tuple(
            ids[part] if part in columns.contact_leaked else 0
            for part in ("name", "email", "phone")
        )
        self._classes: dict[tuple[int, ...], bytes] = {}

    def write(self, line: int, cells: list[str], identity: str) -> None:
        """Adds the person and the exposure of a row to the output.

        `identity` is the id in the source, or the phone number of a recipient in E.164.
        """
        cipher = self._cipher
        person = cipher.blind_index(self._kind + identity)
        name = cells[self._name] if self._name >= 0 else ""
        if not name.strip():
            name = ""
        email, email_reach, email_index = self._read_email(cells)
        phone, phone_reach, phone_index = self._read_phone(cells, identity)
        if self._writes_contact:
            plain = _contact(name, email, phone)
            ciphertext = cipher.encrypt_bytes(plain, person, CONTACT)
            language = _language(cells[self._language]) if self._language >= 0 else _DEFAULT
            digest = blake2b(plain, digest_size=8, key=self._secret).digest()
            self._out.people.append(
                _pack_person(11, 4, line, 2, self._slot, 8, digest, 16, person)
                + self._traits(language, email_reach, phone_reach)
                + email_index
                + phone_index
                + _pack_length(len(ciphertext))
                + ciphertext
            )
        self._write_exposure(line, cells, person, (name, email, phone))

    def _write_exposure(
        self, line: int, cells: list[str], person: bytes, contact: tuple[str, str, str]
    ) -> None:
        leaked = self._leaked
        classes = [leaked[part] for part in (0, 1, 2) if contact[part] and leaked[part]]
        values = []
        for leak in self._leaks:
            value = leak.value(cells)
            if value:
                classes.append(leak.class_id)
                date = leak.date(cells)
                if date:
                    values.append(f"[{leak.class_id},{in_json(value)},{in_json(date)}]")
                elif not self._is_in_contact(leak.class_id, value, contact):
                    values.append(f"[{leak.class_id},{in_json(value)}]")
        if not classes:
            if self._slot == FIRST and not self._writes_contact:
                self._out.mentions.append(copy_format.mention(2, 4, line, 16, person))
            return
        head = copy_format.exposure_head(5, 16, person, 4, self._out.file_id, 4, line)
        key = tuple(classes)
        data_classes = self._classes.get(key) or self._pack_classes(key)
        if values:
            plain = f"[{','.join(values)}]".encode()
            ciphertext = self._cipher.encrypt_bytes(plain, person, EXPOSURE)
            self._exposures.append(
                head + data_classes + copy_format.length(len(ciphertext)) + ciphertext
            )
        else:
            self._exposures.append(head + data_classes + copy_format.NULL)

    def _is_in_contact(self, class_id: int, value: str, contact: tuple[str, str, str]) -> bool:
        """Returns whether the contact holds the value already. Then it is not stored twice."""
        return any(
            class_id == held and value == part
            for held, part in zip(self._ids, contact, strict=True)
        )

    def _pack_classes(self, classes: tuple[int, ...]) -> bytes:
        data = copy_format.smallints(tuple(sorted(set(classes))))
        self._classes[classes] = data
        return data

    def _read_email(self, cells: list[str]) -> tuple[str, int, bytes]:
        """Returns address (normalised), reach and index field. An unusable one stays as it is."""
        text = cells[self._email].strip() if self._email >= 0 else ""
        if not text:
            return "", _MISSING, copy_format.NULL
        email = normalise_email(text)
        if not is_usable_email(email):
            return text, _UNUSABLE, copy_format.NULL
        return email, _USABLE, copy_format.LENGTH_16 + self._cipher.blind_index("email\0" + email)

    def _read_phone(self, cells: list[str], identity: str) -> tuple[str, int, bytes]:
        """Returns number (E.164), reach and index field. An unusable number stays as it is."""
        text = cells[self._phone].strip() if self._phone >= 0 else ""
        if not text:
            return "", _MISSING, copy_format.NULL
        phone = identity if self._is_by_phone else normalise_phone(text)
        if phone is None:
            return text, _UNUSABLE, copy_format.NULL
        return phone, _USABLE, copy_format.LENGTH_16 + self._cipher.blind_index("phone\0" + phone)


class _LeakReader:
    """A reader of one leaked value of a row, and of its date."""

    def __init__(
        self,
        leak: LeakColumn,
        class_ids: MappingType[str, int],
        place: dict[str, int],
        kinds: MappingType[str, str],
    ) -> None:
        self.class_id = class_ids[leak.data_class]
        self.value = _filler(leak.value, place)
        self._date = place[leak.date] if leak.date else -1
        self._day = _DATES[kinds[leak.date]] if leak.date else _day_of_date

    def date(self, cells: list[str]) -> str:
        """Returns the date of the value in ISO 8601; "" if there is none."""
        return self._day(cells[self._date]) if self._date >= 0 else ""


def _filler(template: CellTemplate, place: dict[str, int]) -> Callable[[Sequence[str]], str]:
    """Returns a function that does what `template.fill` does, for the list of cells of a row.

    It is faster, because it finds a cell by its index.
    """
    pieces = [(literal, literal.lstrip(" ,;/"), place[name]) for literal, name in template.pieces]
    tail = template.tail

    def fill(cells: Sequence[str]) -> str:
        value = ""
        for literal, first_literal, number in pieces:
            cell = cells[number]
            if cell and not cell.isspace():
                value += (literal if value else first_literal) + cell
        return value + tail if value else ""

    return fill


def _contact(name: str, email: str, phone: str) -> bytes:
    """Returns the JSON of {"n": name, "e": email, "p": phone}, without the parts that are empty."""
    if name and email and phone:
        return f'{{"n":{in_json(name)},"e":{in_json(email)},"p":{in_json(phone)}}}'.encode()
    parts = (("n", name), ("e", email), ("p", phone))
    held = (f'"{key}":{in_json(text)}' for key, text in parts if text)
    return f"{{{','.join(held)}}}".encode()


@lru_cache(maxsize=1 << 10)
def _language(cell: str) -> bytes:
    """Returns the language code of a cell such as `ko`, `EN` or `en-US`.

    Returns the default language if the portal does not have the language of the cell.
    """
    code = cell.strip().lower()[:2]
    return (code if code in _LANGUAGES else DEFAULT_LANGUAGE).encode()


@lru_cache(maxsize=1 << 14)
def _day_of_date(cell: str) -> str:
    """Returns a date in ISO 8601; "" for a blank cell.

    Accepts `2025-11-18`, `2025.11.18` and `2025/11/18`. Raises ValueError for anything else.
    """
    text = cell.strip()
    if not text:
        return ""
    return dt.date.fromisoformat(text.replace(".", "-").replace("/", "-")).isoformat()


@lru_cache(maxsize=1 << 14)
def _day_of_time(cell: str) -> str:
    """Returns the day of a date and time in ISO 8601; "" for a blank cell.

    The day is that of the time zone in the cell, because the customer remembers this day. Raises
    ValueError if the cell is not a date and time.
    """
    text = cell.strip()
    return dt.datetime.fromisoformat(text).date().isoformat() if text else ""


@lru_cache(maxsize=1 << 10)
def _reason(reason: str) -> bytes:
    return copy_format.text_field(reason)


_DATES: dict[str, Callable[[str], str]] = {"date": _day_of_date, "datetime": _day_of_time}
_DEFAULT = DEFAULT_LANGUAGE.encode()
_pack_person, _pack_length = copy_format.person_head, copy_format.length
