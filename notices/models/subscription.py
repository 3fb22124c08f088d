"""Alert subscriptions: which user receives alerts of which topic. They do not affect mandatory
notices.
"""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models import Incident


class AlertSubscriptionQuerySet(models.QuerySet["AlertSubscription"]):
    """Subscriptions by whether they are active."""

    def live(self) -> "AlertSubscriptionQuerySet":
        """Selects the subscriptions that were not ended. Ended ones stay as the history of a user's
        consent.
        """
        return self.filter(unsubscribed_at__isnull=True)


class AlertSubscription(models.Model):
    """One user's subscription to the alerts of one topic of one incident."""

    class Topic(models.TextChoices):
        UPDATES = "updates", _("Updates to this incident")
        SCAMS = "scams", _("New scam warnings")
        MY_DATA = "my_data", _("Changes to my own data")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="subscriptions"
    )
    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="subscriptions"
    )
    topic = models.CharField(_("topic"), max_length=7, choices=Topic.choices)
    subscribed_at = models.DateTimeField(_("subscribed"), auto_now_add=True)
    unsubscribed_at = models.DateTimeField(_("unsubscribed"), null=True, blank=True)
    is_weekly = models.BooleanField(_("once a week"), default=False)
    # When the user last changed back from once a week to at once.
    weekly_until = models.DateTimeField(null=True, editable=False)

    objects = AlertSubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert subscription")
        verbose_name_plural = _("alert subscriptions")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "incident", "topic"],
                condition=Q(unsubscribed_at__isnull=True),
                name="one_live_subscription",
            ),
            models.CheckConstraint(
                condition=Q(is_weekly=False) | Q(topic="updates"),
                name="only_updates_are_weekly",
            ),
        ]
        indexes = [
            # for planning an alert: the live subscriptions of a topic
            models.Index(
                fields=["incident", "topic", "id"],
                condition=Q(unsubscribed_at__isnull=True),
                name="live_subscriptions",
            )
        ]

    def __str__(self) -> str:
        return f"{self.incident} {self.topic} {self.pk}"
