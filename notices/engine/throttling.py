"""What holds a send back on purpose: limits of destinations, and the portal's own pages."""

import time
from collections import defaultdict

import redis
from django.conf import settings

from foundations import latency

ASK_SECONDS = 0.05  # between two questions about one destination
REST_SECONDS = 5.0  # after Redis did not answer
AT_ONCE_SECONDS = 0.2  # how far ahead one worker may reserve

# A bucket that fills at the rate and holds a second's worth; the time is Redis' own.
_TAKE = """
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
    """How many messages may go to a destination now; all workers share its bucket.

    While Redis is away each worker keeps to NOTICE_RATE_WITHOUT_REDIS for each limited destination:
    slow for certain, never unlimited.
    """

    def __init__(self) -> None:
        self._rates = settings.NOTICE_RATES
        self._in_hand: defaultdict[str, int] = defaultdict(int)
        self._ask_at: defaultdict[str, float] = defaultdict(float)
        self._redis_at = 0.0

    def admits(self, domain: str) -> bool:
        """Whether one more may go; if so it counts as gone."""
        rate = self._rates.get(domain) or self._rates.get("*")
        if rate is None:
            return True
        now = time.monotonic()
        if not self._in_hand[domain] and now >= self._ask_at[domain]:
            self._ask_at[domain] = now + ASK_SECONDS
            self._in_hand[domain] = self._ask(domain, rate, now)
        if not self._in_hand[domain]:
            return False
        self._in_hand[domain] -= 1
        return True

    def _ask(self, domain: str, rate: float, now: float) -> int:
        if now >= self._redis_at:
            try:
                wanted = max(int(rate * AT_ONCE_SECONDS), 1)
                take = latency.client().register_script(_TAKE)
                return int(take(keys=[f"notices:rate:{domain}"], args=[rate, wanted]))
            except redis.RedisError:
                self._redis_at = now + REST_SECONDS
        self._ask_at[domain] = now + 1 / min(settings.NOTICE_RATE_WITHOUT_REDIS, rate)
        return 1


class Governor:
    """Slows the send while customers wait too long for a page: they come because of the mails."""

    SLOWEST = 1 / 16
    LOOK_SECONDS = 1.0
    LONGEST_REST = 1.0

    def __init__(self) -> None:
        self.pace = 1.0  # the part of the time that is spent on sending
        self._look_at = 0.0

    def rest(self, worked: float) -> None:
        """Sleeps as long as `worked` seconds of sending call for."""
        self._look()
        if self.pace < 1:
            time.sleep(min(worked * (1 / self.pace - 1), self.LONGEST_REST))

    def _look(self) -> None:
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + self.LOOK_SECONDS
        try:
            seconds = latency.latest()
        except redis.RedisError:
            self._look_at = now + REST_SECONDS
            return  # nothing is known: the pace stays as it is
        is_slow = seconds is not None and seconds * 1000 > settings.NOTICE_PORTAL_MILLISECONDS
        self.pace = max(self.pace / 2, self.SLOWEST) if is_slow else min(self.pace * 2, 1.0)
