"""The portal's master keyset: it wraps every incident's keysets, and the staff's second factors."""

import json
from functools import lru_cache
from pathlib import Path

import tink
from django.conf import settings
from tink import aead, secret_key_access

aead.register()


class SealingError(Exception):
    """A value could not be opened or sealed. The message holds primary keys only."""


def new_master_keyset() -> str:
    """A fresh master keyset as one line of JSON, for `MASTER_KEYSET`."""
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    keyset = tink.json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    return json.dumps(json.loads(keyset), separators=(",", ":"))


def master_keyset() -> aead.Aead:
    """What wraps every incident's keysets. Raises SealingError."""
    return _aead_from_json(settings.MASTER_KEYSET or _development_keyset())


def _development_keyset() -> str:
    """Kept under `var/` so that a second start can open what the first one sealed."""
    if settings.IS_PRODUCTION:
        raise SealingError("MASTER_KEYSET is not set")
    path: Path = settings.VAR / "master-keyset.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(new_master_keyset(), encoding="utf-8")
    return path.read_text(encoding="utf-8")


@lru_cache(maxsize=4)
def _aead_from_json(keyset: str) -> aead.Aead:
    try:
        handle = tink.json_proto_keyset_format.parse(keyset, secret_key_access.TOKEN)
        return handle.primitive(aead.Aead)
    except tink.TinkError:
        raise SealingError(
            "MASTER_KEYSET is not a Tink AEAD keyset; make one with python -m breachportal.keys"
        ) from None


if __name__ == "__main__":
    print(new_master_keyset())  # noqa: T201
