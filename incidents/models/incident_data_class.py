"""What is claimed of each data class in an incident."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models.data_class import DataClass
from incidents.models.incident import Incident


class Basis(models.TextChoices):
    """How certain a claim is. Pages show the label beside the claim."""

    CONFIRMED = "confirmed", _("Confirmed")
    COMPANY = "company", _("Reported by the company")
    INVESTIGATION = "investigation", _("Under investigation")
    ALLEGATION = "allegation", _("An allegation, not confirmed")


class IncidentDataClass(models.Model):
    """A claim about one data class in one incident, and its basis."""

    class State(models.TextChoices):
        INVOLVED = "involved", _("Leaked")
        POSSIBLY = "possibly", _("Possibly leaked")
        NOT_INVOLVED = "not_involved", _("Did not leak")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="class_states"
    )
    data_class = models.ForeignKey(
        DataClass, verbose_name=_("data class"), on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(_("state"), max_length=12, choices=State.choices)
    basis = models.CharField(_("basis"), max_length=13, choices=Basis.choices)

    class Meta:
        verbose_name = _("data class of the incident")
        verbose_name_plural = _("data classes of the incident")
        ordering = ["data_class__position", "data_class__slug"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "data_class"], name="class_stated_once")
        ]

    def __str__(self) -> str:
        return f"{self.data_class.name}: {self.get_state_display()}"
