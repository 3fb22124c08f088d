"""Milestones: when a notice reached which point."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from notices.models.notice import Notice


class Milestone(models.Model):
    """The time at which a notice was first seen to have reached a point. It is stored, because
    finding it later would need a scan of the ledger.
    """

    class Kind(models.TextChoices):
        FIRST = "first", _("first message accepted")
        NEARLY_ALL = "nearly_all", _("99 per cent of all messages accepted")

    notice = models.ForeignKey(
        Notice, verbose_name=_("notice"), on_delete=models.PROTECT, related_name="milestones"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        constraints = [
            models.UniqueConstraint(fields=["notice", "kind"], name="milestone_passed_once")
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} {self.kind}"
