from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IncidentsConfig(AppConfig):
    """What happened, and to whom: importing, sealing, matching."""

    name = "incidents"
    verbose_name = _("Incidents")
