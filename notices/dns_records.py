"""The DNS records that the checks of the mail domain read."""

from ipaddress import ip_address
from typing import Any

from dns.rdatatype import AAAA, MX, PTR, TXT, A, RdataType
from dns.resolver import NXDOMAIN, NoAnswer, NoResolverConfiguration, Resolver
from dns.reversename import from_address

LOOKUP_SECONDS = 10.0


class DnsRecords:
    """The records that a name server returns; by default the name servers of this machine.

    The methods return [] for a name without such records, and raise DNSException if no name server
    answers.
    """

    def __init__(self, nameserver: str = "", port: int = 53, *, seconds: float = 0) -> None:
        try:
            self._resolver = Resolver(configure=not nameserver)
        except NoResolverConfiguration:  # a machine without a name server: none answers
            self._resolver = Resolver(configure=False)
        self._resolver.lifetime = seconds or LOOKUP_SECONDS
        if nameserver:
            self._resolver.nameservers, self._resolver.port = [nameserver], port

    def texts(self, name: str) -> list[str]:
        """Returns the TXT records of `name`."""
        records = self._records(name, TXT)
        return [b"".join(record.strings).decode(errors="replace") for record in records]

    def mail_exchangers(self, name: str) -> list[str]:
        """Returns the hosts of the MX records; "" is the null MX of RFC 7505."""
        return [str(record.exchange).rstrip(".") for record in self._records(name, MX)]

    def addresses(self, host: str) -> list[str]:
        """Returns the IPv4 and IPv6 addresses of a host; an address is its own."""
        if is_address(host):
            return [host]
        found = [*self._records(host, A), *self._records(host, AAAA)]
        return [str(record.address) for record in found]

    def names_of(self, address: str) -> list[str]:
        """Returns the names in the PTR records of an IP address."""
        reverse = str(from_address(address)).rstrip(".")
        return [str(record.target).rstrip(".") for record in self._records(reverse, PTR)]

    def _records(self, name: str, kind: RdataType) -> list[Any]:
        try:
            return list(self._resolver.resolve(f"{name}.", kind))
        except (NXDOMAIN, NoAnswer):
            return []


def is_address(text: str) -> bool:
    """Returns whether `text` is an IP address, and so no host name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
