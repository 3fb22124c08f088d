"""The views of the breach API for what is public."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from foundations.page_cache import public_page
from foundations.rate_limits import limited
from statements.breach_api import records
from statements.breach_api.answers import error, found, json_of, parameters_of
from statements.breach_api.description import description

CACHE_SECONDS = 60


@require_safe
@limited("breach_api", methods=["GET"])
@cache_control(public=True, max_age=CACHE_SECONDS)
def breaches(request: HttpRequest) -> HttpResponse:
    """Returns all public incidents; those of one domain with `?Domain=`.

    The page cache ignores queries, so that this list is not one of its pages. Spam lists do not
    exist here: `?IsSpamList=true` finds none.
    """
    asked = parameters_of(request)
    are_spam_lists = asked.get("isspamlist", "").lower() == "true"
    return json_of([] if are_spam_lists else records.breaches(asked.get("domain", "")))


@public_page
def breach(_request: HttpRequest, name: str) -> HttpResponse:
    """Returns one incident by its name; 404 if no public incident has it."""
    return found(records.breach(name))


@public_page
def latest_breach(_request: HttpRequest) -> HttpResponse:
    """Returns the incident that became public last; 404 if none is public."""
    return found(records.latest_breach())


@public_page
def data_classes(_request: HttpRequest) -> HttpResponse:
    """Returns the names of all data classes."""
    return json_of(records.class_names())


@public_page
def openapi(_request: HttpRequest) -> HttpResponse:
    """Returns the description of this API for programs."""
    return json_of(description())


@require_safe
def unknown_path(_request: HttpRequest) -> HttpResponse:
    """Refuses a path that does not exist here, or a look-up without an address.

    404 would mean "no breach" to a client of the form, such as one that looks up a whole domain, or
    that has a base address without `/api/v3/`.
    """
    base = f"{settings.PORTAL_URL}/api/v3/"
    return error(400, f"This path does not exist here. The base address is {base}")
