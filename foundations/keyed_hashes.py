"""Hashes of texts under the secret key, for names that reveal nothing of what they name."""

import hashlib
import hmac
from functools import lru_cache

from django.conf import settings


def keyed_hash(purpose: str, text: str) -> str:
    """Returns the HMAC-SHA256 of `text` in hex, under a key of `purpose` and settings.SECRET_KEY.

    It is the value of Django's `salted_hmac`, which derives the key again for each text and so
    takes longer.
    """
    return keyed_digest(purpose, text).hex()


def keyed_digest(purpose: str, text: str) -> bytes:
    """Returns what `keyed_hash` does, as 32 bytes."""
    return _digest(purpose, settings.SECRET_KEY, text)


def keyed_digests(purpose: str, text: str) -> list[bytes]:
    """Returns `keyed_digest`, and that under each key of settings.SECRET_KEY_FALLBACKS.

    A stored hash is compared with all of them, so that it stays valid when the key changes.
    """
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return [_digest(purpose, secret, text) for secret in secrets]


def _digest(purpose: str, secret: str, text: str) -> bytes:
    return hmac.digest(_key(purpose, secret), text.encode(), "sha256")


@lru_cache(maxsize=64)
def _key(purpose: str, secret: str) -> bytes:
    """Returns the key that `salted_hmac` derives."""
    return hashlib.sha256((purpose + secret).encode()).digest()
