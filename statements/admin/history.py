"""Reasons that the desk itself records: stored in English, shown in the reader's language."""

from django.utils.translation import gettext_noop as _

from foundations.stored_messages import StoredMessages, translate_stored


class WithdrawalMessages(StoredMessages):
    """Why a confirmation of a duty was withdrawn, where no person gave a reason."""

    FOLLOWED = _("Followed by another confirmation.")


def translate_withdrawal_reason(kept: str) -> str:
    """Returns a recorded reason in the reader's language; a person's own words unchanged."""
    return translate_stored(kept, WithdrawalMessages)
