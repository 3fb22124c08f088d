"""Celery tasks for accounts. Each may run twice, or be killed at any time, without harm."""

from celery import shared_task
from celery.contrib.django.task import DjangoTask

from accounts import session_purge


@shared_task(base=DjangoTask)
def purge_sessions() -> None:
    """Deletes the sessions that have ended, and their browsers' descriptions."""
    session_purge.purge()
