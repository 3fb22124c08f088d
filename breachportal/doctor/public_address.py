"""Checks of PORTAL_URL as a visitor reaches it: the certificate, the page, and the proxies."""

import socket
import ssl
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings

from breachportal import health
from breachportal.doctor.diagnosis import Diagnosis
from breachportal.doctor.messages import DoctorMessages as Found

SECONDS = 10.0
LEAST_DAYS = 14
EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL
# An address for documentation (RFC 5737). No visitor has it, so a portal that believes it believes
# what a visitor sends.
FORGED = "192.0.2.1"
# What a proxy says in place of /healthz. A process of the portal never does: it needs no server.
_WITHOUT_PORTAL = (
    httpx.codes.BAD_GATEWAY,
    httpx.codes.SERVICE_UNAVAILABLE,
    httpx.codes.GATEWAY_TIMEOUT,
)


def check_certificate() -> Iterator[Diagnosis]:
    """Checks that the certificate is valid, and for how long."""
    parts = urlsplit(settings.PORTAL_URL)
    if parts.scheme != "https":
        yield Diagnosis.ok("PORTAL_URL is not https, so there is no certificate")
        return
    host, port = str(parts.hostname), parts.port or 443
    try:
        with (
            socket.create_connection((host, port), timeout=SECONDS) as plain,
            ssl.create_default_context().wrap_socket(plain, server_hostname=host) as stream,
        ):
            certificate: Any = stream.getpeercert()
    except OSError as error:
        why = getattr(error, "verify_message", "") or error.strerror or type(error).__name__
        is_expired = getattr(error, "verify_code", 0) == EXPIRED
        remedy = Found.CERTIFICATE_DO if is_expired else Found.ADDRESS_DO
        yield Diagnosis.fault(f"{host}:{port}: {why}", remedy.stored())
        return
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    days = (ends - datetime.now(UTC)).days
    text = Found.CERTIFICATE.stored(host=host, day=f"{ends:%Y-%m-%d}", days=days)
    if days < LEAST_DAYS:
        yield Diagnosis.warning(text, Found.CERTIFICATE_DO.stored())
    else:
        yield Diagnosis.ok(text)


def _reason(error: Exception) -> str:
    """Returns why a request was not answered, such as a certificate that is not trusted.

    httpx adds a link to a page about the status in a second line.
    """
    return str(error).partition("\n")[0] or type(error).__name__


def _get(url: str, **options: Any) -> httpx.Response:
    """Returns the answer to a GET. Trusts the authorities of this machine, as check_certificate."""
    return httpx.get(url, verify=ssl.create_default_context(), timeout=SECONDS, **options)


def check_portal() -> Iterator[Diagnosis]:
    """Asks for the home page as a visitor does, and for /healthz, of which nginx has no copy."""
    try:
        home = _get(settings.PORTAL_URL, follow_redirects=True)
        process = _healthz()
    except httpx.HTTPError as error:
        yield Diagnosis.fault(
            Found.NO_ANSWER.stored(url=settings.PORTAL_URL, kind=_reason(error)),
            Found.NO_ANSWER_DO.stored(),
        )
        return
    wrong = home
    if home.url.host != httpx.URL(settings.PORTAL_URL).host:
        remedy = Found.NOT_ASKED_DO
    elif process.status_code in _WITHOUT_PORTAL:
        remedy = Found.NO_ANSWER_DO
        wrong = process if home.status_code == httpx.codes.OK else home
    elif home.status_code != httpx.codes.OK:
        remedy = Found.WRONG_STATUS_DO
    else:
        yield Diagnosis.ok(f"{home.url} answers")
        return
    text = Found.WRONG_STATUS.stored(url=wrong.url, status=wrong.status_code)
    yield Diagnosis.fault(text, remedy.stored())


def _healthz(forged: Iterable[str] = ()) -> httpx.Response:
    """Returns the answer to the doctor's health check, with FORGED in these headers."""
    headers = dict.fromkeys(forged, FORGED) | {health.PROBE_HEADER: health.probe()}
    return _get(f"{settings.PORTAL_URL}/healthz", headers=headers)


def check_proxies() -> Iterator[Diagnosis]:
    """Sends a request with forged headers, and asks the portal which visitor it saw."""
    own_header = settings.ALLAUTH_TRUSTED_CLIENT_IP_HEADER
    forged = ["X-Forwarded-For", *([own_header] if own_header else [])]
    try:
        answer = _healthz(forged)
        seen = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else None
        is_away = isinstance(error, httpx.TransportError) or status in _WITHOUT_PORTAL
        remedy = Found.NO_ANSWER_DO if is_away else Found.NOT_ASKED_DO
        yield Diagnosis.warning(Found.NOT_ASKED.stored(kind=_reason(error)), remedy.stored())
        return
    yield from _faults_of_proxies(seen)


def _faults_of_proxies(seen: dict[str, Any]) -> Iterator[Diagnosis]:
    faults = []
    if seen["address"] == FORGED:
        faults.append(Diagnosis.fault(Found.BELIEVES.stored(), Found.BELIEVES_DO.stored()))
    if seen["problem"]:
        faults.append(Diagnosis.fault(seen["problem"], Found.HEADERS_DO.stored()))
    if settings.PORTAL_URL.startswith("https:") and not seen["is_secure"]:
        faults.append(Diagnosis.fault(Found.NOT_SECURE.stored(), Found.NOT_SECURE_DO.stored()))
    yield from faults
    if not faults:
        yield Diagnosis.ok(f"the portal sees this machine as {seen['address']}, not as forged")
