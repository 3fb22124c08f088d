"""Celery tasks for tickets. Each may run twice, or be killed at any time, without harm."""

from celery import shared_task
from celery.contrib.django.task import DjangoTask

from tickets import answer_mails


@shared_task(base=DjangoTask)
def mail_answers() -> None:
    """Sends the mails that an answer is on the portal."""
    answer_mails.send_due()
