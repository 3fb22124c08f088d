"""What the doctor says about encrypted connections to PostgreSQL, Redis, RabbitMQ and mail servers.

A certificate that is refused and a server without TLS are findings of their own, because the server
answers. A connection over a public network whose certificate is not checked is a warning.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from django.db import connection

from breachportal.doctor.diagnosis import Diagnosis
from breachportal.doctor.messages import DoctorMessages as Found

# What OpenSSL and libpq say.
_IS_CERTIFICATE = re.compile(
    r"certificate.verify|certificate for|root certificate|no start line|unknown ca", re.IGNORECASE
)
_IS_TLS = re.compile(r"\bSSL\b|\bTLS\b")


def refused(server: str, setting: str, why: str) -> Diagnosis | None:
    """Returns the finding if `why`, the words of an error, is about TLS; else None."""
    if _IS_CERTIFICATE.search(why):
        text = Found.CERTIFICATE_REFUSED.stored(server=server, why=why)
        remedy = (
            Found.DATABASE_CERTIFICATE_DO.stored()
            if setting == "DATABASE_URL"
            else Found.CERTIFICATE_REFUSED_DO.stored(setting=setting)
        )
        return Diagnosis.fault(text, remedy)
    if _IS_TLS.search(why):
        text = Found.NO_TLS.stored(server=server, why=why)
        return Diagnosis.fault(text, Found.NO_TLS_DO.stored(setting=setting))
    return None


def unchecked_database() -> Iterator[Diagnosis]:
    """Yields a warning if the open connection leaves this network and its certificate is unchecked.

    libpq encrypts by default where the server can, and checks no certificate. With the authorities
    of the machine it demands `verify-full`, and `require` with a file of authorities checks them.
    """
    options = connection.settings_dict["OPTIONS"]
    authorities, mode = options.get("sslrootcert", ""), options.get("sslmode", "prefer")
    is_checked = mode in ("verify-ca", "verify-full") or authorities == "system"
    if not is_checked and not (mode == "require" and authorities):
        info = connection.cursor().connection.info
        yield from unchecked("DATABASE_URL", info.hostaddr, "sslmode=verify-full")


def unchecked_url(setting: str, url: str) -> Iterator[Diagnosis]:
    """Yields a warning if a URL of Redis or RabbitMQ leaves this network without a checked server.

    Only the first of several URLs is examined.
    """
    parts = urlsplit(url.partition(";")[0])
    is_off = parse_qs(parts.query).get("ssl_cert_reqs", ["required"])[0] in ("none", "optional")
    if parts.scheme in ("redis", "amqp") or is_off:
        wanted = "amqps://" if parts.scheme.startswith("amqp") else "rediss://"
        yield from unchecked(setting, parts.hostname or "", wanted)


def unchecked(setting: str, host: str, wanted: str) -> Iterator[Diagnosis]:
    """Yields a warning if `host` is beyond this network, with the setting that checks its name."""
    if _is_public(host):
        text = Found.UNCHECKED.stored(setting=setting)
        yield Diagnosis.warning(text, Found.UNCHECKED_DO.stored(wanted=wanted))


def _is_public(host: str) -> bool:
    """Returns whether a host has an address that is not of a private network; False if unknown."""
    with suppress(OSError, ValueError):
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM) if host else []
        return any(ip_address(one[4][0]).is_global for one in found)
    return False
