"""Moves the alerts of an account that is joined into another."""

import logging

from tink import TinkError

from accounts.joining import move
from accounts.models import User
from notices.models import AlertSubscription, PushSubscription

logger = logging.getLogger(__name__)


def move_rows(ends: User, stays: User) -> None:
    """Gives the alert subscriptions and the browsers of `ends` to `stays`.

    A topic that both subscribe to stays once. Ended subscriptions move too: they are the history of
    the consent. A browser whose address cannot be decrypted is deleted.
    """
    live = AlertSubscription.objects.live().filter(user=ends)
    topics = AlertSubscription.objects.live().filter(user=stays).values("incident", "topic")
    for subscription in live:
        same = {"incident": subscription.incident_id, "topic": subscription.topic}
        if topics.filter(**same).exists():
            subscription.delete()
    move(AlertSubscription.objects.filter(user=ends), stays)
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
