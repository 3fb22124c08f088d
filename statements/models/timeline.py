"""The timeline: dated facts about an incident."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from foundations.languages import in_language
from incidents.models import Basis, Incident


class TimelineEntry(models.Model):
    """One dated fact about an incident."""

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.PROTECT, related_name="timeline"
    )
    happened_on = models.DateField(_("date"))
    text_ko = models.TextField(_("text (Korean)"))
    text_en = models.TextField(_("text (English)"))
    basis = models.CharField(_("basis"), max_length=13, choices=Basis.choices)
    source_ko = models.CharField(_("source (Korean)"), max_length=200, blank=True)
    source_en = models.CharField(_("source (English)"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("timeline entry")
        verbose_name_plural = _("timeline entries")
        ordering = ["happened_on", "pk"]

    def __str__(self) -> str:
        return f"{self.happened_on} {self.text[:40]}"

    @property
    def text(self) -> str:
        """Returns the text in the active language."""
        return in_language(self, "text")

    @property
    def source(self) -> str:
        """Returns the source in the active language."""
        return in_language(self, "source")
