"""CSRF tokens of kept pages: Django's own, made from two reads of random bytes at most.

Django reads random bytes for each of the 64 characters of a new token.
"""

from django.http import HttpRequest
from django.middleware.csrf import CSRF_ALLOWED_CHARS, CSRF_SECRET_LENGTH

from foundations.random_texts import random_text

_NUMBERS = {character: number for number, character in enumerate(CSRF_ALLOWED_CHARS)}


def token_of(request: HttpRequest) -> str:
    """Returns a token for this visitor's form, as `django.middleware.csrf.get_token` does.

    Gives the visitor a secret if the request brought none; CsrfViewMiddleware sets the cookie.
    """
    meta = request.META
    meta["CSRF_COOKIE_NEEDS_UPDATE"] = True
    if "CSRF_COOKIE" not in meta:
        meta["CSRF_COOKIE"] = random_text(CSRF_ALLOWED_CHARS, CSRF_SECRET_LENGTH)
    return _masked(meta["CSRF_COOKIE"])


def _masked(secret: str) -> str:
    """Returns the secret in another form each time, so that no compressed page reveals it."""
    mask, number = random_text(CSRF_ALLOWED_CHARS, CSRF_SECRET_LENGTH), len(CSRF_ALLOWED_CHARS)
    pairs = zip(secret, mask, strict=True)
    return mask + "".join(
        CSRF_ALLOWED_CHARS[(_NUMBERS[one] + _NUMBERS[other]) % number] for one, other in pairs
    )
