"""The message codes of account mails, by which the message check recognises them.

A code holds the minute in which the mail was made, masked and authenticated with the secret key. So
no table of sent mails is stored, and none of their addresses. A code opens nothing.
"""

from datetime import UTC, datetime
from functools import lru_cache

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from foundations import base32

_MINUTE_BITS, _MAC_BITS, _CODE_LENGTH = 36, 24, 12
MOST_AGE_DAYS = 400  # older codes are answered like unknown ones


def account_mail_code() -> str:
    """Returns the code of an account mail that is made now, such as 7QK2-X9ND-4HTB."""
    return _code_of(int(timezone.now().timestamp()) // 60, settings.SECRET_KEY)


def made_at(code: str) -> datetime | None:
    """Returns when an account mail with this code was made, to the minute.

    Returns None if the portal never made the code, or made it more than MOST_AGE_DAYS ago. `code`
    is as a person typed it. Codes made with an earlier secret key are valid while
    settings.SECRET_KEY_FALLBACKS contains that key.
    """
    digits = base32.as_typed(code, length=_CODE_LENGTH)
    if digits is None:
        return None
    number = base32.to_number(digits)
    mac, masked = number >> _MINUTE_BITS, number & (1 << _MINUTE_BITS) - 1
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        minute = masked ^ _keyed("mask", mac, _MINUTE_BITS, secret)
        if _keyed("mac", minute, _MAC_BITS, secret) == mac and _is_recent(minute):
            return datetime.fromtimestamp(minute * 60, UTC)
    return None


def _is_recent(minute: int) -> bool:
    age = int(timezone.now().timestamp()) // 60 - minute
    return 0 <= age <= MOST_AGE_DAYS * 24 * 60


def _code_of(minute: int, secret: str) -> str:
    mac = _keyed("mac", minute, _MAC_BITS, secret)
    number = mac << _MINUTE_BITS | (minute ^ _keyed("mask", mac, _MINUTE_BITS, secret))
    code = base32.from_number(number, length=_CODE_LENGTH)
    return f"{code[:4]}-{code[4:8]}-{code[8:]}"


@lru_cache(maxsize=256)
def _keyed(purpose: str, number: int, bits: int, secret: str) -> int:
    salt = f"accounts.mail-code.{purpose}"
    mac = salted_hmac(salt, str(number), secret=secret, algorithm="sha256").digest()
    return int.from_bytes(mac[:8], "big") & (1 << bits) - 1
