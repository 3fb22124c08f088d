"""Health checks for balancers and monitors: /healthz, /readyz, and /metrics if it is switched on.

A balancer asks by IP address and over HTTP. Therefore the middleware answers before the checks of
the host and of HTTPS. It answers on a private network only, and never through the own proxies, so
that the checks are not public. The doctor is answered through the proxies: it signs its request.
"""

import ipaddress
from collections.abc import Callable

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import override
from redis.exceptions import RedisError, ResponseError

from breachportal import metrics
from foundations import keys, replica
from foundations.languages import SOURCE_LANGUAGE
from foundations.visitor_address import proxy_problem

Check = Callable[[], bool]  # whether the part takes writes
PROBE_HEADER = "Portaldoctor"
PROBE_SECONDS = 60
_SALT = "breachportal.health"


def health(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that answers health checks; other requests go on.

    /healthz: 200 while this process answers. /readyz: 200 if the database and Redis answer and the
    master keyset can be read, else 503. Its JSON names each part as "ok" or "away", and a database
    or a Redis that answers and takes no writes as "read-only". That does not change the status: it
    concerns every process, and a balancer that drops all of them ends what goes on. The read
    replica, if there is one, may be "behind", too; without it pages read the database, so it does
    not change the status, either.

    /metrics: figures for a monitor (breachportal.metrics), with settings.METRICS "on" only.
    """
    answers = {"/healthz": _alive, "/readyz": _ready, "/metrics": _metrics}

    def middleware(request: HttpRequest) -> HttpResponseBase:
        is_on = request.path != "/metrics" or settings.METRICS == "on"
        if request.path not in answers or not is_on:
            return get_response(request)
        if request.path == "/healthz" and _is_probe(request):
            response: HttpResponse = _seen(request)
        elif _is_internal(request):
            response = answers[request.path]()
        else:
            return get_response(request)
        response.headers["Cache-Control"] = "no-store"
        return response

    return middleware


def probe() -> str:
    """Returns the value of PROBE_HEADER with which /healthz tells which visitor it sees.

    It is valid for PROBE_SECONDS, and can be made with SECRET_KEY only.
    """
    return signing.TimestampSigner(salt=_SALT).sign("doctor")


def _is_probe(request: HttpRequest) -> bool:
    try:
        signing.TimestampSigner(salt=_SALT).unsign(
            request.headers.get(PROBE_HEADER, ""), max_age=PROBE_SECONDS
        )
    except signing.BadSignature:
        return False
    return True


def _seen(request: HttpRequest) -> JsonResponse:
    """Returns the visitor's address and the scheme as the rest of the portal understands them.

    A problem is in the doctor's language, and not in that of the request before in this thread.
    """
    with override(SOURCE_LANGUAGE):
        problem = proxy_problem(request)
    return JsonResponse(
        {
            "address": get_adapter().get_client_ip(request),
            "is_secure": request.is_secure(),
            "problem": str(problem) if problem else "",
        }
    )


def _is_internal(request: HttpRequest) -> bool:
    """Returns whether the request comes from a private network, and not through a proxy."""
    own_header = settings.ALLAUTH_TRUSTED_CLIENT_IP_HEADER
    forwarded = ["X-Forwarded-For", "Forwarded", *([own_header] if own_header else [])]
    if any(name in request.headers for name in forwarded):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_private
    except ValueError:
        return False


def _alive() -> HttpResponse:
    return HttpResponse("ok\n")


def _ready() -> HttpResponse:
    parts = parts_of_portal()
    needed = [state for name, state in parts.items() if name != "replica"]
    return JsonResponse(parts, status=503 if "away" in needed else 200)


def _metrics() -> HttpResponse:
    return HttpResponse(metrics.text(parts_of_portal()), content_type=metrics.CONTENT_TYPE)


def parts_of_portal() -> dict[str, str]:
    """Returns the state of each part of the portal: "ok", "read-only", "away", or of the replica
    "behind".
    """
    parts = {"database": _database, "redis": _redis, "master_keyset": _master_keyset}
    states = {name: _state(check) for name, check in parts.items()}
    return states | ({"replica": replica.state()} if replica.is_configured() else {})


def _state(check: Check) -> str:
    try:
        return "ok" if check() else "read-only"
    except (DatabaseError, RedisError, keys.EncryptionError):
        return "away"


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_read_only') = 'off'")
        return bool(cursor.fetchone()[0])


def _redis() -> bool:
    """Returns whether Redis takes a write; not if its memory or its disk is full."""
    try:
        cache.set("health", 1, timeout=60)
    except ResponseError:
        return False
    return True


def _master_keyset() -> bool:
    keys.master_keyset()
    return True
