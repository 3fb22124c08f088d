"""Checks the addresses of servers that settings name.

A password with `@`, `/`, `#` or `%` that is not written as `%40` and so on cuts a URL elsewhere
than its author meant. The clients of PostgreSQL, Redis and RabbitMQ then look for a host whose name
is a part of the password, and their errors show it. No message of this module shows a value.
"""

import re
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_ADDRESS = re.compile(r"\[?[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*(%\w+)?\]?")
_ESCAPES = "in a URL, write the signs @ / # ? % ; of a password as %40 %2F %23 %3F %25 %3B"


def is_host(value: str) -> bool:
    """Returns whether `value` may be the name or the address of a host, without scheme and port.

    A name may end in a dot: a resolver then adds no domain of its own.
    """
    return is_name(value.removesuffix(".")) or _ADDRESS.fullmatch(value) is not None


def is_name(value: str) -> bool:
    """Returns whether `value` is a host name as browsers and mails contain it.

    It is in ASCII and has no dot at its end.
    """
    return _NAME.fullmatch(value) is not None


def database_options(name: str, url: str) -> dict[str, Any]:
    """Returns the options of libpq that `url` contains, a URL or `key=value` pairs.

    Raises ImproperlyConfigured, which names the setting `name`.
    """
    try:
        options = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise _unreadable(name, "postgresql://user:password@host/database") from None
    hosts = [host for host in str(options.get("host") or "").split(",") if host]
    ports = [port for port in str(options.get("port") or "").split(",") if port]
    is_url = url.startswith(("postgres://", "postgresql://"))
    path = url.split("/", 3)[3].partition("?")[0] if is_url and url.count("/") > 2 else ""
    are_hosts = all(host.startswith(("/", "@")) or is_host(host) for host in hosts)
    if not are_hosts or not all(port.isdecimal() for port in ports) or "@" in path:
        raise _unreadable(name, "postgresql://user:password@host/database")
    return options


def require_readable(name: str, url: str, *, example: str) -> None:
    """Checks that `url` has a host, a path of one part at most, and `@` only before the host.

    `example` is a URL like the one that the setting `name` needs. Raises ImproperlyConfigured.
    """
    try:
        parts = urlsplit(url)
        is_readable = is_host(parts.hostname or "") and (parts.port is None or parts.port > 0)
    except ValueError:
        is_readable = False
    rest = parts.path.strip("/")
    if not is_readable or parts.fragment or "/" in rest or "@" in rest + parts.query:
        raise _unreadable(name, example)


def _unreadable(name: str, example: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is not like {example}; {_ESCAPES}.")
