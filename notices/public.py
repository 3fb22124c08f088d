"""What makes a page public: the same bytes for everyone, without a cookie, cacheable."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import conditional_page, require_safe

P = ParamSpec("P")

# A nation may stand in front of these pages: caches answer for a minute, and go on answering while
# they fetch anew.
CACHE_CONTROL = "public, max-age=60, stale-while-revalidate=600"


class NotPublicError(RuntimeError):
    """A public page looked at who is asking, or set a cookie: a mistake in the view's code."""


def public_page(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A view whose answer depends on its address alone; GET and HEAD, with ETag and 304.

    Raises NotPublicError rather than answer if the view or its template touched the session, the
    user or the CSRF token: a shared cache would hand one person's page to everyone.
    """

    @require_safe
    @conditional_page
    @wraps(view)
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if request.session.accessed or request.META.get("CSRF_COOKIE_NEEDS_UPDATE"):
            raise NotPublicError(f"{request.path} looked at the session or the CSRF token")
        if response.cookies or response.has_header("Vary"):
            raise NotPublicError(f"{request.path} sets a cookie or varies")
        response.headers["Cache-Control"] = CACHE_CONTROL
        return response

    return page
