"""The views of the breach API. Errors have the statuses and bodies of Have I Been Pwned's form."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from foundations.page_cache import public_page
from foundations.rate_limits import limited
from statements.breach_api import records
from statements.breach_api.description import description

CACHE_SECONDS = 60


@require_safe
@limited("breach_api", methods=["GET", "HEAD"])
@cache_control(public=True, max_age=CACHE_SECONDS)
def breaches(request: HttpRequest) -> HttpResponse:
    """Returns all public incidents; those of one domain with `?Domain=`.

    The page cache ignores queries, so that this list is not one of its pages. Spam lists do not
    exist here: `?IsSpamList=true` finds none. The form's names ignore case.
    """
    asked = {name.lower(): request.GET.get(name, "") for name in request.GET}
    found = records.breaches(asked.get("domain", ""))
    if asked.get("isspamlist", "").lower() == "true":
        found = []
    return _json(found)


@public_page
def breach(_request: HttpRequest, name: str) -> HttpResponse:
    """Returns one incident by its name; 404 if no public incident has it."""
    return _found(records.breach(name))


@public_page
def latest_breach(_request: HttpRequest) -> HttpResponse:
    """Returns the incident that became public last; 404 if none is public."""
    return _found(records.latest_breach())


@public_page
def data_classes(_request: HttpRequest) -> HttpResponse:
    """Returns the names of all data classes."""
    return _json(records.class_names())


@public_page
def openapi(_request: HttpRequest) -> HttpResponse:
    """Returns the description of this API for programs."""
    return _json(description())


@require_safe
@cache_control(private=True, no_store=True)
def account(_request: HttpRequest, **_path: str) -> HttpResponse:
    """Refuses to look up an address: 401, as the form answers a request without a valid key.

    An address in a URL reaches the logs of proxies, and a key would open the data of its owner
    without a code. Therefore people see their own data after they sign in only.
    """
    message = "This portal tells people what leaked of their data after they sign in, not by API."
    return _json({"statusCode": 401, "message": message}, status=401)


def _found(record: records.Record | None) -> HttpResponse:
    if record is None:
        return HttpResponse(status=404, content_type="application/json")
    return _json(record)


def _json(value: Any, status: int = 200) -> HttpResponse:
    parameters = {"ensure_ascii": False}
    return JsonResponse(value, safe=False, status=status, json_dumps_params=parameters)
