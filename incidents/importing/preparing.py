"""Prepares one row for loading: who is in it, what leaked of them, sealed.

It needs nothing but the row, the mapping and the keys: no database, no other row. So it can run in
any process, in any order.
"""

import datetime as dt
from collections.abc import Callable
from collections.abc import Mapping as MappingType
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from accounts.contacts import is_usable_email, normalise_email, normalise_phone
from incidents import rejects
from incidents.formulas import restored
from incidents.mapping import CONTACT_CLASSES, Leak, Mapping, PersonColumns
from incidents.models import AffectedPerson
from incidents.reading import REJECT_COLUMNS, Row, Source
from incidents.sealing import CONTACT, EXPOSURE, IncidentSeal

Reach, Relation = AffectedPerson.Reach, AffectedPerson.Relation
FIRST, SECOND = 1, 2  # the person a row is about, and the other one it names
DEFAULT_LANGUAGE = settings.LANGUAGES[0][0]
_LANGUAGES = {code for code, _ in settings.LANGUAGES}


class RowRejectedError(Exception):
    """The row cannot be taken; the message is the reason, as the reject file gives it."""


class Staged(NamedTuple):
    """What one row says of one person, as it goes to the staging table."""

    line: int
    slot: int
    person: UUID
    relation: int
    language: str
    email_reach: int
    phone_reach: int
    email_index: UUID | None
    phone_index: UUID | None
    contact: bytes | None  # None: the row says nothing of it
    data_classes: list[int]
    sealed: bytes | None


class _Reachable(NamedTuple):
    reach: AffectedPerson.Reach
    text: str  # normalised if usable, else as it stood
    blind_index: UUID | None


class _Text(NamedTuple):
    """A row once it is decoded and checked."""

    line: int
    cells: dict[str, str]
    dates: dict[str, str]  # ISO; "" where the cell is blank

    def cell(self, column: str) -> str:
        """The cell of a column; "" if the mapping names none."""
        return self.cells[column] if column else ""


class Preparer:
    """Prepares the rows of one file."""

    def __init__(
        self,
        source: Source,
        mapping: Mapping,
        *,
        seal: IncidentSeal,
        class_ids: MappingType[str, int],
    ) -> None:
        self._source, self._mapping, self._seal = source, mapping, seal
        self._class_ids = class_ids
        self._checks = {column: _DATE_CHECKS[kind] for column, kind in mapping.dates.items()}
        self.second_people_without_phone = 0

    def prepare(self, row: Row) -> list[Staged]:
        """One or two people of the row; raises RowRejectedError."""
        cells = self._cells(row)
        columns = self._mapping.person
        identity = cells[columns.identity].strip()
        if not identity:
            raise RowRejectedError(f"missing {columns.identity}")
        text = _Text(row.line, cells, self._dates(cells))
        if columns.relation == Relation.RECIPIENT:
            identity = normalise_phone(identity) or ""
            if not identity:
                raise RowRejectedError(f"{columns.identity} is no phone number")
        staged = [self._staged(text, columns, slot=FIRST, identity=identity)]
        return staged + self._second_person(text)

    def _second_person(self, text: "_Text") -> list[Staged]:
        """The other person a row names, if it gives a phone to know them by.

        What stands there but is no phone number does not cost the first person the row: it is
        counted, and the import says so.
        """
        columns = self._mapping.second_person
        if columns is None or not text.cell(columns.identity).strip():
            return []
        phone = normalise_phone(text.cell(columns.identity))
        if phone is None:
            self.second_people_without_phone += 1
            return []
        return [self._staged(text, columns, slot=SECOND, identity=phone)]

    def _cells(self, row: Row) -> dict[str, str]:
        """The row's text by column."""
        if row.defect:
            raise RowRejectedError(row.defect)
        if len(row.cells) != len(self._source.header):
            raise RowRejectedError("wrong number of columns")
        try:
            cells = [self._source.decode(cell) for cell in row.cells]
        except UnicodeDecodeError:
            raise RowRejectedError(rejects.UNDECODABLE) from None
        if self._source.is_reject_file:
            cells = _corrected(cells)
        return dict(zip(self._source.header, cells, strict=True))

    def _dates(self, cells: dict[str, str]) -> dict[str, str]:
        """Each date column's ISO date; a blank cell is no date, and no error."""
        try:
            return {
                column: check(cells[column].strip()) if cells[column].strip() else ""
                for column, check in self._checks.items()
            }
        except ValueError:
            raise RowRejectedError("bad date") from None

    def _staged(self, text: "_Text", columns: PersonColumns, *, slot: int, identity: str) -> Staged:
        person = self._seal.person_id(columns.relation.name.lower(), identity)
        email = self._email(text.cell(columns.email))
        phone = self._phone(text.cell(columns.phone))
        contact = _contact(text.cell(columns.name), email, phone)
        classes, values = self._leaked(text, columns, contact)
        says_contact = columns.has_contact or not self._mapping.is_known
        return Staged(
            line=text.line,
            slot=slot,
            person=person,
            relation=columns.relation,
            language=_language(text.cell(columns.language)),
            email_reach=email.reach,
            phone_reach=phone.reach,
            email_index=email.blind_index,
            phone_index=phone.blind_index,
            contact=self._seal.seal(contact, person=person, purpose=CONTACT)
            if says_contact
            else None,
            data_classes=sorted(classes),
            sealed=self._seal.seal(values, person=person, purpose=EXPOSURE) if values else None,
        )

    def _leaked(
        self, text: "_Text", columns: PersonColumns, contact: dict[str, str]
    ) -> tuple[set[int], list[list[Any]]]:
        """(data class ids, the values that the contact does not hold already)."""
        held = [
            [self._class_ids[slug], contact[part[0]]]
            for part, slug in CONTACT_CLASSES.items()
            if part[0] in contact
        ]
        classes = {
            self._class_ids[CONTACT_CLASSES[part]]
            for part in columns.contact_leaked
            if part[0] in contact
        }
        values = [value for leak in columns.leaks if (value := self._value(leak, text))]
        classes |= {value[0] for value in values}
        return classes, [value for value in values if value not in held]

    def _value(self, leak: Leak, text: "_Text") -> list[Any]:
        """[class id, value] or [class id, value, ISO date]; empty if the row has none."""
        value = leak.value.fill(text.cells)
        if not value:
            return []
        date = text.dates[leak.date] if leak.date else ""
        return [self._class_ids[leak.data_class], value, *filter(None, [date])]

    def _email(self, cell: str) -> _Reachable:
        text = cell.strip()
        if not text:
            return _Reachable(Reach.MISSING, "", None)
        email = normalise_email(text)
        if not is_usable_email(email):
            return _Reachable(Reach.UNUSABLE, text, None)
        return _Reachable(Reach.USABLE, email, self._seal.email_index(email))

    def _phone(self, cell: str) -> _Reachable:
        text = cell.strip()
        if not text:
            return _Reachable(Reach.MISSING, "", None)
        phone = normalise_phone(text)
        if phone is None:
            return _Reachable(Reach.UNUSABLE, text, None)
        return _Reachable(Reach.USABLE, phone, self._seal.phone_index(phone))


def _corrected(cells: list[str]) -> list[str]:
    """The cells of a row that comes back from a reject file."""
    kept = len(REJECT_COLUMNS)
    reason, original = cells[1], cells[kept:]
    if rejects.is_uncorrected(reason, original):
        raise RowRejectedError(rejects.UNDECODABLE)
    return [*cells[:kept], *map(restored, original)]


def _contact(name: str, email: _Reachable, phone: _Reachable) -> dict[str, str]:
    contact = {"n": name if name.strip() else "", "e": email.text, "p": phone.text}
    return {key: value for key, value in contact.items() if value}


def _language(cell: str) -> str:
    """The language a cell such as `ko`, `EN` or `en-US` asks for, if we speak it."""
    code = cell.strip().lower()[:2]
    return code if code in _LANGUAGES else DEFAULT_LANGUAGE


def _iso_date(text: str) -> str:
    """Also `2025.11.18` and `2025/11/18`; raises ValueError."""
    return dt.date.fromisoformat(text.replace(".", "-").replace("/", "-")).isoformat()


def _iso_date_of_time(text: str) -> str:
    """The day in the source's own time zone: the one the customer remembers."""
    return dt.datetime.fromisoformat(text).date().isoformat()


_DATE_CHECKS: dict[str, Callable[[str], str]] = {"date": _iso_date, "datetime": _iso_date_of_time}
