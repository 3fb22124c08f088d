"""Figures for a monitor, in the text format of Prometheus: each is a gauge.

The groups are read from counters, small tables and the lengths of queues, never by a count over
people or deliveries. Labels name rows by primary key; nothing here is personal data. While a part
is away, `breachportal_group_read` names the groups with missing figures, and the others are shown.
Format: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

import json
import logging
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Q
from django.db.models.functions import Now
from django.utils import timezone
from kombu import Connection
from redis.backoff import NoBackoff
from redis.retry import Retry

from accounts import code_limits, code_mails, code_states, code_texts
from breachportal import backups, database_checks, signs
from breachportal.celery import app
from incidents.models import Incident
from notices.models import Chunk, Notice
from statements.legal.deadlines import DutyStatus, timed_clocks_of
from statements.legal.own_laws import without_law

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
QUEUES = ("send", "import", "default")
RUNNING = (Notice.State.PLANNING, Notice.State.SENDING, Notice.State.PAUSED)
MOST_NOTICES = 50  # the newest of the running ones
HELP = {
    "group_read": "1 if all figures of this group could be read, else 0.",
    "part_up": "1 if the part answers, else 0; a replica that is behind has 0.",
    "queue_tasks": "Tasks that wait in a queue.",
    "queue_oldest_seconds": "Since when the next task of a queue waits; 0 if it is empty.",
    "tasks_at_work": "Tasks of a queue that a worker has taken and not acknowledged.",
    "schedulers": "Running beat processes; it should be 1.",
    "workers": "Workers that serve a queue; it should be 1 or more.",
    "leases": "Chunks of notices that a sender holds, and those whose lease ran out.",
    "notices": "Notices by state, without tests.",
    "notice_deliveries": "Deliveries of a running notice: planned, and by end state.",
    "legal_clocks": "Clocks of legal duties by incident: running and overdue.",
    "legal_laws_missing": "Jurisdictions of an incident without a law file: no clock shows them.",
    "legal_clock_next_seconds": "Until the next running clock of the incident ends.",
    "code_mails_waiting": "Code mails that wait in the web process that answered.",
    "code_texts_waiting": "Codes by text message that wait in the web process that answered.",
    "code_texts_refused": "1 if the budget of codes by text message is used up.",
    "code_mails_refused": "1 if the limit on all code mails was used up in 15 minutes.",
    "codes_in_database": "1 if the database counted codes in the last minute: Redis was away.",
    "database_connections": "Connections that count to the limit, also those of other programs.",
    "database_connections_limit": "The limit of the server, the account or the database: the one "
    "that is the nearest.",
    "disk_free_bytes": "Free space of the portal's folder on the host that answered.",
    "backup_age_seconds": "Age of the newest backup in the folder on the host that answered.",
}

logger = logging.getLogger(__name__)

Sample = tuple[str, float, Mapping[str, str]]  # the name without prefix, the value, the labels


def text(parts: Mapping[str, str]) -> str:
    """Returns every figure. `parts` has the state of each part as /readyz names it."""
    samples = figures(parts)
    return "".join(_family(name, samples) for name in HELP)


def figures(parts: Mapping[str, str]) -> list[Sample]:
    """Returns the samples of every figure that can be read; `parts` as for `text`."""
    samples: list[Sample] = [
        ("part_up", float(state == "ok"), {"part": part}) for part, state in parts.items()
    ]
    for name, group in _GROUPS.items():
        samples += _read(name, group)
    return samples


def _read(name: str, group: Callable[[], Iterator[Sample]]) -> Iterator[Sample]:
    """Yields the figures of a group up to the first error, and whether there was none."""
    is_read = True
    try:
        yield from group()
    except Exception as error:  # noqa: BLE001  one group must not hide the others
        is_read = False
        logger.warning("figures of %s cannot be read: %s", name, type(error).__name__)
    yield "group_read", float(is_read), {"group": name}


def _family(name: str, samples: list[Sample]) -> str:
    """Returns the lines of one gauge; "" if it has no sample."""
    full = f"breachportal_{name}"
    lines = [f"{full}{_labels(labels)} {value:.15g}" for of, value, labels in samples if of == name]
    head = [f"# HELP {full} {HELP[name]}", f"# TYPE {full} gauge"] if lines else []
    return "".join(f"{line}\n" for line in (*head, *lines))


def _labels(labels: Mapping[str, str]) -> str:
    """Returns labels as the format writes them. Their values are words and primary keys only."""
    inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def _queues() -> Iterator[Sample]:
    yield from _queue_figures()
    yield "schedulers", len(signs.BEATS.alive()), {}
    served = Counter(name.partition(" ")[0] for name in signs.WORKERS.alive())
    for queue in QUEUES:
        yield "workers", served[queue], {"queue": queue}


def _queue_figures() -> Iterator[Sample]:
    return _rabbitmq_queues() if settings.CELERY_BROKER_IS_RABBITMQ else _redis_queues()


def waiting() -> dict[str, tuple[int, float]]:
    """Returns {queue: (how many tasks wait, for how many seconds the oldest)}.

    Raises an error of the broker's client if it does not answer.
    """
    found: dict[tuple[str, str], float] = {
        (name, labels["queue"]): value for name, value, labels in _queue_figures() if labels
    }
    return {
        queue: (int(found["queue_tasks", queue]), found["queue_oldest_seconds", queue])
        for queue in QUEUES
    }


def _redis_queues() -> Iterator[Sample]:
    with redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=2,
        socket_connect_timeout=2,
        retry=Retry(NoBackoff(), 0),  # a monitor waits for ten seconds in all
    ) as client:
        for queue in QUEUES:
            yield "queue_tasks", client.llen(queue), {"queue": queue}
            message = client.lindex(queue, -1)
            headers = json.loads(message)["headers"] if message else {}
            yield "queue_oldest_seconds", _age(headers), {"queue": queue}
        taken = Counter(json.loads(each)[2] for each in client.hvals("unacked"))  # by routing key
        for queue in QUEUES:
            yield "tasks_at_work", taken[queue], {"queue": queue}


def _rabbitmq_queues() -> Iterator[Sample]:
    """Yields the figures of queues in RabbitMQ, which does not tell how many tasks are at work."""
    with app.connection_for_read(connect_timeout=2) as connection:
        for queue in QUEUES:
            length, headers = _rabbitmq_queue(connection, queue)
            yield "queue_tasks", length, {"queue": queue}
            yield "queue_oldest_seconds", _age(headers), {"queue": queue}


def _rabbitmq_queue(connection: Connection, queue: str) -> tuple[int, Mapping[str, float]]:
    """Returns the length of a queue and the headers of its next task.

    The end of the channel gives that task back to its place. A queue that no worker has made yet
    is empty.
    """
    channel: Any = connection.channel()  # of AMQP
    with closing(channel):
        try:
            length = channel.queue_declare(queue, passive=True).message_count
        except connection.channel_errors:  # there is none
            return 0, {}
        message = channel.basic_get(queue)
        return length, message.headers if message else {}


def _age(headers: Mapping[str, float]) -> float:
    """Returns the seconds since a task with these headers was sent. See celery.stamp_task."""
    return max(0.0, time.time() - float(headers.get("sent_at", time.time())))


def _notices() -> Iterator[Sample]:
    states = dict(
        Notice.objects.real().order_by().values_list("state").annotate(number=Count("pk"))
    )
    for state in Notice.State.values:
        yield "notices", states.get(state, 0), {"state": state}
    running = Notice.objects.real().filter(state__in=RUNNING).order_by("-pk")
    for pk in running.values_list("pk", flat=True)[:MOST_NOTICES]:
        for state, number in Notice.objects.live_counts(pk).items():
            yield "notice_deliveries", number, {"notice": str(pk), "state": state}


def _leases() -> Iterator[Sample]:
    leased = Chunk.objects.filter(state=Chunk.State.LEASED)
    ran_out = Q(leased_until__lt=Now())
    counts = leased.aggregate(
        held=Count("pk", filter=~ran_out), ran_out=Count("pk", filter=ran_out)
    )
    for state, number in counts.items():
        yield "leases", number, {"state": state}


def _clocks() -> Iterator[Sample]:
    now = timezone.now()
    for incident in Incident.objects.filter(shredded_at=None).order_by("pk"):
        clocks = [clock for clock in timed_clocks_of(incident) if not clock.is_asked]
        label = {"incident": str(incident.pk)}
        overdue = sum(clock.where == DutyStatus.OVERDUE for clock in clocks)
        ends = [each.due_at for each in clocks if each.due_at and each.where == DutyStatus.OPEN]
        yield "legal_clocks", overdue, {**label, "state": "overdue"}
        yield "legal_clocks", len(ends), {**label, "state": "running"}
        yield "legal_laws_missing", len(without_law(incident)), label
        if ends:
            yield "legal_clock_next_seconds", (min(ends) - now).total_seconds(), label


def _codes() -> Iterator[Sample]:
    yield "code_mails_waiting", code_mails.waiting(), {}
    yield "codes_in_database", code_states.has_alarm(), {}
    yield "code_texts_waiting", code_texts.waiting(), {}
    yield "code_texts_refused", cache.get(code_limits.TEXT_ALARM) == code_limits.USED_UP, {}
    yield "code_mails_refused", cache.get(code_limits.ALARM) is not None, {}


def _connections() -> Iterator[Sample]:
    used, limit = database_checks.connections_in_use()
    yield "database_connections", used, {}
    yield "database_connections_limit", limit, {}


def _disk() -> Iterator[Sample]:
    yield "disk_free_bytes", shutil.disk_usage(settings.VAR).free, {}
    for made_at, _path in backups.existing(Path(settings.BACKUP_FOLDER))[:1]:
        yield "backup_age_seconds", (timezone.now() - made_at).total_seconds(), {}


_GROUPS: dict[str, Callable[[], Iterator[Sample]]] = {
    "queues": _queues,
    "notices": _notices,
    "leases": _leases,
    "clocks": _clocks,
    "codes": _codes,
    "connections": _connections,
    "disk": _disk,
}
