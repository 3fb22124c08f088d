"""Reads the settings of the OpenID Connect providers: one for the response team, one for customers.

The variables of the two begin with STAFF_SSO_ and CUSTOMER_SSO_.
"""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from breachportal import environment

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def provider(prefix: str, *, may_be_local: bool) -> dict[str, Any] | None:
    """Returns the settings of the provider whose variables begin with `prefix`, or None.

    `may_be_local` allows http to this machine, for tests. Raises ImproperlyConfigured if the issuer
    is no https address, or if the id, the secret or the name is missing.
    """
    names = ("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "NAME")
    values = {name: environment.text(f"{prefix}{name}") for name in names}
    if not any(values.values()):
        return None
    if missing := [f"{prefix}{name}" for name, value in values.items() if not value]:
        raise ImproperlyConfigured(f"Company sign-on needs {', '.join(missing)} too.")
    _check_issuer(values["ISSUER"], f"{prefix}ISSUER", may_be_local)
    return {
        "issuer": values["ISSUER"],
        "client_id": values["CLIENT_ID"],
        "client_secret": values["CLIENT_SECRET"],
        "name": values["NAME"],
        "may_be_local": may_be_local,
        "verified_claim": environment.text(f"{prefix}VERIFIED_CLAIM", "email_verified"),
        "second_factors": environment.words(f"{prefix}SECOND_FACTORS"),
    }


def _check_issuer(issuer: str, variable: str, may_be_local: bool) -> None:
    parts = urlsplit(issuer)
    is_local = may_be_local and parts.scheme == "http" and parts.hostname in _LOOPBACK
    is_url = bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)
    if not is_url or not (parts.scheme == "https" or is_local):
        raise ImproperlyConfigured(
            f"{variable} must be the issuer of the provider as its discovery document names it: "
            "an https address without a query."
        )
