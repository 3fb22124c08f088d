"""The Celery task of the project itself. It may run twice, or be killed at any time."""

from celery import shared_task
from celery.contrib.django.task import DjangoTask

from breachportal import desk_health


@shared_task(base=DjangoTask)
def examine_portal() -> None:
    """Runs the checks of the doctor, and keeps what they found for the desk's page."""
    desk_health.examine()
