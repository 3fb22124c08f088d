"""Moves the alerts of an account that is joined into another."""

import logging

from tink import TinkError

from accounts.joining import move
from accounts.models import User
from notices import alert_numbers
from notices.models import AlertSubscription, PushSubscription

logger = logging.getLogger(__name__)


def move_rows(ends: User, stays: User) -> None:
    """Gives the alert subscriptions, the browsers and the number for alerts of `ends` to `stays`.

    A topic that both subscribe to stays once, and once a week if one of them wants that. Ended
    subscriptions move too: they are the history of the consent. The number of `stays` comes first.
    A browser whose address cannot be decrypted is deleted.
    """
    live = AlertSubscription.objects.live()
    for subscription in live.filter(user=ends):
        same = {"incident": subscription.incident_id, "topic": subscription.topic}
        if kept := live.filter(user=stays, **same).first():
            kept.is_weekly |= subscription.is_weekly
            kept.save(update_fields=["is_weekly"])
            subscription.delete()
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
