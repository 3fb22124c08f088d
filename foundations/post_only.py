"""Views that take a form and have no page of their own."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

View = Callable[..., HttpResponseBase]


def post_only(*, page: str) -> Callable[[View], View]:
    """Returns a decorator for a view that answers POST; GET is redirected to the URL named `page`.

    An error page that answers the form has the URL of the view. A reader who chooses another
    language there, or loads the page again, asks for that URL.
    """

    def decorator(view: View) -> View:
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def taken(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != "POST":
                return redirect(page)
            return view(request, *args, **kwargs)

        return taken

    return decorator
