"""Codes that hold a number which only the portal can put in and read.

A code has a MAC of the number, and the number masked by the MAC. Both use the secret key. So no
table of codes is stored, and an outsider can neither make a code nor derive a number from codes.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings

from foundations import base32

_NUMBER_BITS, _MAC_BITS, _CODE_LENGTH = 36, 24, 12


class MaskedCodes:
    """The codes of one purpose. `salt` separates them from those of other purposes."""

    def __init__(self, salt: str) -> None:
        self._mac_salt, self._mask_salt = f"{salt}.mac", f"{salt}.mask"

    def code_of(self, number: int) -> str:
        """Returns the code of a number of 36 bits, such as 7QK2-X9ND-4HTB."""
        secret: str = settings.SECRET_KEY
        mac = _keyed(self._mac_salt, number, _MAC_BITS, secret)
        mask = _keyed(self._mask_salt, mac, _NUMBER_BITS, secret)
        masked = mac << _NUMBER_BITS | (number ^ mask)
        code = base32.from_number(masked, length=_CODE_LENGTH)
        return f"{code[:4]}-{code[4:8]}-{code[8:]}"

    def number_of(
        self, code: str, *, is_valid: Callable[[int], bool] = lambda _number: True
    ) -> int | None:
        """Returns the number of a code; None if the portal never made it, or it is not valid.

        `code` is as a person typed it (see foundations.base32). Codes made with an earlier secret
        key are read while settings.SECRET_KEY_FALLBACKS contains that key.
        """
        digits = base32.as_typed(code, length=_CODE_LENGTH)
        if digits is None:
            return None
        found = base32.to_number(digits)
        mac, masked = found >> _NUMBER_BITS, found & (1 << _NUMBER_BITS) - 1
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            number = masked ^ _keyed(self._mask_salt, mac, _NUMBER_BITS, secret)
            if _keyed(self._mac_salt, number, _MAC_BITS, secret) == mac and is_valid(number):
                return number
        return None


def _keyed(salt: str, number: int, bits: int, secret: str) -> int:
    mac = keyed_hash(salt, str(number), secret)
    return int.from_bytes(mac[:8], "big") & (1 << bits) - 1


def keyed_hash(salt: str, value: str, secret: str = "") -> bytes:
    """Returns a keyed BLAKE2b hash of 20 octets; `secret` is settings.SECRET_KEY unless it is set.

    A mail needs three of them, and an HMAC takes several times as long.
    """
    mac = _empty_mac(salt, secret or settings.SECRET_KEY).copy()
    mac.update(value.encode())
    return mac.digest()


@lru_cache(maxsize=32)
def _empty_mac(salt: str, secret: str) -> hashlib.blake2b:
    """Returns the hash of no value, which has the key: to copy it is faster than to add the key."""
    key = hashlib.sha256(salt.encode() + secret.encode()).digest()
    return hashlib.blake2b(key=key, digest_size=20)
