"""The stored messages of the ledger and of notices.

They are stored in English, in the columns that also hold replies of servers. The proof exports both
as they are stored. The desk translates stored messages and shows a server's reply unchanged.
"""

from django.utils.translation import gettext_noop as _

from foundations.keys import EncryptionMessages
from foundations.stored_messages import StoredMessages, translate_stored


class LedgerMessages(StoredMessages):
    """The stored messages of a delivery (Delivery.reply) and of a notice (Notice.problem)."""

    # Reasons why nothing was sent
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
    SHARED_CONTACT = _("shared contact: recorded for many people, it gets one message")
    MARKED = _("marked on the desk: {mark_words}")
    DECEASED, RESTRICTED = _("deceased"), _("restricted")  # the values of PersonMark.Kind
    CANCELLED = _("cancelled")
    STOPPED = _("the send to its destination was stopped until the deadline")

    # Why an entry of the suppression list was lifted
    ENTERED_CODE = _("its owner entered a code from a mail to it")

    # Failures for which there is no reply of a server
    TAKEN_OVER = _("the worker stopped while it sent this message")
    HUNG_UP = _("the mail server hung up")
    SILENT = _("the mail server does not answer")
    ENDLESS = _("the mail server talks without end")
    NO_SMTP = _("the mail server does not speak SMTP")
    AWAY = _("the provider is away")
    EXPIRED = _("given up after delays: {reply}")
    NOT_NAMED = _("the provider's answer does not name it")
    REFUSED = _("refused")
    CERTIFICATE = _("certificate: {error}")
    NO_GATEWAY = _("no gateway takes this text message")
    NO_PUSH_KEY = _("no key for push messages is set up")

    # A person's decision about a doubt; KEPT is the reply of the demonstration's gateway
    DECIDED = _("decided by user {user}: {reason}")
    KEPT = _("kept")

    # Why a notice paused before more of its ledger is written
    MORE_PEOPLE = _("{people} people now, {confirmed} when a person confirmed the number")
    TOO_MANY_TEXTS = _("{people} text messages now, and ALERT_TEXTS allows {most}")

    # A problem of a notice that has ended
    NOT_ADDING_UP = _("the ledger's rows are not what was counted")


class ResendMessages(StoredMessages):
    """The reasons why support cannot have a message sent again (Resend.refused)."""

    NOT_SUCH_A_NOTICE = _("only e-mails of a notice to affected people are sent again")
    HELD = _("the notice is paused or was cancelled")
    NOT_PUBLIC = _("the incident is not public, or its data was deleted")
    CORRECTED = _("the text was corrected since: the newer version is sent by its own notice")
    NOT_DUE = _("this person was not due to get the message, or it is still to go")
    SHARED = _("many people share the contact: its message names no one's data")
    CLOSED_PERSON = _("the person is marked as deceased or restricted, or the row was deleted")
    TOO_OFTEN = _("it was sent again {number} times")
    TOO_SOON = _("it was sent again within the last 24 hours")
    TOO_MANY = _("you had {number} messages sent again within a day")


def translate_ledger_message(stored: str) -> str:
    """Returns a stored message in the active language, and any other text unchanged."""
    return translate_stored(stored, LedgerMessages, ResendMessages, EncryptionMessages)
