"""The portal's master keyset: it wraps every incident's keysets, and the staff's second factors.

    python -m foundations.keys            a new one
    python -m foundations.keys rotate     the one in use, with a new key that seals from now on
    python -m foundations.keys retire     the one in use, with the newest key alone

Between the last two comes `manage.py rewrap_keysets`; see docs/running.md.
"""

import json
import sys
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
    """Why something cannot be sealed or opened."""

    NO_MASTER_KEYSET = gettext_noop("MASTER_KEYSET is not set")
    NO_SUCH_MASTER_KEYSET = gettext_noop(
        "MASTER_KEYSET is not a Tink AEAD keyset; make one with python -m foundations.keys"
    )
    OTHER_MASTER_KEYSET = gettext_noop(
        "the {role_words} keyset of incident {incident} does not open with this master keyset"
    )
    DATA, INDEX = gettext_noop("data"), gettext_noop("index")
    SHREDDED = gettext_noop("the data of incident {incident} is shredded")
    DOES_NOT_OPEN = gettext_noop("the {purpose_words} of person {person} does not open")
    CONTACT, EXPOSURE = gettext_noop("contact"), gettext_noop("exposure")
    TEST_ADDRESS, UPLOAD = gettext_noop("test address"), gettext_noop("upload")
    SCAM_REPORT = gettext_noop("scam report")
    NO_DATA_CLASS = gettext_noop("an exposure of person {person} names no known data class")
    NOT_READABLE = gettext_noop("what would be sealed does not open; nothing was imported")
    OTHER_TYPE = gettext_noop("the import seals with {type} only, not {other}")


class EncryptionError(Exception):
    """A value could not be opened or sealed; the message is one of Unsealed, and holds primary
    keys only.
    """


def new_master_keyset() -> str:
    """A fresh master keyset as one line of JSON, for `MASTER_KEYSET`."""
    return _as_json(tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM))


def master_keyset() -> aead.Aead:
    """What wraps every incident's keysets. Raises SealingError."""
    return _handle_from_json(_in_use())[1]


def is_under_newest_master_key(ciphertext: bytes) -> bool:
    """Whether the newest key of the master keyset sealed this. Raises SealingError."""
    handle, _ = _handle_from_json(_in_use())
    return ciphertext.startswith(key_prefix(handle.keyset_info().primary_key_id))


def rotated_master_keyset() -> str:
    """The master keyset in use and a new key, which is the one that seals. Raises SealingError."""
    handle, _ = _handle_from_json(_in_use())
    template = aead.aead_key_templates.AES256_GCM
    grown, key_id = with_new_key(handle, template)
    return _as_json(with_newest(grown, key_id))


def retired_master_keyset() -> str:
    """The master keyset in use without its older keys. Raises SealingError."""
    handle, _ = _handle_from_json(_in_use())
    return _as_json(with_only(handle, handle.keyset_info().primary_key_id))


# Keysets of any kind


def key_prefix(key_id: int) -> bytes:
    """What Tink begins each ciphertext of a key with."""
    return b"\x01" + key_id.to_bytes(4, "big")


def with_new_key(
    handle: tink.KeysetHandle, template: tink_pb2.KeyTemplate
) -> tuple[tink.KeysetHandle, int]:
    """The keyset with one key more, which opens but does not seal yet, and that key's id."""
    keyset, fresh = _keyset(handle), _keyset(tink.new_keyset_handle(template))
    if fresh.primary_key_id in {key.key_id for key in keyset.key}:
        return with_new_key(handle, template)
    keyset.key.append(fresh.key[0])
    return _handle(keyset), fresh.primary_key_id


def with_newest(handle: tink.KeysetHandle, key_id: int) -> tink.KeysetHandle:
    """The keyset, sealing by one of its keys from now on."""
    keyset = _keyset(handle)
    keyset.primary_key_id = key_id
    return _handle(keyset)


def with_only(handle: tink.KeysetHandle, key_id: int) -> tink.KeysetHandle:
    """The keyset with one of its keys; what the others sealed does not open any more."""
    keyset = _keyset(handle)
    [kept] = [key for key in keyset.key if key.key_id == key_id]
    return _handle(tink_pb2.Keyset(primary_key_id=key_id, key=[kept]))


def _keyset(handle: tink.KeysetHandle) -> tink_pb2.Keyset:
    plain = tink.proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    return tink_pb2.Keyset.FromString(plain)


def _handle(keyset: tink_pb2.Keyset) -> tink.KeysetHandle:
    return tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)


def _as_json(handle: tink.KeysetHandle) -> str:
    keyset = tink.json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    return json.dumps(json.loads(keyset), separators=(",", ":"))


def _in_use() -> str:
    return settings.MASTER_KEYSET or _development_keyset()


def _development_keyset() -> str:
    """Kept under `var/` so that a second start can open what the first one sealed."""
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


if __name__ == "__main__":
    makers = {"rotate": rotated_master_keyset, "retire": retired_master_keyset}
    print((makers[sys.argv[1]] if sys.argv[1:] else new_master_keyset)())  # noqa: T201
