"""Middleware for every request: its headers."""

from collections.abc import Callable
from wsgiref.headers import Headers

from csp.constants import HEADER as POLICY_HEADER
from csp.utils import build_policy
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
