from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IncidentsConfig(AppConfig):
    """Incidents, the people they affect and what leaked: import, encryption and "my data"."""

    name = "incidents"
    verbose_name = _("Incidents")
