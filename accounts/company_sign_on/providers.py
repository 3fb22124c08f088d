"""Talks to an OpenID Connect provider: discovery, the request, and the exchange of the code.

Sources: OpenID Connect Core 1.0 and Discovery 1.0; RFC 7636 (PKCE), RFC 9207 (issuer in the
response), RFC 8725 (JSON Web Tokens).
"""

import base64
import hashlib
import json
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from django.conf import settings

SECONDS = 5.0  # of one answer, from the first byte to the last; exchanges.py bounds all
MOST_BYTES = 200_000
KEPT_SECONDS = 300  # for which a discovery document and the keys are kept


class SignOnError(Exception):
    """The provider did not confirm who the visitor is; the text says why, without any value."""


@dataclass(frozen=True)
class Provider:
    """One provider as it is set up, and how it is asked."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    verified_claim: str = "email_verified"
    second_factors: tuple[str, ...] = ()
    member_claim: str = ""  # of customers: the claim with the member number, "" for none
    may_be_local: bool = False

    def discovered(self, name: str) -> str:
        """Returns an address of the discovery document, or "" if it has none.

        Raises SignOnError if the document is another issuer's or the address is not https.
        """
        url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        document = kept_document(url)
        if document.get("issuer") != self.issuer:
            raise SignOnError("the discovery document names another issuer")
        address = document.get(name) or ""
        allowed = ("https", "http") if self.may_be_local else ("https",)
        if address and (not isinstance(address, str) or urlsplit(address).scheme not in allowed):
            raise SignOnError("the discovery document has an address without https")
        return str(address)

    def request_url(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Returns the address to which the browser is sent. Raises SignOnError."""
        address = self.discovered("authorization_endpoint")
        if not address:
            raise SignOnError("the discovery document has no page for the sign-in")
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid email profile",
            "state": state,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"

    def exchange(self, *, code: str, redirect_uri: str, verifier: str) -> dict[str, Any]:
        """Returns what the token endpoint answers. Raises SignOnError; a used code is refused."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {}
        if self._takes_basic():
            # RFC 6749, 2.3.1: both are encoded as form fields first.
            pair = f"{quote(self.client_id, safe='')}:{quote(self.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self.client_id, "client_secret": self.client_secret}
        return _answer("POST", self.discovered("token_endpoint"), data=form, headers=headers)

    def userinfo(self, access_token: str) -> dict[str, Any]:
        """Returns the claims of the userinfo endpoint; {} if the provider has none."""
        address = self.discovered("userinfo_endpoint")
        headers = {"Authorization": f"Bearer {access_token}"}
        return _answer("GET", address, headers=headers) if address else {}

    def keys(self, *, afresh: bool = False) -> dict[str, Any]:
        """Returns the provider's public keys (JWKS). `afresh` reads them again. Raises
        SignOnError.
        """
        if afresh:
            _kept.cache_clear()
        return kept_document(self.discovered("jwks_uri"))

    def _takes_basic(self) -> bool:
        url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        methods = kept_document(url).get("token_endpoint_auth_methods_supported")
        return "client_secret_basic" in (methods or ["client_secret_basic"])


def provider_for(audience: str) -> Provider | None:
    """Returns the provider of "staff" or "customers", or None if it is not set up."""
    values = settings.COMPANY_SIGN_ON.get(audience)
    if values is None:
        return None
    return Provider(**{**values, "second_factors": tuple(values.get("second_factors", ()))})


def kept_document(url: str) -> dict[str, Any]:
    """Returns a JSON document of the provider; this process keeps it for KEPT_SECONDS."""
    return _kept(url, int(time.time() // KEPT_SECONDS))


@lru_cache(maxsize=16)
def _kept(url: str, _period: int) -> dict[str, Any]:
    return _answer("GET", url)


def _answer(method: str, url: str, **options: Any) -> dict[str, Any]:
    """Returns the JSON object that the provider answers.

    Raises SignOnError if it is away, slow, too long, an error, a redirect, compressed, or no
    object.
    """
    until, body = time.monotonic() + SECONDS, b""
    # A compressed answer could unpack to a thousand times its length before it is measured.
    options["headers"] = {"Accept-Encoding": "identity", **options.get("headers", {})}
    try:
        with httpx.stream(method, url, timeout=SECONDS, follow_redirects=False, **options) as reply:
            for part in reply.iter_raw():
                body += part
                if time.monotonic() > until or len(body) > MOST_BYTES:
                    raise SignOnError("the provider’s answer is slow or too long")
            if reply.status_code != httpx.codes.OK:
                raise SignOnError(f"the provider answered with status {reply.status_code}")
        document = json.loads(body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise SignOnError("the provider did not answer") from error
    except (ValueError, RecursionError) as error:
        raise SignOnError("the provider’s answer is no JSON") from error
    if not isinstance(document, dict):
        raise SignOnError("the provider’s answer is no JSON object")
    return document
