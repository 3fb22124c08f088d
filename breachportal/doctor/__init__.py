"""The diagnosis of an installed portal: what `manage.py doctor` prints."""

import re
from collections.abc import Callable, Iterator

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from breachportal.doctor import encryption, machine, public_address, servers
from breachportal.doctor.diagnosis import Diagnosis
from breachportal.doctor.messages import DoctorMessages

_DATABASE_AWAY = (OperationalError, InterfaceError, psycopg.OperationalError)
_REFUSAL = r"\w:  (.*)"  # "FATAL" is in the language of the server; only its colon has two spaces
_REASON = (
    r"(?:failed: |failed to resolve host '[^']*': (?:\[Errno -?\d+\] )?"
    r"|Error -?\d+ connecting to .*?\. |(?=\[SSL))(.*)"
)
# The setting of each server, and what to do if it refuses the portal or does not answer.
_SERVERS = {
    "PostgreSQL": (
        "DATABASE_URL",
        DoctorMessages.DATABASE_REFUSES_DO,
        DoctorMessages.DATABASE_AWAY_DO,
    ),
    "Redis": ("REDIS_URL", DoctorMessages.REDIS_REFUSES_DO, DoctorMessages.REDIS_AWAY_DO),
    "RabbitMQ": ("BROKER_URL", DoctorMessages.BROKER_DO, DoctorMessages.BROKER_DO),
}
_REDIS_REFUSES = (AuthenticationError, NoPermissionError)
Check = Callable[[], Iterator[Diagnosis]]

CHECKS: dict[str, Check] = {
    "settings": machine.check_settings,
    "secrets": machine.check_secrets,
    "code": machine.check_code,
    "disk": machine.check_disk,
    "backup": machine.check_backup,
    "database": servers.check_database,
    "clock": servers.check_clock,
    "migrations": servers.check_migrations,
    "account": servers.check_account,
    "database log": servers.check_database_log,
    "redis": servers.check_redis,
    "broker": servers.check_broker,
    "workers": servers.check_workers,
    "beat": servers.check_beat,
    "mail": servers.check_mail,
    "mail domain": servers.check_domain_of_mail,
    "team": servers.check_team,
    "laws": servers.check_laws,
    "certificate": public_address.check_certificate,
    "portal": public_address.check_portal,
    "proxies": public_address.check_proxies,
}


def diagnose(only: tuple[str, ...] = ()) -> Iterator[tuple[str, Diagnosis]]:
    """Yields the name of each check with each of its findings; at least one for each check.

    `only` names the checks to run, by default all. A server that does not answer is one finding;
    the other checks that need it refer to it. Any other error of a check is named by its type only,
    because its text may contain a secret.
    """
    away: set[str] = set()
    for name in only or CHECKS:
        try:
            yield from ((name, finding) for finding in CHECKS[name]())
        except (*_DATABASE_AWAY, RedisError, BrokerError) as error:
            yield name, _away(error, away)
        except Exception as error:  # noqa: BLE001  # the other checks still run
            kind = f"{type(error).__module__}.{type(error).__qualname__}"
            text, remedy = DoctorMessages.ENDED.stored(kind=kind), DoctorMessages.ENDED_DO.stored()
            yield name, Diagnosis.fault(text, remedy)


def _away(error: Exception, away: set[str]) -> Diagnosis:
    """Returns the finding for a server that does not answer, and adds its name to `away`.

    A Redis whose memory is full answers, and refuses what takes memory.
    """
    is_database = isinstance(error, _DATABASE_AWAY)
    server = "PostgreSQL" if is_database else "Redis"
    if not is_database and settings.CELERY_BROKER_IS_RABBITMQ and isinstance(error, BrokerError):
        server = "RabbitMQ"
    if server in away:
        text = DoctorMessages.NOT_EXAMINED.stored(server=server)
        return Diagnosis.fault(text, DoctorMessages.NOT_EXAMINED_DO.stored(server=server))
    setting, refuses_do, away_do = _SERVERS[server]
    if refusal := _refusal(error):
        away.add(server)
        is_full = re.search("connection slots|too many (clients|connections)", refusal)
        remedy = DoctorMessages.CONNECTIONS_DO if is_full else refuses_do
        text = DoctorMessages.REFUSES.stored(server=server, why=refusal)
        return Diagnosis.fault(text, remedy.stored())
    if any(isinstance(one, ResponseError) for one in (error, error.__cause__)):
        text = DoctorMessages.REDIS_IS_FULL.stored(why=str(error))
        return Diagnosis.fault(text, DoctorMessages.REDIS_IS_FULL_DO.stored())
    away.add(server)
    why = _reason(error)
    if found := encryption.refused(server, setting, why):
        return found
    is_standby = why.endswith("session is read-only")  # libpq found no primary among several hosts
    remedy = DoctorMessages.IS_STANDBY_DO if is_standby else away_do
    return Diagnosis.fault(DoctorMessages.AWAY.stored(server=server, why=why), remedy.stored())


def _refusal(error: Exception) -> str:
    """Returns why a server that runs refuses the portal, such as a wrong password; else ""."""
    if isinstance(error, _DATABASE_AWAY):
        said = re.search(_REFUSAL, str(error))
        return said[1] if said else ""
    causes = (error, error.__cause__)
    return next((str(one) for one in causes if isinstance(one, _REDIS_REFUSES)), "")


def _reason(error: Exception) -> str:
    """Returns what a server or the system said, in one line, without the rest of the message.

    The rest may repeat parts of a URL, and so of a password that is spelled wrongly in it.
    """
    said = re.search(_REASON, str(error))
    return said[1].rstrip(". ") if said else type(error).__name__
