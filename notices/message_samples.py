"""Sample messages: what a made-up person would receive.

The desk shows them as previews, and test notices have their name and data classes.
"""

from uuid import UUID

from django.utils.translation import override, pgettext

from incidents.models import Incident, IncidentDataClass
from notices import sms
from notices.message_filling import MessageFiller, OutgoingMessage, Recipient
from notices.message_templates import render_template, render_template_for_shared_contact
from notices.models import Notice


def sample_mail(notice: Notice, language: str) -> OutgoingMessage:
    """Returns the message that a made-up person would receive, with every class that leaked.

    For a notice by SMS it is the text message.
    """
    return MessageFiller(render_template(notice, language)).mail(sample_person(notice, language))


def sample_shared_mail(notice: Notice, language: str) -> OutgoingMessage:
    """Returns the one message that a contact of many people would receive."""
    message = render_template_for_shared_contact(notice, language)
    return MessageFiller(message).mail(sample_person(notice, language))


def sample_person(notice: Notice, language: str) -> Recipient:
    """Returns the made-up person, of whom every class leaked."""
    return Recipient(
        delivery_id=0,
        recipient=UUID(int=0),
        email="sample@example.com",
        phone="010-1234-5678",
        name=sample_name(language),
        data_classes=tuple(sample_classes(notice.incident)),
    )


def sample_sms_size(notice: Notice, language: str) -> sms.SmsSize:
    """Returns the size of the longest SMS: that with all data classes of the incident."""
    return sms.sms_size(sample_mail(notice, language).data.decode())


def sample_name(language: str) -> str:
    """Returns the name of a made-up person, as the catalogue of the language has it."""
    with override(language):
        return pgettext("a made-up person", "Gildong Hong")


def sample_classes(incident: Incident) -> list[int]:
    """Returns the ids of all data classes that leaked in the incident, in the catalogue's order."""
    involved = incident.class_states.filter(state=IncidentDataClass.State.INVOLVED)
    return list(involved.values_list("data_class", flat=True))
