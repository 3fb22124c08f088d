"""Public figures: the counts that the transparency page showed at a time."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident


class PublicFigures(models.Model):
    """The counts behind an incident's transparency page at one time; see proof/transparency.py."""

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.PROTECT, related_name="figures"
    )
    taken_at = models.DateTimeField(_("taken"))
    # {"affected": people (0: unknown), "notices": {notice id: {"planned": people, …}}}
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
