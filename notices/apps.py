from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """What we tell them: publishing, sending, alerts, proof."""

    name = "notices"
