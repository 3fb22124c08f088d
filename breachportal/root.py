"""The address without a path, which people type: a redirect to the home page in their language."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import ResponseHeaders
from django.shortcuts import redirect
from django.utils.translation import get_language_from_request
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from foundations.page_parts import may_answer_from_memory

ROOT = "/"
ROOT_SECONDS = 60


# Not "public": response_headers removes `Cookie` from the header Vary of a public response.
@require_safe
@cache_control(max_age=ROOT_SECONDS)
@vary_on_headers("Accept-Language", "Cookie")
def root(_request: HttpRequest) -> HttpResponse:
    """Redirects to the home page in the language of the visitor's cookie, or of the browser."""
    return redirect("home")


def root_redirects(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that keeps the redirect of `root` for each language, with all its headers.

    It is the outermost: the answer then needs neither the other middleware nor the database.
    """
    kept: dict[str, ResponseHeaders] = {}

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path != ROOT or not may_answer_from_memory(request):
            return get_response(request)
        request.get_host()  # raises DisallowedHost for an unknown host, as for any other request
        language = get_language_from_request(request)
        if headers := kept.get(language):
            response = HttpResponse(status=302)
            response.headers = headers
            return response
        response = get_response(request)
        if response.status_code == 302:
            kept[language] = response.headers
        return response

    return middleware
