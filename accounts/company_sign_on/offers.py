"""What the sign-in page offers beside the code: the company's providers."""

from typing import NamedTuple

from django.urls import reverse
from django.utils.http import urlencode

from accounts.company_sign_on.providers import provider_for

STAFF, CUSTOMERS = "staff", "customers"


class SignOnOffer(NamedTuple):
    """A button of the sign-in page."""

    name: str
    url: str


def offers(next_url: str) -> list[SignOnOffer]:
    """Returns the buttons for a sign-in that leads to `next_url`.

    Only a visitor who comes from the desk sees the provider of the response team.
    """
    audience = STAFF if next_url.startswith(reverse("admin:index")) else CUSTOMERS
    provider = provider_for(audience)
    if provider is None:
        return []
    query = f"?{urlencode({'next': next_url})}" if next_url else ""
    return [SignOnOffer(provider.name, reverse("company_sign_on", args=[audience]) + query)]
