"""URLs that end in a secret: a token, or the code of a certificate or message.

A reader of such a URL can use it. It is in no log of the portal (foundations.logs), and the shipped
site of nginx logs no request for it.
"""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest
from django.http.response import HttpResponseBase

View = Callable[..., HttpResponseBase]
# A browser sends its page's URL as Referer with each request, also for styles; with this policy it
# sends the origin alone. With "no-referrer" a form would have `Origin: null`, which is refused.
POLICY = "strict-origin"


def secret_url(view: View) -> View:
    """Decorates a view whose URL ends in a secret, so that no proxy logs it as a Referer."""

    @wraps(view)
    def page(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response.headers["Referrer-Policy"] = POLICY
        return response

    page.__dict__["has_secret_url"] = True
    return page
