"""Middleware that refuses the methods of HTTP that no page takes."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

from foundations.page_cache import is_for_public_page

READ = ("GET", "HEAD")
METHODS = (*READ, "POST")


def known_methods(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that answers 405 for a method that is none of METHODS.

    Views tell POST from all others. Django's class-based views have methods of their own for PUT
    and DELETE, which leave out what ours do for POST.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.method in METHODS:
            return get_response(request)
        only_read = request.path.startswith("/api/") or is_for_public_page(request)
        return HttpResponseNotAllowed(READ if only_read else METHODS)

    return middleware
