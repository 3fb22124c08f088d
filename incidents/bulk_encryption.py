"""Seals, opens and names very many rows: what Tink would do, with fewer steps between.

Tink's Python primitives spend two thirds of their time on the way to the cipher, which for a
nation's rows is minutes. So an import takes the primary keys out of the unwrapped keysets and calls
the same ciphers (AES-GCM, AES-CMAC) directly, in Tink's own wire format. Tink opens everything, and
each start proves that it can. A send opens its people's contacts in the same way; whatever does not
open so, Tink has the last word on. See docs/decisions/0013.
"""

import json
import os
from contextlib import suppress
from typing import Any
from uuid import UUID

import tink
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import cmac
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tink import secret_key_access
from tink.proto import aes_cmac_prf_pb2, aes_gcm_pb2, tink_pb2

from incidents import encryption
from incidents.encryption import CONTACT, EncryptionError, EncryptionMessages, IncidentCipher

_GCM = "type.googleapis.com/google.crypto.tink.AesGcmKey"
_CMAC = "type.googleapis.com/google.crypto.tink.AesCmacPrfKey"
_PREFIX, _NONCE_ENDS = 5, 17  # octets: a mark and the key's number, then the nonce
_PROBE = "a value and its person"


class BulkEncryptor:
    """As IncidentSeal, for bytes."""

    def __init__(self, incident_id: int, slug: str, data: bytes, index: bytes) -> None:
        """Raises SealingError as IncidentSeal does, and if Tink would not read what is written."""
        self._incident = incident_id.to_bytes(8, "big")
        sealing_key = _primary(encryption.unwrap_keyset(data, slug, b"data"), _GCM)
        naming_key = _primary(encryption.unwrap_keyset(index, slug, b"index"), _CMAC)
        key = aes_gcm_pb2.AesGcmKey.FromString(sealing_key.key_data.value)
        self._encrypt = AESGCM(key.key_value).encrypt
        self._prefix = encryption.key_prefix(sealing_key.key_id)
        naming = aes_cmac_prf_pb2.AesCmacPrfKey.FromString(naming_key.key_data.value)
        self._begun = cmac.CMAC(algorithms.AES(naming.key_value))
        self._prove(encryption.incident_cipher(incident_id, slug, data, index))

    def encrypt_bytes(self, plain: bytes, person: bytes, purpose: bytes) -> bytes:
        """`IncidentSeal.seal` of JSON that is written already, for the bytes of a person's id."""
        nonce = os.urandom(12)
        bound_to = self._incident + person + purpose
        ciphertext: bytes = self._prefix + nonce + self._encrypt(nonce, plain, bound_to)
        return ciphertext

    def blind_index(self, kind_and_value: str) -> bytes:
        """The bytes of `IncidentSeal.name`, for a kind and a value with a NUL between."""
        begun = self._begun.copy()
        begun.update(kind_and_value.encode())
        return begun.finalize()

    def _prove(self, cipher: IncidentCipher) -> None:
        person = cipher.blind_index("probe", _PROBE)
        ciphertext = self.encrypt_bytes(f'"{_PROBE}"'.encode(), person.bytes, CONTACT)
        opened = cipher.decrypt(ciphertext, person=person, purpose=CONTACT)
        if opened != _PROBE or self.blind_index(f"probe\0{_PROBE}") != person.bytes:
            raise EncryptionError(EncryptionMessages.NOT_READABLE.stored())


class BulkDecryptor:
    """Opens as IncidentSeal does, for every AES-GCM key of the incident's keyset."""

    def __init__(self, incident_id: int, slug: str, data: bytes, index: bytes) -> None:
        """Raises SealingError as IncidentSeal does."""
        self._cipher = encryption.incident_cipher(incident_id, slug, data, index)
        self._incident = incident_id.to_bytes(8, "big")
        self._ciphers = {}
        for key in _in_the_clear(encryption.unwrap_keyset(data, slug, b"data")).key:
            if key.key_data.type_url == _GCM and key.status == tink_pb2.ENABLED:
                value = aes_gcm_pb2.AesGcmKey.FromString(key.key_data.value).key_value
                self._ciphers[encryption.key_prefix(key.key_id)] = AESGCM(value)

    def decrypt(self, ciphertext: bytes, *, person: UUID, purpose: bytes) -> Any:
        """What `IncidentSeal.seal` was given; raises SealingError as it does."""
        cipher = self._ciphers.get(ciphertext[:_PREFIX])
        if cipher is not None:
            bound_to = self._incident + person.bytes + purpose
            nonce, rest = ciphertext[_PREFIX:_NONCE_ENDS], ciphertext[_NONCE_ENDS:]
            with suppress(InvalidTag, ValueError):
                return json.loads(cipher.decrypt(nonce, rest, bound_to))
        return self._cipher.decrypt(ciphertext, person=person, purpose=purpose)


def _in_the_clear(handle: tink.KeysetHandle) -> tink_pb2.Keyset:
    """The keys themselves; they stay in this process."""
    clear = tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    return tink_pb2.Keyset.FromString(clear)


def _primary(handle: tink.KeysetHandle, type_url: str) -> tink_pb2.Keyset.Key:
    keyset = _in_the_clear(handle)
    [key] = [key for key in keyset.key if key.key_id == keyset.primary_key_id]
    if key.key_data.type_url != type_url:
        raise EncryptionError(
            EncryptionMessages.OTHER_TYPE.stored(type=type_url, other=key.key_data.type_url)
        )
    return key
