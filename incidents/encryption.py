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
from tink.proto import tink_pb2

from foundations.keys import (
    EncryptionError,
    EncryptionMessages,
    is_under_newest_master_key,
    key_prefix,
    master_keyset,
    new_master_keyset,
    with_new_key,
    with_newest,
    with_only,
)

__all__ = [
    "CONTACT",
    "EXPOSURE",
    "SCAM_REPORT",
    "TEST_ADDRESS",
    "UPLOAD",
    "EncryptionError",
    "EncryptionMessages",
    "IncidentCipher",
    "KeysetShreddedError",
    "add_data_key",
    "incident_cipher",
    "keep_data_key",
    "key_prefix",
    "keyset_shredded_error",
    "new_incident_keysets",
    "new_master_keyset",
    "rewrap_keyset",
    "unwrap_keyset",
    "use_data_key",
]

CONTACT, EXPOSURE, TEST_ADDRESS = b"contact", b"exposure", b"test address"
UPLOAD = b"upload"
SCAM_REPORT = b"scam report"

_DATA_KEY = aead.aead_key_templates.AES128_GCM

prf.register()


class KeysetShreddedError(EncryptionError):
    """The incident's keysets were deleted; its sealed data is gone for good."""


def keyset_shredded_error(slug: str) -> KeysetShreddedError:
    """The refusal of whatever needs the keysets of an incident that has none any more."""
    return KeysetShreddedError(EncryptionMessages.SHREDDED.stored(incident=slug))


def new_incident_keysets(slug: str) -> tuple[bytes, bytes]:
    """(data keyset, index keyset) for a new incident, wrapped and bound to its slug."""
    data = tink.new_keyset_handle(_DATA_KEY)
    index = tink.new_keyset_handle(prf.prf_key_templates.AES_CMAC)
    return _wrap(data, slug, b"data"), _wrap(index, slug, b"index")


def _wrap(handle: tink.KeysetHandle, slug: str, role: bytes) -> bytes:
    bound_to = role + b":" + slug.encode()
    return bytes(tink.proto_keyset_format.serialize_encrypted(handle, master_keyset(), bound_to))


def unwrap_keyset(wrapped: bytes, slug: str, role: bytes) -> tink.KeysetHandle:
    """An incident's keyset, opened; `role` is data or index. Raises SealingError."""
    bound_to = role + b":" + slug.encode()
    try:
        return tink.proto_keyset_format.parse_encrypted(wrapped, master_keyset(), bound_to)
    except tink.TinkError:
        raise EncryptionError(
            EncryptionMessages.OTHER_MASTER_KEYSET.stored(role_words=role.decode(), incident=slug)
        ) from None


def rewrap_keyset(wrapped: bytes, slug: str, role: bytes) -> bytes | None:
    """The keyset (`role` data or index) under the newest master key; None if it is already.

    Raises SealingError.
    """
    encrypted = tink_pb2.EncryptedKeyset.FromString(wrapped).encrypted_keyset
    handle = unwrap_keyset(wrapped, slug, role)
    return None if is_under_newest_master_key(encrypted) else _wrap(handle, slug, role)


def add_data_key(wrapped: bytes, slug: str) -> tuple[bytes, int]:
    """The data keyset with a key more, which opens but does not seal yet, and that key's id.

    Raises SealingError, as the next two do.
    """
    handle, key_id = with_new_key(unwrap_keyset(wrapped, slug, b"data"), _DATA_KEY)
    return _wrap(handle, slug, b"data"), key_id


def use_data_key(wrapped: bytes, slug: str, key_id: int) -> bytes:
    """The data keyset, sealing by that key from now on."""
    return _wrap(with_newest(unwrap_keyset(wrapped, slug, b"data"), key_id), slug, b"data")


def keep_data_key(wrapped: bytes, slug: str, key_id: int) -> bytes:
    """The data keyset with that key alone: what another sealed opens no more."""
    return _wrap(with_only(unwrap_keyset(wrapped, slug, b"data"), key_id), slug, b"data")


class IncidentCipher:
    """Seals, opens and names for one incident."""

    def __init__(self, *, incident_id: int, slug: str, data: bytes, index: bytes) -> None:
        self._incident = incident_id.to_bytes(8, "big")
        handle = unwrap_keyset(data, slug, b"data")
        self._aead = handle.primitive(aead.Aead)
        self._newest = key_prefix(handle.keyset_info().primary_key_id)
        self._prf = unwrap_keyset(index, slug, b"index").primitive(prf.PrfSet).primary()

    def _bound_to(self, person: UUID, purpose: bytes) -> bytes:
        return self._incident + person.bytes + purpose

    def encrypt(self, value: Any, *, person: UUID, purpose: bytes) -> bytes:
        """Ciphertext of `value` (anything JSON holds) for one person and one purpose."""
        plain = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return bytes(self._aead.encrypt(plain, self._bound_to(person, purpose)))

    def encrypt_bytes(self, plain: bytes, *, person: UUID, purpose: bytes) -> bytes:
        """As `seal`, for what is no JSON."""
        return bytes(self._aead.encrypt(plain, self._bound_to(person, purpose)))

    def decrypt_bytes(
        self, ciphertext: bytes | memoryview, *, person: UUID, purpose: bytes
    ) -> bytes:
        """What `seal_bytes` was given; raises as `open`."""
        return self._plain(ciphertext, person, purpose)

    def decrypt(self, ciphertext: bytes | memoryview, *, person: UUID, purpose: bytes) -> Any:
        """What `seal` was given; raises SealingError for any other row, key or purpose."""
        return json.loads(self._plain(ciphertext, person, purpose))

    def _plain(self, ciphertext: bytes | memoryview, person: UUID, purpose: bytes) -> bytes:
        try:
            return bytes(self._aead.decrypt(bytes(ciphertext), self._bound_to(person, purpose)))
        except tink.TinkError:
            raise EncryptionError(
                EncryptionMessages.DOES_NOT_OPEN.stored(
                    purpose_words=purpose.decode(), person=person
                )
            ) from None

    def reencrypt(
        self, ciphertext: bytes | memoryview, *, person: UUID, purpose: bytes
    ) -> bytes | None:
        """The same value under the newest data key; None if it is already. Raises as `open`."""
        if bytes(ciphertext[:5]) == self._newest:
            return None
        bound_to = self._bound_to(person, purpose)
        return bytes(self._aead.encrypt(self._plain(ciphertext, person, purpose), bound_to))

    def blind_index(self, kind: str, value: str) -> UUID:
        """The 16-byte blind index of `value` among values of one kind."""
        return UUID(bytes=self._prf.compute(f"{kind}\0{value}".encode(), 16))

    def email_index(self, normalised: str) -> UUID:
        """For an address from accounts.contacts.normalise_email."""
        return self.blind_index("email", normalised)

    def phone_index(self, e164: str) -> UUID:
        """For a number in E.164."""
        return self.blind_index("phone", e164)

    def person_id(self, relation: str, reference: str) -> UUID:
        """The primary key of an affected person: the same source row always names the same row."""
        return self.blind_index(f"person:{relation}", reference)


@lru_cache(maxsize=64)
def incident_cipher(incident_id: int, slug: str, data: bytes, index: bytes) -> IncidentCipher:
    """The seal for the keysets an incident's row holds now; see Incident.seal."""
    return IncidentCipher(incident_id=incident_id, slug=slug, data=data, index=index)
