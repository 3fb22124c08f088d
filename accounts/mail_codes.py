"""The message codes of account mails, by which the message check recognises them.

A code holds the minute in which the mail was made, masked and authenticated with the secret key. So
no table of sent mails is stored, and none of their addresses. A code opens nothing.
"""

from datetime import UTC, datetime

from django.utils import timezone

from foundations.masked_codes import MaskedCodes

_CODES = MaskedCodes("accounts.mail-code")
MOST_AGE_DAYS = 400  # older codes are answered like unknown ones


def account_mail_code() -> str:
    """Returns the code of an account mail that is made now, such as 7QK2-X9ND-4HTB."""
    return _CODES.code_of(int(timezone.now().timestamp()) // 60)


def made_at(code: str) -> datetime | None:
    """Returns when an account mail with this code was made, to the minute.

    Returns None if the portal never made the code, or made it more than MOST_AGE_DAYS ago. `code`
    is as a person typed it. Codes made with an earlier secret key are valid while
    settings.SECRET_KEY_FALLBACKS contains that key.
    """
    minute = _CODES.number_of(code, is_valid=_is_recent)
    return None if minute is None else datetime.fromtimestamp(minute * 60, UTC)


def _is_recent(minute: int) -> bool:
    age = int(timezone.now().timestamp()) // 60 - minute
    return 0 <= age <= MOST_AGE_DAYS * 24 * 60
