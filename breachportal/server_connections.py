"""Reads how the portal connects to PostgreSQL, Redis and the broker of Celery's queues."""

import os
import re
import socket
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from breachportal import embedded_servers
from breachportal.environment import text
from breachportal.server_addresses import database_options, require_readable
from foundations.pooled_connection import PooledConnection

PREPARED_AFTER = 1  # runs of a text on one connection; see foundations.prepared_statements
# A request waits this long for a connection of the pool. There are as many connections as threads,
# so a longer wait means that the database does not accept one.
POOL_SECONDS = 2.0
REPLICA_POOL_SECONDS = 1.0  # shorter, because the page then reads the primary
REPLICA_SECONDS = 3  # for a connection to the read replica, and for an answer of its host
POOL_IDLE_SECONDS = 60.0  # then a connection that is not needed is closed

BROKER_SILENCE_SECONDS = 30  # then a connection of Celery that passes nothing on counts as lost

_REDIS_SCHEMES = ("redis://", "rediss://", "unix://")
_BROKER_SCHEMES = ("amqp://", "amqps://")


def database(var: Path, *, may_embed: bool) -> dict[str, Any]:
    """Returns Django's database settings from `DATABASE_URL`, in any form that libpq accepts.

    If `DATABASE_URL` is unset and `may_embed` is true, starts the embedded server under `var`.
    Raises EmbeddedServerError if that server does not start.
    """
    url = text("DATABASE_URL")
    if not url and may_embed:
        url = embedded_servers.database_url(var)
    return _database_settings("DATABASE_URL", url)


def replica() -> dict[str, Any] | None:
    """Returns Django's settings of the read replica from `DATABASE_REPLICA_URL`; None if unset.

    A server that does not answer costs a thread REPLICA_SECONDS at most, if the URL sets no other
    time: pages then read the primary.
    """
    url = text("DATABASE_REPLICA_URL")
    if not url:
        return None
    settings = _database_settings("DATABASE_REPLICA_URL", url)
    limits = {"connect_timeout": REPLICA_SECONDS, "tcp_user_timeout": REPLICA_SECONDS * 1000}
    settings["OPTIONS"] = limits | settings["OPTIONS"]
    return settings


def _database_settings(name: str, url: str) -> dict[str, Any]:
    known = {
        "dbname": "NAME",
        "user": "USER",
        "password": "PASSWORD",
        "host": "HOST",
        "port": "PORT",
    }
    options = database_options(name, url)
    settings: dict[str, Any] = {
        known[key]: value for key, value in options.items() if key in known and value is not None
    }
    return {
        "ENGINE": "django.db.backends.postgresql",
        **settings,
        "OPTIONS": {key: value for key, value in options.items() if key not in known},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def add_server_settings(database: dict[str, Any], **settings: str) -> None:
    """Adds server parameters of PostgreSQL to `database`; each new connection sets them.

    Parameters in `DATABASE_URL` stay.
    """
    options = database["OPTIONS"]
    for name, value in settings.items():
        options["options"] = f"{options.get('options', '')} -c {name}={value}".strip()


def add_pool(
    database: dict[str, Any],
    *,
    most: int,
    seconds: float = POOL_SECONDS,
    connection_class: type[PooledConnection] = PooledConnection,
) -> None:
    """Makes the threads of this process share at most `most` connections to `database`.

    A request waits up to `seconds` for a connection, and returns its connection when it ends.
    Without a pool each thread keeps a connection of its own, and the connection of a thread that
    ended stays open.
    """
    database["CONN_MAX_AGE"] = 0  # Django requires it with a pool
    database["OPTIONS"]["prepare_threshold"] = PREPARED_AFTER
    database["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": most,
        "connection_class": connection_class,
        "timeout": seconds,
        "reconnect_timeout": POOL_SECONDS,  # then the next request starts the next attempt
        "max_idle": POOL_IDLE_SECONDS,
    }


def redis(var: Path, *, may_embed: bool) -> str:
    """Returns `REDIS_URL`.

    If it is unset and `may_embed` is true, starts the embedded server under `var` and returns its
    URL. Raises EmbeddedServerError if that server does not start, and ImproperlyConfigured for a
    URL of another kind.
    """
    url = text("REDIS_URL")
    if url and not url.startswith(_REDIS_SCHEMES):
        schemes = ", ".join(_REDIS_SCHEMES)
        raise ImproperlyConfigured(f"REDIS_URL must begin with one of {schemes}.")
    if url and not url.startswith("unix://"):
        require_readable("REDIS_URL", url, example="rediss://:password@host:6379/0")
        if not re.fullmatch(r"/?[0-9]*", urlsplit(url).path):  # redis-py takes another for 0
            raise ImproperlyConfigured("REDIS_URL must end with the number of a database, as /0.")
    return embedded_servers.redis_url(var) if not url and may_embed else url


def require_authorities() -> None:
    """Raises ImproperlyConfigured if `SSL_CERT_FILE` is set and holds no certificate.

    Python would trust no server, and the log would blame the servers.
    """
    if path := os.environ.get("SSL_CERT_FILE"):
        try:
            ssl.create_default_context(cafile=path)
        except OSError as error:
            raise ImproperlyConfigured(
                f"SSL_CERT_FILE: {path} has no certificates of authorities"
                f" ({error.strerror or error})."
            ) from None


def celery_broker(redis_url: str) -> str:
    """Returns the URL of Celery's queues: `BROKER_URL`, or else `redis_url` as Celery reads it.

    Celery has its own scheme for Unix sockets, and does not check the certificate of a server of
    `rediss://` unless the URL demands it. A `;` separates the URLs of servers of which it takes the
    first that answers. Raises ImproperlyConfigured for a URL of another kind, and for servers with
    and without TLS.
    """
    if urls := text("BROKER_URL"):
        scheme = urls.partition("://")[0] + "://"
        each = urls.split(";")
        if scheme not in _BROKER_SCHEMES or not all(url.startswith(scheme) for url in each):
            raise ImproperlyConfigured(
                f"BROKER_URL must begin with one of {', '.join(_BROKER_SCHEMES)}, and so each URL"
                " after a ; (of a password: %3B); leave it out for queues in Redis."
            )
        for url in each:
            require_readable("BROKER_URL", url, example="amqps://user:password@host:5671/portal")
        return urls
    redis_url = redis_url.replace(";", "%3B")  # of a password
    address, _, query = redis_url.partition("?")
    if address.startswith("unix://"):
        path = address.removeprefix("unix://")
        return f"redis+socket://{path}?virtual_host={query.removeprefix('db=') or '0'}"
    if address.startswith("rediss://") and "ssl_cert_reqs=" not in query:
        return f"{address}?{query}{'&' if query else ''}ssl_cert_reqs=required"
    return redis_url


def is_rabbitmq(broker_url: str) -> bool:
    """Returns whether Celery's queues are in RabbitMQ, and not in Redis."""
    return broker_url.startswith(_BROKER_SCHEMES)


def celery_tls(broker_url: str) -> dict[str, Any] | None:
    """Returns the TLS options of Celery's broker: RabbitMQ's certificate is checked.

    None if the URL says enough: an address without TLS, or one of Redis.
    """
    if not broker_url.startswith("amqps://"):
        return None
    return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": None}  # None: that of the URL


def celery_transport(broker_url: str) -> dict[str, Any]:
    """Returns the options with which Celery connects to its broker.

    A firewall that forgets a connection drops its packets, and neither side is told. The kernel
    then ends the connection after BROKER_SILENCE_SECONDS, and Celery connects again. RabbitMQ's
    client does so by itself.
    """
    if not broker_url.startswith(("redis://", "rediss://")):
        return {}
    return {
        "socket_timeout": BROKER_SILENCE_SECONDS,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "socket_keepalive_options": {
            socket.TCP_KEEPIDLE: BROKER_SILENCE_SECONDS // 2,
            socket.TCP_KEEPINTVL: BROKER_SILENCE_SECONDS // 6,
            socket.TCP_KEEPCNT: 3,
            socket.TCP_USER_TIMEOUT: BROKER_SILENCE_SECONDS * 1000,  # for what was sent
        },
    }
