"""Checks the DNS records on which the delivery of mails depends: SPF, DKIM, DMARC and MX.

SPF and MX are those of MAIL_DOMAIN, the domain of the envelope sender; DMARC is that of the domain
in From. Whether SPF allows the mail server is not checked, because its outgoing addresses are not
known here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from dns.exception import DNSException
from dns.rdatatype import MX, TXT, RdataType
from dns.resolver import NXDOMAIN, NoAnswer, Resolver

from foundations.dkim import DkimSigner

LOOKUP_SECONDS = 10.0


@dataclass(frozen=True)
class MailDomainFinding:
    """What one check found. `is_fault` is true if mails suffer from it."""

    check: str
    text: str
    is_fault: bool = True

    def __str__(self) -> str:
        return f"{'FAULT' if self.is_fault else 'ok':5}  {self.check:5}  {self.text}"


class DnsRecords:
    """The records that a name server returns; by default the name servers of this machine.

    Both methods return [] for a name without such records, and raise DNSException if no name server
    answers.
    """

    def __init__(self, nameserver: str = "", port: int = 53) -> None:
        self._resolver = Resolver(configure=not nameserver)
        self._resolver.lifetime = LOOKUP_SECONDS
        if nameserver:
            self._resolver.nameservers, self._resolver.port = [nameserver], port

    def texts(self, name: str) -> list[str]:
        """Returns the TXT records of `name`."""
        records = self._records(name, TXT)
        return [b"".join(record.strings).decode(errors="replace") for record in records]

    def mail_exchangers(self, name: str) -> list[str]:
        """Returns the hosts of the MX records; "" is the null MX of RFC 7505."""
        return [str(record.exchange).rstrip(".") for record in self._records(name, MX)]

    def _records(self, name: str, kind: RdataType) -> list[Any]:
        try:
            return list(self._resolver.resolve(f"{name}.", kind))
        except (NXDOMAIN, NoAnswer):
            return []


def check_mail_domain(records: DnsRecords) -> Iterator[MailDomainFinding]:
    """Yields one finding of each check."""
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    signer: DkimSigner | None = settings.DKIM_SIGNER
    checks: dict[str, Callable[[], MailDomainFinding]] = {
        "SPF": lambda: check_spf(settings.MAIL_DOMAIN, records),
        "DKIM": lambda: check_dkim(signer, records),
        "DMARC": lambda: check_dmarc(sender, signer, records),
        "MX": lambda: check_mx(settings.MAIL_DOMAIN, records),
    }
    for name, check in checks.items():
        try:
            yield check()
        except DNSException as error:
            yield MailDomainFinding(name, f"the DNS does not answer: {error}")


def check_spf(domain: str, records: DnsRecords) -> MailDomainFinding:
    """Returns whether `domain` has one SPF record that allows some servers only (RFC 7208)."""
    found = [text for text in records.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]
    if not found:
        return MailDomainFinding(
            "SPF", f"{domain} has no record; publish TXT: v=spf1 a:{settings.EMAIL_HOST} -all"
        )
    if len(found) > 1:
        return MailDomainFinding("SPF", f"{domain} has {len(found)} records; receivers use none")
    if {"all", "+all"} & set(found[0].lower().split()):
        return MailDomainFinding("SPF", f"{domain} allows every server: {found[0]}")
    return MailDomainFinding("SPF", f"{domain}: {found[0]}", is_fault=False)


def check_dkim(signer: DkimSigner | None, records: DnsRecords) -> MailDomainFinding:
    """Returns whether the record of `signer` holds the public half of its key."""
    if signer is None:
        text = "not checked: the mail server signs (DKIM_DOMAIN is unset)"
        return MailDomainFinding("DKIM", text, is_fault=False)
    name, wanted = signer.record_name, signer.record()
    found = records.texts(name)
    if not found:
        return MailDomainFinding("DKIM", f"{name} has no record; publish TXT: {wanted}")
    if len(found) > 1:
        return MailDomainFinding("DKIM", f"{name} has {len(found)} records; keep TXT: {wanted}")
    tags, own = tags_of(found[0]), tags_of(wanted)
    # Without k= the key is RSA.
    if (tags.get("k", "rsa"), tags.get("p")) != (own["k"], own["p"]):
        return MailDomainFinding("DKIM", f"{name} holds another key; publish TXT: {wanted}")
    if "y" in tags.get("t", "").split(":"):
        return MailDomainFinding("DKIM", f"{name} has t=y (testing); receivers may ignore it")
    return MailDomainFinding("DKIM", f"{name} matches the key", is_fault=False)


def check_dmarc(domain: str, signer: DkimSigner | None, records: DnsRecords) -> MailDomainFinding:
    """Returns whether a DMARC record applies to `domain` and the signature is aligned with it.

    A record of `domain` counts, else that of the nearest domain above it.
    """
    labels = domain.split(".")
    parents = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    for parent in parents:
        name = f"_dmarc.{parent}"
        found = [text for text in records.texts(name) if tags_of(text).get("v") == "DMARC1"]
        if len(found) > 1:
            return MailDomainFinding("DMARC", f"{name} has {len(found)} records; none is used")
        if found:
            return _aligned(name, found[0], domain, signer)
    text = f"_dmarc.{domain} has no record; publish TXT: v=DMARC1; p=none; rua=mailto:…"
    return MailDomainFinding("DMARC", text)


def _aligned(name: str, record: str, domain: str, signer: DkimSigner | None) -> MailDomainFinding:
    tags = tags_of(record)
    if tags.get("p", "").lower() not in ("none", "quarantine", "reject"):
        return MailDomainFinding("DMARC", f"{name} has no usable p=: {record}")
    if signer and tags.get("adkim", "r").lower() == "s" and signer.domain != domain.lower():
        text = f"{name} has adkim=s; it needs DKIM_DOMAIN {domain}, not {signer.domain}"
        return MailDomainFinding("DMARC", text)
    return MailDomainFinding("DMARC", f"{name}: {record}", is_fault=False)


def check_mx(domain: str, records: DnsRecords) -> MailDomainFinding:
    """Returns whether mails to `domain`, the returned ones, have a server."""
    hosts = [host for host in records.mail_exchangers(domain) if host]
    if not hosts:
        text = f"{domain} has no mail server; returned mail is lost. Publish MX: 10 <your host>"
        return MailDomainFinding("MX", text)
    return MailDomainFinding("MX", f"{domain}: {', '.join(sorted(hosts))}", is_fault=False)


def tags_of(record: str) -> dict[str, str]:
    """Returns the tags of a DKIM or DMARC record, their values without white space."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip(): "".join(value.split()) for name, _is, value in pairs if name.strip()}
