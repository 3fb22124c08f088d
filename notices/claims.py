"""The messages of mandatory notices by whose codes a customer can claim a row.

See incidents.address_claims.
"""

from incidents.address_claims import ClaimedMessage
from incidents.own_rows import Kind
from notices.message_codes import delivery_of_code
from notices.models import Delivery, Notice

State = Delivery.State
_KINDS = {Notice.Channel.EMAIL: Kind.EMAIL, Notice.Channel.SMS: Kind.PHONE}
_NO_DELIVERY = 0


def message_of_code(code: str) -> ClaimedMessage | None:
    """Returns the message with a code as a person typed it.

    Returns None for a code that the portal never made, and for a message that cannot be
    used: of an alert or a test, of a hidden or shredded incident, to a shared contact, not sent,
    or of a purged row. One query in each case.
    """
    deliveries = Delivery.objects.filter(
        pk=delivery_of_code(code) or _NO_DELIVERY,
        notice__kind=Notice.Kind.MANDATORY,
        notice__channel__in=_KINDS,
        notice__incident__is_public=True,
        notice__incident__shredded_at=None,
    )
    real = deliveries.exclude(notice__audience=Notice.Audience.TEST)
    delivery = real.select_related("letter", "person", "notice__incident").first()
    if delivery is None or delivery.person is None:
        return None
    is_letter = hasattr(delivery, "letter")
    if not is_letter and not _was_taken(delivery):
        return None
    delivery.person.incident = delivery.notice.incident
    channel = _KINDS[Notice.Channel(delivery.notice.channel)]
    return ClaimedMessage(delivery.person, delivery.pk, channel, is_letter)


def _was_taken(delivery: Delivery) -> bool:
    """Returns whether the person may have the message, and it was not that to a shared contact."""
    may_be_taken = delivery.state in (State.ACCEPTED, State.IN_DOUBT)
    came_back_later = delivery.state == State.BOUNCED and bool(delivery.data_classes)
    is_taken = may_be_taken or came_back_later or delivery.is_possible_duplicate
    return is_taken and not delivery.went_to_shared_contact()
