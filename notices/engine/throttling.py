"""Deliberate limits of a send: the rate limits of destinations, and the load of the
portal's pages.
"""

import time
from collections import defaultdict

import redis
from django.conf import settings

from foundations import latency
from notices.engine.learned_rates import LearnedRates
from notices.models.destination import SMS, is_of_texts
from notices.provider_groups import provider_of_domain

ASK_SECONDS = 0.05  # between two requests to Redis for one destination
REST_SECONDS = 5.0  # after Redis did not answer
AT_ONCE_SECONDS = 0.2  # a worker reserves the tokens of this time at once
ANY = "*"  # in NOTICE_RATES: every destination without a rate of its own

# A token bucket: it fills at the rate and holds the tokens of one second. Redis' clock is used.
_TAKE_TOKENS = """
local rate, wanted = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local held = redis.call('HMGET', KEYS[1], 'left', 'at')
local most = math.max(rate, 1)
local left = most
if held[1] then
    left = math.min(most, tonumber(held[1]) + math.max(now - tonumber(held[2]), 0) * rate)
end
local given = math.min(math.floor(left), wanted)
redis.call('HSET', KEYS[1], 'left', tostring(left - given), 'at', tostring(now))
redis.call('EXPIRE', KEYS[1], math.ceil(most / rate) + 60)
return given
"""


class DestinationLimiter:
    """Rate limits by destination: those of NOTICE_RATES, and the learned ones. All workers share
    the token bucket in Redis.

    While Redis is unavailable, each worker sends at most NOTICE_RATE_WITHOUT_REDIS messages a
    second to each limited destination. That is slower than necessary, and never unlimited.
    """

    def __init__(self) -> None:
        self._fixed = _fixed_rates()
        self.learned = LearnedRates()
        self._reserved: defaultdict[str, int] = defaultdict(int)
        self._reserve_at: defaultdict[str, float] = defaultdict(float)
        self._redis_at = 0.0

    def take_token(self, destination: str) -> bool:
        """Returns whether one more message may be sent to `destination`. If so, the message is
        counted as sent. Text messages to all countries share one rate, that of the gateway.
        """
        name = SMS if is_of_texts(destination) else destination
        rate = self._rate_of(name)
        return rate is None or self._take(name, rate)

    def take_server_token(self, server: str) -> bool:
        """Returns whether one more message may be sent to the mail server, whatever its
        destination. If so, the message is counted as sent.
        """
        rate = self.learned.per_second(server)
        return rate is None or self._take(server, rate)

    def give_back(self, server: str) -> None:
        """Takes back a token of `take_server_token` for which there was no message."""
        if self.learned.per_second(server) is not None:
            self._reserved[server] += 1

    def _take(self, destination: str, rate: float) -> bool:
        now = time.monotonic()
        if not self._reserved[destination] and now >= self._reserve_at[destination]:
            self._reserve_at[destination] = now + ASK_SECONDS
            self._reserved[destination] = self._reserve(destination, rate, now)
        if not self._reserved[destination]:
            return False
        self._reserved[destination] -= 1
        return True

    def _rate_of(self, destination: str) -> float | None:
        fixed = self._fixed.get(destination)
        if fixed is None and destination != SMS:
            fixed = self._fixed.get(ANY)
        learned = self.learned.per_second(destination)
        if learned is None:
            return fixed
        return learned if fixed is None else min(fixed, learned)

    def _reserve(self, destination: str, rate: float, now: float) -> int:
        """Returns how many tokens this worker may use now; 0 or more."""
        if now >= self._redis_at:
            try:
                wanted = max(int(rate * AT_ONCE_SECONDS), 1)
                take = latency.client().register_script(_TAKE_TOKENS)
                return int(take(keys=[f"notices:rate:{destination}"], args=[rate, wanted]))
            except redis.RedisError:
                self._redis_at = now + REST_SECONDS
        self._reserve_at[destination] = now + 1 / min(settings.NOTICE_RATE_WITHOUT_REDIS, rate)
        return 1


def _fixed_rates() -> dict[str, float]:
    """Returns NOTICE_RATES by destination. The rate of a provider's domain holds for all of its
    domains; of two rates for one provider the lower one.
    """
    fixed: dict[str, float] = {}
    for name, rate in settings.NOTICE_RATES.items():
        destination = SMS if name == SMS.lower() else provider_of_domain(name) or name
        fixed[destination] = min(rate, fixed.get(destination, rate))
    return fixed


class Governor:
    """The pace of a send. It slows down while the portal's pages are slow, because the messages
    bring the visitors.
    """

    SLOWEST = 1 / 16
    LOOK_SECONDS = 1.0
    LONGEST_REST = 1.0

    def __init__(self) -> None:
        self.pace = 1.0  # the share of the time that is used for sending
        self._update_at = 0.0

    def rest(self, seconds: float) -> None:
        """Sleeps for the time that belongs to `seconds` of sending at the current pace."""
        self._update_pace()
        if self.pace < 1:
            time.sleep(min(seconds * (1 / self.pace - 1), self.LONGEST_REST))

    def _update_pace(self) -> None:
        """Halves the pace if pages take longer than NOTICE_PORTAL_MILLISECONDS, else doubles it up
        to 1.
        """
        now = time.monotonic()
        if now < self._update_at:
            return
        self._update_at = now + self.LOOK_SECONDS
        try:
            page_seconds = latency.latest()
        except redis.RedisError:
            self._update_at = now + REST_SECONDS
            return  # the latency is unknown, so the pace does not change
        most = settings.NOTICE_PORTAL_MILLISECONDS
        is_slow = page_seconds is not None and page_seconds * 1000 > most
        self.pace = max(self.pace / 2, self.SLOWEST) if is_slow else min(self.pace * 2, 1.0)
