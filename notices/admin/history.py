"""What the desk itself writes on record: in English, and shown in the reader's language."""

from django.template.response import TemplateResponse
from django.utils.translation import gettext_noop as _

from foundations.stored_messages import StoredMessages, translate_stored


class HistoryMessages(StoredMessages):
    """What the desk records of an action on a notice, in the notice's history."""

    APPROVED = _("Approved for {people} people.")
    APPROVED_AS_COUNTED = _("Approved for {people} people (counted {at} UTC).")
    APPROVED_UNCOUNTED = _("Approved; nobody had counted the people.")
    EXPORTED = _("Exported: {what_words}, {format}, without contacts.")
    EXPORTED_OPENED = _("Exported: {what_words}, {format}, opened.")
    PROOF, NOT_REACHED, DOUBTFUL = _("proof"), _("not-reached"), _("in-doubt")
    DECIDED = _("In doubt, {decision_words}: {number}. {reason}")
    AGAIN, TOLD = _("again"), _("told")


def in_words(kept: str) -> str:
    """What is on record in the reader's language, people's own words as they wrote them."""
    return translate_stored(kept, HistoryMessages)


def page_in_words(response: TemplateResponse) -> TemplateResponse:
    """Django's page of an object's history in the reader's language."""
    for entry in (response.context_data or {})["action_list"]:
        entry.change_message = in_words(entry.change_message)
    return response
