"""Prepares the rows of a block for loading: who is in them, what leaked of them, sealed.

It needs nothing but the bytes, the mapping and the keys: no database, no other block. So it runs
in any process, in any order, and hands back what PostgreSQL's COPY takes. It is worked through
for every row of a nation, which is why its inner parts hold on to everything they will need again.
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
FIRST, SECOND = 1, 2  # the person a row is about, and the other one it names
DEFAULT_LANGUAGE = settings.LANGUAGES[0][0]
_LANGUAGES = {code for code, _ in settings.LANGUAGES}
_MISSING, _UNUSABLE, _USABLE = int(Reach.MISSING), int(Reach.UNUSABLE), int(Reach.USABLE)


class RowRejectedError(Exception):
    """The row cannot be taken; the message is the reason, one of Rejected."""


class Prepared(NamedTuple):
    """What a block says, as it goes to the staging tables."""

    position: int  # of the block
    rows: int
    taken: int  # rows without a fault of their own
    people_rows: int
    exposure_rows: int
    people: bytes
    exposures: bytes
    second_exposures: bytes
    mentions: bytes
    rejects: bytes
    faulty: int  # the other rows
    without_phone: int  # second people
    header_again: int  # its line; 0: it does not stand there


class Preparer:
    """Prepares the blocks of one file."""

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
        make = _Maker(cipher, class_ids, secret, place, mapping.dates, self._out)
        is_known = mapping.is_known
        self._first = _Person(mapping.person, make, slot=FIRST, is_known=is_known)
        second = mapping.second_person
        self._second = second and _Person(second, make, slot=SECOND, is_known=is_known)
        self._second_identity = place[second.identity] if second else 0
        self._may_hold_halves = formats.named(source.format).may_hold_surrogates
        self._without_phone = 0

    def prepare(self, block: FileBlock) -> Prepared:
        """Everything the block's rows say."""
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
        mark = self._out.mark() if self._may_hold_halves else None
        try:
            self._first.write(line, cells, identity)
            if self._second:
                self._write_second(line, cells, self._second)
        except UnicodeEncodeError:  # half a character, written as \ud800 in JSON
            self._out.go_back(mark or ())
            raise RowRejectedError(rejects.UNDECODABLE) from None

    def _write_second(self, line: int, cells: list[str], second: "_Person") -> None:
        """The other person a row names, if it gives a phone to know them by.

        What stands there but is no phone number does not cost the first person the row: it is
        counted, and the import says so.
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
    """The tables' rows of one block, in the making."""

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
        """Where to go back to."""
        people, exposures, second, mentions = self._all()
        return len(people), len(exposures), len(second), len(mentions)

    def go_back(self, mark: tuple[int, ...]) -> None:
        """Takes back what was written since."""
        for rows, kept in zip(self._all(), mark, strict=False):
            del rows[kept:]

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


class _Maker(NamedTuple):
    """What a _Person needs to be made."""

    cipher: BulkEncryptor
    class_ids: MappingType[str, int]
    secret: bytes
    place: dict[str, int]
    dates: MappingType[str, str]
    out: _Output


class _Person:
    """Writes what the columns of one person say."""

    def __init__(self, columns: PersonColumns, make: _Maker, *, slot: int, is_known: bool) -> None:
        place, self._out, self._slot = make.place, make.out, slot
        self._cipher, self._secret = make.cipher, make.secret
        self._kind = f"person:{columns.relation.name.lower()}\0"
        self._is_by_phone = columns.relation == Relation.RECIPIENT
        self._traits = lru_cache(partial(copy_format.traits, int(columns.relation)))
        self._name, self._email, self._phone, self._language = (
            place[column] if column else -1
            for column in (columns.name, columns.email, columns.phone, columns.language)
        )
        self._says_contact = columns.has_contact or not is_known
        self._exposures = self._out.exposures if slot == FIRST else self._out.second_exposures
        self._leaks = [
            _LeakReader(leak, make.class_ids, place, make.dates) for leak in columns.leaks
        ]
        ids = {part: make.class_ids[slug] for part, slug in CONTACT_CLASSES.items()}
        self._ids = ids["name"], ids["email"], ids["phone"]
        self._leaked = tuple(
            ids[part] if part in columns.contact_leaked else 0
            for part in ("name", "email", "phone")
        )
        self._classes: dict[tuple[int, ...], bytes] = {}

    def write(self, line: int, cells: list[str], identity: str) -> None:
        """Puts the person and the exposure of a row into the output."""
        cipher = self._cipher
        person = cipher.blind_index(self._kind + identity)
        name = cells[self._name] if self._name >= 0 else ""
        if not name.strip():
            name = ""
        email, email_reach, email_index = self._read_email(cells)
        phone, phone_reach, phone_index = self._read_phone(cells, identity)
        if self._says_contact:
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
                elif not self._is_held(leak.class_id, value, contact):
                    values.append(f"[{leak.class_id},{in_json(value)}]")
        if not classes:
            if self._slot == FIRST and not self._says_contact:
                self._out.mentions.append(copy_format.mention(2, 4, line, 16, person))
            return
        head = copy_format.exposure_head(5, 16, person, 4, self._out.file_id, 4, line)
        key = tuple(classes)
        data_classes = self._classes.get(key) or self._remember(key)
        if values:
            plain = f"[{','.join(values)}]".encode()
            ciphertext = self._cipher.encrypt_bytes(plain, person, EXPOSURE)
            self._exposures.append(
                head + data_classes + copy_format.length(len(ciphertext)) + ciphertext
            )
        else:
            self._exposures.append(head + data_classes + copy_format.NULL)

    def _is_held(self, class_id: int, value: str, contact: tuple[str, str, str]) -> bool:
        """Whether the contact holds the value already."""
        return any(
            class_id == held and value == part
            for held, part in zip(self._ids, contact, strict=True)
        )

    def _remember(self, classes: tuple[int, ...]) -> bytes:
        data = copy_format.smallints(tuple(sorted(set(classes))))
        self._classes[classes] = data
        return data

    def _read_email(self, cells: list[str]) -> tuple[str, int, bytes]:
        """(normalised if usable, else as it stood; reach; blind index as a field)."""
        text = cells[self._email].strip() if self._email >= 0 else ""
        if not text:
            return "", _MISSING, copy_format.NULL
        email = normalise_email(text)
        if not is_usable_email(email):
            return text, _UNUSABLE, copy_format.NULL
        return email, _USABLE, copy_format.LENGTH_16 + self._cipher.blind_index("email\0" + email)

    def _read_phone(self, cells: list[str], identity: str) -> tuple[str, int, bytes]:
        text = cells[self._phone].strip() if self._phone >= 0 else ""
        if not text:
            return "", _MISSING, copy_format.NULL
        phone = identity if self._is_by_phone else normalise_phone(text)
        if phone is None:
            return text, _UNUSABLE, copy_format.NULL
        return phone, _USABLE, copy_format.LENGTH_16 + self._cipher.blind_index("phone\0" + phone)


class _LeakReader:
    """Where one leaked value stands in a row."""

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
        """ISO; "" if there is none."""
        return self._day(cells[self._date]) if self._date >= 0 else ""


def _filler(template: CellTemplate, place: dict[str, int]) -> Callable[[Sequence[str]], str]:
    """`template.fill` for the cells of a row by their place."""
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
    """As json.dumps would write {"n": name, "e": email, "p": phone} without what is empty."""
    if name and email and phone:
        return f'{{"n":{in_json(name)},"e":{in_json(email)},"p":{in_json(phone)}}}'.encode()
    parts = (("n", name), ("e", email), ("p", phone))
    held = (f'"{key}":{in_json(text)}' for key, text in parts if text)
    return f"{{{','.join(held)}}}".encode()


@lru_cache(maxsize=1 << 10)
def _language(cell: str) -> bytes:
    """The language a cell such as `ko`, `EN` or `en-US` asks for, if we speak it."""
    code = cell.strip().lower()[:2]
    return (code if code in _LANGUAGES else DEFAULT_LANGUAGE).encode()


@lru_cache(maxsize=1 << 14)
def _day_of_date(cell: str) -> str:
    """ISO; also from `2025.11.18` and `2025/11/18`; "" if blank; raises ValueError."""
    text = cell.strip()
    if not text:
        return ""
    return dt.date.fromisoformat(text.replace(".", "-").replace("/", "-")).isoformat()


@lru_cache(maxsize=1 << 14)
def _day_of_time(cell: str) -> str:
    """The day in the source's own time zone: the one the customer remembers."""
    text = cell.strip()
    return dt.datetime.fromisoformat(text).date().isoformat() if text else ""


@lru_cache(maxsize=1 << 10)
def _reason(reason: str) -> bytes:
    return copy_format.text(reason)


_DATES: dict[str, Callable[[str], str]] = {"date": _day_of_date, "datetime": _day_of_time}
_DEFAULT = DEFAULT_LANGUAGE.encode()
_pack_person, _pack_length = copy_format.person_head, copy_format.length
