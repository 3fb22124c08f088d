"""The figures of notices by text message: the cost, and what the gateways reported."""

from decimal import Decimal

from django.conf import settings
from django.db.models import Count

from notices.engine.audiences import DryRun
from notices.message_samples import sample_sms_size
from notices.models import DeliveryReceipt, Notice
from notices.sms import price_of


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
    """Returns the highest cost of a notice, such as "1,200 KRW"; "" if it is not known.

    It is the cost if each person of the audience gets the longest message of their language.
    """
    if notice.channel != Notice.Channel.SMS or run is None:
        return ""
    total = Decimal()
    for language, people in run.by_language.items():
        price = price_of(sample_sms_size(notice, notice.incident.language_for(language)))
        if price is None:
            return ""
        total += price * people
    return f"{total:,} {settings.SMS_PRICES.get('currency', '')}".strip()
