"""The message codes of account mails and texts, by which the message check recognises them.

A code holds the minute in which the message was made and its kind, masked and authenticated with
the secret key. So no table of sent messages is stored, and none of their addresses. A code opens
nothing.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

from django.utils import timezone

from foundations.masked_codes import MaskedCodes

_CODES = MaskedCodes("accounts.mail-code")
_MINUTE_BITS = 32  # of the 36 of a code
MOST_AGE_DAYS = 400  # older codes are answered like unknown ones


class MailKind(IntEnum):
    """The kinds of account messages. Codes contain the numbers, so they stay as they are."""

    SIGN_IN = 0  # a code to sign in
    ANSWER = 1  # the company answered a question
    SIGN_IN_TEXT = 2  # a code to sign in, by text message
    NEW_DEVICE = 3  # a sign-in on a device that is new to the account
    REMINDER = 4  # steps are still to do
    JOINED = 5  # two accounts became one
    JOINED_TEXT = 6  # the same, by text message
    ADDRESS = 7  # the team recorded a new address
    ADDRESS_TEXT = 8  # the same, by text message
    LOOK_UP_KEY = 9  # a key for programs was made
    CLAIM = 10  # a customer claims data with the code of a message
    CLAIM_TEXT = 11  # the same, by text message


_TEXTS = frozenset(
    {MailKind.SIGN_IN_TEXT, MailKind.JOINED_TEXT, MailKind.ADDRESS_TEXT, MailKind.CLAIM_TEXT}
)


@dataclass(frozen=True)
class MadeMail:
    """An account mail or text that the portal made: its kind, and when, to the minute."""

    kind: MailKind
    at: datetime

    @property
    def has_sign_in_code(self) -> bool:
        """Returns whether it contained a code to sign in."""
        return self.kind in (MailKind.SIGN_IN, MailKind.SIGN_IN_TEXT)

    @property
    def is_text(self) -> bool:
        """Returns whether it was a text message."""
        return self.kind in _TEXTS


def account_mail_code(kind: MailKind = MailKind.SIGN_IN) -> str:
    """Returns the code of an account mail that is made now, such as 7QK2-X9ND-4HTB."""
    return _CODES.code_of(kind << _MINUTE_BITS | _minute_now())


def made_mail(code: str) -> MadeMail | None:
    """Returns the kind and the time of the account mail with this code.

    Returns None if the portal never made the code, or made it more than MOST_AGE_DAYS ago. `code`
    is as a person typed it. Codes made with an earlier secret key are valid while
    settings.SECRET_KEY_FALLBACKS contains that key.
    """
    number = _CODES.number_of(code, is_valid=_is_recent)
    if number is None:
        return None
    kind, minute = divmod(number, 1 << _MINUTE_BITS)
    return MadeMail(MailKind(kind), datetime.fromtimestamp(minute * 60, UTC))


def _minute_now() -> int:
    return int(timezone.now().timestamp()) // 60


def _is_recent(number: int) -> bool:
    kind, minute = divmod(number, 1 << _MINUTE_BITS)
    age = _minute_now() - minute
    return kind in set(MailKind) and 0 <= age <= MOST_AGE_DAYS * 24 * 60
