"""Destinations of addresses: whose servers take the message, and whose limits therefore apply."""

from urllib.parse import urlsplit

import phonenumbers

from notices.mail_exchangers import hosted_at
from notices.models.destination import SMS
from notices.provider_groups import provider_of_domain


def destination_of(address: str) -> str:
    """Returns the name of the destination of an e-mail address: the provider's name if one is
    known, else the domain; the host of a push service's https URL; SMS and the country for a
    telephone number in E.164, because gateways allow and refuse whole countries. Does not wait for
    the DNS.
    """
    if address.startswith("https://"):
        return (urlsplit(address).hostname or "").lower()
    if "@" not in address:
        return _texts_to(address)
    domain = address.rpartition("@")[2].lower()
    return provider_of_domain(domain) or hosted_at(domain)


def _texts_to(number: str) -> str:
    """Returns such as "SMS KR", or "SMS +1" if the number's country is not known; SMS for no
    number.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return SMS
    return f"{SMS} {phonenumbers.region_code_for_number(parsed) or f'+{parsed.country_code}'}"
