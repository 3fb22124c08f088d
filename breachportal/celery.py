"""The Celery application. It has one queue for each purpose: `send`, `import` and `default`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breachportal.settings")

app = Celery("breachportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
