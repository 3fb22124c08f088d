"""Checks the DNS records on which the delivery of mails depends.

SPF, MX and alignment are those of the return paths, the domains of the envelope senders; DMARC is
that of the domains in From. PTR is that of the sending addresses: by default those of EMAIL_HOST.
The addresses from which a relay sends are not known here, so whether SPF allows them is checked
only for those that are given.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from functools import partial
from ipaddress import ip_address
from typing import NamedTuple

from django.conf import settings
from dns.exception import DNSException
from dns.reversename import from_address

from foundations.dkim import DkimSigner
from notices.dns_records import DnsRecords, is_address
from notices.spf import SpfResult, spf_records, spf_result


class WantedRecord(NamedTuple):
    """A DNS record to publish. "…" stands for what the operator has to fill in."""

    name: str
    type: str
    value: str

    def __str__(self) -> str:
        return f"publish {self.type}: {self.value}"


@dataclass(frozen=True)
class MailDomainFinding:
    """What one check found. `is_fault` is true if mails suffer from it.

    `is_answered` is false if the DNS did not answer, so that the check found nothing out.
    """

    check: str
    text: str
    is_fault: bool = True
    wanted: WantedRecord | None = None
    is_answered: bool = True

    def __str__(self) -> str:
        text = f"{self.text}; {self.wanted}" if self.wanted else self.text
        return f"{'FAULT' if self.is_fault else 'ok':5}  {self.check:5}  {text}"


def check_mail_domain(
    records: DnsRecords, sending: Sequence[str] = ()
) -> Iterator[MailDomainFinding]:
    """Yields the findings of all checks. `sending` are the IP addresses from which mails leave."""
    for name, check in _checks(records, sending):
        try:
            yield check()
        except DNSException as error:
            text = f"the DNS does not answer: {error}"
            yield MailDomainFinding(name, text, is_answered=False)


_Check = tuple[str, Callable[[], MailDomainFinding]]


def _checks(records: DnsRecords, sending: Sequence[str]) -> list[_Check]:
    signers: tuple[DkimSigner, ...] = settings.DKIM_SIGNERS
    paths = _return_paths()
    checks: list[_Check] = [("SPF", partial(check_spf, path, records, sending)) for path in paths]
    checks += [("DKIM", partial(check_dkim, signer, records)) for signer in signers or [None]]
    for sender in dict.fromkeys(paths.values()):
        checks.append(("DMARC", partial(check_dmarc, sender, signers, records)))
    checks += [("MX", partial(check_mx, path, records)) for path in paths]
    for path, sender in paths.items():
        checks.append(("PATH", partial(check_path, path, sender, signers, records)))
    checks += [("PTR", partial(check_ptr, address, records)) for address in sending]
    if not sending:
        checks.append(("PTR", partial(check_ptr_of_host, settings.EMAIL_HOST, records)))
    return checks


def _return_paths() -> dict[str, str]:
    """Returns {domain of an envelope sender: domain of From}, of notices and of code mails."""
    sender = _domain_of(settings.DEFAULT_FROM_EMAIL)
    code_sender = _domain_of(settings.CODE_MAIL_FROM) or sender
    code_path = _domain_of(settings.CODE_MAIL_RETURN_PATH) or code_sender
    return {code_path: code_sender, settings.MAIL_DOMAIN.lower(): sender}


def _domain_of(mailbox: str) -> str:
    return parseaddr(mailbox)[1].rpartition("@")[2].lower()


def check_spf(domain: str, records: DnsRecords, sending: Sequence[str] = ()) -> MailDomainFinding:
    """Returns whether `domain` has one SPF record that allows some servers only (RFC 7208), and
    each of the addresses `sending`.
    """
    found = spf_records(domain, records)
    if not found:
        wanted = WantedRecord(domain, "TXT", f"v=spf1 {_spf_of_host(settings.EMAIL_HOST)} -all")
        return MailDomainFinding("SPF", f"{domain} has no record", wanted=wanted)
    if len(found) > 1:
        return MailDomainFinding("SPF", f"{domain} has {len(found)} records; receivers use none")
    if {"all", "+all"} & set(found[0].lower().split()):
        return MailDomainFinding("SPF", f"{domain} allows every server: {found[0]}")
    for address in sending:
        result = spf_result(domain, address, records)
        if result not in (SpfResult.PASS, SpfResult.UNKNOWN):
            term = f" ip{ip_address(address).version}:{address}"
            wanted = WantedRecord(domain, "TXT", f"{found[0][:6]}{term}{found[0][6:]}")
            return MailDomainFinding("SPF", f"{domain}: {result} for {address}", wanted=wanted)
    return MailDomainFinding("SPF", f"{domain}: {found[0]}", is_fault=False)


def _spf_of_host(host: str) -> str:
    if not is_address(host):
        return f"a:{host}"
    return f"ip{ip_address(host).version}:{host}"


def check_dkim(signer: DkimSigner | None, records: DnsRecords) -> MailDomainFinding:
    """Returns whether the record of `signer` holds the public half of its key."""
    if signer is None:
        text = "not checked: the mail server signs (DKIM_DOMAIN is unset)"
        return MailDomainFinding("DKIM", text, is_fault=False)
    name = signer.record_name
    wanted = WantedRecord(name, "TXT", signer.record())
    found = records.texts(name)
    if not found:
        return MailDomainFinding("DKIM", f"{name} has no record", wanted=wanted)
    if len(found) > 1:
        return MailDomainFinding("DKIM", f"{name} has {len(found)} records", wanted=wanted)
    tags, own = tags_of(found[0]), tags_of(wanted.value)
    # Without k= the key is RSA.
    if (tags.get("k", "rsa"), tags.get("p")) != (own["k"], own["p"]):
        return MailDomainFinding("DKIM", f"{name} holds another key", wanted=wanted)
    if "y" in tags.get("t", "").split(":"):
        return MailDomainFinding("DKIM", f"{name} has t=y (testing); receivers may ignore it")
    return MailDomainFinding("DKIM", f"{name} matches the key", is_fault=False)


def check_dmarc(
    domain: str, signers: Sequence[DkimSigner], records: DnsRecords
) -> MailDomainFinding:
    """Returns whether a DMARC record applies to `domain` and a signature is aligned with it.

    A record of `domain` counts, else that of the nearest domain above it.
    """
    for parent in _with_parents(domain):
        name = f"_dmarc.{parent}"
        found = _dmarc_records(parent, records)
        if len(found) > 1:
            return MailDomainFinding("DMARC", f"{name} has {len(found)} records; none is used")
        if found:
            return _aligned(name, found[0], domain, signers)
    wanted = WantedRecord(f"_dmarc.{domain}", "TXT", "v=DMARC1; p=none; rua=mailto:…")
    return MailDomainFinding("DMARC", f"_dmarc.{domain} has no record", wanted=wanted)


def _with_parents(domain: str) -> list[str]:
    """Returns the domain and those above it, without the top-level one."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(len(labels) - 1, 1))]


def _dmarc_records(domain: str, records: DnsRecords) -> list[str]:
    texts = records.texts(f"_dmarc.{domain}")
    return [text for text in texts if tags_of(text).get("v") == "DMARC1"]


def _aligned(
    name: str, record: str, domain: str, signers: Sequence[DkimSigner]
) -> MailDomainFinding:
    tags = tags_of(record)
    if tags.get("p", "").lower() not in ("none", "quarantine", "reject"):
        return MailDomainFinding("DMARC", f"{name} has no usable p=: {record}")
    is_strict = tags.get("adkim", "r").lower() == "s"
    if signers and is_strict and all(signer.domain != domain for signer in signers):
        text = f"{name} has adkim=s; it needs DKIM_DOMAIN {domain}, not {signers[0].domain}"
        return MailDomainFinding("DMARC", text)
    return MailDomainFinding("DMARC", f"{name}: {record}", is_fault=False)


def check_mx(domain: str, records: DnsRecords) -> MailDomainFinding:
    """Returns whether mails to `domain`, the returned ones, have a server with an address."""
    hosts = [host for host in records.mail_exchangers(domain) if host]
    if not hosts:
        wanted = WantedRecord(domain, "MX", "10 <your host>")
        text = f"{domain} has no mail server; returned mail is lost"
        return MailDomainFinding("MX", text, wanted=wanted)
    if lost := [host for host in hosts if not records.addresses(host)]:
        text = f"{domain}: {', '.join(sorted(lost))} has no address"
        return MailDomainFinding("MX", text, wanted=WantedRecord(lost[0], "A", "…"))
    return MailDomainFinding("MX", f"{domain}: {', '.join(sorted(hosts))}", is_fault=False)


def check_path(
    path: str, sender: str, signers: Sequence[DkimSigner], records: DnsRecords
) -> MailDomainFinding:
    """Returns whether SPF of the return path counts for DMARC: whether it is aligned with From.

    Both must be equal, or without aspf=s below one domain: that with the DMARC record, or one of
    the two (RFC 7489, 3.1.2). A path that is not aligned is a fault only if no DKIM signature of
    ours passes instead.
    """
    above = next((one for one in _with_parents(sender) if _dmarc_records(one, records)), sender)
    policies = _dmarc_records(above, records)
    is_strict = bool(policies) and tags_of(policies[0]).get("aspf", "r").lower() == "s"
    is_near = _is_below(path, above) or _is_below(above, path)
    if path == sender or (is_near and not is_strict):
        return MailDomainFinding("PATH", f"{path} is aligned with {sender}", is_fault=False)
    text = f"{path} is not aligned with {sender}"
    if signers:
        return MailDomainFinding("PATH", f"{text}; the DKIM signature is", is_fault=False)
    return MailDomainFinding("PATH", f"{text}; DMARC passes only if the mail server signs")


def _is_below(domain: str, other: str) -> bool:
    return f".{domain}".endswith(f".{other}")


def check_ptr_of_host(host: str, records: DnsRecords) -> MailDomainFinding:
    """Returns whether each address of the mail server has a forward-confirmed name."""
    addresses = records.addresses(host)
    if not addresses:
        return MailDomainFinding(
            "PTR", f"{host} has no address", wanted=WantedRecord(host, "A", "…")
        )
    findings = [check_ptr(address, records) for address in addresses]
    return next((one for one in findings if one.is_fault), findings[0])


def check_ptr(address: str, records: DnsRecords) -> MailDomainFinding:
    """Returns whether an address has one name that leads back to it.

    Gmail, Naver and others refuse mail from an address without (RFC 8499: forward-confirmed).
    """
    if not ip_address(address).is_global:
        text = f"{address} is not public; name the sending addresses by --sender"
        return MailDomainFinding("PTR", text, is_fault=False)
    names = records.names_of(address)
    reverse = str(from_address(address)).rstrip(".")
    if not names:
        wanted = WantedRecord(reverse, "PTR", "<its host name>")
        return MailDomainFinding("PTR", f"{address} has no name", wanted=wanted)
    for name in names:
        if ip_address(address) in map(ip_address, records.addresses(name)):
            return MailDomainFinding("PTR", f"{address}: {name}", is_fault=False)
    kind = "AAAA" if ip_address(address).version == 6 else "A"
    text = f"{address} is {names[0]}, which does not lead back to it"
    return MailDomainFinding("PTR", text, wanted=WantedRecord(names[0], kind, address))


def tags_of(record: str) -> dict[str, str]:
    """Returns the tags of a DKIM or DMARC record, their values without white space."""
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip(): "".join(value.split()) for name, _is, value in pairs if name.strip()}
