"""Checks whether the settings about proxies match the requests that arrive.

The own proxy tells the portal a visitor's address, in a header of its own
(settings.ALLAUTH_TRUSTED_CLIENT_IP_HEADER) or as an entry in X-Forwarded-For. If
settings.ALLAUTH_TRUSTED_PROXY_COUNT is too small, all visitors count as one; if it is too large, a
visitor can choose the address that counts.
"""

import logging
import re

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
IPV4 = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}", re.ASCII)

logger = logging.getLogger(__name__)


def plain_address(request: HttpRequest) -> str:
    """Returns the visitor's address if it is an IPv4 address and came as the settings say; else "".

    It asks no parser and reads no other headers. Where it returns "", allauth's adapter decides.
    """
    own_header, count = (
        settings.ALLAUTH_TRUSTED_CLIENT_IP_HEADER,
        settings.ALLAUTH_TRUSTED_PROXY_COUNT,
    )
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if own_header:
        address = request.META.get(f"HTTP_{own_header.upper().replace('-', '_')}", "")
    elif forwarded and count:
        entries = forwarded.split(",")
        address = entries[-count] if len(entries) >= count else ""
    else:
        address = request.META.get("REMOTE_ADDR", "")
    address = address.strip()
    return address if IPV4.fullmatch(address) else ""


def came_past_the_proxies(request: HttpRequest) -> bool:
    """Returns whether the own proxies did not forward the request, and logs an error if so.

    The header with the visitor's address is missing then, or has fewer entries than there are own
    proxies. No entry can be trusted, and the address of the connection counts.
    """
    own_header = settings.ALLAUTH_TRUSTED_CLIENT_IP_HEADER
    if own_header:
        is_past = own_header not in request.headers
    else:
        is_past = 0 < _entries(request) < settings.ALLAUTH_TRUSTED_PROXY_COUNT
    if is_past:
        logger.error("a request did not come through the proxies that the settings name")
    return is_past


def proxy_problem(request: HttpRequest) -> str | None:
    """Returns what is wrong with the settings about proxies, as this request shows it, or None.

    The request must come from a browser of the response team: a browser sends no X-Forwarded-For,
    so each entry in it is of a proxy.
    """
    own_header, count = settings.ALLAUTH_TRUSTED_CLIENT_IP_HEADER, _entries(request)
    if own_header and own_header in request.headers:
        return None
    if own_header:
        return _(
            "TRUSTED_ADDRESS_HEADER is %(header)s, but your request came without this header. All "
            "visitors count as one for the rate limits. Let the proxy set it."
        ) % {"header": own_header}
    if count == settings.ALLAUTH_TRUSTED_PROXY_COUNT:
        return None
    return _(
        "TRUSTED_PROXY_COUNT is %(set)d, but X-Forwarded-For of your request has %(found)d "
        "entries. Rate limits count the wrong address. Let the proxy send the address alone, and "
        "set TRUSTED_ADDRESS_HEADER."
    ) % {"set": settings.ALLAUTH_TRUSTED_PROXY_COUNT, "found": count}


def _entries(request: HttpRequest) -> int:
    forwarded = request.headers.get("x-forwarded-for", "")
    return len(forwarded.split(",")) if forwarded.strip() else 0
