"""Reasons that the desk itself records: stored in English, shown in the reader's language."""

from django.utils.translation import gettext_noop as _

from foundations.stored_messages import Sentences, shown


class WithdrawalReason(Sentences):
    """Why a confirmation of a duty was withdrawn, where no person gave a reason."""

    FOLLOWED = _("Followed by another confirmation.")


def in_words(kept: str) -> str:
    """Returns a recorded reason in the reader's language; a person's own words unchanged."""
    return shown(kept, WithdrawalReason)
