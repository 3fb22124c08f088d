"""Encrypts values and computes blind indexes, with Google Tink.

Each incident has two keysets, both wrapped by the portal's master keyset: the data keyset encrypts
(AEAD), the index keyset computes blind indexes (PRF). Deleting them from the incident's row shreds
its data at once: no value can be decrypted, and no address can be matched to a row any more.

A ciphertext is bound to its incident, person and purpose, its associated data. Copied to another
row, it cannot be decrypted.
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
    "ADDRESS_CHANGE",
    "CONTACT",
    "EXPOSURE",
    "OFFER_CODE",
    "SCAM_REPORT",
    "TEST_ADDRESS",
    "TICKET",
    "UPLOAD",
    "EncryptionError",
    "EncryptionMessages",
    "IncidentCipher",
    "KeysetShreddedError",
    "add_data_key",
    "data_key_ids",
    "incident_cipher",
    "key_prefix",
    "keyset_shredded_error",
    "new_incident_keysets",
    "new_master_keyset",
    "remove_other_data_keys",
    "rewrap_keyset",
    "unwrap_keyset",
    "use_data_key",
]

CONTACT, EXPOSURE, TEST_ADDRESS = b"contact", b"exposure", b"test address"
UPLOAD = b"upload"
SCAM_REPORT = b"scam report"
TICKET = b"ticket"
OFFER_CODE = b"offer code"
ADDRESS_CHANGE = b"address change"

_DATA_KEY = aead.aead_key_templates.AES128_GCM

prf.register()


class KeysetShreddedError(EncryptionError):
    """The incident's keysets were deleted, so its encrypted data cannot be recovered."""


def keyset_shredded_error(slug: str) -> KeysetShreddedError:
    """Returns the error for an operation that needs the keysets of a shredded incident."""
    return KeysetShreddedError(EncryptionMessages.SHREDDED.stored(incident=slug))


def new_incident_keysets(slug: str) -> tuple[bytes, bytes]:
    """Returns (data keyset, index keyset) for a new incident, wrapped and bound to its slug."""
    data = tink.new_keyset_handle(_DATA_KEY)
    index = tink.new_keyset_handle(prf.prf_key_templates.AES_CMAC)
    return _wrap(data, slug, b"data"), _wrap(index, slug, b"index")


def _wrap(handle: tink.KeysetHandle, slug: str, role: bytes) -> bytes:
    associated_data = role + b":" + slug.encode()
    return bytes(
        tink.proto_keyset_format.serialize_encrypted(handle, master_keyset(), associated_data)
    )


def unwrap_keyset(wrapped: bytes, slug: str, role: bytes) -> tink.KeysetHandle:
    """Returns an incident's keyset, unwrapped. `role` is b"data" or b"index".

    Raises EncryptionError if the master keyset, the slug or the role is not that of the wrapping.
    """
    associated_data = role + b":" + slug.encode()
    try:
        return tink.proto_keyset_format.parse_encrypted(wrapped, master_keyset(), associated_data)
    except tink.TinkError:
        raise EncryptionError(
            EncryptionMessages.OTHER_MASTER_KEYSET.stored(role_words=role.decode(), incident=slug)
        ) from None


def rewrap_keyset(wrapped: bytes, slug: str, role: bytes) -> bytes | None:
    """Returns the keyset wrapped under the newest master key; None if it is already.

    `role` is b"data" or b"index". Raises EncryptionError if the keyset cannot be unwrapped.
    """
    encrypted = tink_pb2.EncryptedKeyset.FromString(wrapped).encrypted_keyset
    handle = unwrap_keyset(wrapped, slug, role)
    return None if is_under_newest_master_key(encrypted) else _wrap(handle, slug, role)


def add_data_key(wrapped: bytes, slug: str) -> tuple[bytes, int]:
    """Returns the data keyset with one more key, and the id of this key.

    The new key can decrypt but does not encrypt yet. Raises EncryptionError if the keyset cannot be
    unwrapped, as the next two functions do.
    """
    handle, key_id = with_new_key(unwrap_keyset(wrapped, slug, b"data"), _DATA_KEY)
    return _wrap(handle, slug, b"data"), key_id


def data_key_ids(wrapped: bytes, slug: str) -> list[int]:
    """Returns the ids of the keys in the data keyset; none of an empty `wrapped`."""
    if not wrapped:
        return []
    info = unwrap_keyset(wrapped, slug, b"data").keyset_info()
    return [key.key_id for key in info.key_info]


def use_data_key(wrapped: bytes, slug: str, key_id: int) -> bytes:
    """Returns the data keyset with this key as the primary key, which encrypts."""
    return _wrap(with_newest(unwrap_keyset(wrapped, slug, b"data"), key_id), slug, b"data")


def remove_other_data_keys(wrapped: bytes, slug: str, key_id: int) -> bytes:
    """Returns the data keyset with this key only. Values under other keys cannot be decrypted."""
    return _wrap(with_only(unwrap_keyset(wrapped, slug, b"data"), key_id), slug, b"data")


class IncidentCipher:
    """The cipher of one incident: encrypts, decrypts and computes blind indexes."""

    def __init__(self, *, incident_id: int, slug: str, data: bytes, index: bytes) -> None:
        """Takes the wrapped keysets. Raises EncryptionError if they cannot be unwrapped."""
        self._incident = incident_id.to_bytes(8, "big")
        handle = unwrap_keyset(data, slug, b"data")
        self._aead = handle.primitive(aead.Aead)
        self._newest = key_prefix(handle.keyset_info().primary_key_id)
        self._prf = unwrap_keyset(index, slug, b"index").primitive(prf.PrfSet).primary()

    def _associated_data(self, person: UUID, purpose: bytes) -> bytes:
        return self._incident + person.bytes + purpose

    def encrypt(self, value: Any, *, person: UUID, purpose: bytes) -> bytes:
        """Returns the ciphertext of a JSON value, bound to one person and one purpose.

        `person` is the id of the row, also where this is not a person. `purpose` is one of CONTACT,
        EXPOSURE, TEST_ADDRESS, UPLOAD, SCAM_REPORT, TICKET and OFFER_CODE.
        """
        plain = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return bytes(self._aead.encrypt(plain, self._associated_data(person, purpose)))

    def encrypt_bytes(self, plain: bytes, *, person: UUID, purpose: bytes) -> bytes:
        """Returns the ciphertext of bytes that are not JSON, bound like that of `encrypt`."""
        return bytes(self._aead.encrypt(plain, self._associated_data(person, purpose)))

    def decrypt_bytes(
        self, ciphertext: bytes | memoryview, *, person: UUID, purpose: bytes
    ) -> bytes:
        """Returns the bytes that `encrypt_bytes` was given. Raises as `decrypt` does."""
        return self._decrypt(ciphertext, person, purpose)

    def decrypt(self, ciphertext: bytes | memoryview, *, person: UUID, purpose: bytes) -> Any:
        """Returns the value that `encrypt` was given.

        Raises EncryptionError for another incident, person, purpose or key, or changed bytes.
        """
        return json.loads(self._decrypt(ciphertext, person, purpose))

    def _decrypt(self, ciphertext: bytes | memoryview, person: UUID, purpose: bytes) -> bytes:
        try:
            return bytes(
                self._aead.decrypt(bytes(ciphertext), self._associated_data(person, purpose))
            )
        except tink.TinkError:
            raise EncryptionError(
                EncryptionMessages.DOES_NOT_OPEN.stored(
                    purpose_words=purpose.decode(), person=person
                )
            ) from None

    def reencrypt(
        self, ciphertext: bytes | memoryview, *, person: UUID, purpose: bytes
    ) -> bytes | None:
        """Returns the value encrypted under the newest data key; None if it is already.

        Raises EncryptionError as `decrypt` does.
        """
        if bytes(ciphertext[:5]) == self._newest:
            return None
        associated_data = self._associated_data(person, purpose)
        return bytes(
            self._aead.encrypt(self._decrypt(ciphertext, person, purpose), associated_data)
        )

    def blind_index(self, kind: str, value: str) -> UUID:
        """Returns the blind index (16 bytes) of a value among the values of its kind."""
        return UUID(bytes=self._prf.compute(f"{kind}\0{value}".encode(), 16))

    def email_index(self, normalised: str) -> UUID:
        """Returns the blind index of an address from accounts.contacts.normalise_email."""
        return self.blind_index("email", normalised)

    def phone_index(self, e164: str) -> UUID:
        """Returns the blind index of a phone number in E.164."""
        return self.blind_index("phone", e164)

    def person_id(self, relation: str, reference: str) -> UUID:
        """Returns the primary key of an affected person.

        It is computed from the source, so that a repeated import finds the same row again.
        """
        return self.blind_index(f"person:{relation}", reference)


@lru_cache(maxsize=64)
def incident_cipher(incident_id: int, slug: str, data: bytes, index: bytes) -> IncidentCipher:
    """Returns the cached cipher for the wrapped keysets of an incident; see Incident.cipher.

    Raises EncryptionError if they cannot be unwrapped.
    """
    return IncidentCipher(incident_id=incident_id, slug=slug, data=data, index=index)
