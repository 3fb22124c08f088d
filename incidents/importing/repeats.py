"""Merges the rows of people who occur a second time, in a file or in the store.

Rows with the same reference are one person's only if their contacts agree. What disagrees is
rejected, for a person to decide; the first row in file order stays.
"""

import unicodedata
from typing import Any, NamedTuple
from uuid import UUID

from incidents.encryption import CONTACT, EXPOSURE, IncidentCipher
from incidents.importing.contact_json import contact_parts
from incidents.importing.row_messages import RejectMessages
from incidents.models import FurtherContact

_EMAIL, _PHONE = int(FurtherContact.Kind.EMAIL), int(FurtherContact.Kind.PHONE)


class Contact(NamedTuple):
    """A decrypted contact. The fields after `parts` are those of the person's row."""

    parts: dict[str, str]  # AffectedPerson.contact
    email_reach: int
    phone_reach: int
    email_index: UUID | None
    phone_index: UUID | None

    def texts(self, letter: str) -> list[str]:
        """Returns the e-mail addresses ("e") or phone numbers ("p"), the first one first."""
        return [text for key, text in self.parts.items() if key.startswith(letter)]

    def has_contact_of(self, other: "Contact") -> bool:
        """Returns whether the two have an address or a number in common."""
        return any(set(self.texts(letter)) & set(other.texts(letter)) for letter in "ep")

    def completed(self, other: "Contact") -> "Contact":
        """Returns this contact with the parts added that only `other` has."""
        email = self if self.email_index or not other.texts("e") else other
        phone = self if self.phone_index or not other.texts("p") else other
        return Contact(
            contact_parts(
                self.parts.get("n") or other.parts.get("n", ""),
                list(dict.fromkeys(email.texts("e") + self.texts("e") + other.texts("e"))),
                list(dict.fromkeys(phone.texts("p") + self.texts("p") + other.texts("p"))),
            ),
            email.email_reach,
            phone.phone_reach,
            email.email_index,
            phone.phone_index,
        )


class RepeatMerger:
    """The merge of repeated rows of people, which it takes ordered by person and line.

    Collects rejects, changed exposures and completed contacts in lists for COPY.
    """

    def __init__(self, cipher: IncidentCipher, identity: str, names_id: int) -> None:
        self._cipher, self._identity, self._names_id = cipher, identity, names_id
        self.rejects: list[tuple[int, str]] = []
        self.changes: list[tuple[int, UUID, list[int], bytes | None]] = []
        self.contacts: list[tuple[Any, ...]] = []
        self.further: list[tuple[int, UUID, int, UUID]] = []
        self.given: list[tuple[Any, ...]] = []  # the contacts that the file gives of stored people
        self.joined = 0  # how many stored people get a further contact, or have none in common
        self._person: UUID | None = None
        self._known: Contact | None = None
        self._stored: Contact | None = None
        self._given: Contact | None = None
        self._is_stored = False
        self._seen: set[tuple[int, ...]] = set()

    def clear(self) -> None:
        """Empties the lists."""
        for rows in (self.rejects, self.changes, self.contacts, self.further, self.given):
            rows.clear()

    def take(
        self,
        line: int,
        person: UUID,
        contact: bytes,
        data_classes: list[int],
        ciphertext: bytes | None,
        *fields: Any,
    ) -> None:
        """Compares the next row, joined with the person's row in the store.

        `fields` are the columns of _TO_DECRYPT after the ciphertext: reaches and indexes of the row
        in the file, then the contact, reaches and indexes of the row in the store.
        """
        if person != self._person:
            self.end_person()
            self._begin_person(person, *fields[4:])
        found = self._decrypt_contact(person, contact, *fields[:4])
        if self._known is None:
            self._known = self._stored = found
        if conflict := _conflict(self._known, found):
            self.rejects.append((line, conflict.stored(column=self._identity)))
            return
        self._known = self._known.completed(found)
        self._given = self._given.completed(found) if self._given else found
        # The first address or number of this row may be a further one of the person.
        for kind, index in ((_EMAIL, found.email_index), (_PHONE, found.phone_index)):
            if index and index not in (self._known.email_index, self._known.phone_index):
                self.further.append((line, person, kind, index))
        self._compare_exposure(line, found, data_classes, ciphertext)

    def end_person(self) -> None:
        """Collects the contact of the current person, if further rows have completed it.

        Of a stored person, collects what this file gives; without a ciphertext if it is the same.
        """
        if self._person and self._known and self._known != self._stored:
            self.contacts.append(self._encrypted(self._person, self._known))
        if self._person and self._given and self._known and self._is_stored:
            person, ciphertext, *fields = self._encrypted(self._person, self._given)
            is_same = self._given == self._known
            is_confirmed = self._known == self._stored and self._given.has_contact_of(self._known)
            self.joined += not is_confirmed
            self.given.append((person, None if is_same else ciphertext, *fields))
        self._person = None

    def _encrypted(self, person: UUID, contact: Contact) -> tuple[Any, ...]:
        parts, *fields = contact
        return person, self._cipher.encrypt(parts, person=person, purpose=CONTACT), *fields

    def _begin_person(self, person: UUID, contact: bytes | None, *fields: Any) -> None:
        self._person, self._seen, self._given = person, set(), None
        self._is_stored = bool(contact)
        self._known = self._stored = (
            self._decrypt_contact(person, contact, *fields) if contact else None
        )

    def _decrypt_contact(self, person: UUID, contact: bytes, *fields: Any) -> Contact:
        return Contact(self._cipher.decrypt(contact, person=person, purpose=CONTACT), *fields)

    def _compare_exposure(
        self, line: int, contact: Contact, data_classes: list[int], ciphertext: bytes | None
    ) -> None:
        """Stores a differing name as a leaked value; drops an exposure that repeats another one."""
        if self._person is None or self._known is None:
            return
        name = contact.parts.get("n", "")
        if name != self._known.parts.get("n", name) and self._names_id in data_classes:
            values = self._decrypt_values(ciphertext) + [[self._names_id, name]]
            changed = self._cipher.encrypt(values, person=self._person, purpose=EXPOSURE)
            self.changes.append((line, self._person, data_classes, changed))
        elif ciphertext is None:
            if tuple(data_classes) in self._seen:
                self.changes.append((line, self._person, [], None))
            self._seen.add(tuple(data_classes))

    def _decrypt_values(self, ciphertext: bytes | None) -> list[list[Any]]:
        if ciphertext is None or self._person is None:
            return []
        values: list[list[Any]] = self._cipher.decrypt(
            ciphertext, person=self._person, purpose=EXPOSURE
        )
        return values


def _conflict(known: Contact, found: Contact) -> RejectMessages | None:
    """Returns why two rows cannot be of one person, or None.

    Their addresses or numbers are all different; or their names are, and no contact confirms that
    it is one person under two names.
    """
    is_confirmed = False
    for letter, conflict in (("e", RejectMessages.OTHER_EMAIL), ("p", RejectMessages.OTHER_PHONE)):
        before, now = known.texts(letter), found.texts(letter)
        if before and now and not set(before) & set(now):
            return conflict
        is_confirmed |= bool(before and now)
    names = known.parts.get("n", ""), found.parts.get("n", "")
    if all(names) and not is_confirmed and _normal(names[0]) != _normal(names[1]):
        return RejectMessages.OTHER_NAME
    return None


def _normal(name: str) -> str:
    """Returns the letters of a name, without case, spaces and punctuation."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))
