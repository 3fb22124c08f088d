"""What the ledger and a notice say in our own words, where a server's would stand.

They are kept in English beside what servers say, and leave in the proof as they are kept; the desk
shows ours in the reader's language, and a server's as the server said it.
"""

from django.utils.translation import gettext_noop as _

from foundations.keys import EncryptionMessages
from foundations.stored_messages import StoredMessages, translate_stored


class LedgerMessages(StoredMessages):
    """Of a delivery (Delivery.reply), or of what stands in a notice's way (Notice.problem)."""

    # Nothing was sent
    NO_ADDRESS = _("no usable address")
    NO_NUMBER = _("the number cannot be one")
    NO_DOMAIN = _("the domain is not one")
    NOT_IN_A_MAIL = _("the address cannot stand in a mail")
    NOT_IN_SUCH_LETTERS = _("the mail server does not take addresses in such letters")
    NOT_FOR_THE_PROVIDER = _("the provider takes no such address")
    DOES_NOT_OPEN = _("the contact data does not open")
    OUT_OF_SCOPE = _("withdrawn from the incident's scope")
    UNSUBSCRIBED = _("unsubscribed before the send")
    HELD_BACK = _("on the suppression list: {source_words}")
    BOUNCE, COMPLAINT = _("bounce"), _("complaint")  # the values of Suppression.Source
    STRANGER, REQUEST = _("stranger"), _("request")
    CANCELLED = _("cancelled")

    # The server did not say
    TAKEN_OVER = _("the worker stopped while it sent this message")
    HUNG_UP = _("the mail server hung up")
    SILENT = _("the mail server does not answer")
    ENDLESS = _("the mail server talks without end")
    NO_SMTP = _("the mail server does not speak SMTP")
    AWAY = _("the provider is away")
    NOT_NAMED = _("the provider's answer does not name it")
    REFUSED = _("refused")
    CERTIFICATE = _("certificate: {error}")

    # What a person said, and what became of it in the demonstration
    DECIDED = _("decided by user {user}: {reason}")
    KEPT = _("kept")

    # Of a ledger that has ended
    NOT_ADDING_UP = _("the ledger's rows are not what was counted")


def translate_ledger_message(kept: str) -> str:
    """Our own words in the reader's language, all others as they are."""
    return translate_stored(kept, LedgerMessages, EncryptionMessages)
