"""Celery tasks for scam reports. Each may run twice, or be killed at any time, without harm."""

from celery import shared_task
from celery.contrib.django.task import DjangoTask

from scams import scam_reports


@shared_task(base=DjangoTask)
def delete_scam_reports() -> None:
    """Deletes the reports that are older than settings.SCAM_REPORT_DAYS."""
    scam_reports.delete_expired()
