"""The Celery application. It has one queue for each purpose: `send`, `import` and `default`."""

import os
from typing import Any

from celery import Celery, signals

from breachportal import database_checks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breachportal.settings")

app = Celery("breachportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_init.connect
def check_database(**_options: Any) -> None:
    """Checks the database before the worker starts its processes.

    Raises ImproperlyConfigured if the database cannot serve the portal's processes.
    """
    database_checks.require_usable_database()
