"""The Celery tasks of statements. A task may run twice or be killed at any time without harm."""

import logging

from celery import shared_task
from celery.contrib.django.task import DjangoTask
from django.utils.translation import override

from foundations.languages import SOURCE_LANGUAGE
from statements import publishing
from statements.models import Statement

logger = logging.getLogger(__name__)


@shared_task(base=DjangoTask)
def verify_statements() -> None:
    """Writes an error to the process log for each version that differs from what was published."""
    with override(SOURCE_LANGUAGE):
        for statement in Statement.objects.all():
            for problem in publishing.verify_statement(statement):
                logger.error("statement %s: %s", statement.pk, problem)
