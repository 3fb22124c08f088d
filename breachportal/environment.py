"""The functions that read settings from environment variables, for `breachportal.settings`.

Decision 0016 states why the project does not use a settings library.
"""

import json
import os
import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

from breachportal import embedded_servers
from breachportal.server_addresses import database_options, is_host, require_readable
from foundations.mail_headers import address_header
from foundations.pooled_connection import PooledConnection
from foundations.private_urls import is_private

PRODUCTION, DEVELOPMENT, DEMO = "production", "development", "demo"
# breachportal.wsgi sets this variable; it is not for the operator. A web process waits for a
# database lock for a shorter time than a worker.
PROCESS, WEB = "BREACHPORTAL_PROCESS", "web"
PREPARED_AFTER = 1  # runs of a text on one connection; see foundations.prepared_statements
# A request waits this long for a connection of the pool. There are as many connections as threads,
# so a longer wait means that the database does not accept one.
POOL_SECONDS = 2.0
REPLICA_POOL_SECONDS = 1.0  # shorter, because the page then reads the primary
REPLICA_SECONDS = 3  # for a connection to the read replica, and for an answer of its host
POOL_IDLE_SECONDS = 60.0  # then a connection that is not needed is closed

BROKER_SILENCE_SECONDS = 30  # then a connection of Celery that passes nothing on counts as lost

REQUIRED_IN_PRODUCTION = {
    "SECRET_KEY": "a long random string",
    "ALLOWED_HOSTS": "the portal's host names, separated by commas",
    "MASTER_KEYSET": "what `python -m foundations.make_secret master-keyset` prints (or its file)",
    "PORTAL_URL": "the address customers type, such as https://notice.example.com",
    "DATABASE_URL": "postgresql://user:password@host/database",
    "REDIS_URL": "rediss://:password@host:6379/0",
    "EMAIL_HOST": "the SMTP server that takes the mails",
    "DEFAULT_FROM_EMAIL": "the sender, such as Example <notice@example.com>",
}
SECRET_KEY_LENGTH = 32
SIGNING_SECRET_LENGTH = 16
SECRET_KEY_SIGNS = 8  # distinct characters
READ: set[str] = set()  # the names of all settings that were read
PLACEHOLDERS = ("change-me", "changeme", "change me", "django-insecure", "for development only")


def mode() -> str:
    """Returns `BREACHPORTAL_MODE`, production by default. Raises ImproperlyConfigured."""
    value = os.environ.get("BREACHPORTAL_MODE", PRODUCTION)
    if value not in (PRODUCTION, DEVELOPMENT, DEMO):
        raise ImproperlyConfigured(
            f"BREACHPORTAL_MODE is {value!r}; it is one of production, development, demo."
        )
    return value


def require_for_production() -> None:
    """Checks the settings that production requires.

    Raises ImproperlyConfigured. The message names every missing setting or, if none is missing,
    every unsafe one. It contains no secret.
    """
    missing = [
        f"  {name}: {meaning}"
        for name, meaning in REQUIRED_IN_PRODUCTION.items()
        if not (os.environ.get(name) or os.environ.get(f"{name}_FILE"))
    ]
    if missing:
        raise ImproperlyConfigured(
            "breachportal does not start in production without:\n"
            + "\n".join(missing)
            + "\nFor a trial on this machine set BREACHPORTAL_MODE=development."
        )
    if unsafe := _unsafe_in_production():
        raise ImproperlyConfigured(
            "breachportal does not start in production with:\n" + "\n".join(unsafe)
        )


def _unsafe_in_production() -> list[str]:
    unsafe = []
    secret, url = text("SECRET_KEY"), text("PORTAL_URL")
    if len(secret) < SECRET_KEY_LENGTH or len(set(secret)) < SECRET_KEY_SIGNS:
        unsafe.append(f"  SECRET_KEY: it needs {SECRET_KEY_LENGTH} random characters or more")
    elif any(word in secret.lower() for word in PLACEHOLDERS):
        unsafe.append("  SECRET_KEY: it is a placeholder; it needs to be random")
    if not url.lower().startswith("https://"):
        unsafe.append(f"  PORTAL_URL: {url!r} does not begin with https://")
    if "*" in words("ALLOWED_HOSTS"):
        unsafe.append("  ALLOWED_HOSTS: it names every host with *; name the portal's")
    if number("TRUSTED_PROXY_COUNT", 0):
        unsafe.append(
            "  TRUSTED_PROXY_COUNT: it trusts X-Forwarded-For, which WSGI cannot distinguish from"
            " X_Forwarded_For; let a proxy send the address alone, and set TRUSTED_ADDRESS_HEADER"
        )
    if words("TRUSTED_PROXY_HEADER") and not words("TRUSTED_ADDRESS_HEADER"):
        unsafe.append(
            "  TRUSTED_ADDRESS_HEADER: it is unset, but TRUSTED_PROXY_HEADER names a proxy; all"
            " visitors would count as one"
        )
    gateway = text("SMS_GATEWAY_URL")
    if gateway and not is_private(gateway, encrypted="https"):
        unsafe.append("  SMS_GATEWAY_URL: numbers and the token would go unencrypted; use https://")
    return unsafe


def text(name: str, default: str = "") -> str:
    """Returns the variable NAME, or the content of the file that NAME_FILE names, or `default`.

    The file is for mounted secrets. Spaces and line ends around a value are left out. An empty
    variable counts as unset, an empty file does not: it would give the default in place of a
    secret. Raises ImproperlyConfigured for a file that is empty or cannot be read, and for a
    variable in quotes: systemd and shells remove them, container engines leave them in the value.
    """
    READ.add(name)
    value, path = (os.environ.get(key, "").strip() for key in (name, f"{name}_FILE"))
    if path and not value:
        return _content(name, Path(path))
    if re.fullmatch(r"(?s)\"[^\"]*\"|'[^']*'", value):
        raise ImproperlyConfigured(
            f"{name} is in quotes, which are part of the value; remove them."
        )
    return value or default


def _content(name: str, path: Path) -> str:
    try:
        content = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not in UTF-8"
        raise ImproperlyConfigured(f"{name}_FILE: {path} cannot be read: {why}.") from None
    if not content:
        raise ImproperlyConfigured(f"{name}_FILE: {path} is empty.")
    return content


def mailbox(name: str, default: str = "") -> str:
    """Returns a mailbox such as `Example <notice@example.com>`, or "".

    Raises ImproperlyConfigured for a value that no From header can hold.
    """
    value = text(name, default)
    try:
        if value:
            address_header(name, value)
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} is not like Example <notice@example.com>; the address must be in ASCII."
        ) from None
    return value


def addresses(name: str) -> list[str]:
    """Returns mail addresses that are separated by commas, without names.

    Raises ImproperlyConfigured for an item of another form.
    """
    found = words(name)
    for item in found:
        if not re.fullmatch(r"[!-~]+@[A-Za-z0-9.-]+", item) or set(item) & set('<>()";:'):
            raise ImproperlyConfigured(f"{name}: {item} is not like audit@example.com.")
    return found


def private_url(name: str, default: str = "") -> str:
    """Returns an https URL, or an http URL of this machine, or "".

    Raises ImproperlyConfigured for another value, which it does not show: it may hold a secret.
    """
    url = text(name, default)
    parts = urlsplit(url)
    is_http = parts.scheme in ("http", "https") and parts.hostname
    if url and not (is_http and is_private(url, encrypted="https")):
        raise ImproperlyConfigured(f"{name} must begin with https://.")
    return url


def server_url(name: str, *, example: str) -> str:
    """Returns the URL of a server, or "". Raises ImproperlyConfigured for one that is cut."""
    url = text(name)
    if url:
        require_readable(name, url, example=example)
    return url


def signing_secret(name: str) -> str:
    """Returns a secret that signs messages, or "". Raises ImproperlyConfigured for a short one."""
    secret = text(name)
    if secret and len(secret) < SIGNING_SECRET_LENGTH:
        raise ImproperlyConfigured(f"{name} needs {SIGNING_SECRET_LENGTH} characters or more.")
    return secret


def header_of_letters(name: str) -> str:
    """Returns the name of a request header, or "".

    Raises ImproperlyConfigured if the name has other characters than ASCII letters: a visitor could
    then send a second header that WSGI cannot distinguish from it.
    """
    value = text(name)
    if value and not re.fullmatch(r"[A-Za-z]+", value):
        raise ImproperlyConfigured(f"{name} is {value!r}; it must have letters only.")
    return value


def rates(name: str) -> dict[str, float]:
    """Returns messages per second by destination: {"naver.com": 50.0} for "naver.com=50".

    Raises ImproperlyConfigured for an entry without a domain and a positive number.
    """
    found = {}
    for part in words(name):
        domain, _is, rate = part.partition("=")
        if not re.fullmatch(r"\d+(\.\d+)?", rate) or not float(rate):
            raise ImproperlyConfigured(f"{name}: {part} is not like naver.com=50")
        found[domain.strip().lower()] = float(rate)
    return found


def json_object(name: str) -> dict[str, Any]:
    """Returns a JSON object, which is empty if the variable is unset.

    Raises ImproperlyConfigured for another value.
    """
    try:
        value = json.loads(text(name) or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ImproperlyConfigured(f"{name} is not a JSON object.")
    return value


def http_headers(name: str) -> dict[str, str]:
    """Returns the headers of a JSON object, which is empty if the variable is unset.

    Raises ImproperlyConfigured for another value, and for a header that HTTP cannot send.
    """
    headers = {header: str(value) for header, value in json_object(name).items()}
    texts = [*headers, *headers.values()]
    if not all(text.isascii() and text.isprintable() for text in texts):
        raise ImproperlyConfigured(f"{name} has a header with other characters than ASCII.")
    return headers


def words(name: str, default: str = "") -> list[str]:
    """Returns the items of a list that is separated by commas, without empty ones."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def host(name: str, default: str = "") -> str:
    """Returns the name or the address of a server, or "".

    Raises ImproperlyConfigured for one with a scheme, a port or a path.
    """
    value = text(name, default)
    if value and not is_host(value):
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a host name only.")
    return value


def own_hosts(name: str, default: str) -> list[str]:
    """Returns the hosts for which the portal answers, as Django's ALLOWED_HOSTS.

    Raises ImproperlyConfigured for an item that no request can match, such as an IPv6 address
    without brackets.
    """
    found = words(name, default)
    for item in found:
        has_brackets = item.startswith("[") and item.endswith("]")
        is_one = is_host(item.removeprefix(".")) and has_brackets == (":" in item)
        if item != "*" and not is_one:
            raise ImproperlyConfigured(
                f"{name}: {item!r} must be a host name only, or an address such as [2001:db8::1]."
            )
    return found


def time_zone(name: str, default: str) -> str:
    """Returns a time zone such as Asia/Seoul. Raises ImproperlyConfigured for an unknown one."""
    value = text(name, default)
    try:
        ZoneInfo(value)
    except (OSError, ValueError, KeyError):
        raise ImproperlyConfigured(
            f"{name} is {value!r}; it must be a time zone such as Asia/Seoul or UTC."
        ) from None
    return value


def languages(name: str, default: str, shipped: Mapping[str, str]) -> list[tuple[str, str]]:
    """Returns (code, own name) of the languages in a list of codes, in its order.

    Raises ImproperlyConfigured for an empty list, one with a code twice, or with a code that is not
    in `shipped`.
    """
    codes = [code.lower() for code in words(name, default)]
    if unknown := [code for code in codes if code not in shipped]:
        raise ImproperlyConfigured(
            f"{name}: {', '.join(unknown)} is not among {', '.join(shipped)}; see"
            " docs/how-to/add-a-language.md."
        )
    if len(set(codes)) < len(codes):
        raise ImproperlyConfigured(f"{name} names a language twice.")
    if not codes:
        raise ImproperlyConfigured(f"{name} names no language.")
    return [(code, shipped[code]) for code in codes]


def by_language(prefix: str, defaults: Mapping[str, str]) -> dict[str, str]:
    """Returns a text for each language of `defaults`: of a variable such as PREFIX_ZH_HANT."""
    return {
        code: text(language_variable(prefix, code), default) for code, default in defaults.items()
    }


def language_variable(prefix: str, code: str) -> str:
    """Returns the name of the variable that holds a text in a language."""
    return f"{prefix}_{code.upper().replace('-', '_')}"


def choice(name: str, options: Sequence[str]) -> str:
    """Returns one of `options`, by default the first. Raises ImproperlyConfigured for another."""
    value = text(name, options[0])
    if value not in options:
        raise ImproperlyConfigured(f"{name} is {value!r}; it is one of {', '.join(options)}.")
    return value


def number(name: str, default: int) -> int:
    """Returns a whole number of 0 or more. Raises ImproperlyConfigured for another value."""
    value = text(name, str(default))
    try:
        found = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a whole number.") from None
    if found < 0:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must not be negative.")
    return found


def portal_url(default: str) -> str:
    """Returns the origin of the portal as browsers send it.

    It is in lower case, without a trailing slash and without the default port of its scheme. Raises
    ImproperlyConfigured if the value is not an http or https origin in ASCII.
    """
    url = text("PORTAL_URL", default).rstrip("/")
    if not url.isascii():
        raise ImproperlyConfigured(
            f"PORTAL_URL is {url!r}; its host must be in ASCII, as browsers send it (xn--...)."
        )
    try:
        return _origin(url)
    except ValueError:
        raise ImproperlyConfigured(
            f"PORTAL_URL is {url!r}; it must be an origin such as https://notice.example.com."
        ) from None


def _origin(url: str) -> str:
    """Returns an http or https origin in normal form. Raises ValueError for another URL."""
    parts = urlsplit(url.lower())
    if url.lower() != f"{parts.scheme}://{parts.netloc}" or not parts.hostname or "@" in url:
        raise ValueError
    default_port = {"http": 80, "https": 443}.get(parts.scheme)
    if not default_port:
        raise ValueError
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, default_port) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


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


_REDIS_SCHEMES = ("redis://", "rediss://", "unix://")


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
        require_readable("REDIS_URL", url, example=REQUIRED_IN_PRODUCTION["REDIS_URL"])
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


_BROKER_SCHEMES = ("amqp://", "amqps://")


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
