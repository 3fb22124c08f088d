"""The stored messages of statements: reasons that the desk records itself.

They are stored in English and shown in the reader's language.
"""

from django.utils.translation import gettext_noop as _

from foundations.stored_messages import StoredMessages, translate_stored


class WithdrawalMessages(StoredMessages):
    """The reasons for the withdrawal of a duty confirmation that no person gave."""

    FOLLOWED = _("Followed by another confirmation.")


def translate_withdrawal_reason(stored: str) -> str:
    """Returns a stored reason in the active language; a person's own words unchanged."""
    return translate_stored(stored, WithdrawalMessages)
