"""Views of the whole portal that belong to no app."""

from datetime import datetime, time, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils import timezone
from django.utils.translation import get_language_from_request, override
from django.views import defaults
from django.views.decorators.cache import cache_control

from foundations import database_away
from foundations.page_cache import public_page

FAVICON_SECONDS = 60 * 60  # short, because a release may change the URL of the image
SECURITY_TXT_DAYS = 90  # RFC 9116: less than a year


@public_page
def security_txt(_request: HttpRequest) -> HttpResponse:
    """Returns the contact for reports of vulnerabilities (RFC 9116).

    Raises Http404 if settings.SECURITY_CONTACT is empty.
    """
    if not settings.SECURITY_CONTACT:
        raise Http404
    # The date has no time of day, so that the bytes of the page and its ETag are valid for a day.
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
    """Redirects to the icon. Browsers and messengers request this URL even without a link to it."""
    return redirect(static("favicon.svg"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Returns the page for a request that cannot be read, in the visitor's language."""
    with _visitors_language(request):
        return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Returns the page for an exception: 503 if the database caused it, else 500."""
    with _visitors_language(request):
        if error := database_away.current_error():
            return database_away.database_away_page(error)
        return defaults.server_error(request)


def _visitors_language(request: HttpRequest) -> override:
    # The exception may have come before LocaleMiddleware; then the thread has another's language.
    return override(get_language_from_request(request, check_path=True))
