"""What is kept to show afterwards: when a notice came how far, and the figures that were public."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident
from notices.models.sending import Notice


class Milestone(models.Model):
    """When a notice was first seen to have come so far. Kept, since nobody scans the ledger."""

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


class PublicFigures(models.Model):
    """The counts behind an incident's transparency page at one time; see proof/transparency.py."""

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.PROTECT, related_name="figures"
    )
    taken_at = models.DateTimeField(_("taken"))
    # {"affected": people (0: not known), "notices": {notice id: {"planned": people, …}}}
    counts = models.JSONField(editable=False)

    class Meta:
        verbose_name = _("public figures")
        verbose_name_plural = _("public figures")
        get_latest_by = "taken_at"
        constraints = [
            models.UniqueConstraint(fields=["incident", "taken_at"], name="figures_once_a_moment")
        ]

    def __str__(self) -> str:
        return f"{self.incident} {self.taken_at:%Y-%m-%d %H:%M}"
