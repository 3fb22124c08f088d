"""Middleware for every request: headers, and limits on bodies."""

from collections.abc import Callable
from wsgiref.headers import Headers

from csp.constants import HEADER as POLICY_HEADER
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics")
)

# Other sites may not load what the portal serves, so that no side channel of a browser reads it.
CROSS_ORIGIN_RESOURCE_POLICY = "same-origin"


def response_headers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that sets headers, among them `no-store` unless the view set Cache-Control.

    Nearly every page of the portal contains personal data, so a page is private unless its view
    declares it public (foundations.page_cache.public_page).
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
        response.headers["Cross-Origin-Resource-Policy"] = CROSS_ORIGIN_RESOURCE_POLICY
        response.headers.setdefault("Cache-Control", "private, no-store")
        if "public" in response.headers["Cache-Control"]:
            _remove_cookies(response)
        return response

    return middleware


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that sets Content-Security-Policy, by settings.CONTENT_SECURITY_POLICY.

    The policy is the same for each page, so it is built once; django-csp's own middleware builds
    two for each response.
    """
    policy = build_policy()

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault(POLICY_HEADER, policy)
        return response

    return middleware


def static_headers(headers: Headers, _path: str, _url: str) -> None:
    """Adds to the headers of a static file, which WhiteNoise serves before other middleware."""
    headers["Cross-Origin-Resource-Policy"] = CROSS_ORIGIN_RESOURCE_POLICY


def _remove_cookies(response: HttpResponse) -> None:
    """Removes Set-Cookie, and `Cookie` from the header Vary.

    Django deletes a malformed session cookie in its response, even if no view read the session.
    """
    response.cookies.clear()
    varies = [name.strip() for name in response.headers.get("Vary", "").split(",")]
    others = [name for name in varies if name and name.lower() != "cookie"]
    if others:
        response.headers["Vary"] = ", ".join(others)
    else:
        response.headers.pop("Vary", None)


def limit_uploads(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that answers 413 for a body that is too large or has no stated length.

    The limit is settings.DATA_UPLOAD_MAX_MEMORY_SIZE in bytes. Django's own limit does not count
    files, and would write any amount of them to the disk. One page of the desk accepts files, up to
    settings.UPLOAD_MAX_BYTES more; see uploads_by_importers.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        is_chunked = bool(request.META.get("HTTP_TRANSFER_ENCODING"))
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if request.path == settings.UPLOAD_PATH:
            most += settings.UPLOAD_MAX_BYTES
        if is_chunked or _length(request) > most:
            return _too_large()
        return get_response(request)

    return middleware


def uploads_by_importers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that answers 413 for a large body of a user who may not upload.

    Does not read the body. It must come after the authentication middleware, because it needs the
    user. The check of the CSRF token is the first to read a body.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        is_large = _length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        user = request.user
        if is_large and not (user.is_staff and user.has_perm("incidents.add_upload")):
            return _too_large()
        return get_response(request)

    return middleware


def _too_large() -> HttpResponse:
    return HttpResponse("413 Content Too Large", status=413, content_type="text/plain")


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0  # Django reads no body then
