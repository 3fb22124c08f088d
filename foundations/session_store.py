"""The store of sessions: Django's table, with the data of each session encrypted.

A session contains the address that a visitor typed, and the secret of an authenticator app while
the app is being set up. Django's own store only signs the data, so that each reader of the database
or of a backup could read it. settings.SESSION_ENGINE names this module.
"""

import base64
import os
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.contrib.sessions.backends import db
from django.utils.crypto import salted_hmac

_NONCE_BYTES = 12


class SessionStore(db.SessionStore):
    """Django's store in the database; the data is encrypted with a key of the secret key.

    The session's key is the associated data, so that data that is copied to another row is not
    accepted there.
    """

    @classmethod
    def get_model_class(cls) -> Any:
        """Returns Django's model of sessions."""
        return db.SessionStore.get_model_class()

    def encode(self, session_dict: dict[str, Any]) -> str:
        """Returns the data encrypted, in base64."""
        nonce = os.urandom(_NONCE_BYTES)
        plain = self.serializer().dumps(session_dict)
        ciphertext = _cipher(settings.SECRET_KEY).encrypt(nonce, plain, self._bound_to())
        return base64.b64encode(nonce + ciphertext).decode()

    def decode(self, session_data: Any) -> dict[str, Any]:
        """Returns the data, or an empty dict if none of the portal's secret keys decrypts it."""
        try:
            raw = base64.b64decode(session_data, validate=True)
        except ValueError:
            return {}
        nonce, ciphertext = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            try:
                plain = _cipher(secret).decrypt(nonce, ciphertext, self._bound_to())
            except (InvalidTag, ValueError):
                continue
            return dict(self.serializer().loads(plain))
        return {}

    def _bound_to(self) -> bytes:
        return (self.session_key or "").encode()


@lru_cache(maxsize=8)
def _cipher(secret: str) -> AESGCM:
    key = salted_hmac("foundations.session_store", "", secret=secret, algorithm="sha256")
    return AESGCM(key.digest())
