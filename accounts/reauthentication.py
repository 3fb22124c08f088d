"""The middleware that asks for the second factor again without storing the interrupted request."""

from collections.abc import Callable

from allauth.account.adapter import get_adapter
from allauth.core.exceptions import ReauthenticationRequired
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class ReauthenticationMiddleware:
    """Redirects to the page for the second factor; that page continues with the path only.

    allauth's own middleware writes the interrupted POST, with its whole environ, into the session.
    This middleware comes after it in settings.MIDDLEWARE, so it handles the exception first. The
    user presses the button again after the second factor.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Returns the response of the view."""
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseBase | None:
        """Returns the redirect if allauth asks for reauthentication, else None."""
        if not isinstance(exception, ReauthenticationRequired):
            return None
        methods = get_adapter().get_reauthentication_methods(request.user)
        login_url = methods[0]["url"] if methods else None
        return redirect_to_login(request.get_full_path(), login_url)
