"""The jurisdictions of an incident."""

from collections.abc import Callable
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models.incident import Incident


class Standing(models.TextChoices):
    """Whether a jurisdiction's law applies to an incident or is followed voluntarily."""

    APPLIES = "applies", _("applies")
    VOLUNTARY = "voluntary", _("followed voluntarily")


# Functions that return further jurisdictions as (code, name); upper apps add them.
FURTHER_JURISDICTIONS: list[Callable[[], list[tuple[str, str]]]] = []


def jurisdiction_choices() -> list[tuple[str, Any]]:
    """Returns the choices of a jurisdiction: those with a law that ships, and the company's own."""
    further = [choice for choices in FURTHER_JURISDICTIONS for choice in choices()]
    return [*IncidentJurisdiction.Name.choices, *further]


class IncidentJurisdiction(models.Model):
    """A jurisdiction with a law that applies to an incident, or that is followed voluntarily."""

    class Name(models.TextChoices):
        """The codes of the jurisdictions.

        The TOML files in statements/legal/ hold the duties of each. A system check
        (statements.legal.checks) verifies that both name the same jurisdictions.
        """

        KOREA = "KR", _("Korea")
        EUROPE = "EU", _("European Union")
        KINGDOM = "UK", _("United Kingdom")
        CALIFORNIA = "US-CA", _("California")
        HEALTH = "US-HIPAA", _("United States: health data (HIPAA)")
        AUSTRALIA = "AU", _("Australia")
        JAPAN = "JP", _("Japan")
        SINGAPORE = "SG", _("Singapore")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="jurisdictions"
    )
    jurisdiction = models.CharField(_("jurisdiction"), max_length=10, choices=jurisdiction_choices)
    standing = models.CharField(
        _("standing"), max_length=9, choices=Standing.choices, default=Standing.APPLIES
    )

    class Meta:
        verbose_name = _("jurisdiction of the incident")
        verbose_name_plural = _("jurisdictions of the incident")
        ordering = ["jurisdiction"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "jurisdiction"], name="jurisdiction_stated_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_jurisdiction_display()}: {self.get_standing_display()}"
