"""The Celery application. It has one queue for each purpose: `send`, `import` and `default`."""

import os
import sys
from typing import Any

from celery import Celery, signals
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.audit import actors
from breachportal import database_checks, database_role

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breachportal.settings")

app = Celery("breachportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_init.connect
@signals.beat_init.connect
def check_database(**_options: Any) -> None:
    """Checks the database and its account before a worker or beat starts.

    Ends the process with the reason if the database cannot serve the portal's processes, or if the
    account may change proof in production. Celery only logs an Exception of a signal's receiver,
    so a receiver that refuses the start raises SystemExit.
    """
    try:
        if settings.IS_PRODUCTION:
            database_role.refuse_owner()
        database_checks.require_usable_database()
    except ImproperlyConfigured as error:
        sys.exit(str(error))


@signals.task_prerun.connect
def name_actor(task: Any, **_options: Any) -> None:
    """Records what the task writes in the audit trail as "worker: <task>"."""
    task.request.actor_before = actors.name_process(f"worker: {task.name}")


@signals.task_postrun.connect
def name_actor_before(task: Any, **_options: Any) -> None:
    """Gives the process its earlier actor again, for a task that runs inside another process."""
    actors.name_process(getattr(task.request, "actor_before", ""))
