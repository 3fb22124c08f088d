"""Rate limits for requests: a sliding window for each rate, stored in Redis.

A view that does work is limited by the decorator `limited`. Code that must handle a failure of
Redis itself calls `consume`, as sign-in codes do.

A rate is written "5/10m/key": at most 5 requests in any 10 minutes for one key. The unit is s, m, h
or d. The last part names what is counted: `ip` counts by network, `key` by a string of the caller.
Several rates are separated by commas.
"""

import ipaddress
import logging
import re
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from typing import Any, NamedTuple

import redis
from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from redis.backoff import NoBackoff
from redis.retry import Retry

from foundations.keyed_hashes import keyed_hash

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponse]

_RATE = re.compile(r"(\d+)/(\d*)([smhd])/(ip|site|key)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}
_IPV6_PREFIX = 64  # what a provider assigns to one customer; a customer can use all of it
_SITE_PREFIXES = (24, 48)  # of IPv4 and IPv6; many hosting customers get a /48 network
_ADDRESS = "_counted_address"  # the attribute of a request
_ANSWER_SECONDS = 2.0

# A script runs as one step, so that requests at the same moment cannot pass together. It uses the
# clock of Redis, so that all web servers count by one clock. The members of a set are the requests
# that passed. ARGV: member, then amount and seconds of each key. The script returns the number of
# keys that let the request pass, and the seconds until the next key lets one pass; 0 if all did.
_TAKE = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
for number, key in ipairs(KEYS) do
    local amount, seconds = tonumber(ARGV[2 * number]), tonumber(ARGV[2 * number + 1])
    redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.6f', now - seconds))
    if redis.call('ZCARD', key) >= amount then
        local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
        local wait = math.ceil(tonumber(first[2] or now) + seconds - now)
        return {number - 1, math.max(1, wait)}
    end
    redis.call('ZADD', key, string.format('%.6f', now), ARGV[1])
    redis.call('EXPIRE', key, seconds)
end
return {#KEYS, 0}
"""


@dataclass(frozen=True)
class Rate:
    """At most `amount` requests in any `seconds`, for each network or for each key."""

    amount: int
    seconds: int
    per: str  # "ip", "site" or "key"


@dataclass
class Usage:
    """One counted request: the entry that each of its rates recorded."""

    entries: list[tuple[str, str]] = field(default_factory=list)  # key in Redis, member
    wait_seconds: int = 0  # until the rate that is used up lets a request pass; 0 if all passed

    def roll_back(self) -> None:
        """Removes the request from the counts. Raises redis.RedisError if it cannot be reached."""
        pipeline = _client(settings.REDIS_URL).pipeline(transaction=False)
        for name, member in self.entries:
            pipeline.zrem(name, member)
        pipeline.execute()


class CountStep(NamedTuple):
    """One of several actions that a request is counted for in order."""

    action: str
    rates: str
    key: str = ""


def limited(
    action: str, *, methods: Collection[str], by_user: bool = False
) -> Callable[[View], View]:
    """Returns a decorator that limits how often a view may be requested.

    The view answers 429 once the request's network, or its user with `by_user`, has used up the
    rates of settings.PROOF_RATES[action]. Only requests with one of `methods` count.

    If Redis cannot be reached, every request passes, because this decorator limits the server's
    work and not attempts to guess a secret.
    """

    def decorator(view: View) -> View:
        @wraps(view)
        def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            wait = 0
            if request.method in methods:
                wait = seconds_to_wait(request, action, by_user=by_user)
            return too_many_requests(request, wait) if wait else view(request, *args, **kwargs)

        return counted

    return decorator


def too_many_requests(
    request: HttpRequest, wait_seconds: int, context: dict[str, Any] | None = None
) -> HttpResponse:
    """Returns the page for a used-up rate: 429, with the wait in words and in Retry-After."""
    context = {"minutes": -(-wait_seconds // 60), **(context or {})}
    response = render(request, "429.html", context, status=429)
    response.headers["Retry-After"] = str(wait_seconds)
    return response


def seconds_to_wait(request: HttpRequest, action: str, *, by_user: bool) -> int:
    """Counts a request against settings.PROOF_RATES[action]; returns the seconds until it may pass.

    Returns 0 if it may pass now, and if Redis cannot be reached, as `limited` does.
    """
    key = f"user:{request.user.pk}" if by_user else ""
    rates = settings.PROOF_RATES[action]
    try:
        return attempt(request, scope="notices", action=action, rates=rates, key=key).wait_seconds
    except redis.RedisError:
        logger.error("Redis is away: %s is not limited", action)
        return 0


def consume(
    request: HttpRequest, *, scope: str, action: str, rates: str, key: str = ""
) -> Usage | None:
    """Counts one request against `rates`; returns None if one of them is used up.

    The rates are counted in their order, up to the first one that is used up. The request stays
    counted in the rates before it. `scope` and `action` separate the counts of different callers.
    `key` is the string by which rates per key count.

    Raises redis.RedisError if Redis cannot be reached, ValueError for a malformed rate, and
    PermissionDenied if the request has no address.
    """
    usage = attempt(request, scope=scope, action=action, rates=rates, key=key)
    return None if usage.wait_seconds else usage


def attempt(request: HttpRequest, *, scope: str, action: str, rates: str, key: str = "") -> Usage:
    """Counts one request as `consume` does, and returns also how long a refused one has to wait.

    The entries of the returned usage are those of the rates before the one that is used up. Raises
    the same exceptions.
    """
    return attempt_in_order(request, scope=scope, steps=[CountStep(action, rates, key)])[0]


def attempt_in_order(
    request: HttpRequest, *, scope: str, steps: Sequence[CountStep]
) -> list[Usage]:
    """Counts one request for several actions in one call of Redis, up to the first used-up rate.

    Returns the usage of each step up to that rate. Only the last one can have a wait. Raises the
    same exceptions as `consume`.
    """
    member = secrets.token_hex(8)
    counts = [
        (number, rate, name_of_count(request, scope, step.action, rate, step.key))
        for number, step in enumerate(steps)
        for rate in parse_rates(step.rates)
    ]
    limits = [limit for _number, rate, _name in counts for limit in (rate.amount, rate.seconds)]
    passed, wait = 0, 0
    if counts:
        names = [name for _number, _rate, name in counts]
        passed, wait = _take(settings.REDIS_URL)(keys=names, args=[member, *limits])
    tried = counts[passed][0] + 1 if wait else len(steps)
    usages = [Usage() for _step in steps[:tried]]
    usages[-1].wait_seconds = int(wait)
    for number, _rate, name in counts[:passed]:
        usages[number].entries.append((name, member))
    return usages


def give_back(request: HttpRequest, *, scope: str, action: str, rates: str, number: int) -> None:
    """Removes the newest `number` requests of this request's networks from the counts.

    Raises redis.RedisError if Redis cannot be reached.
    """
    pipeline = _client(settings.REDIS_URL).pipeline(transaction=False)
    for rate in parse_rates(rates):
        pipeline.zpopmax(name_of_count(request, scope, action, rate, ""), number)
    pipeline.execute()


@lru_cache
def parse_rates(rates: str) -> tuple[Rate, ...]:
    """Returns the rates in a string such as "5/10m/key,60/m/ip"; an empty string has none.

    Raises ValueError for a malformed rate.
    """
    return tuple(_parse(part.strip()) for part in rates.split(",") if part.strip())


def _parse(rate: str) -> Rate:
    match = _RATE.fullmatch(rate)
    if match is None:
        raise ValueError(f"{rate!r} is not a rate such as 5/10m/key")
    amount, number, unit, per = match.groups()
    return Rate(int(amount), int(number or 1) * _SECONDS[unit], per)


def network_of(request: HttpRequest) -> str:
    """Returns the client's IPv4 address, or the /64 network of its IPv6 address.

    An IPv4 address that is mapped into IPv6 (RFC 4291, ::ffff:0:0/96) is read as IPv4, so that not
    all such clients share one network. A provider assigns a /64 network to one customer. A text
    that is no IP address is returned unchanged. settings.ALLAUTH_TRUSTED_PROXY_COUNT sets how
    many addresses of X-Forwarded-For are trusted. Raises PermissionDenied if the request has no
    address.
    """
    return _network(_address_of(request), 32, _IPV6_PREFIX)


def site_of(request: HttpRequest) -> str:
    """Returns the client's /24 network, or the /48 network of its IPv6 address."""
    return _network(_address_of(request), *_SITE_PREFIXES)


def _address_of(request: HttpRequest) -> str:
    """Returns the client's address. It is read once a request, because several rates count it."""
    known = request.__dict__
    if _ADDRESS not in known:
        known[_ADDRESS] = str(get_adapter().get_client_ip(request))
    return str(known[_ADDRESS])


@lru_cache(maxsize=1_000)
def _network(address: str, ipv4_prefix: int, ipv6_prefix: int) -> str:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    prefix = ipv4_prefix if parsed.version == 4 else ipv6_prefix
    return str(ipaddress.ip_network((parsed, prefix), strict=False).network_address)


_COUNTED = {"ip": network_of, "site": site_of}


def name_of_count(request: HttpRequest, scope: str, action: str, rate: Rate, key: str) -> str:
    """Returns the name of a count, which contains the counted network or key as a keyed hash."""
    counted = _COUNTED[rate.per](request) if rate.per in _COUNTED else key
    # Keyed, because all IPv4 addresses could be hashed and compared.
    digest = keyed_hash("foundations.rate_limits", counted)
    return f"breachportal:rl:{scope}:{action}:{rate.amount}/{rate.seconds}/{rate.per}:{digest}"


@lru_cache(maxsize=1)
def _client(url: str) -> "redis.Redis":
    """Returns a client without redis-py's retries, which would delay a request for seconds."""
    return redis.Redis.from_url(
        url,
        socket_timeout=_ANSWER_SECONDS,
        socket_connect_timeout=_ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


@lru_cache(maxsize=1)
def _take(url: str) -> Callable[..., Any]:
    return _client(url).register_script(_TAKE)
