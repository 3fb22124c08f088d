"""The sign-in that a browser has begun and not ended: one in a session, usable once."""

import secrets
import time
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language

from accounts.company_sign_on.exchanges import within_limits
from accounts.company_sign_on.providers import Provider, SignOnError
from accounts.company_sign_on.tokens import SignedOn, signed_on

_KEY = "accounts_company_sign_on"
SECONDS = 600  # for the sign-in at the provider
MOST_CODE = 4_000  # characters
_BYTES = 32


class BegunSignOn(NamedTuple):
    """A sign-in that was begun in this session."""

    audience: str
    state: str
    nonce: str
    verifier: str  # of PKCE: only this session can use the code
    next_url: str
    language: str
    at: float


def begin(request: HttpRequest, provider: Provider, audience: str, next_url: str) -> str:
    """Stores a new sign-in in the session, and returns the provider's address. Raises
    SignOnError.
    """
    state, nonce, verifier = (secrets.token_urlsafe(_BYTES) for _each in range(3))
    redirect_uri = _callback(audience)
    address = within_limits(
        lambda: provider.request_url(
            redirect_uri=redirect_uri, state=state, nonce=nonce, verifier=verifier
        )
    )
    language = get_language() or settings.LANGUAGE_CODE
    begun = BegunSignOn(audience, state, nonce, verifier, next_url, language, time.time())
    request.session[_KEY] = begun._asdict()
    return address


def take(request: HttpRequest, audience: str) -> BegunSignOn | None:
    """Removes the sign-in from the session and returns it, or None if this session has none."""
    stored = request.session.pop(_KEY, None)
    begun = BegunSignOn(**stored) if stored else None
    if begun is None or begun.audience != audience or time.time() - begun.at > SECONDS:
        return None
    return begun


def complete(request: HttpRequest, provider: Provider, begun: BegunSignOn) -> SignedOn:
    """Returns who signed in, by the provider's response in the query. Raises SignOnError."""
    query = request.GET
    if not secrets.compare_digest(query.get("state", "").encode(), begun.state.encode()):
        raise SignOnError("the response belongs to another browser or sign-in")
    if query.get("iss", provider.issuer) != provider.issuer:
        raise SignOnError("the response is another provider’s")
    code = query.get("code", "")
    if not code or len(code) > MOST_CODE:
        raise SignOnError("the provider refused, or the visitor cancelled")
    redirect_uri = _callback(begun.audience)

    def exchange() -> SignedOn:
        answer = provider.exchange(code=code, redirect_uri=redirect_uri, verifier=begun.verifier)
        return signed_on(provider, answer, begun.nonce)

    return within_limits(exchange)


def _callback(audience: str) -> str:
    return f"{settings.PORTAL_URL}{reverse('company_sign_on_callback', args=[audience])}"
