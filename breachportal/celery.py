"""The Celery application. It has one queue for each purpose: `send`, `import` and `default`."""

import gc
import logging
import os
import sys
import time
from typing import Any

from celery import Celery, signals
from celery.worker import WorkController
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts.audit import actors
from breachportal import database_checks, database_role, signs
from foundations import request_ids, traces

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breachportal.settings")

app = Celery("breachportal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.worker_init.connect
@signals.beat_init.connect
def check_database(sender: object = None, **_options: Any) -> None:
    """Checks the database and its account before a worker or beat starts.

    Ends the process with the reason if the database cannot serve the portal's processes. In
    production also if the account may change proof, or cannot do what the queue `import` needs.
    Celery only logs an Exception of a signal's receiver,
    so a receiver that refuses the start raises SystemExit.
    """
    try:
        if settings.IS_PRODUCTION:
            database_role.refuse_owner()
            if isinstance(sender, WorkController) and "import" in app.amqp.queues.consume_from:
                database_role.refuse_without_staging()
        database_checks.require_usable_database()
    except ImproperlyConfigured as error:
        sys.exit(str(error))


@signals.worker_before_create_process.connect
def leave_what_exists(**_options: Any) -> None:
    """Leaves all objects of a worker out of the garbage collections of the processes it forks.

    Nearly all of them live as long as the process. To collect them takes 0.14 s of a sender's time,
    and copies the memory that the processes share.
    """
    gc.freeze()


@signals.heartbeat_sent.connect
def give_sign(sender: Any, **_options: Any) -> None:
    """Gives a sign of life for each queue of this worker. Its main process does, also in a task."""
    node = sender.eventer.hostname
    signs.WORKERS.give(*(f"{queue} {node}" for queue in app.amqp.queues.consume_from))


@signals.setup_logging.connect
def keep_logging(loglevel: int, **_options: Any) -> None:
    """Keeps the levels and handlers of settings.LOGGING in workers and beat.

    Otherwise Celery sets the level of every logger to its own, which is WARNING by default, and
    lines such as the end of a notice are lost. `--loglevel` sets the level of Celery's own lines.
    """
    logging.getLogger("celery").setLevel(loglevel)


@signals.before_task_publish.connect
def stamp_task(headers: dict[str, Any], **_options: Any) -> None:
    """Sends with each task its time, and the ids of the request and the span that started it.

    A monitor reads the time (breachportal.metrics). Tasks that a task starts get its request id.
    """
    headers["sent_at"] = time.time()
    if span_id := traces.current_span_id():
        headers["span_id"] = span_id
    if request_id := request_ids.current():
        headers["request_id"] = request_id


@signals.task_prerun.connect
def take_request_id(task: Any, **_options: Any) -> None:
    """Lets the lines of a task carry the id of its request; that of a recurring task is its own."""
    sent = getattr(task.request, "request_id", "")
    request_id = sent or request_ids.current() or task.request.id
    task.request.request_id_before = request_ids.work_for(request_id)


@signals.task_prerun.connect
def begin_span(task: Any, **_options: Any) -> None:
    """Begins the span of a task, after `take_request_id`, whose id is that of the trace."""
    parent_id = getattr(task.request, "span_id", "")
    task.request.span = traces.begin(task.name, kind=traces.CONSUMER, parent_id=parent_id)


@signals.task_postrun.connect
def end_span(task: Any, state: str = "", **_options: Any) -> None:
    """Ends the span of a task. A task that is tried again is no error."""
    traces.end(getattr(task.request, "span", None), is_error=state == "FAILURE")


@signals.worker_process_shutdown.connect
def send_spans(**_options: Any) -> None:
    """Sends the spans that wait: Celery's processes end without Python's exit handlers."""
    traces.flush()


@signals.task_postrun.connect
def take_request_id_before(task: Any, **_options: Any) -> None:
    """Gives the process its earlier id again, for a task that runs inside another process."""
    request_ids.work_for(getattr(task.request, "request_id_before", ""))


@signals.task_prerun.connect
def name_actor(task: Any, **_options: Any) -> None:
    """Records what the task writes in the audit trail as "worker: <task>"."""
    task.request.actor_before = actors.name_process(f"worker: {task.name}")


@signals.task_postrun.connect
def name_actor_before(task: Any, **_options: Any) -> None:
    """Gives the process its earlier actor again, for a task that runs inside another process."""
    actors.name_process(getattr(task.request, "actor_before", ""))
