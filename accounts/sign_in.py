"""The end of a sign-in: somebody proved to read an address."""

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from accounts.models import User


def finish(request: HttpRequest, *, email: str, next_url: str) -> HttpResponse:
    """Signs in whoever reads `email`, who becomes a user now if there was none.

    From here on allauth's pipeline runs: inactive users are turned away, users with a second
    factor are asked for it, the session's key changes, and the session is listed.
    """
    user = User.objects.for_proven_email(email, language=get_language())
    record_authentication(request, user, method="code")
    response: HttpResponse = perform_login(
        request, Login(user=user, email=email, redirect_url=next_url or None)
    )
    return response
