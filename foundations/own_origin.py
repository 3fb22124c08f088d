"""Tells requests that a page of this portal made from requests that another site caused.

A public page is the same for every reader, so it contains no CSRF token. Its form relies on two
headers that the browser sets and no script can change: `Origin` (RFC 6454) and `Sec-Fetch-Site`
(W3C Fetch Metadata). See docs/decisions/0046-home-page-form.md.
"""

from django.conf import settings
from django.http import HttpRequest


def is_from_own_page(request: HttpRequest) -> bool:
    """Returns whether the browser states that a page of this portal made the request.

    Each header that is present must state it, and one must be present. `Origin: null`, a sibling
    subdomain (`same-site`) and a request without initiator (`none`) are refused.
    """
    origin = request.META.get("HTTP_ORIGIN")
    site = request.META.get("HTTP_SEC_FETCH_SITE")
    if origin is None and site is None:
        return False
    return (origin is None or origin in own_origins(request)) and site in (None, "same-origin")


def own_origins(request: HttpRequest) -> set[str]:
    """Returns the origins of this portal: that of the request, and that of settings.PORTAL_URL."""
    return {f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS}
