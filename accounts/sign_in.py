"""The end of a sign-in: the visitor proved to read an address."""

from allauth.account.utils import perform_login
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from accounts import proofs
from accounts.models import User
from accounts.proofs import Proof


def finish(request: HttpRequest, *, email: str, next_url: str) -> HttpResponse:
    """Signs the visitor in as the user of `email`, and creates that user if there is none.

    From here on allauth's pipeline runs: inactive users are turned away, users with a second
    factor are asked for it, the session's key changes, and the session is listed.
    """
    user = User.objects.for_proven_email(email, language=get_language())
    proofs.record(request, user, Proof.SIGN_IN_CODE)
    response: HttpResponse = perform_login(
        request, user, email=email, redirect_url=next_url or None
    )
    return response
