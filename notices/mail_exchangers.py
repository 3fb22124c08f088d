"""Finds the provider that hosts the mail of a company's domain, by the domain's MX records.

A send never waits for a look-up. An unknown domain is its own destination until a thread has found
its provider. The answers are kept in this process and in Redis, for a day each. If the DNS does not
answer, the domain stays its own destination, and is asked about again later.
"""

import contextlib
import queue
import threading
import time
from functools import lru_cache

import redis
from django.conf import settings
from dns.exception import DNSException

from foundations import latency
from notices.dns_records import DnsRecords
from notices.provider_groups import provider_of_exchangers

KEPT_SECONDS = 86_400
FAILED_SECONDS = 300  # before a domain is asked about again after the DNS did not answer
MOST_KNOWN = 100_000  # domains in one process
MOST_WAITING = 1_000  # domains without an answer; further ones are asked about when they come again
THREADS = 4
KEY = "notices:mail_exchangers:{}"


class MailExchangers:
    """The providers of domains, as one process knows them."""

    def __init__(self, records: DnsRecords) -> None:
        self._records = records
        # The destination of each domain, and until when it holds (monotonic).
        self._known: dict[str, tuple[str, float]] = {}
        self._waiting: queue.Queue[str] = queue.Queue(MOST_WAITING)
        self._threads = 0

    def destination(self, domain: str) -> str:
        """Returns the provider that hosts `domain`, or `domain` itself as long as none is known.
        Does not wait.
        """
        name, until = self._known.get(domain, (domain, 0.0))
        if time.monotonic() > until:
            self._ask(domain)
        return name

    def _ask(self, domain: str) -> None:
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        try:
            self._waiting.put_nowait(domain)
        except queue.Full:
            return
        self._known[domain] = (domain, time.monotonic() + FAILED_SECONDS)  # asked about once
        if self._threads < THREADS:
            self._threads += 1
            threading.Thread(target=self._answer_all, daemon=True).start()

    def _answer_all(self) -> None:
        while True:
            domain = self._waiting.get()
            with contextlib.suppress(DNSException, OSError, ValueError):
                name = _stored(domain) or self._look_up(domain)
                self._known[domain] = (name, time.monotonic() + KEPT_SECONDS)

    def _look_up(self, domain: str) -> str:
        """Returns the provider or the domain itself, and stores it. Raises DNSException."""
        name = provider_of_exchangers(self._records.mail_exchangers(domain)) or domain
        with contextlib.suppress(redis.RedisError):
            latency.client().set(KEY.format(domain), name, ex=KEPT_SECONDS)
        return name


def _stored(domain: str) -> str:
    try:
        found = latency.client().get(KEY.format(domain))
    except redis.RedisError:
        return ""
    return found.decode() if isinstance(found, bytes) else ""


@lru_cache(maxsize=1)
def _exchangers() -> MailExchangers:
    return MailExchangers(DnsRecords(seconds=settings.NOTICE_MX_SECONDS))


def hosted_at(domain: str) -> str:
    """Returns the destination of a domain that is no provider's own; the domain itself if no
    look-ups are allowed (NOTICE_MX_SECONDS is 0).
    """
    return _exchangers().destination(domain) if settings.NOTICE_MX_SECONDS else domain
