"""Destinations: the mail providers and domains that a notice goes to, and how they take it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from notices.models.notice import Notice

SMS = "SMS"  # the text gateways; "SMS KR" is the destination of their messages to one country


def is_of_texts(destination: str) -> bool:
    """Returns whether a destination is one of text messages."""
    return destination.partition(" ")[0] == SMS


class Destination(models.Model):
    """The counts of one notice's messages to one destination, and whether the send to it is
    stopped.

    The counts are for the automatic pause (engine/guards.py) and not for the proof: acceptances are
    added from time to time, and a worker that dies loses some. `refused` counts people, each once.
    """

    class StoppedFor(models.TextChoices):
        """The reason of an automatic stop."""

        BOUNCES = "bounces", _("too many messages bounced")
        REFUSED = "refused", _("it refuses us, not the recipients")
        COMPLAINTS = "complaints", _("too many people called the message spam")

    notice = models.ForeignKey(
        Notice, verbose_name=_("notice"), on_delete=models.CASCADE, related_name="destinations"
    )
    name = models.CharField(_("destination"), max_length=255)
    accepted = models.BigIntegerField(db_default=0)
    bounced = models.BigIntegerField(db_default=0)
    refused = models.BigIntegerField(db_default=0)
    complaints = models.BigIntegerField(db_default=0)
    # The counts when a person last let it go on. Only later ones can stop it again.
    watched_accepted = models.BigIntegerField(db_default=0)
    watched_bounced = models.BigIntegerField(db_default=0)
    watched_refused = models.BigIntegerField(db_default=0)
    watched_complaints = models.BigIntegerField(db_default=0)
    stopped_at = models.DateTimeField(_("stopped"), null=True)
    stopped_for = models.CharField(
        _("reason"), max_length=10, choices=StoppedFor.choices, db_default=""
    )
    reply = models.CharField(_("the server's reply"), max_length=500, db_default="")

    class Meta:
        verbose_name = _("destination")
        verbose_name_plural = _("destinations")
        constraints = [
            models.UniqueConstraint(fields=["notice", "name"], name="one_destination_a_notice")
        ]
        indexes = [
            # read in each turn of a worker
            models.Index(
                fields=["notice"],
                condition=Q(stopped_at__isnull=False),
                name="stopped_destinations",
            )
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}/{self.name}"

    @property
    def stopped_at_text(self) -> str:
        """The moment of the stop as a form sends it back, to the microsecond; "" without a stop."""
        return self.stopped_at.isoformat() if self.stopped_at else ""
