from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class BreachportalConfig(AppConfig):
    """The project itself: its commands and the demonstration."""

    name = "breachportal"


class DeskConfig(AdminConfig):
    """Django admin as the response desk; see accounts.admin_site."""

    default_site = "accounts.admin_site.DeskSite"
