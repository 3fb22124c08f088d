"""The portal's master keyset: it wraps every incident's keysets and encrypts second factors.

foundations.make_secret makes and rotates it; see docs/running.md.
"""

import json
from functools import lru_cache
from pathlib import Path

import tink
from django.conf import settings
from django.utils.translation import gettext_noop
from tink import aead, secret_key_access
from tink.proto import tink_pb2

from foundations.stored_messages import StoredMessages

aead.register()


class EncryptionMessages(StoredMessages):
    """The stored messages about a value that cannot be encrypted or decrypted."""

    NO_MASTER_KEYSET = gettext_noop("MASTER_KEYSET is not set")
    NO_SUCH_MASTER_KEYSET = gettext_noop(
        "MASTER_KEYSET is not a Tink AEAD keyset; make one with python -m foundations.make_secret"
    )
    OTHER_MASTER_KEYSET = gettext_noop(
        "the {role_words} keyset of incident {incident} does not open with this master keyset"
    )
    DATA, INDEX = gettext_noop("data"), gettext_noop("index")
    SHREDDED = gettext_noop("the data of incident {incident} is shredded")
    DOES_NOT_OPEN = gettext_noop("the {purpose_words} of person {person} does not open")
    CONTACT, EXPOSURE = gettext_noop("contact"), gettext_noop("exposure")
    TEST_ADDRESS, UPLOAD = gettext_noop("test address"), gettext_noop("upload")
    SCAM_REPORT, OFFER_CODE = gettext_noop("scam report"), gettext_noop("offer code")
    NO_DATA_CLASS = gettext_noop("an exposure of person {person} names no known data class")
    NOT_READABLE = gettext_noop("what would be sealed does not open; nothing was imported")
    OTHER_TYPE = gettext_noop("the import seals with {type} only, not {other}")


class EncryptionError(Exception):
    """A value could not be encrypted or decrypted.

    The message is one of EncryptionMessages. It names rows by primary key only.
    """


def new_master_keyset() -> str:
    """Returns a new master keyset as one line of JSON, for the setting `MASTER_KEYSET`."""
    return _as_json(tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM))


def master_keyset() -> aead.Aead:
    """Returns the AEAD of the current master keyset.

    Raises EncryptionError if the setting is missing in production or is not a keyset.
    """
    return _handle_from_json(_current_json())[1]


def is_under_newest_master_key(ciphertext: bytes) -> bool:
    """Returns whether the primary key of the master keyset encrypted `ciphertext`.

    Raises EncryptionError as `master_keyset` does.
    """
    handle, _ = _handle_from_json(_current_json())
    return ciphertext.startswith(key_prefix(handle.keyset_info().primary_key_id))


def rotated_master_keyset() -> str:
    """Returns the current master keyset as JSON, with a new key as its primary key.

    Raises EncryptionError as `master_keyset` does.
    """
    handle, _ = _handle_from_json(_current_json())
    template = aead.aead_key_templates.AES256_GCM
    extended, key_id = with_new_key(handle, template)
    return _as_json(with_newest(extended, key_id))


def retired_master_keyset() -> str:
    """Returns the current master keyset as JSON, without its older keys.

    Raises EncryptionError as `master_keyset` does.
    """
    handle, _ = _handle_from_json(_current_json())
    return _as_json(with_only(handle, handle.keyset_info().primary_key_id))


# Keysets of any kind


def key_prefix(key_id: int) -> bytes:
    """Returns the five bytes with which Tink begins each ciphertext of the key."""
    return b"\x01" + key_id.to_bytes(4, "big")


def with_new_key(
    handle: tink.KeysetHandle, template: tink_pb2.KeyTemplate
) -> tuple[tink.KeysetHandle, int]:
    """Returns the keyset with a new key, and the id of that key.

    The primary key does not change: the new key decrypts but does not encrypt yet.
    """
    keyset, new = _keyset(handle), _keyset(tink.new_keyset_handle(template))
    if new.primary_key_id in {key.key_id for key in keyset.key}:  # ids are random
        return with_new_key(handle, template)
    keyset.key.append(new.key[0])
    return _handle(keyset), new.primary_key_id


def with_newest(handle: tink.KeysetHandle, key_id: int) -> tink.KeysetHandle:
    """Returns the keyset with the key `key_id` as its primary key: this key encrypts."""
    keyset = _keyset(handle)
    keyset.primary_key_id = key_id
    return _handle(keyset)


def with_only(handle: tink.KeysetHandle, key_id: int) -> tink.KeysetHandle:
    """Returns the keyset with the key `key_id` only.

    Values under its other keys can no longer be decrypted.
    """
    keyset = _keyset(handle)
    [only] = [key for key in keyset.key if key.key_id == key_id]
    return _handle(tink_pb2.Keyset(primary_key_id=key_id, key=[only]))


def _keyset(handle: tink.KeysetHandle) -> tink_pb2.Keyset:
    plain = tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    return tink_pb2.Keyset.FromString(plain)


def _handle(keyset: tink_pb2.Keyset) -> tink.KeysetHandle:
    return tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)


def _as_json(handle: tink.KeysetHandle) -> str:
    keyset = tink.json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    return json.dumps(json.loads(keyset), separators=(",", ":"))


def _current_json() -> str:
    return settings.MASTER_KEYSET or _development_keyset()


def _development_keyset() -> str:
    """Returns the keyset of `var/master-keyset.json`, and creates the file if it is missing.

    The file lets a later start decrypt the data of an earlier one. Raises EncryptionError in
    production, where `MASTER_KEYSET` is required.
    """
    if settings.IS_PRODUCTION:
        raise EncryptionError(EncryptionMessages.NO_MASTER_KEYSET.stored())
    path: Path = settings.VAR / "master-keyset.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(new_master_keyset(), encoding="utf-8")
    return path.read_text(encoding="utf-8")


@lru_cache(maxsize=4)
def _handle_from_json(keyset: str) -> tuple[tink.KeysetHandle, aead.Aead]:
    try:
        handle = tink.json_proto_keyset_format.parse(keyset, secret_key_access.TOKEN)
        return handle, handle.primitive(aead.Aead)
    except tink.TinkError:
        raise EncryptionError(EncryptionMessages.NO_SUCH_MASTER_KEYSET.stored()) from None
