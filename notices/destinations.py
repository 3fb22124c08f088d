"""Destinations of addresses: whose servers take the message, and whose limits therefore apply."""

from urllib.parse import urlsplit

from notices.mail_exchangers import hosted_at
from notices.models.destination import SMS
from notices.provider_groups import provider_of_domain


def destination_of(address: str) -> str:
    """Returns the name of the destination of an e-mail address: the provider's name if one is
    known, else the domain; the host of a push service's https URL; SMS for a telephone number. Does
    not wait for the DNS.
    """
    if address.startswith("https://"):
        return (urlsplit(address).hostname or "").lower()
    if "@" not in address:
        return SMS
    domain = address.rpartition("@")[2].lower()
    return provider_of_domain(domain) or hosted_at(domain)
