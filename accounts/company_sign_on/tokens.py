"""Verifies ID tokens, and reads from them who signed in."""

from dataclasses import dataclass
from typing import Any

import jwt

from accounts.company_sign_on.member_numbers import MOST_CHARACTERS
from accounts.company_sign_on.providers import Provider, SignOnError
from accounts.contacts import is_usable_email, normalise_email
from foundations.plain_references import plain_reference

# Signatures with a public key only. Without "none" and HS256 no one can sign with the public key.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
LEEWAY_SECONDS = 60  # by which the clocks may differ
MOST_SUBJECT = 255  # characters of ASCII; OpenID Connect Core 1.0, section 2
MOST_NAME = 80  # characters
_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]


@dataclass(frozen=True)
class SignedOn:
    """Who signed in at the provider."""

    issuer: str
    subject: str
    email: str  # normalised; "" if the provider does not confirm it
    name: str
    has_second_factor: bool  # by a method that the setting accepts
    member_number: str  # "" if the provider states none, or the settings name no claim


def signed_on(provider: Provider, answer: dict[str, Any], nonce: str) -> SignedOn:
    """Returns who signed in, by the answer of the token endpoint. Raises SignOnError.

    The ID token decides. The userinfo endpoint adds only claims that the ID token lacks.
    """
    claims = _verified(provider, answer.get("id_token"), nonce)
    token = answer.get("access_token")
    needed = {"email", provider.verified_claim, provider.member_claim} - {""}
    if isinstance(token, str) and not needed <= claims.keys():
        further = provider.userinfo(token)
        if further and further.get("sub") != claims["sub"]:
            raise SignOnError("the userinfo is another person’s")
        # The address and the flag that confirms it come from one source.
        pair = {"email", provider.verified_claim}
        if not pair <= claims.keys():
            claims = {name: value for name, value in claims.items() if name not in pair}
        claims = further | claims
    return SignedOn(
        issuer=provider.issuer,
        subject=claims["sub"],
        email=_confirmed_email(provider, claims),
        name=_name(claims),
        has_second_factor=_has_second_factor(provider, claims),
        member_number=_member_number(provider, claims),
    )


def _verified(provider: Provider, token: object, nonce: str) -> dict[str, Any]:
    """Returns the claims of an ID token whose signature, issuer, audience, times and nonce hold."""
    if not isinstance(token, str):
        raise SignOnError("the provider sent no ID token")
    try:
        key, algorithm = _key_of(provider, token)
        claims: dict[str, Any] = jwt.decode(
            token,
            key=key,
            algorithms=[algorithm],
            audience=provider.client_id,
            issuer=provider.issuer,
            leeway=LEEWAY_SECONDS,
            options={"require": _REQUIRED},
        )
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise SignOnError(f"the ID token is refused: {type(error).__name__}") from error
    if claims["nonce"] != nonce:
        raise SignOnError("the ID token is of another sign-in")
    if claims.get("azp", provider.client_id) != provider.client_id:
        raise SignOnError("the ID token is for another program")
    subject = claims["sub"]
    is_subject = isinstance(subject, str) and subject.isascii() and subject.isprintable()
    if not is_subject or not 0 < len(subject) <= MOST_SUBJECT:
        raise SignOnError("the ID token names no person")
    return claims


def _key_of(provider: Provider, token: str) -> tuple[Any, str]:
    """Returns the provider's key that signed the token, and the algorithm, one of ALGORITHMS."""
    header = jwt.get_unverified_header(token)
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise SignOnError("the ID token is signed in a way that is not accepted")
    for afresh in (False, True):  # a provider that changed its keys names a new one
        keys = jwt.PyJWKSet.from_dict(provider.keys(afresh=afresh)).keys
        found = [each for each in keys if each.key_id == header.get("kid")]
        if len(found) == 1 and found[0].public_key_use in (None, "sig"):
            return found[0].key, algorithm
    raise SignOnError("the provider has no key of that name")


def _confirmed_email(provider: Provider, claims: dict[str, Any]) -> str:
    """Returns the normalised address if the provider says that it is verified, else ""."""
    email = claims.get("email")
    # Some providers write the flag as a text or a number: "true" and 1 mean yes, and no more does.
    if str(claims.get(provider.verified_claim)).lower() not in ("true", "1"):
        return ""
    # Another spelling, as with full-width letters, may be the mailbox of another person.
    if not isinstance(email, str) or not email.rpartition("@")[0].isascii():
        return ""
    normalised = normalise_email(email)
    return normalised if is_usable_email(normalised) else ""


def _name(claims: dict[str, Any]) -> str:
    """Returns the name in one line; "" if there is none that can be shown."""
    name = claims.get("name")
    line = " ".join(name.split()) if isinstance(name, str) else ""
    return line[:MOST_NAME] if line.isprintable() else ""


def _member_number(provider: Provider, claims: dict[str, Any]) -> str:
    """Returns the member number, a text or a whole number, as the import stores references."""
    value = claims.get(provider.member_claim) if provider.member_claim else None
    # A float of JSON holds a larger number only nearly: it could be that of another member.
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    number = plain_reference(str(value))
    return number if number.isprintable() and len(number) <= MOST_CHARACTERS else ""


def _has_second_factor(provider: Provider, claims: dict[str, Any]) -> bool:
    methods = claims.get("amr")
    listed = methods if isinstance(methods, list) else []
    named = {each for each in listed if isinstance(each, str)}
    if isinstance(claims.get("acr"), str):
        named.add(claims["acr"])
    return bool(named & set(provider.second_factors))
