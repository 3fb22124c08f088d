"""Messages to the response team, and what each person chose to receive."""

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class MessageKind(models.TextChoices):
    """The subjects of messages to the response team."""

    CLOCK = "clock", _("legal clocks, 24, 6 and 1 hours before they run out")
    WAITING = "waiting", _("what waits for your approval or confirmation")
    PAUSED = "paused", _("notices that are paused, with the reason")
    SHREDDING = "shredding", _("requests to shred data")
    SUPERUSER = "superuser", _("new superusers, roles changed by hand, very many look-ups")
    SCAMS = "scams", _("scam reports that come in numbers")
    TICKETS = "tickets", _("answers to customers that are due by tomorrow")
    OFFERS = "offers", _("offers whose codes run out")
    RETENTION = "retention", _("deletions of data, 30, 7 and 1 days before, and overdue ones")
    PORTAL = "portal", _("faults of the portal that last, such as a full disk")


def every_kind() -> list[str]:
    """Returns the values of all kinds, the choice of a person who has not chosen."""
    return list(MessageKind.values)


class MessageChoice(models.Model):
    """What one person of the response team receives, and how. Without a row: all, by mail."""

    user = models.OneToOneField(
        User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="message_choice"
    )
    by_mail = models.BooleanField(_("by e-mail"), default=True)
    # Names of settings.DESK_WEBHOOKS.
    webhooks = ArrayField(
        models.CharField(max_length=40), verbose_name=_("webhooks"), default=list, blank=True
    )
    kinds = ArrayField(
        models.CharField(max_length=9, choices=MessageKind.choices),
        verbose_name=_("subjects"),
        default=every_kind,
        blank=True,
    )

    class Meta:
        verbose_name = _("choice of messages")
        verbose_name_plural = _("choices of messages")

    def __str__(self) -> str:
        return f"{self.user_id}"


class TeamMessageQuerySet(models.QuerySet["TeamMessage"]):
    """Messages by state."""

    def due(self) -> "TeamMessageQuerySet":
        """Returns the messages that are neither sent nor given up, the oldest first."""
        newest = timezone.now() - timedelta(hours=settings.TEAM_MESSAGE_HOURS)
        waiting = self.filter(sent_at=None, tries__lt=settings.TEAM_MESSAGE_TRIES)
        return waiting.filter(created_at__gt=newest).order_by("pk")


class TeamMessage(models.Model):
    """One message about one event to one destination. The unique row makes it be sent once.

    The text names no customer. It is in the language of its reader.
    """

    event = models.CharField(max_length=150)  # such as "clock:3:kr-notice:24:2026-01-05T00:00"
    to = models.CharField(max_length=60)  # "mail:<user id>" or "webhook:<name>"
    kind = models.CharField(max_length=9, choices=MessageKind.choices)
    text = models.TextField()
    path = models.CharField(max_length=300)  # of the page on the desk
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)

    objects = TeamMessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message to the response team")
        verbose_name_plural = _("messages to the response team")
        constraints = [
            models.UniqueConstraint(fields=["event", "to"], name="team_message_once"),
        ]
        indexes = [
            # read by the task that sends
            models.Index(
                fields=["id"], condition=models.Q(sent_at__isnull=True), name="team_message_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.to}"
