"""Waivers: published reasons why a finding does not block a version, and withdrawn waivers."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from foundations.localized_fields import LocalizedTextField
from statements.models.version import StatementVersion


class DutyWaiver(models.Model):
    """A second person's reason why findings of one rule do not block a version.

    The public log shows it. Immutable once the version is published (a trigger).
    """

    version = models.ForeignKey(
        StatementVersion,
        verbose_name=_("statement version"),
        on_delete=models.CASCADE,
        related_name="waivers",
    )
    # The id of a Duty, or the name of a lint rule.
    rule = models.CharField(_("duty or rule"), max_length=60)
    reason = LocalizedTextField(_("reason"), is_long=True)
    waived_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("waived by"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    waived_at = models.DateTimeField(_("waived"), auto_now_add=True)

    class Meta:
        verbose_name = _("waiver")
        verbose_name_plural = _("waivers")
        ordering = ["version", "rule"]
        constraints = [
            models.UniqueConstraint(fields=["version", "rule"], name="rule_waived_once"),
            models.CheckConstraint(condition=~Q(reason={}), name="waiver_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.rule}"


class WithdrawnWaiver(models.Model):
    """A waiver that was withdrawn before its version was published. Immutable (a trigger)."""

    version = models.ForeignKey(
        StatementVersion,
        verbose_name=_("statement version"),
        on_delete=models.CASCADE,
        related_name="withdrawn_waivers",
    )
    rule = models.CharField(_("duty or rule"), max_length=60)
    reason = LocalizedTextField(_("reason"), is_long=True)
    waived_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("waived by"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    waived_at = models.DateTimeField(_("waived"))
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("withdrawn by"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    withdrawn_at = models.DateTimeField(_("withdrawn"), auto_now_add=True)
    withdrawn_reason = models.TextField(_("reason for the withdrawal"))

    class Meta:
        verbose_name = _("withdrawn waiver")
        verbose_name_plural = _("withdrawn waivers")
        ordering = ["version", "withdrawn_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(withdrawn_reason=""), name="waiver_withdrawn_with_a_reason"
            )
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.rule}"
