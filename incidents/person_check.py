"""Checks what the store holds of one person: values decrypt, and indexes fit the contacts.

It needs the keys only, and not the database, so that worker processes can do it. A fault names
primary keys, files and lines, never a value.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from accounts.contacts import (
    is_usable_email,
    normalise_email,
    normalise_phone,
    read_emails,
    read_phones,
)
from incidents import encryption
from incidents.encryption import CONTACT, EXPOSURE, EncryptionError, IncidentCipher
from incidents.leaks import CONTACT_KEYS
from incidents.models import AffectedPerson, FurtherContact
from incidents.uncertain_contacts import contacts_meant, pattern_of_user_name

Reach, Kind = AffectedPerson.Reach, FurtherContact.Kind
Keysets = tuple[int, str, bytes, bytes]  # what Incident.keysets() returns

_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,190}\.\w{2,24}")
_PHONE = re.compile(r"(?<![\d@.])\+?\(?\d[\d ().-]{6,18}\d(?![\d@])")
# Line separators of Unicode, as str.splitlines knows them.
_LINE_BREAK = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


class StoredExposure(NamedTuple):
    """One row of incidents_exposure, still encrypted."""

    file_id: int
    line: int
    data_classes: list[int]
    ciphertext: bytes | None

    def __str__(self) -> str:
        return f"file {self.file_id}, line {self.line}"


class StoredPerson(NamedTuple):
    """Everything that the store holds of one person, still encrypted."""

    key: UUID
    reaches: tuple[int, int]  # e-mail, phone
    indexes: tuple[UUID | None, UUID | None]  # e-mail, phone
    contact: bytes
    further: frozenset[tuple[int, UUID]]  # kind and index of each further contact
    exposures: list[StoredExposure]


class Mention(NamedTuple):
    """Contacts that one text of a person holds and that are not the person's own."""

    place: str
    indexes: frozenset[UUID]
    has_lines: bool  # whether the text has a line break


class Uncertain(NamedTuple):
    """What the import keeps of a contact that is not certain; see incidents.uncertain_contacts."""

    place: str
    addresses: frozenset[UUID]  # all of them are kept
    numbers: frozenset[UUID]  # one is kept, if there are any: they depend on the region


class CheckedPerson(NamedTuple):
    """The faults of one person, and the contacts in their texts that may be other people's."""

    key: UUID
    faults: list[str]
    mentions: list[Mention]
    uncertain: list[Uncertain]


def check_people(
    keysets: Keysets,
    class_slugs: dict[int, str],
    people: Sequence[StoredPerson],
    *,
    regions: Iterable[str] = (),
    has_values: bool = True,
) -> list[CheckedPerson]:
    """Returns the people that have faults, mentions or uncertain contacts, in their order.

    `class_slugs` holds the slug of every data class by id. `regions` are those of the numbers in
    the incident's files. `has_values` is False once the incident's values are deleted, so that none
    is missed. Raises EncryptionError if the keysets cannot be unwrapped.
    """
    cipher = encryption.incident_cipher(*keysets)
    checked = (
        _PersonCheck(
            cipher, class_slugs, person, regions=tuple(regions), has_values=has_values
        ).run()
        for person in people
    )
    return [one for one in checked if one.faults or one.mentions or one.uncertain]


class _PersonCheck:
    """The check of one person."""

    def __init__(
        self,
        cipher: IncidentCipher,
        class_slugs: dict[int, str],
        person: StoredPerson,
        *,
        regions: Sequence[str],
        has_values: bool,
    ) -> None:
        self._cipher, self._class_slugs, self._person = cipher, class_slugs, person
        self._regions, self._has_values = regions, has_values
        self._faults: list[str] = []
        self._mentions: list[Mention] = []

    def run(self) -> CheckedPerson:
        # The contact is empty if every file that gave one is withdrawn.
        stored = self._person.contact
        contact = self._decrypt(stored, CONTACT, "contact") if stored else {}
        if contact is not None:
            self._check_email(contact.get("e", ""))
            self._check_phone(contact.get("p", ""))
        contact = contact or {}
        own = self._own_indexes()
        self._look_for_contacts("contact", contact.values(), own)
        for exposure in self._person.exposures:
            self._check_exposure(exposure, contact, own)
        uncertain = list(self._uncertain(contact))
        return CheckedPerson(self._person.key, self._faults, self._mentions, uncertain)

    def _uncertain(self, contact: dict[str, str]) -> Iterator[Uncertain]:
        """Yields what the import keeps of the parts of a contact that find no person."""
        for key, text in contact.items():
            is_email = key.startswith("e")
            if key == "n" or (is_email and read_emails(text).addresses):
                continue
            if not is_email and any(read_phones(text, one).phones for one in self._regions):
                continue
            meant = [contacts_meant(text, one) for one in self._regions]
            emails = {one for emails, _ in meant for one in emails}
            emails |= {pattern_of_user_name(text)} - {""} if is_email else set()
            addresses = frozenset(self._cipher.blind_index("email", one) for one in emails)
            numbers = frozenset(
                self._cipher.blind_index("phone", one) for _, found in meant for one in found
            )
            if addresses or numbers:
                yield Uncertain(f"contact {key}", addresses, numbers)

    def _own_indexes(self) -> set[UUID]:
        further = {index for _, index in self._person.further}
        return further | {index for index in self._person.indexes if index}

    def _decrypt(self, ciphertext: bytes, purpose: bytes, place: str) -> Any:
        try:
            return self._cipher.decrypt(ciphertext, person=self._person.key, purpose=purpose)
        except (EncryptionError, ValueError):
            self._faults.append(f"{place}: cannot be decrypted")
            return None

    def _check_email(self, text: str) -> None:
        email = normalise_email(text)
        # A person may sign in with `mi___@b.com`, but in a file it is not certain.
        is_expected = self._person.indexes[0] or read_emails(text).addresses
        is_one = is_expected and is_usable_email(email)
        expected = self._cipher.email_index(email) if is_one else None
        self._compare(
            "e-mail", bool(text), self._person.reaches[0], self._person.indexes[0], expected
        )

    def _check_phone(self, text: str) -> None:
        if text and self._person.reaches[1] == Reach.UNUSABLE and not self._person.indexes[1]:
            return  # whether a text can be a number depends on the region of its mapping
        phone = normalise_phone(text)
        expected = self._cipher.phone_index(phone) if phone else None
        self._compare(
            "phone", bool(text), self._person.reaches[1], self._person.indexes[1], expected
        )

    def _compare(
        self, kind: str, is_there: bool, reach: int, index: UUID | None, expected: UUID | None
    ) -> None:
        """Adds a fault if reach or index is not that of the decrypted contact."""
        if index != expected:
            self._faults.append(f"{kind}: the index is not that of the contact")
        if (reach == Reach.MISSING) == is_there:
            self._faults.append(f"{kind}: the reach is not that of the contact")

    def _check_exposure(
        self, exposure: StoredExposure, contact: dict[str, str], own: set[UUID]
    ) -> None:
        entries: Any = []
        if exposure.ciphertext is not None:
            entries = self._decrypt(exposure.ciphertext, EXPOSURE, str(exposure))
        if entries is None:
            return
        in_values = {entry[0] for entry in entries}
        if in_values - set(exposure.data_classes):
            self._faults.append(f"{exposure}: a value of a class that the row does not name")
        for class_id in set(exposure.data_classes) - in_values if self._has_values else ():
            key = CONTACT_KEYS.get(self._class_slugs.get(class_id, ""), "")
            if not contact.get(key, "").strip():
                self._faults.append(f"{exposure}: class {class_id} leaked without a value")
        self._look_for_contacts(str(exposure), (str(entry[1]) for entry in entries), own)

    def _look_for_contacts(self, place: str, texts: Iterable[str], own: set[UUID]) -> None:
        for text in texts:
            if found := set(_contact_indexes(self._cipher, text)) - own:
                has_lines = bool(_LINE_BREAK.search(text))
                self._mentions.append(Mention(place, frozenset(found), has_lines))


def _contact_indexes(cipher: IncidentCipher, text: str) -> Iterator[UUID]:
    """Yields the blind index of every e-mail address and phone number in a text."""
    if "@" in text:
        for address in map(normalise_email, _EMAIL.findall(text)):
            if is_usable_email(address):
                yield cipher.email_index(address)
    for number in map(normalise_phone, _PHONE.findall(text)):
        if number:
            yield cipher.phone_index(number)
