from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.core import checks

from breachportal.catalogues import check_catalogues, fall_back_to_english
from breachportal.database_checks import check_database
from breachportal.font_checks import check_fonts


class BreachportalConfig(AppConfig):
    """The project itself: its commands, its system check and the demonstration."""

    name = "breachportal"

    def ready(self) -> None:
        # Imported here, because this module imports models, which must be loaded first.
        from breachportal.customer_messages import check_completeness

        checks.register(check_catalogues, checks.Tags.translation)
        checks.register(check_completeness, checks.Tags.translation)
        checks.register(check_database, checks.Tags.database)
        checks.register(check_fonts, deploy=True)
        fall_back_to_english()


class DeskConfig(AdminConfig):
    """Django admin with PortalDesk as its default site: the response desk."""

    default_site = "breachportal.portal_desk.PortalDesk"
