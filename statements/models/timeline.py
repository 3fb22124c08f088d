"""The timeline: dated facts about an incident."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from foundations.localized_fields import LocalizedTextField
from incidents.models import Basis, Incident


class TimelineEntry(models.Model):
    """One dated fact about an incident."""

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.PROTECT, related_name="timeline"
    )
    happened_on = models.DateField(_("date"))
    text = LocalizedTextField(_("text"), is_long=True)
    basis = models.CharField(_("basis"), max_length=13, choices=Basis.choices)
    source = LocalizedTextField(_("source"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("timeline entry")
        verbose_name_plural = _("timeline entries")
        ordering = ["happened_on", "pk"]

    def __str__(self) -> str:
        return f"{self.happened_on} {str(self.text)[:40]}"
