from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """What happened, and to whom: importing, sealing, matching."""

    name = "incidents"
