"""The suppression list: addresses that are not written to."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident
from notices.models.notice import Notice


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    """Queries for the entries of the suppression list that apply."""

    def not_lifted(self) -> "SuppressionQuerySet":
        """Selects the entries that were not lifted. Lifted ones stay, to show why a person did not
        get a message.
        """
        return self.filter(lifted_at__isnull=True)

    def live(self) -> "SuppressionQuerySet":
        """Selects the entries that apply now. One of a single bounce ends by itself, and stays to
        be known when a second one comes.
        """
        has_time = Q(applies_until__isnull=True) | Q(applies_until__gt=Now())
        return self.not_lifted().filter(has_time)

    def against(self, notice: Notice) -> "SuppressionQuerySet":
        """Selects the entries that keep this notice from an address.

        A mandatory notice is held back only for the sources in
        settings.NOTICE_MANDATORY_SUPPRESSIONS: those where it would not arrive, would reach another
        person, or was reported as spam. An alert is held back for every source.
        """
        counting = self.live().filter(
            Q(incident=notice.incident_id) | Q(incident__isnull=True), channel=notice.channel
        )
        if notice.is_mandatory:
            counting = counting.filter(source__in=settings.NOTICE_MANDATORY_SUPPRESSIONS)
        return counting


class Suppression(models.Model):
    """An address that is not written to, stored as its blind index only.

    An entry about one incident holds the person's index under the incident's keyset. An entry about
    all incidents holds an index under SECRET_KEY. See returned_mail/suppression_list.py.
    """

    class Source(models.TextChoices):
        BOUNCE = "bounce", _("a server says that the address does not exist")
        COMPLAINT = "complaint", _("its reader called a message spam")
        STRANGER = "stranger", _("it belongs to another person")
        REQUEST = "request", _("its reader asked for it")

    incident = models.ForeignKey(
        Incident,
        verbose_name=_("incident"),
        on_delete=models.CASCADE,
        related_name="suppressions",
        null=True,
        blank=True,
        db_index=False,
        help_text=_("Leave this empty for all incidents."),
    )
    channel = models.CharField(
        _("channel"), max_length=5, choices=Notice.Channel.choices, default=Notice.Channel.EMAIL
    )
    index = models.UUIDField(editable=False)
    source = models.CharField(_("why"), max_length=9, choices=Source.choices)
    reason = models.CharField(_("reason"), max_length=500)
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("added by"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        editable=False,
    )
    added_at = models.DateTimeField(_("added"), auto_now_add=True)
    # None: until it is lifted. See returned_mail/suppression_list.py.
    applies_until = models.DateTimeField(_("applies until"), null=True, editable=False)
    # Whether the words of a bounce that is recorded here can mean nothing else.
    is_plain = models.BooleanField(db_default=False, editable=False)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("lifted by"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        editable=False,
    )
    lifted_at = models.DateTimeField(_("lifted"), null=True, editable=False)
    lifted_reason = models.CharField(_("why it was lifted"), max_length=500, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")
        ordering = ["-added_at"]
        indexes = [
            # the desk's look-up, which shows lifted entries as well
            models.Index(fields=["index"], name="suppressions_of_address"),
            # the filters of the desk's list
            models.Index(fields=["source", "id"], name="suppressions_of_source"),
            models.Index(fields=["channel", "id"], name="suppressions_of_channel"),
            models.Index(fields=["incident", "id"], name="suppressions_of_incident"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["index", "channel", "incident"],
                condition=Q(lifted_at__isnull=True),
                nulls_distinct=False,
                name="suppressed_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_source_display()} ({self.pk})"
