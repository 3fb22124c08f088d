"""Rate limits for requests: a sliding window for each rate, stored in Redis.

A view that does work is limited by the decorator `limited`. Code that must handle a failure of
Redis itself calls `consume`, as sign-in codes do.

A rate is written "5/10m/key": at most 5 requests in any 10 minutes for one key. The unit is s, m, h
or d. The last part names what is counted: `ip` counts by network, `key` by a string of the caller.
Several rates are separated by commas.
"""

import ipaddress
import json
import logging
import math
import random
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from typing import Any, NamedTuple

import redis
from allauth.account.adapter import get_adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from redis.backoff import NoBackoff
from redis.retry import Retry

from foundations import visitor_address
from foundations.caching import Entry, kept_cache
from foundations.keyed_hashes import keyed_hash
from foundations.redis_scripts import KeptScript

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponse]

_RATE = re.compile(r"(\d+)/(\d*)([smhd])/(ip|site|key)", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}
_IPV6_PREFIX = 64  # what a provider assigns to one customer; a customer can use all of it
# Of IPv4, in whole octets, and of IPv6; many hosting customers get a /48 network.
_SITE_PREFIXES = (24, 48)
_ADDRESS = "_counted_address"  # the attribute of a request
_ANSWER_SECONDS = 2.0
# Of a refused body whose texts come back on the page. A longer one is not read: that costs most.
_MOST_KEPT = 128 * 1024
_NOT_TYPED = ("csrfmiddlewaretoken", "to_language")  # of foundations.language_switch

# A script runs as one step, so that requests at the same moment cannot pass together. It uses the
# clock of Redis, so that all web servers count by one clock. The members of a set are the requests
# that passed. KEYS: the claim, if there is one; the counts; the entries. ARGV[1] is JSON, because
# redis-py takes long for each argument: the member, the number of claims (0 or 1), that of claims
# and counts, and the values of each key: the amount, the seconds and the weight of a count, else
# the value and the seconds. The script returns the number of counts that let the request pass, the
# seconds until the next one lets one pass (0 if all did), and the value of the claim if another
# request holds it. The first write takes memory, so that a Redis whose memory is full refuses the
# script; after a write that takes none, it would allow all of them.
_TAKE = """
local member, claims, counted, pairs = unpack(cjson.decode(ARGV[1]))
if claims == 1 and not redis.call('SET', KEYS[1], pairs[1][1], 'NX', 'EX', pairs[1][2]) then
    return {0, 0, redis.call('GET', KEYS[1])}
end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local at = string.format('%.6f', now)
for number = claims + 1, counted do
    local key = KEYS[number]
    local amount, seconds, weight = unpack(pairs[number])
    local oldest = string.format('(%.6f', now - seconds)
    local over = redis.call('ZCOUNT', key, oldest, '+inf') + weight - amount
    if over > 0 then
        local first = redis.call(
            'ZRANGEBYSCORE', key, oldest, '+inf', 'WITHSCORES', 'LIMIT', over - 1, 1)
        local wait = math.ceil(tonumber(first[2] or now) + seconds - now)
        return {number - claims - 1, math.max(1, wait), ''}
    end
    for part = 1, weight do
        redis.call('ZADD', key, at, part == 1 and member or member .. ':' .. part)
    end
    redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.6f', now - seconds))
    redis.call('EXPIRE', key, seconds)
end
for number = counted + 1, #KEYS do
    redis.call('SET', KEYS[number], pairs[number][1], 'EX', pairs[number][2])
end
return {counted - claims, 0, ''}
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
    weight: int = 1  # the number of requests as which it counts


class Along(NamedTuple):
    """What the cache stores in the same step as the counts of a request.

    A claim is stored unless its key exists. If another request holds it, nothing else is done. The
    entries are stored if all rates let the request pass.
    """

    claim: Entry | None = None
    entries: Sequence[Entry] = ()


class Attempt(NamedTuple):
    """The usage of each step up to the used-up one; only the last one can have a wait."""

    usages: list[Usage]
    claimed: Any = None  # the value of the claim, if another request holds it; nothing was counted


NOTHING = Along()


def limited(
    action: str,
    *,
    methods: Collection[str],
    by_user: bool = False,
    in_crowd: str = "",
    typed: Collection[str] = (),
) -> Callable[[View], View]:
    """Returns a decorator that limits how often a view may be requested.

    The view answers 429 once the request's network, or its user with `by_user`, has used up the
    rates of settings.PROOF_RATES[action]. Only requests with one of `methods` count; HEAD counts as
    GET, because it tells as much as the status does. With `in_crowd` the network is not refused,
    but crowded; see `seconds_to_wait_in_crowd`. The page of the refusal keeps the posted fields
    `typed`, with a button to send them again.

    If Redis cannot be reached, every request passes, because this decorator limits the server's
    work and not attempts to guess a secret.
    """

    def wait_of(request: HttpRequest) -> int:
        if in_crowd:
            return seconds_to_wait_in_crowd(request, action, in_crowd=in_crowd)
        return seconds_to_wait(request, action, by_user=by_user)

    def decorator(view: View) -> View:
        @wraps(view)
        def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            wait = 0
            method = "GET" if request.method == "HEAD" else request.method
            if method in methods:
                wait = wait_of(request)
            if not wait:
                return view(request, *args, **kwargs)
            context: dict[str, Any] = {"try_again": posted_texts(request, typed)}
            if by_user:
                # The page's own words are about the network, which is not what was counted here.
                context["reason"] = _("You have done this very often in a short time.")
            return too_many_requests(request, wait, context)

        return counted

    return decorator


def posted_texts(request: HttpRequest, names: Collection[str]) -> list[tuple[str, str]]:
    """Returns names and values of posted fields for the page of a refusal; [] if all are blank.

    Returns [] for a body of more than 128 KiB, which is not read.
    """
    if not names or not _has_short_body(request):
        return []
    return _unless_blank([(name, request.POST.get(name, "")) for name in names])


def short_texts(request: HttpRequest, typed: QueryDict | None = None) -> list[tuple[str, str]]:
    """Returns all posted texts, or those of `typed`, as `posted_texts` does: for any form."""
    if typed is None:
        if not _has_short_body(request):
            return []
        typed = request.POST
    return _unless_blank(
        [
            (name, value)
            for name, values in typed.lists()
            for value in values
            if name not in _NOT_TYPED
        ]
    )


def _unless_blank(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return fields if any(value.strip() for _name, value in fields) else []


def _has_short_body(request: HttpRequest) -> bool:
    return request.method == "POST" and _length_of(request) <= _MOST_KEPT


def _length_of(request: HttpRequest) -> float:
    """Returns the length of the body in bytes; infinity if the request does not say it."""
    length = request.META.get("CONTENT_LENGTH") or ""
    return int(length) if re.fullmatch("[0-9]{1,12}", length) else math.inf


def too_many_requests(
    request: HttpRequest,
    wait_seconds: int,
    context: dict[str, Any] | None = None,
    *,
    template: str = "429.html",
) -> HttpResponse:
    """Returns the page for a used-up rate: 429, with the wait in words and in Retry-After."""
    context = {"minutes": -(-wait_seconds // 60), **(context or {})}
    response = render(request, template, context, status=429)
    response.headers["Retry-After"] = str(wait_seconds)
    return response


def rates_of(action: str) -> str:
    """Returns the rates of an action in settings.PROOF_RATES."""
    return str(settings.PROOF_RATES[action])


def seconds_to_wait(
    request: HttpRequest, action: str, *, by_user: bool = False, key: str = ""
) -> int:
    """Counts a request against settings.PROOF_RATES[action]; returns the seconds until it may pass.

    Rates per key count by the user with `by_user`, else by `key`. Returns 0 if the request may pass
    now, and if Redis cannot be reached, as `limited` does.
    """
    key = f"user:{request.user.pk}" if by_user else key
    rates = rates_of(action)
    try:
        return attempt(request, scope="notices", action=action, rates=rates, key=key).wait_seconds
    except redis.RedisError:
        logger.error("Redis is away: %s is not limited", action)
        return 0


def seconds_to_wait_in_crowd(request: HttpRequest, action: str, *, in_crowd: str) -> int:
    """Counts a request against settings.PROOF_RATES[action], which the users of a network share.

    A network that has used them up is crowded and refuses no user, because strangers behind the
    same carrier may have used them up: settings.PROOF_RATES[in_crowd], which count by user, hold
    then. Returns the seconds until the user may pass, or 0.
    """
    is_crowded = seconds_to_wait(request, action)
    return seconds_to_wait(request, in_crowd, by_user=True) if is_crowded else 0


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
    steps = [CountStep(action, rates, key)]
    return attempt_in_order(request, scope=scope, steps=steps).usages[0]


def attempt_in_order(
    request: HttpRequest, *, scope: str, steps: Sequence[CountStep], along: Along = NOTHING
) -> Attempt:
    """Counts one request for several actions in one call of Redis, up to the first used-up rate.

    Stores what is `along` in the same call. Raises the same exceptions as `consume`.
    """
    member = f"{random.getrandbits(64):x}"  # a name, no secret
    counts = [
        (number, rate, name_of_count(request, scope, step.action, rate, step.key))
        for number, step in enumerate(steps)
        for rate in parse_rates(step.rates)
    ]
    cache = kept_cache()
    claims = [cache.encoded(along.claim)] if along.claim else []
    keys = [
        *claims,
        *((name, (rate.amount, rate.seconds, steps[n].weight)) for n, rate, name in counts),
    ]
    keys += [cache.encoded(entry) for entry in along.entries]
    passed, wait, claimed = 0, 0, b""
    if keys:
        pairs = [pair for _key, pair in keys]
        argument = json.dumps([member, len(claims), len(claims) + len(counts), pairs])
        take = _take(settings.REDIS_URL)
        passed, wait, claimed = take(keys=[key for key, _pair in keys], args=[argument])
    if claimed:
        return Attempt([Usage()], cache.decoded(claimed))
    tried = counts[passed][0] + 1 if wait else len(steps)
    usages = [Usage() for _step in steps[:tried]]
    usages[-1].wait_seconds = int(wait)
    for number, _rate, name in counts[:passed]:
        usages[number].entries += _entries(name, member, steps[number].weight)
    return Attempt(usages)


def _entries(name: str, member: str, weight: int) -> list[tuple[str, str]]:
    """Returns the entries that the script stores in one count."""
    further = [(name, f"{member}:{part}") for part in range(2, weight + 1)]
    return [(name, member), *further]


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
        plain = visitor_address.plain_address(request)
        known[_ADDRESS] = plain or str(get_adapter().get_client_ip(request))
    return str(known[_ADDRESS])


@lru_cache(maxsize=1_000)
def _network(address: str, ipv4_prefix: int, ipv6_prefix: int) -> str:
    if visitor_address.IPV4.fullmatch(address):
        octets = address.split(".")[: ipv4_prefix // 8]
        return ".".join([*octets, "0", "0", "0", "0"][:4])
    parsed = _parsed(address)
    if parsed is None:
        return address
    prefix = ipv4_prefix if parsed.version == 4 else ipv6_prefix
    bits = parsed.max_prefixlen - prefix
    return str(type(parsed)(int(parsed) >> bits << bits))


@lru_cache(maxsize=1_000)
def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


_COUNTED = {"ip": network_of, "site": site_of}


def name_of_count(request: HttpRequest, scope: str, action: str, rate: Rate, key: str) -> str:
    """Returns the name of a count, which contains the counted network or key as a keyed hash."""
    counted = _COUNTED[rate.per](request) if rate.per in _COUNTED else key
    digest = _digest(counted, settings.SECRET_KEY)
    return f"breachportal:rl:{scope}:{action}:{rate.amount}/{rate.seconds}/{rate.per}:{digest}"


# Keyed, because all IPv4 addresses could be hashed and compared. Kept, because several rates count
# the same network or key.
@lru_cache(maxsize=1_000)
def _digest(counted: str, _secret: str) -> str:
    return keyed_hash("foundations.rate_limits", counted)


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
def _take(url: str) -> KeptScript:
    return KeptScript(_client(url), _TAKE)
