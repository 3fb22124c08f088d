from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    """What we tell them: publishing, sending, alerts, proof."""

    name = "notices"
    verbose_name = _("Notices")

    def ready(self) -> None:
        # Imported when the models are loaded, which it reads.
        from notices.checks import check_laws

        checks.register(check_laws)
