"""The answers of the desk's API: JSON for a request with a valid token, errors as JSON too."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import override
from django.views.decorators.cache import cache_control

from accounts.desk_api.tokens import ApiToken
from foundations.languages import SOURCE_LANGUAGE
from foundations.rate_limits import seconds_to_wait

Record = dict[str, Any]
READ = ("GET", "HEAD")
MOST_LISTED = 500
USUALLY_LISTED = 100


class ApiError(Exception):
    """A refusal: the status of the answer, and the reason in a sentence."""

    def __init__(self, status: int, reason: str, **headers: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def api_view(*, audit: bool = False) -> Callable[..., Callable[..., HttpResponse]]:
    """Decorates a function that returns the record of a request, as a view of the API.

    The request needs a valid token, with `audit` one that may read the audit trail. Texts are in
    English, whatever the incident's languages, because programs compare them.
    """

    def decorator(read: Callable[..., Record]) -> Callable[..., HttpResponse]:
        @cache_control(private=True, no_store=True)
        @wraps(read)
        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                _check(request, audit=audit)
                with override(SOURCE_LANGUAGE):
                    return JsonResponse(read(request, *args, **kwargs))
            except ApiError as error:
                return _refusal(error)

        return view

    return decorator


def _check(request: HttpRequest, *, audit: bool) -> None:
    """Raises ApiError unless the request may read."""
    if request.method not in READ:
        raise ApiError(405, "The API only reads: use GET.", Allow=", ".join(READ))
    if seconds := seconds_to_wait(request, "desk_api", by_user=False):
        raise ApiError(429, "Too many requests from this network.", Retry_After=str(seconds))
    kind, _space, secret = request.headers.get("Authorization", "").partition(" ")
    token = ApiToken.objects.of(secret.strip()) if kind.lower() == "bearer" else None
    if token is None:
        raise ApiError(
            401,
            "Send a valid token: Authorization: Bearer <token>.",
            WWW_Authenticate='Bearer realm="breachportal"',
        )
    if audit and not token.reads_audit:
        raise ApiError(403, "This token may not read the audit trail.")
    token.record_use()


def _refusal(error: ApiError) -> HttpResponse:
    body = {"status": error.status, "error": error.reason}
    return JsonResponse(body, status=error.status, headers=error.headers)


def whole_number(request: HttpRequest, name: str, *, least: int = 0, most: int = 2**63 - 1) -> int:
    """Returns the parameter `name` of the query, or 0 without one. Raises ApiError for others."""
    text = request.GET.get(name, "")
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most):
        raise ApiError(400, f"“{name}” has to be a whole number from {least} to {most}.")
    return int(text)


def page_size(request: HttpRequest) -> int:
    """Returns how many records the request asks for. Raises ApiError."""
    return whole_number(request, "limit", least=1, most=MOST_LISTED) or USUALLY_LISTED


def check_parameters(request: HttpRequest, *known: str) -> None:
    """Raises ApiError for a parameter that the path does not know, such as a misspelled one."""
    if unknown := sorted(set(request.GET) - set(known)):
        raise ApiError(
            400, f"Unknown parameter “{unknown[0]}”. Known: {', '.join(known) or 'none'}."
        )
