"""Evaluates SPF (RFC 7208): whether the record of a domain allows an address to send."""

import re
from enum import StrEnum
from ipaddress import ip_address, ip_network

from notices.dns_records import DnsRecords

MOST_LOOKUPS = 10  # RFC 7208, 4.6.4: receivers give up at more terms that ask the DNS
_TERM = re.compile(
    r"([+?~-]?)(all|include|a|mx|ip4|ip6|exists|ptr)(?::([^/]+))?(?:/(\d{1,3}))?(?://(\d{1,3}))?",
    re.IGNORECASE,
)
_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE)


class SpfResult(StrEnum):
    """The result for one address, by the names of RFC 7208; `UNKNOWN` is ours."""

    PASS = "pass"  # noqa: S105 (not a password)
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"
    PERMERROR = "permerror"
    UNKNOWN = "not evaluated"  # the record uses macros, `exists` or `ptr`


_RESULTS = {
    "": SpfResult.PASS,
    "+": SpfResult.PASS,
    "-": SpfResult.FAIL,
    "~": SpfResult.SOFTFAIL,
    "?": SpfResult.NEUTRAL,
}


class _EndedError(Exception):
    """The evaluation ends with this result, whatever follows."""

    def __init__(self, result: SpfResult) -> None:
        super().__init__(result)
        self.result = result


def spf_records(domain: str, records: DnsRecords) -> list[str]:
    """Returns the SPF records of `domain`; only one is correct. Raises DNSException."""
    return [text for text in records.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]


def spf_result(domain: str, address: str, records: DnsRecords) -> SpfResult:
    """Returns whether `domain` allows the IP address to send. Raises DNSException."""
    try:
        return _Evaluation(address, records).of(domain)
    except _EndedError as ended:
        return ended.result


class _Evaluation:
    """The evaluation for one address; it counts the terms that ask the DNS."""

    def __init__(self, address: str, records: DnsRecords) -> None:
        self._address = ip_address(address)
        self._records = records
        self._lookups = 0

    def of(self, domain: str) -> SpfResult:
        """Returns the result of the domain's record. Raises _EndedError."""
        found = spf_records(domain, self._records)
        if len(found) > 1:
            raise _EndedError(SpfResult.PERMERROR)
        if not found:
            return SpfResult.NONE
        target = ""
        for term in found[0].split()[1:]:
            if "%" in term:
                raise _EndedError(SpfResult.UNKNOWN)
            if modifier := _MODIFIER.fullmatch(term):
                target = modifier[2] if modifier[1].lower() == "redirect" else target
            elif (result := self._of_term(term, domain)) is not None:
                return result
        return self._included(target) if target else SpfResult.NEUTRAL

    def _of_term(self, term: str, domain: str) -> SpfResult | None:
        """Returns the result of a mechanism that matches; None if it does not."""
        parts = _TERM.fullmatch(term)
        if not parts:
            raise _EndedError(SpfResult.PERMERROR)
        qualifier, kind, value, short, long = parts.groups()
        host, prefix = value or domain, short if self._address.version == 4 else long
        match kind.lower():
            case "all":
                is_match = True
            case "ip4" | "ip6":
                is_match = self._is_in(host, short)
            case "include":
                is_match = self._included(host) is SpfResult.PASS
            case "a":
                is_match = self._is_at([host], prefix)
            case "mx":
                is_match = self._is_at(self._records.mail_exchangers(host), prefix)
            case _:
                raise _EndedError(SpfResult.UNKNOWN)
        return _RESULTS[qualifier] if is_match else None

    def _included(self, domain: str) -> SpfResult:
        self._count_lookup()
        result = self.of(domain)
        if result is SpfResult.NONE:
            raise _EndedError(SpfResult.PERMERROR)
        return result

    def _is_at(self, hosts: list[str], prefix: str | None) -> bool:
        self._count_lookup()
        addresses = [one for host in hosts for one in self._records.addresses(host)]
        own = [one for one in addresses if ip_address(one).version == self._address.version]
        return any(self._is_in(one, prefix) for one in own)

    def _is_in(self, network: str, prefix: str | None) -> bool:
        try:
            return self._address in ip_network(
                f"{network}/{prefix}" if prefix else network, strict=False
            )
        except ValueError:
            raise _EndedError(SpfResult.PERMERROR) from None

    def _count_lookup(self) -> None:
        self._lookups += 1
        if self._lookups > MOST_LOOKUPS:
            raise _EndedError(SpfResult.PERMERROR)
