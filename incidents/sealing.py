"""Sealed values and blind indexes, with Google Tink.

Each incident has two keysets, both wrapped by the portal's master keyset: one seals (AEAD), one
names (PRF). Deleting them from the incident's row shreds its data at once: what is sealed cannot
be opened, and no address can be matched to a row any more.

A sealed value is bound to its incident, its person and its purpose: copied to another row, it
does not open.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import tink
from django.conf import settings
from tink import aead, prf, secret_key_access

CONTACT, EXPOSURE = b"contact", b"exposure"

aead.register()
prf.register()


class SealingError(Exception):
    """A value could not be opened or sealed. The message holds primary keys only."""


class KeysetShreddedError(SealingError):
    """The incident's keysets were deleted; its sealed data is gone for good."""


def new_master_keyset() -> str:
    """A fresh master keyset as one line of JSON, for `MASTER_KEYSET`."""
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    return str(tink.json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN))


def _master() -> aead.Aead:
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
            "MASTER_KEYSET is not a Tink AEAD keyset; make one with manage.py make_master_keyset"
        ) from None


def new_incident_keysets(slug: str) -> tuple[bytes, bytes]:
    """(data keyset, index keyset) for a new incident, wrapped and bound to its slug."""
    data = tink.new_keyset_handle(aead.aead_key_templates.AES128_GCM)
    index = tink.new_keyset_handle(prf.prf_key_templates.AES_CMAC)
    return _wrap(data, slug, b"data"), _wrap(index, slug, b"index")


def _wrap(handle: tink.KeysetHandle, slug: str, role: bytes) -> bytes:
    bound_to = role + b":" + slug.encode()
    return bytes(tink.proto_keyset_format.serialize_encrypted(handle, _master(), bound_to))


def _unwrap(wrapped: bytes, slug: str, role: bytes) -> tink.KeysetHandle:
    bound_to = role + b":" + slug.encode()
    try:
        return tink.proto_keyset_format.parse_encrypted(wrapped, _master(), bound_to)
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

    def open(self, sealed: bytes | memoryview, *, person: UUID, purpose: bytes) -> Any:
        """What `seal` was given; raises SealingError for any other row, key or purpose."""
        try:
            plain = self._aead.decrypt(bytes(sealed), self._bound_to(person, purpose))
        except tink.TinkError:
            raise SealingError(f"the {purpose.decode()} of person {person} does not open") from None
        return json.loads(plain)

    def name(self, kind: str, value: str) -> UUID:
        """The 16-byte blind index of `value` among values of one kind."""
        return UUID(bytes=self._prf.compute(f"{kind}\0{value}".encode(), 16))

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
