"""What the desk's templates show of the ledger."""

from django import template

from incidents.models import AffectedPerson
from notices import ledger_messages
from notices.message_codes import message_code
from notices.models import Delivery

MOST = 50

register = template.Library()
register.filter("in_words", ledger_messages.translate_ledger_message)


@register.simple_tag
def deliveries_of(person: AffectedPerson) -> list[tuple[Delivery, str]]:
    """Returns the newest deliveries to the person, each with its message code."""
    found = Delivery.objects.filter(person=person.pk).order_by("-notice", "pk")
    related = found.select_related("notice__version__statement__incident")
    rows = related.prefetch_related("resends__asked_by")[:MOST]
    return [(delivery, message_code(delivery.pk)) for delivery in rows]
