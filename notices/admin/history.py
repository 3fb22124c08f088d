"""The stored messages of the desk's history pages. They are stored in English."""

from django.template.response import TemplateResponse
from django.utils.translation import gettext_noop as _

from foundations.stored_messages import StoredMessages, translate_stored


class HistoryMessages(StoredMessages):
    """The entries that the desk writes into the history of a notice."""

    APPROVED = _("Approved for {people} people.")
    APPROVED_AS_COUNTED = _("Approved for {people} people (counted {at} UTC).")
    APPROVED_UNCOUNTED = _("Approved; nobody had counted the people.")
    EXPORTED = _("Exported: {what_words}, {format}, without contacts.")
    EXPORTED_OPENED = _("Exported: {what_words}, {format}, opened.")
    PROOF, NOT_REACHED, DOUBTFUL = _("proof"), _("not-reached"), _("in-doubt")
    LETTERS, NOT_PRINTABLE = _("letters"), _("not-printable")
    QR_CODES = _("qr-codes")
    LETTERS_RECORDED = _("Letters {kind_words} on {day}: {number}.")
    POSTED, RETURNED = _("posted"), _("returned")
    DECIDED = _("In doubt, {decision_words}: {number}. {reason}")
    RETURNED_DRAFT = _("Returned: {comment}")
    LIMITS = _(
        "Limits for the automatic pause: bounces {bounce} %, refusals {refusal} %, complaints "
        "{complaint} %."
    )
    PLAN = _("Another sending plan: {plan}.")
    GOES_ON = _("The send to {name} goes on.")
    TAKEN_BACK = _("Bounces taken back, {number} with the reply “{reply}”: {reason}")
    OWN_TEST = _("Test to oneself ({channel_words}, {languages}): the server took {number}.")
    EMAIL, SMS = _("e‑mail"), _("text message")
    AGAIN, TOLD = _("again"), _("told")


def translate_history(stored: str) -> str:
    """Returns a history entry in the active language. Text that a person wrote stays unchanged."""
    return translate_stored(stored, HistoryMessages)


def translate_history_page(response: TemplateResponse) -> TemplateResponse:
    """Translates the entries of Django's history page in place; returns the response."""
    for entry in (response.context_data or {})["action_list"]:
        entry.change_message = translate_history(entry.change_message)
    return response
