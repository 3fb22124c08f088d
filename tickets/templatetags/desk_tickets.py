"""The tickets of an affected person, for the person's page on the desk."""

from allauth.account.models import EmailAddress
from django import template

from accounts.contacts import normalise_email
from accounts.models import VerifiedPhone
from incidents.encryption import EncryptionError
from incidents.models import AffectedPerson
from tickets.models import Ticket

MOST = 50

register = template.Library()


@register.simple_tag
def tickets_of(person: AffectedPerson) -> list[Ticket]:
    """Returns the newest tickets of the accounts that verified a contact of the person.

    They are about the person's incident. Several people may share a contact, so that a ticket may
    be of another person. Returns none if the contacts cannot be decrypted.
    """
    try:
        contact = person.decrypt_contact()
    except EncryptionError:
        return []
    emails = [normalise_email(text) for key, text in contact.items() if key[0] == "e"]
    phones = [text for key, text in contact.items() if key[0] == "p"]
    users = {
        *EmailAddress.objects.filter(email__in=emails, verified=True).values_list(
            "user", flat=True
        ),
        *VerifiedPhone.objects.filter(number__in=phones).values_list("user", flat=True),
    }
    tickets = Ticket.objects.filter(incident=person.incident_id, user__in=users)
    return list(tickets.order_by("-changed_at")[:MOST])
