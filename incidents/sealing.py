"""Sealed values and blind indexes, with Google Tink.

Each incident has two keysets, both wrapped by the portal's master keyset: one seals (AEAD), one
names (PRF). Deleting them from the incident's row shreds its data at once: what is sealed cannot
be opened, and no address can be matched to a row any more.

A sealed value is bound to its incident, its person and its purpose: copied to another row, it
does not open.
"""

import json
from functools import lru_cache
from typing import Any
from uuid import UUID

import tink
from tink import aead, prf

from breachportal.keys import SealingError, master_keyset, new_master_keyset

__all__ = [
    "CONTACT",
    "EXPOSURE",
    "SCAM_REPORT",
    "TEST_ADDRESS",
    "IncidentSeal",
    "KeysetShreddedError",
    "SealingError",
    "incident_seal",
    "new_incident_keysets",
    "new_master_keyset",
]

CONTACT, EXPOSURE, TEST_ADDRESS = b"contact", b"exposure", b"test address"
SCAM_REPORT = b"scam report"

prf.register()


class KeysetShreddedError(SealingError):
    """The incident's keysets were deleted; its sealed data is gone for good."""


def new_incident_keysets(slug: str) -> tuple[bytes, bytes]:
    """(data keyset, index keyset) for a new incident, wrapped and bound to its slug."""
    data = tink.new_keyset_handle(aead.aead_key_templates.AES128_GCM)
    index = tink.new_keyset_handle(prf.prf_key_templates.AES_CMAC)
    return _wrap(data, slug, b"data"), _wrap(index, slug, b"index")


def _wrap(handle: tink.KeysetHandle, slug: str, role: bytes) -> bytes:
    bound_to = role + b":" + slug.encode()
    return bytes(tink.proto_keyset_format.serialize_encrypted(handle, master_keyset(), bound_to))


def _unwrap(wrapped: bytes, slug: str, role: bytes) -> tink.KeysetHandle:
    bound_to = role + b":" + slug.encode()
    try:
        return tink.proto_keyset_format.parse_encrypted(wrapped, master_keyset(), bound_to)
    except tink.TinkError:
        raise SealingError(
            f"the {role.decode()} keyset of incident {slug} does not open with this master keyset"
        ) from None


class IncidentSeal:
    """Seals, opens and names for one incident."""

    def __init__(self, *, incident_id: int, slug: str, data: bytes, index: bytes) -> None:
        self._incident = incident_id.to_bytes(8, "big")
        self._aead = _unwrap(data, slug, b"data").primitive(aead.Aead)
        self._prf = _unwrap(index, slug, b"index").primitive(prf.PrfSet).primary()

    def _bound_to(self, person: UUID, purpose: bytes) -> bytes:
        return self._incident + person.bytes + purpose

    def seal(self, value: Any, *, person: UUID, purpose: bytes) -> bytes:
        """Ciphertext of `value` (anything JSON holds) for one person and one purpose."""
        plain = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return bytes(self._aead.encrypt(plain, self._bound_to(person, purpose)))

    def seal_bytes(self, plain: bytes, *, person: bytes, purpose: bytes) -> bytes:
        """As `seal`, for JSON that is written already and the bytes of a person's id."""
        return bytes(self._aead.encrypt(plain, self._incident + person + purpose))

    def open(self, sealed: bytes | memoryview, *, person: UUID, purpose: bytes) -> Any:
        """What `seal` was given; raises SealingError for any other row, key or purpose."""
        try:
            plain = self._aead.decrypt(bytes(sealed), self._bound_to(person, purpose))
        except tink.TinkError:
            raise SealingError(f"the {purpose.decode()} of person {person} does not open") from None
        return json.loads(plain)

    def name(self, kind: str, value: str) -> UUID:
        """The 16-byte blind index of `value` among values of one kind."""
        return UUID(bytes=self.compute(f"{kind}\0{value}"))

    def compute(self, kind_and_value: str) -> bytes:
        """The bytes of `name`, for a kind and a value with a NUL between."""
        index: bytes = self._prf.compute(kind_and_value.encode(), 16)
        return index

    def email_index(self, normalised: str) -> UUID:
        """For an address from accounts.contacts.normalise_email."""
        return self.name("email", normalised)

    def phone_index(self, e164: str) -> UUID:
        """For a number in E.164."""
        return self.name("phone", e164)

    def person_id(self, relation: str, reference: str) -> UUID:
        """The primary key of an affected person: the same source row always names the same row."""
        return self.name(f"person:{relation}", reference)


@lru_cache(maxsize=64)
def incident_seal(incident_id: int, slug: str, data: bytes, index: bytes) -> IncidentSeal:
    """The seal for the keysets an incident's row holds now; see Incident.seal."""
    return IncidentSeal(incident_id=incident_id, slug=slug, data=data, index=index)
