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
    return hmac.digest(_key(purpose, settings.SECRET_KEY), text.encode(), "sha256")


@lru_cache(maxsize=64)
def _key(purpose: str, secret: str) -> bytes:
    """Returns the key that `salted_hmac` derives."""
    return hashlib.sha256((purpose + secret).encode()).digest()
