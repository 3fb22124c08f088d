"""Encrypts, decrypts and indexes very many rows: does what Tink does, in less time.

Tink's Python primitives spend two thirds of their time before they reach the cipher. For a nation's
rows that is minutes. An import therefore takes the primary keys out of the unwrapped keysets and
calls the same ciphers (AES-GCM, AES-CMAC) directly, in Tink's wire format. Tink can decrypt the
result, and each start verifies this. A send decrypts contacts in the same way; if that fails for a
value, Tink decides. See docs/decisions/0013.
"""

import os
from contextlib import suppress
from json import JSONDecoder
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
_PREFIX, _NONCE_ENDS = 5, 17  # bytes: a version byte and the key's id, then the nonce
_PROBE = "a value and its person"
_DECODER = JSONDecoder()  # json.loads takes twice the time, to find the encoding
_NONCE_BYTES, _NONCES_AT_ONCE = 12, 512
# Random nonces for the next values, because a call of the system for each takes a fifth of the time
# of a row. A nonce that is used twice with one key reveals both values, so a forked process does
# not use those of its parent.
_nonces: list[bytes] = []
os.register_at_fork(after_in_child=_nonces.clear)


def _further_nonce() -> bytes:
    """Returns a new nonce, and adds others to `_nonces`; threads may call it at the same time."""
    random = os.urandom(_NONCE_BYTES * _NONCES_AT_ONCE)
    first, *others = (
        random[start : start + _NONCE_BYTES] for start in range(0, len(random), _NONCE_BYTES)
    )
    _nonces.extend(others)
    return first


class BulkEncryptor:
    """A faster IncidentCipher for values that are bytes already: encrypts and computes indexes."""

    def __init__(self, incident_id: int, slug: str, data: bytes, index: bytes) -> None:
        """Takes what Incident.keysets() returns.

        Raises EncryptionError if a keyset cannot be unwrapped or has a primary key of another type,
        or if Tink does not read what this class writes.
        """
        self._incident = incident_id.to_bytes(8, "big")
        data_key = _primary(encryption.unwrap_keyset(data, slug, b"data"), _GCM)
        index_key = _primary(encryption.unwrap_keyset(index, slug, b"index"), _CMAC)
        key = aes_gcm_pb2.AesGcmKey.FromString(data_key.key_data.value)
        self._encrypt = AESGCM(key.key_value).encrypt
        self._prefix = encryption.key_prefix(data_key.key_id)
        index_secret = aes_cmac_prf_pb2.AesCmacPrfKey.FromString(index_key.key_data.value)
        self._cmac = cmac.CMAC(algorithms.AES(index_secret.key_value))
        self._verify_with_tink(encryption.incident_cipher(incident_id, slug, data, index))

    def encrypt_bytes(self, plain: bytes, person: bytes, purpose: bytes) -> bytes:
        """Returns the ciphertext of `plain` for the person with an id of these 16 bytes.

        If `plain` is JSON, `IncidentCipher.decrypt` returns its value.
        """
        try:
            nonce = _nonces.pop()
        except IndexError:
            nonce = _further_nonce()
        associated_data = self._incident + person + purpose
        ciphertext: bytes = self._prefix + nonce + self._encrypt(nonce, plain, associated_data)
        return ciphertext

    def blind_index(self, kind_and_value: str) -> bytes:
        """Returns the 16 bytes of `IncidentCipher.blind_index`.

        The argument is the kind, a NUL and the value.
        """
        copied = self._cmac.copy()
        copied.update(kind_and_value.encode())
        return copied.finalize()

    def _verify_with_tink(self, cipher: IncidentCipher) -> None:
        """Raises EncryptionError if Tink cannot decrypt a probe, or computes another index."""
        person = cipher.blind_index("probe", _PROBE)
        ciphertext = self.encrypt_bytes(f'"{_PROBE}"'.encode(), person.bytes, CONTACT)
        decrypted = cipher.decrypt(ciphertext, person=person, purpose=CONTACT)
        if decrypted != _PROBE or self.blind_index(f"probe\0{_PROBE}") != person.bytes:
            raise EncryptionError(EncryptionMessages.NOT_READABLE.stored())


class BulkDecryptor:
    """A faster IncidentCipher that decrypts, with every AES-GCM key of the data keyset."""

    def __init__(self, incident_id: int, slug: str, data: bytes, index: bytes) -> None:
        """Takes what Incident.keysets() returns.

        Raises EncryptionError if a keyset cannot be unwrapped.
        """
        self._cipher = encryption.incident_cipher(incident_id, slug, data, index)
        self._incident = incident_id.to_bytes(8, "big")
        self._ciphers = {}
        for key in _plaintext_keyset(encryption.unwrap_keyset(data, slug, b"data")).key:
            if key.key_data.type_url == _GCM and key.status == tink_pb2.ENABLED:
                value = aes_gcm_pb2.AesGcmKey.FromString(key.key_data.value).key_value
                self._ciphers[encryption.key_prefix(key.key_id)] = AESGCM(value)

    def decrypt(self, ciphertext: bytes, *, person: UUID, purpose: bytes) -> Any:
        """Returns the value that `IncidentCipher.encrypt` was given.

        Raises EncryptionError as `IncidentCipher.decrypt` does.
        """
        cipher = self._ciphers.get(ciphertext[:_PREFIX])
        if cipher is not None:
            associated_data = self._incident + person.bytes + purpose
            nonce, rest = ciphertext[_PREFIX:_NONCE_ENDS], ciphertext[_NONCE_ENDS:]
            with suppress(InvalidTag, ValueError):
                return _DECODER.decode(cipher.decrypt(nonce, rest, associated_data).decode())
        return self._cipher.decrypt(ciphertext, person=person, purpose=purpose)


def _plaintext_keyset(handle: tink.KeysetHandle) -> tink_pb2.Keyset:
    """Returns the keys of a keyset in plain text. They must not leave this process."""
    plaintext = tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    return tink_pb2.Keyset.FromString(plaintext)


def _primary(handle: tink.KeysetHandle, type_url: str) -> tink_pb2.Keyset.Key:
    """Returns the primary key. Raises EncryptionError if it is of another type."""
    keyset = _plaintext_keyset(handle)
    [key] = [key for key in keyset.key if key.key_id == keyset.primary_key_id]
    if key.key_data.type_url != type_url:
        raise EncryptionError(
            EncryptionMessages.OTHER_TYPE.stored(type=type_url, other=key.key_data.type_url)
        )
    return key
