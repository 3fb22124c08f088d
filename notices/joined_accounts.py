"""Moves the alerts of an account that is joined into another."""

import logging

from django.db.models import Q
from django.utils import timezone
from tink import TinkError

from accounts.joining import move
from accounts.models import User
from notices import alert_numbers
from notices.models import AlertSubscription, Delivery, PushSubscription
from notices.models.states import WAITING_STATES

logger = logging.getLogger(__name__)


def move_rows(ends: User, stays: User) -> None:
    """Gives the alert subscriptions, the browsers and the number for alerts of `ends` to `stays`.

    A topic that both subscribe to stays once; see `_merge`. Ended subscriptions move too: they are
    the history of the consent. The number of `stays` comes first. A browser whose address cannot be
    decrypted is deleted.
    """
    live = AlertSubscription.objects.live()
    for subscription in live.filter(user=ends):
        same = {"incident": subscription.incident_id, "topic": subscription.topic}
        if kept := live.filter(user=stays, **same).first():
            _merge(subscription, kept)
    move(AlertSubscription.objects.filter(user=ends), stays)
    alert_numbers.join(ends, stays)
    for browser in PushSubscription.objects.filter(user=ends):
        try:
            address = browser.decrypt_address()
        except TinkError:
            logger.error("the address of push subscription %s cannot be decrypted", browser.pk)
            browser.delete()
            continue
        browser.user = stays
        browser.encrypt_address(address)
        browser.save(update_fields=["user", "address"])


def _merge(ends: AlertSubscription, kept: AlertSubscription) -> None:
    """Ends a subscription, and gives its deliveries to `kept`, which is to the same topic.

    `kept` is once a week if one of them is, and as old as the older one, so that the user misses no
    alert. A waiting message of a notice that has one for `kept`, too, is not sent. The row of
    `ends` stays: the address in its earlier mails ends `kept`.
    """
    kept.is_weekly |= ends.is_weekly
    kept.subscribed_at = min(kept.subscribed_at, ends.subscribed_at)
    kept.weekly_until = max(filter(None, (kept.weekly_until, ends.weekly_until)), default=None)
    kept.save(update_fields=["is_weekly", "subscribed_at", "weekly_until"])
    notices = Delivery.objects.filter(subscription=kept).values("notice")
    goes_twice = Q(state__in=WAITING_STATES, notice__in=notices)
    Delivery.objects.filter(subscription=ends).exclude(goes_twice).update(subscription=kept)
    ends.unsubscribed_at = timezone.now()
    ends.save(update_fields=["unsubscribed_at"])
