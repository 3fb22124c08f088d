"""Checks at the start of each process: a database of the portal alone with the settings that it
needs, enough connections, no pooler that shares sessions, and the right master keyset.

`manage.py check --database default` runs the same checks.
"""

import logging
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.utils import DatabaseError
from django.utils import timezone

from foundations import replica

# For a person's commands, receive_bounces and a monitor.
OTHER_CONNECTIONS = 8
_AVAILABLE = """
SELECT least(
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true), '0')::int,
    (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
    (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
)
"""
# Of the server, the account and the database; another account's rows have neither type nor state.
_IN_USE = """
WITH sessions AS (SELECT usename, datname FROM pg_stat_activity WHERE datid IS NOT NULL)
SELECT used, most FROM (
    SELECT (SELECT count(*) FROM sessions),
        current_setting('max_connections')::int
            - current_setting('superuser_reserved_connections')::int
            - coalesce(current_setting('reserved_connections', true), '0')::int
    UNION ALL
    SELECT (SELECT count(*) FROM sessions WHERE usename = current_user), rolconnlimit
    FROM pg_roles WHERE rolname = current_user
    UNION ALL
    SELECT (SELECT count(*) FROM sessions WHERE datname = current_database()), datconnlimit
    FROM pg_database WHERE datname = current_database()
) AS limits (used, most)
WHERE most >= 0 ORDER BY used::float / greatest(most, 1) DESC LIMIT 1
"""
# Settings of PostgreSQL with the beginning of the value that the portal needs. In another encoding,
# names are cut or refused; other dates cannot be read; another isolation ends a send at a conflict.
_NEEDED = {
    "server_encoding": "UTF8",
    "DateStyle": "ISO",
    "standard_conforming_strings": "on",
    "default_transaction_isolation": "read committed",
}
_TABLES = """
SELECT relname FROM pg_class AS c
WHERE relkind IN ('r', 'p') AND pg_table_is_visible(oid)
    AND relnamespace <> 'pg_catalog'::regnamespace
    AND NOT EXISTS (  -- those of extensions
        SELECT FROM pg_depend
        WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e'
    )
"""
_MOST_NAMED = 5
MOST_DRIFT = timedelta(seconds=2)  # codes of second factors are valid for 30 seconds
_MARK = "SELECT set_config('breachportal.session', %s, false)"
_READ_MARK = "SELECT current_setting('breachportal.session', true)"
# A busy pooler may give both clients the same server session by chance, so one trial proves little.
_TRIALS = 3

logger = logging.getLogger(__name__)


def connections_needed() -> int:
    """Returns the most database connections that all processes of the portal open together.

    A web process opens one for each thread. A Celery process opens one, and its parent one at its
    start.
    """
    web = settings.WEB_HOSTS * settings.WEB_WORKERS * settings.WEB_THREADS
    pools = (settings.SEND_WORKERS, settings.IMPORT_WORKERS, settings.WORKERS)
    workers = settings.WORKER_HOSTS * sum(processes + 1 for processes in pools)
    return int(web + workers + OTHER_CONNECTIONS)


def check_database(
    *, databases: Sequence[str] | None = None, **_options: Any
) -> Iterable[CheckMessage]:
    """Returns the faults of the database, as a system check with the tag `database`."""
    return _faults() if databases and "default" in databases else []


def require_usable_database() -> None:
    """Raises ImproperlyConfigured if the database cannot serve the portal's processes.

    A database that cannot be reached is only logged, because the public pages and the workers wait
    for it. So is a clock that differs: the doctor on another machine does not see it.
    """
    try:
        faults = _faults()
        if not faults and (drift := clock_drift()) > MOST_DRIFT:
            logger.error("this machine and the database differ by %.0f s", drift.total_seconds())
    except (DatabaseError, psycopg.Error) as error:
        logger.error("the database cannot be checked: %s", str(error).strip())
        return
    finally:
        connection.close()
    faults += _faults_of_replica()
    if faults:
        raise ImproperlyConfigured("\n".join(f"{fault.msg} {fault.hint}" for fault in faults))


def clock_drift() -> timedelta:
    """Returns the difference between the clocks of this machine and of the database server."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    return abs(timezone.now() - theirs)


def faults_of_settings() -> list[CheckMessage]:
    """Returns a fault for each setting of PostgreSQL with which the portal does not work."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name", [[*_NEEDED]]
        )
        wrong = {name: is_ for name, is_ in cursor if not is_.startswith(_NEEDED[name])}
    hint = "Set it back: ALTER DATABASE, ALTER ROLE or ALTER SYSTEM … RESET, whichever set it."
    hints = {"server_encoding": "Create it: createdb --template=template0 --encoding=UTF8 …"}
    return [
        Error(
            f"PostgreSQL has {name} = {is_}; the portal needs {_NEEDED[name]}.",
            hint=hints.get(name, hint),
            id="breachportal.E005",
        )
        for name, is_ in wrong.items()
    ]


def _faults_of_tables() -> list[CheckMessage]:
    """Returns a fault if the database is not migrated yet, and has tables of another program.

    Its record of migrations may name those of the portal's apps, which would then be left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        tables = {name for (name,) in cursor}
    own = {*connection.introspection.django_table_names(), "django_migrations"}
    others = sorted(tables - own)
    if not others or "incidents_incident" in tables:
        return []
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    return [
        Error(
            f"The database has tables of another program: {', '.join(others[:_MOST_NAMED])}{more}.",
            hint="Give the portal a database of its own, and name it in DATABASE_URL.",
            id="breachportal.E006",
        )
    ]


def _faults() -> list[CheckMessage]:
    faults = [*faults_of_settings(), *_faults_of_tables()]
    if faults:
        return faults
    if any(_shares_sessions() for _trial in range(_TRIALS)):
        faults.append(
            Error(
                "A pooler in transaction or statement mode is in front of PostgreSQL.",
                hint="An import, a re-encryption and a change of a scope version hold a session "
                "lock, which such a pooler gives to other processes. Use pool_mode = session.",
                id="breachportal.E001",
            )
        )
    from incidents import keyset_check

    if closed := keyset_check.incidents_that_do_not_open():
        faults.append(
            Error(
                f"MASTER_KEYSET does not open the data of: {', '.join(closed)}.",
                hint="Give every process the master keyset that these incidents were made with, or "
                "a rotated one; see docs/running.md.",
                id="breachportal.E003",
            )
        )
    needed, available = connections_needed(), connections_available()
    if needed > available:
        faults.append(
            Error(
                f"The portal may open {needed} database connections; PostgreSQL has {available}.",
                hint="Raise max_connections (or the limit of the role or the database), or lower "
                "WEB_WORKERS, WEB_THREADS or the numbers of workers; see docs/running.md.",
                id="breachportal.E002",
            )
        )
    return faults


def _faults_of_replica() -> list[CheckMessage]:
    """Returns a fault if the read replica is another server. One that is away is only logged."""
    if not replica.is_configured():
        return []
    try:
        replica.require_replica()
    except replica.ReplicaError as error:
        hint = "Name a server that PostgreSQL keeps as a streaming replica; see docs/running.md."
        return [Error(str(error), hint=hint, id="breachportal.E004")]
    except (DatabaseError, psycopg.Error) as error:
        logger.error("the read replica cannot be checked: %s", str(error).strip())
    finally:
        connections.close_all()
    return []


def migrations_of_later_versions() -> list[str]:
    """Returns the migrations of the portal that the database has and this code has not."""
    loader = MigrationLoader(connection)
    unknown = sorted(loader.applied_migrations.keys() - loader.disk_migrations.keys())
    return [f"{app} {name}" for app, name in unknown if app in loader.migrated_apps]


def connections_available() -> int:
    """Returns the connections that PostgreSQL, the role and the database accept together."""
    with connection.cursor() as cursor:
        cursor.execute(_AVAILABLE)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def connections_in_use() -> tuple[int, int]:
    """Returns the connections that are open and the most that may be, of the limit that is nearest.

    Connections of other programs count, too: they use up the limit of the server.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IN_USE)
        used, most = cursor.fetchone()
    return int(used), int(most)


def _shares_sessions() -> bool:
    """Returns whether two connections share a session, or one changes its session."""
    options = connection.get_connection_params() | {"autocommit": True}
    mark = secrets.token_hex(8)
    try:
        with psycopg.connect(**options) as one, psycopg.connect(**options) as other:
            one.execute(_MARK, [mark])
            with other.transaction():
                return _mark_of(other) == mark or _mark_of(one) != mark
    except psycopg.errors.ProtocolViolation:  # PgBouncer in statement mode refuses transactions
        return True


def _mark_of(session: psycopg.Connection[Any]) -> str | None:
    row = session.execute(_READ_MARK).fetchone()
    return row[0] if row else None
