"""The figures of notices by text message: the cost, and what the gateways reported."""

from decimal import Decimal

from django.conf import settings
from django.db.models import Count
from django.utils.translation import gettext as _

from notices.engine.audiences import DryRun
from notices.message_samples import sample_sms_size
from notices.models import DeliveryReceipt, Notice
from notices.sms import bills_segments, price_of


def receipts(notice: Notice) -> list[tuple[str, int]]:
    """Returns (label, number) for each state that gateways reported about a notice's messages.

    Returns nothing for a notice by mail.
    """
    if notice.channel != Notice.Channel.SMS:
        return []
    reported = DeliveryReceipt.objects.filter(delivery__notice=notice)
    numbers = dict(reported.values_list("state").annotate(Count("pk")).order_by())
    return [(str(label), numbers.get(state, 0)) for state, label in DeliveryReceipt.State.choices]


def highest_cost(notice: Notice, run: DryRun | None) -> str:
    """Returns the highest cost of a notice and why it is so high; "" if it is not known.

    It is the cost if each person of the audience gets the longest message of their language. Such
    as "4,500 KRW (long messages, LMS: 100)", or "12.60 EUR (segments: 180)".
    """
    if notice.channel != Notice.Channel.SMS or run is None:
        return ""
    total, segments, long_messages = Decimal(), 0, 0
    for language, people in run.by_language.items():
        size = sample_sms_size(notice, notice.incident.language_for(language))
        price = price_of(size)
        if price is None:
            return ""
        total += price * people
        segments += size.segments * people
        long_messages += people if size.is_long else 0
    cost = f"{total:,} {settings.SMS_PRICES.get('currency', '')}".strip()
    if bills_segments():
        return _("%(cost)s (segments: %(number)s)") % {"cost": cost, "number": f"{segments:,}"}
    if long_messages:
        number = f"{long_messages:,}"
        return _("%(cost)s (long messages, LMS: %(number)s)") % {"cost": cost, "number": number}
    return cost
