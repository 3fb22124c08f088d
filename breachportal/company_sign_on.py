"""Reads the settings of the OpenID Connect providers: one for the response team, one for customers.

The variables of the two begin with STAFF_SSO_ and CUSTOMER_SSO_.
"""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from breachportal import environment

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def staff(*, may_be_local: bool) -> dict[str, Any] | None:
    """Returns the settings of the response team's provider, or None if no variable is set.

    `may_be_local` allows http to this machine, for tests. Raises ImproperlyConfigured if the issuer
    is no https address, or if the id, the secret or the name is missing.
    """
    values = {
        "issuer": environment.text("STAFF_SSO_ISSUER"),
        "client_id": environment.text("STAFF_SSO_CLIENT_ID"),
        "client_secret": environment.text("STAFF_SSO_CLIENT_SECRET"),
        "name": environment.text("STAFF_SSO_NAME"),
    }
    further = {
        "verified_claim": environment.text("STAFF_SSO_VERIFIED_CLAIM"),
        "second_factors": environment.words("STAFF_SSO_SECOND_FACTORS"),
    }
    return _checked("STAFF_SSO_", values, further, may_be_local)


def customers(*, may_be_local: bool) -> dict[str, Any] | None:
    """Returns the same for the provider of customers, who have no second factor."""
    values = {
        "issuer": environment.text("CUSTOMER_SSO_ISSUER"),
        "client_id": environment.text("CUSTOMER_SSO_CLIENT_ID"),
        "client_secret": environment.text("CUSTOMER_SSO_CLIENT_SECRET"),
        "name": environment.text("CUSTOMER_SSO_NAME"),
    }
    further = {
        "verified_claim": environment.text("CUSTOMER_SSO_VERIFIED_CLAIM"),
        "member_claim": environment.text("CUSTOMER_SSO_MEMBER_CLAIM"),
    }
    return _checked("CUSTOMER_SSO_", values, further, may_be_local)


def _checked(
    prefix: str, values: dict[str, str], further: dict[str, Any], may_be_local: bool
) -> dict[str, Any] | None:
    if not any([*values.values(), *further.values()]):
        return None
    if missing := [f"{prefix}{name.upper()}" for name, value in values.items() if not value]:
        raise ImproperlyConfigured(f"Company sign-on needs {', '.join(missing)} too.")
    _check_issuer(values["issuer"], f"{prefix}ISSUER", may_be_local)
    given = {name: value for name, value in further.items() if value}
    return {**values, **given, "may_be_local": may_be_local}


def _check_issuer(issuer: str, variable: str, may_be_local: bool) -> None:
    parts = urlsplit(issuer)
    is_local = may_be_local and parts.scheme == "http" and parts.hostname in _LOOPBACK
    is_url = bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)
    if not is_url or not (parts.scheme == "https" or is_local):
        raise ImproperlyConfigured(
            f"{variable} must be the issuer of the provider as its discovery document names it: "
            "an https address without a query."
        )
