from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.core import checks
from django.db.models.signals import post_migrate

from breachportal.catalogues import check_catalogues, fall_back_to_english
from breachportal.database_checks import check_database
from breachportal.dependent_settings import check_comments, check_for_doctor
from breachportal.font_checks import check_fonts


class BreachportalConfig(AppConfig):
    """The project itself: its commands, its system check and the demonstration."""

    name = "breachportal"

    def ready(self) -> None:
        # Imported here, because these modules import models, which must be loaded first.
        from django.apps import apps

        # This makes the app that sends tasks. The worker processes of an import need none.
        from breachportal import celery  # noqa: F401
        from breachportal.customer_messages import check_completeness
        from breachportal.desk_health import fault_events
        from breachportal.management.commands.make_roles import update_roles_after_migration
        from incidents.team_messages import FURTHER_EVENTS

        checks.register(check_catalogues, checks.Tags.translation)
        checks.register(check_completeness, checks.Tags.translation)
        checks.register(check_database, checks.Tags.database)
        checks.register(check_fonts, deploy=True)
        checks.register(check_comments)
        checks.register(check_for_doctor, deploy=True)
        fall_back_to_english()
        FURTHER_EVENTS.append(fault_events)
        # Django makes the permissions app by app; after auth, those of all our apps exist.
        post_migrate.connect(
            update_roles_after_migration, sender=apps.get_app_config("auth"), dispatch_uid="roles"
        )


class DeskConfig(AdminConfig):
    """Django admin with PortalDesk as its default site: the response desk."""

    default_site = "breachportal.portal_desk.PortalDesk"
