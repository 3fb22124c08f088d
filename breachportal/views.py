"""Addresses that belong to the whole portal, whatever apps are installed."""

from datetime import datetime, time, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils import timezone
from django.views.decorators.cache import cache_control

from foundations.page_cache import public_page

FAVICON_SECONDS = 60 * 60  # then anew: a release may give the picture another address
SECURITY_TXT_DAYS = 90  # RFC 9116: less than a year


@public_page
def security_txt(_request: HttpRequest) -> HttpResponse:
    """Where to report a weakness of this portal (RFC 9116); not found if nobody is named."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    # By the day, so that the page's bytes, and with them its ETag, stand for a day.
    day = timezone.now().date() + timedelta(days=SECURITY_TXT_DAYS)
    expires = datetime.combine(day, time.min)
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires.isoformat()}Z",
        "Preferred-Languages: " + ", ".join(code for code, _name in settings.LANGUAGES),
        f"Canonical: {settings.PORTAL_URL}/.well-known/security.txt",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@cache_control(public=True, max_age=FAVICON_SECONDS)
def favicon(_request: HttpRequest) -> HttpResponse:
    """Browsers and messengers ask for this address whatever a page links."""
    return redirect(static("favicon.svg"))
