"""Duty confirmations: a person's statements on legal duties that no program can judge."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident


class DutyConfirmationQuerySet(models.QuerySet["DutyConfirmation"]):
    """Querysets of duty confirmations."""

    def live(self) -> "DutyConfirmationQuerySet":
        """Returns the confirmations that are not withdrawn."""
        return self.filter(withdrawn_at__isnull=True)


class DutyConfirmation(models.Model):
    """A person's statement on a duty that no program can judge.

    A trigger refuses every change except one withdrawal.
    """

    class Verdict(models.TextChoices):
        MET = "met", _("it is met")
        APPLIES = "applies", _("it applies")
        NOT_APPLICABLE = "not_applicable", _("it does not apply")

    incident = models.ForeignKey(
        Incident,
        verbose_name=_("incident"),
        on_delete=models.PROTECT,
        related_name="confirmations",
    )
    duty = models.CharField(_("duty"), max_length=60)  # the id of a Duty
    verdict = models.CharField(_("verdict"), max_length=14, choices=Verdict.choices)
    met_at = models.DateTimeField(_("met on"), null=True, blank=True)
    evidence = models.TextField(_("evidence"))
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("confirmed by"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    confirmed_at = models.DateTimeField(_("confirmed"), auto_now_add=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("withdrawn by"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)
    withdrawn_reason = models.TextField(_("reason for the withdrawal"), blank=True)

    objects = DutyConfirmationQuerySet.as_manager()

    class Meta:
        verbose_name = _("confirmation of a duty")
        verbose_name_plural = _("confirmations of duties")
        ordering = ["-confirmed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "duty"],
                condition=Q(withdrawn_at__isnull=True),
                name="one_live_confirmation",
            ),
            models.CheckConstraint(
                condition=Q(verdict="met", met_at__isnull=False)
                | ~Q(verdict="met") & Q(met_at__isnull=True),
                name="met_at_a_time",
            ),
            models.CheckConstraint(condition=~Q(evidence=""), name="confirmed_with_evidence"),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False)
                & ~Q(withdrawn_reason=""),
                name="withdrawn_with_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident}: {self.duty} {self.verdict}"
