"""The last step of a sign-in: the visitor has proven to read an address."""

from allauth.account.utils import perform_login
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from accounts import proofs
from accounts.models import User
from accounts.proofs import Proof


def complete_sign_in(request: HttpRequest, *, email: str, next_url: str) -> HttpResponse:
    """Signs the visitor in as the user of `email`, and creates that user if there is none.

    `email` is normalised and proven. allauth's pipeline does the rest: it refuses inactive users,
    asks users for their second factor, changes the session's key, and lists the session.
    """
    user = User.objects.for_proven_email(email, language=get_language())
    proofs.record(request, user, Proof.SIGN_IN_CODE)
    response: HttpResponse = perform_login(
        request, user, email=email, redirect_url=next_url or None
    )
    return response
