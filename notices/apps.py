from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    """What we tell them: publishing, sending, alerts, proof."""

    name = "notices"
    verbose_name = _("Notices")
