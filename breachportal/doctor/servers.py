"""Checks of what the portal uses: PostgreSQL, Redis, workers, mail server, team, law files."""

import ctypes
import smtplib
from collections.abc import Iterator

import redis
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.mail.backends.smtp import EmailBackend
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from accounts.models import User
from breachportal import database_checks, database_logs, database_role, metrics, signs
from breachportal.celery import app
from breachportal.doctor import encryption, typed
from breachportal.doctor.diagnosis import Diagnosis
from breachportal.doctor.messages import DoctorMessages as Found
from incidents.models import Incident
from notices.dns_records import DnsRecords
from notices.mail_domain import check_mail_domain
from statements.legal.own_laws import without_law

OLDEST_POSTGRESQL = 15
OLDEST_REDIS = (6, 2)
OLDEST_RABBITMQ = (3, 10)
INSPECT_SECONDS = 3.0
_TIMEX_BYTES, _TIME_ERROR = 512, 5  # more than any struct timex; see adjtimex(2)
MOST_CONNECTIONS = FULL_SHARE = 0.8
SLOW_SECONDS = 120  # how long a task may wait in a queue
DNS_SECONDS = 3.0
QUEUES = {"send": "send", "import": "import", "default": "work"}  # and the process that serves it


def check_clock() -> Iterator[Diagnosis]:
    """Compares the clocks of this machine and of the database server."""
    drift = database_checks.clock_drift()
    if drift > database_checks.MOST_DRIFT:
        yield Diagnosis.fault(
            Found.CLOCKS.stored(seconds=f"{drift.total_seconds():.0f}"), Found.CLOCKS_DO.stored()
        )
    else:
        yield Diagnosis.ok("this machine and the database agree on the time")
    if _is_unsynchronised():
        yield Diagnosis.warning(Found.UNSYNCHRONISED.stored(), Found.CLOCKS_DO.stored())


def _is_unsynchronised() -> bool:
    """Returns whether the kernel says that no program keeps its clock right; False if unknown."""
    call = getattr(ctypes.CDLL(None), "adjtimex", None)
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)  # zeros: only read
    return call is not None and call(timex) == _TIME_ERROR


def check_database() -> Iterator[Diagnosis]:
    """Checks the version of PostgreSQL, its connections, a pooler, and the master keyset."""
    version = connection.cursor().connection.info.server_version // 10_000
    if version < OLDEST_POSTGRESQL:
        yield Diagnosis.fault(
            f"PostgreSQL {version}", Found.OLD_POSTGRESQL_DO.stored(version=OLDEST_POSTGRESQL)
        )
    else:
        yield Diagnosis.ok(f"PostgreSQL {version}")
    yield from _faults_of_writes()
    yield from encryption.unchecked_database()
    used, limit = database_checks.connections_in_use()
    if used >= MOST_CONNECTIONS * limit:
        text = Found.CONNECTIONS.stored(used=used, limit=limit)
        yield Diagnosis.warning(text, Found.CONNECTIONS_DO.stored())
    faults = list(database_checks.check_database(databases=["default"]))
    for fault in faults:
        yield Diagnosis.fault(str(fault.msg), str(fault.hint))
    if not faults:
        needed = database_checks.connections_needed()
        yield Diagnosis.ok(f"it accepts the {needed} connections that all processes may open")


def _faults_of_writes() -> Iterator[Diagnosis]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_is_in_recovery(), current_setting('default_transaction_read_only')::bool"
        )
        is_standby, is_read_only = cursor.fetchone()
    if is_standby:
        yield Diagnosis.fault(Found.IS_STANDBY.stored(), Found.IS_STANDBY_DO.stored())
    elif is_read_only:
        yield Diagnosis.fault(Found.IS_READ_ONLY.stored(), Found.IS_READ_ONLY_DO.stored())


def check_migrations() -> Iterator[Diagnosis]:
    """Checks that the tables are those of this code."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        names = ", ".join(f"{migration.app_label} {migration.name}" for migration, _back in missing)
        yield Diagnosis.fault(
            Found.NOT_MIGRATED.stored(names=names),
            Found.NOT_MIGRATED_DO.stored(
                migrate=typed.command("migrate"),
                grant=typed.command("grant_portal_role breachportal"),
                grant_import=typed.command("grant_portal_role breachportal_import --import"),
            ),
        )
    else:
        yield Diagnosis.ok("every migration is applied")
    if later := database_checks.migrations_of_later_versions():
        yield Diagnosis.warning(
            Found.LATER_VERSION.stored(names=", ".join(later)), Found.LATER_VERSION_DO.stored()
        )


def check_account() -> Iterator[Diagnosis]:
    """Checks that the account of DATABASE_URL cannot change what proves something."""
    if database_role.may_change_proof():
        make = Diagnosis.fault if settings.IS_PRODUCTION else Diagnosis.warning
        yield make(Found.CHANGES_PROOF.stored(), Found.CHANGES_PROOF_DO.stored())
    else:
        yield Diagnosis.ok("the account in DATABASE_URL cannot change proof")


def check_database_log() -> Iterator[Diagnosis]:
    """Checks that PostgreSQL's log receives no values of rows."""
    if logged := database_logs.settings_with_values():
        yield Diagnosis.warning(
            Found.LOGS_VALUES.stored(names=", ".join(sorted(logged))), Found.LOGS_VALUES_DO.stored()
        )
    else:
        yield Diagnosis.ok("PostgreSQL's log receives no values")


def check_redis() -> Iterator[Diagnosis]:
    """Checks the version of Redis, that it takes writes, and that it forgets no queue.

    Writes a key that Redis deletes after a second.
    """
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
        info = client.info()
        try:
            _write(client)
        except redis.ResponseError as error:
            text = Found.REDIS_IS_FULL.stored(why=_words_of(error))
            yield Diagnosis.fault(text, Found.REDIS_IS_FULL_DO.stored())
        else:
            share = int(info["used_memory"]) / (int(info.get("maxmemory", 0)) or float("inf"))
            if share >= FULL_SHARE:
                text = Found.REDIS_FILLS.stored(percent=f"{share:.0%}".rstrip("%"))
                yield Diagnosis.warning(text, Found.REDIS_FILLS_DO.stored())
    yield from encryption.unchecked_url("REDIS_URL", settings.REDIS_URL)
    version = str(info["redis_version"])
    if tuple(map(int, version.split(".")[:2])) < OLDEST_REDIS:
        yield Diagnosis.fault(f"Redis {version}", Found.OLD_REDIS_DO.stored())
    else:
        yield Diagnosis.ok(f"Redis {version}")
    if info.get("maxmemory") and info.get("maxmemory_policy") != "noeviction":
        yield Diagnosis.fault(
            Found.REDIS_REMOVES.stored(policy=info["maxmemory_policy"]),
            Found.REDIS_REMOVES_DO.stored(),
        )


def _write(client: redis.Redis) -> None:
    """Writes a key for a second. Raises redis.ResponseError if Redis takes no writes."""
    client.set("breachportal.doctor", "", ex=1)


def check_broker() -> Iterator[Diagnosis]:
    """Checks that RabbitMQ takes the portal and is new enough, if the queues are there."""
    if not settings.CELERY_BROKER_IS_RABBITMQ:
        yield Diagnosis.ok("the queues are in Redis")
        return
    with app.connection_for_read(connect_timeout=2) as connection:
        try:
            connection.connect()
        except (*connection.connection_errors, *connection.channel_errors) as error:
            words = _words_of(error)
            yield encryption.refused("RabbitMQ", "BROKER_URL", words) or Diagnosis.fault(
                f"RabbitMQ: {words}", Found.BROKER_DO.stored()
            )
            return
        version = str(connection.connection.server_properties["version"])
    yield from encryption.unchecked_url("BROKER_URL", settings.CELERY_BROKER_URL)
    if tuple(map(int, version.split(".")[:2])) < OLDEST_RABBITMQ:
        yield Diagnosis.fault(f"RabbitMQ {version}", Found.OLD_BROKER_DO.stored())
    else:
        yield Diagnosis.ok(f"RabbitMQ {version}")


def check_workers() -> Iterator[Diagnosis]:
    """Checks that each queue has a worker, and that no task waits long in it."""
    answers = app.control.inspect(timeout=INSPECT_SECONDS).active_queues() or {}
    for queue, process in QUEUES.items():
        workers = [name for name, queues in answers.items() if queue in {q["name"] for q in queues}]
        if workers:
            yield Diagnosis.ok(f"queue {queue}: {', '.join(sorted(workers))}")
        else:
            yield Diagnosis.fault(
                Found.NO_WORKER.stored(queue=queue), Found.NO_WORKER_DO.stored(process=process)
            )
    for queue, (number, seconds) in metrics.waiting().items():
        if seconds >= SLOW_SECONDS:
            yield Diagnosis.warning(
                Found.QUEUE_WAITS.stored(queue=queue, number=number, seconds=f"{seconds:.0f}"),
                Found.QUEUE_WAITS_DO.stored(process=QUEUES[queue]),
            )


def check_beat() -> Iterator[Diagnosis]:
    """Checks that exactly one scheduler runs, and that no other portal uses this Redis.

    Raises redis.ResponseError if there is no sign because Redis takes no writes.
    """
    if others := signs.BEATS.other_portals():
        yield Diagnosis.fault(
            Found.SHARED_REDIS.stored(hosts=", ".join(others)), Found.SHARED_REDIS_DO.stored()
        )
    running = signs.BEATS.alive()
    if len(running) == 1:
        yield Diagnosis.ok(f"beat runs once: {running[0]}")
    elif running:
        yield Diagnosis.warning(
            Found.MANY_BEATS.stored(times=len(running), names=", ".join(sorted(running))),
            Found.MANY_BEATS_DO.stored(),
        )
    else:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
            _write(client)
        yield Diagnosis.fault(
            Found.NO_BEAT.stored(seconds=f"{signs.ALIVE_SECONDS:.0f}"), Found.NO_BEAT_DO.stored()
        )


def check_mail() -> Iterator[Diagnosis]:
    """Connects to the mail servers as the portal does, with encryption and account."""
    for name, options in (("EMAIL_HOST", {}), ("CODE_MAIL_HOST", settings.CODE_MAIL_SERVER)):
        if name == "CODE_MAIL_HOST" and not options:
            continue
        server = EmailBackend(timeout=10, **options)
        place = f"{server.host}:{server.port}"
        try:
            server.open()
        except (OSError, smtplib.SMTPException) as error:
            words, security = _words_of(error), name.replace("HOST", "SECURITY")
            yield encryption.refused(f"{name} {place}", f"{name}, {security}", words) or (
                Diagnosis.fault(f"{name} {place}: {words}", Found.MAIL_DO.stored())
            )
        else:
            yield Diagnosis.ok(f"{name} {place} accepts the portal")
            if not (server.use_tls or server.use_ssl):
                wanted = f"{name.replace('HOST', 'SECURITY')}=starttls"
                yield from encryption.unchecked(name, server.host, wanted)
        finally:
            server.close()


def check_domain_of_mail() -> Iterator[Diagnosis]:
    """Checks the DNS records on which the delivery of mails depends; see notices.mail_domain."""
    faults = []
    for finding in check_mail_domain(DnsRecords(seconds=DNS_SECONDS)):
        if finding.is_fault:
            wanted = f"; {finding.wanted}" if finding.wanted else ""
            command = typed.command("check_mail_domain", as_owner=False)
            remedy = Found.MAIL_DOMAIN_DO.stored(command=command)
            faults.append(Diagnosis.warning(f"{finding.check}: {finding.text}{wanted}", remedy))
        if not finding.is_answered:  # the other questions would wait as long
            break
    yield from faults
    if not faults:
        yield Diagnosis.ok(f"the DNS records of {settings.MAIL_DOMAIN} are in order")


def _words_of(error: BaseException) -> str:
    """Returns what a mail server answered, in one line; a reply to a login names no password."""
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        words = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
        return f"{error.smtp_code} {' '.join(words.split())}"
    return " ".join(str(error).split())


def check_team() -> Iterator[Diagnosis]:
    """Checks that the roles exist and that two people can confirm each other's acts."""
    if not Group.objects.exists():
        yield Diagnosis.fault(
            Found.NO_ROLES.stored(), Found.NO_ROLES_DO.stored(command=typed.command("make_roles"))
        )
    people = User.objects.filter(is_active=True, is_superuser=True).count()
    if people < 2:
        yield Diagnosis.warning(
            Found.ONE_SUPERUSER.stored(number=people),
            Found.ONE_SUPERUSER_DO.stored(command=typed.command("createsuperuser")),
        )
    else:
        yield Diagnosis.ok(f"{people} superusers")


def check_laws() -> Iterator[Diagnosis]:
    """Checks that a law is on file for each jurisdiction that an incident names."""
    incidents = Incident.objects.filter(shredded_at=None).order_by("pk")
    missing = {one.slug: names for one in incidents if (names := without_law(one))}
    for slug, names in missing.items():
        text = Found.NO_LAW.stored(names=", ".join(names), incident=slug)
        yield Diagnosis.fault(text, Found.NO_LAW_DO.stored())
    if not missing:
        yield Diagnosis.ok("the laws of all incidents are on file")
