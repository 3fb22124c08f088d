"""The state of the portal for the response team: what runs, what waits, and what to do.

The figures of a monitor (breachportal.metrics) are read for each page. The checks of the doctor ask
servers over the network, so that a task runs them; the page shows what they found last, and when.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from redis.exceptions import RedisError

from breachportal import health, metrics
from breachportal.doctor import diagnose
from breachportal.doctor.diagnosis import Diagnosis, Level
from breachportal.doctor.machine import LEAST_FREE_BYTES, OLDEST_BACKUP
from breachportal.doctor.messages import DoctorMessages
from breachportal.doctor.servers import SLOW_SECONDS
from foundations.stored_messages import translate_stored
from incidents.desk_page import duration
from incidents.desk_parts import CONFIRM_FACTS
from incidents.models import MessageKind
from incidents.team_messages import TeamEvent

_STUCK_SECONDS = 600  # how long a task may wait in a queue before that is a fault
_CLOCK_SECONDS = 6 * 60 * 60  # before the end of a legal clock
_FULL_SHARE, _OVERFULL_SHARE = 0.8, 0.95  # of the connections that PostgreSQL accepts
TOLD_AFTER = timedelta(minutes=5)  # a fault that goes by itself is no message
_EXAMINED = "health:examined"
_EXAMINATION_DAYS = 7
_SINCE = "health:since"
_FAULTS = "health:faults"
_FAULTS_SECONDS = 60


@dataclass(frozen=True)
class PartState:
    """One part of the portal: its level, what is found in words, and what to do about it."""

    name: str
    level: Level
    words: str
    remedy: str = ""
    since: datetime | None = None  # the level; None if Redis does not know it
    is_at_work: bool = False  # what waits, waits for work that goes on: no message

    @property
    def level_name(self) -> str:
        """Returns the level in the active language."""
        names = {Level.OK: _("in order"), Level.WARNING: _("look at it"), Level.FAULT: _("fault")}
        return names[self.level]


@dataclass(frozen=True)
class Examination:
    """What the checks of the doctor found at a time."""

    at: datetime
    findings: Sequence[tuple[str, Diagnosis]]  # each with the name of its check

    @property
    def troubles(self) -> list[tuple[str, Diagnosis]]:
        """Returns the findings that need a person."""
        return [one for one in self.findings if one[1].level is not Level.OK]


def states() -> list[PartState]:
    """Returns the state of each part, those that need a person first.

    A part that cannot be read is a fault, and the others are shown. Takes seconds at most while a
    server does not answer.
    """
    reading = _Reading(metrics.figures(health.parts_of_portal()))
    found = _with_since([*_technical(reading), _clocks(reading)])
    return sorted(found, key=lambda each: list(Level).index(each.level), reverse=True)


def fault_events() -> Iterator[TeamEvent]:
    """Yields an event for each part that has had a fault for TOLD_AFTER.

    Legal clocks have events of their own. A queue has none while a worker is at work on a task of
    it: a long import lets the sweeps wait. While Redis is away no task sends any.
    """
    reading = _Reading(metrics.figures(health.parts_of_portal()))
    for number, each in enumerate(_with_since(list(_technical(reading)))):
        is_told = each.since and datetime.now(UTC) - each.since >= TOLD_AFTER
        if each.level is Level.FAULT and is_told and not each.is_at_work:
            yield TeamEvent(
                key=f"portal:{number}",
                kind=MessageKind.PORTAL,
                text=f"{each.name}: {each.words} {each.remedy}".strip(),
                path=reverse("admin:health"),
                is_for=lambda user: user.has_perm(CONFIRM_FACTS),
            )


def _technical(reading: "_Reading") -> Iterator[PartState]:
    """Yields the state of each part but the legal clocks."""
    yield from _parts(reading)
    yield from _queues(reading)
    for state in (_beat, _sending, _codes, _connections, _disk, _backup):
        yield state(reading)


def fault_count() -> int:
    """Returns how many parts have a fault; counted again after a minute. 0 while Redis is away.

    An overdue duty is no fault of the portal: the desk's first page names it at its top.
    """
    try:
        if (known := cache.get(_FAULTS)) is not None:
            return int(known)
        number = sum(each.level is Level.FAULT for each in _parts_of_portal_itself())
        cache.set(_FAULTS, number, _FAULTS_SECONDS)
    except RedisError:
        return 0  # the desk's first page says itself that Redis is away
    return number


def _parts_of_portal_itself() -> Iterator[PartState]:
    reading = _Reading(metrics.figures(health.parts_of_portal()))
    yield from _technical(reading)
    if reading.misses("clocks") or reading.of("legal_laws_missing"):
        yield _clocks(reading)


def examine() -> None:
    """Runs the checks of the doctor and keeps what they found."""
    rows = [(name, each.level.value, each.text, each.remedy) for name, each in diagnose()]
    cache.set(_EXAMINED, [time.time(), rows], _EXAMINATION_DAYS * 24 * 60 * 60)


def last_examination() -> Examination | None:
    """Returns what the doctor's checks found last; None if that is not known."""
    try:
        kept = cache.get(_EXAMINED)
    except RedisError:
        return None
    if kept is None:
        return None
    at, rows = kept
    return Examination(
        _moment(at), [(name, _translated(Level(level), *texts)) for name, level, *texts in rows]
    )


def _translated(level: Level, *texts: str) -> Diagnosis:
    """Returns a finding of the doctor in the active language."""
    text, remedy = (translate_stored(one, DoctorMessages) for one in texts)
    return Diagnosis(level, text, remedy)


class _Reading:
    """The figures of one moment, by name and labels."""

    def __init__(self, samples: list[metrics.Sample]) -> None:
        self._samples = samples
        self._unread = {
            labels["group"] for name, value, labels in samples if name == "group_read" and not value
        }

    def misses(self, group: str) -> bool:
        return group in self._unread

    def of(self, name: str, **labels: str) -> float:
        """Returns the sum of the samples with these labels; 0 without one."""
        return sum(value for _labels, value in self.each(name, **labels))

    def each(self, name: str, **labels: str) -> Iterator[tuple[Any, float]]:
        for sample, value, own in self._samples:
            if sample == name and labels.items() <= own.items():
                yield own, value


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _time(seconds: float) -> str:
    return duration(timedelta(seconds=seconds))


def _unread(name: str) -> PartState:
    return PartState(
        name,
        Level.FAULT,
        _("This cannot be read at present."),
        _("See what is said about the database and Redis."),
    )


def _parts(reading: _Reading) -> Iterator[PartState]:
    names = {
        "database": _("Database"),
        "redis": _("Redis: queues and limits"),
        "master_keyset": _("Master key"),
        "replica": _("Read replica"),
    }
    for labels, value in reading.each("part_up"):
        name = names[labels["part"]]
        if value:
            yield PartState(name, Level.OK, _("It answers."))
        elif labels["part"] == "replica":
            words = _("It is away or behind; pages read the database instead.")
            yield PartState(name, Level.WARNING, words, _("Ask the operator to look at it."))
        else:
            words = _("It does not answer, or takes no writes.")
            yield PartState(name, Level.FAULT, words, _("Call the operator now."))


def _queues(reading: _Reading) -> Iterator[PartState]:
    names = {
        "send": _("Queue of notices"),
        "import": _("Queue of imports"),
        "default": _("Queue of other work"),
    }
    for queue, name in names.items():
        if reading.misses("queues"):
            yield _unread(name)
            continue
        number = int(reading.of("queue_tasks", queue=queue))
        oldest = reading.of("queue_oldest_seconds", queue=queue)
        words = ngettext("%(n)s task waits.", "%(n)s tasks wait.", number) % {"n": f"{number:,}"}
        if not reading.of("workers", queue=queue):
            remedy = _("Ask the operator to start it. What waits is done then.")
            ended = _("Its worker does not run.")
            yield PartState(name, Level.FAULT, f"{words} {ended}", remedy)
            continue
        if oldest < SLOW_SECONDS:
            yield PartState(name, Level.OK, words)
            continue
        level = Level.WARNING if oldest < _STUCK_SECONDS else Level.FAULT
        age = _("The oldest waits for %(duration)s.") % {"duration": _time(oldest)}
        remedy = _("A long task may be at work. If none is, ask the operator to start the worker.")
        is_at_work = _is_at_work(reading, queue)
        yield PartState(name, level, f"{words} {age}", remedy, is_at_work=is_at_work)


def _is_at_work(reading: _Reading, queue: str) -> bool:
    """Returns whether a worker is at work on a task of the queue.

    RabbitMQ does not tell. An import, which can take hours, is then taken to be at work.
    """
    taken = [value for _labels, value in reading.each("tasks_at_work", queue=queue)]
    return any(taken) if taken else queue == "import"


def _beat(reading: _Reading) -> PartState:
    name, number = _("Scheduler"), int(reading.of("schedulers"))
    if reading.misses("queues"):
        return _unread(name)
    if number == 1:
        return PartState(name, Level.OK, _("It runs once."))
    if number:
        words = _("It runs %(n)s times.") % {"n": number}
        return PartState(name, Level.WARNING, words, _("Ask the operator to stop all but one."))
    remedy = _("Ask the operator to start it. Planned work and reminders wait until it runs.")
    return PartState(name, Level.FAULT, _("It does not run."), remedy)


def _sending(reading: _Reading) -> PartState:
    name = _("Sending")
    if reading.misses("notices") or reading.misses("leases"):
        return _unread(name)
    running = int(reading.of("notices", state="sending"))
    paused = int(reading.of("notices", state="paused"))
    lost = int(reading.of("leases", state="ran_out"))
    words = _("%(sending)s notices are being sent, %(paused)s are paused.") % {
        "sending": running,
        "paused": paused,
    }
    if lost:
        remedy = _("Others go on within a minute. If the number stays, call the operator.")
        more = _("Parts whose sender ended: %(n)s.") % {"n": lost}
        return PartState(name, Level.WARNING, f"{words} {more}", remedy)
    if paused:
        return PartState(name, Level.WARNING, words, _("The notice says why it is paused."))
    return PartState(name, Level.OK, words)


def _codes(reading: _Reading) -> PartState:
    name = _("Sign-in codes")
    if reading.misses("codes"):
        return _unread(name)
    if reading.of("code_mails_refused") or reading.of("code_texts_refused"):
        words = _("Codes are being refused, because a limit is used up.")
        remedy = _("Is it an attack, or many honest people? The operator sets the limits.")
        return PartState(name, Level.FAULT, words, remedy)
    if reading.of("codes_in_database"):
        words = _("Redis was away; the database counts with stricter limits.")
        return PartState(name, Level.WARNING, words, _("Ask the operator to look at Redis."))
    return PartState(name, Level.OK, _("They are sent."))


def _clocks(reading: _Reading) -> PartState:
    name = _("Legal clocks")
    if reading.misses("clocks"):
        return _unread(name)
    overdue = int(reading.of("legal_clocks", state="overdue"))
    running = int(reading.of("legal_clocks", state="running"))
    words = _("Overdue: %(overdue)s. Running: %(running)s.") % {
        "overdue": overdue,
        "running": running,
    }
    remedy = _("The page of the incident names the duty and the next step.")
    if reading.of("legal_laws_missing"):
        missing = _("An incident names a jurisdiction whose law is not on file.")
        remedy = _("Set LAW_FOLDER, for every process, to the folder of the company's law files.")
        return PartState(name, Level.FAULT, f"{words} {missing}", remedy)
    if overdue:
        return PartState(name, Level.FAULT, words, remedy)
    ends = [value for _labels, value in reading.each("legal_clock_next_seconds")]
    if ends and min(ends) < _CLOCK_SECONDS:
        left = _("The next one ends in %(duration)s.") % {"duration": _time(min(ends))}
        return PartState(name, Level.WARNING, f"{words} {left}", remedy)
    return PartState(name, Level.OK, words)


def _connections(reading: _Reading) -> PartState:
    name = _("Connections to the database")
    if reading.misses("connections"):
        return _unread(name)
    used = reading.of("database_connections")
    limit = reading.of("database_connections_limit")
    words = _("%(used)s of %(limit)s are in use.") % {
        "used": f"{used:,.0f}",
        "limit": f"{limit:,.0f}",
    }
    share = used / limit if limit else 1.0
    level = Level.OK
    if share >= _FULL_SHARE:
        level = Level.WARNING if share < _OVERFULL_SHARE else Level.FAULT
    remedy = _("Ask the operator which programs hold them, or to raise max_connections.")
    return PartState(name, level, words, "" if level is Level.OK else remedy)


def _disk(reading: _Reading) -> PartState:
    name = _("Disk")
    if reading.misses("disk"):
        return _unread(name)
    free = reading.of("disk_free_bytes")
    words = _("%(gigabytes)s GB are free.") % {"gigabytes": f"{free / 1e9:,.1f}"}
    if free < LEAST_FREE_BYTES:
        remedy = _("Ask the operator for space before an import.")
        return PartState(name, Level.FAULT, words, remedy)
    return PartState(name, Level.OK, words)


def _backup(reading: _Reading) -> PartState:
    name = _("Backup")
    if reading.misses("disk"):
        return _unread(name)
    ages = [value for _labels, value in reading.each("backup_age_seconds")]
    if not ages:
        words = _("There is none on this machine.")
        return PartState(name, Level.WARNING, words, _("Ask the operator where they are."))
    words = _("The newest is %(duration)s old.") % {"duration": _time(ages[0])}
    if ages[0] > OLDEST_BACKUP.total_seconds():
        return PartState(name, Level.FAULT, words, _("Ask the operator why none was made today."))
    return PartState(name, Level.OK, words)


def _with_since(found: list[PartState]) -> list[PartState]:
    """Adds since when each part has its level. The first page that sees a level keeps the time."""
    now = time.time()
    # A part is known by its place in the list, which depends on the settings only.
    places = [f"{_SINCE}:{number}:{each.level}" for number, each in enumerate(found)]
    others = [
        f"{_SINCE}:{number}:{level}"
        for number, each in enumerate(found)
        for level in Level
        if level is not each.level
    ]
    try:
        known = cache.get_many(places)
        cache.set_many({place: now for place in places if place not in known}, None)
        cache.delete_many(others)
    except RedisError:
        return found
    return [
        replace(each, since=_moment(known.get(place, now)))
        for each, place in zip(found, places, strict=True)
    ]
