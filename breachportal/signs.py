"""Signs of life: beat and each worker give one in Redis, so that a dead one is seen in seconds."""

import time
from contextlib import suppress

import redis
from django.conf import settings

EVERY_SECONDS = 10.0
ALIVE_SECONDS = 30.0  # without a sign for this long, a process counts as ended


class Signs:
    """The signs of one kind of process: a sorted set of names by the time of their last sign."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._last = float("-inf")

    def give(self, *names: str) -> None:
        """Gives a sign under each name, every EVERY_SECONDS at most, if Redis answers."""
        if time.monotonic() - self._last >= EVERY_SECONDS:
            self._last = time.monotonic()
            with suppress(redis.RedisError):
                self.write(*names)

    def write(self, *names: str) -> None:
        """Writes a sign under each name. Raises RedisError."""
        with _client() as client:
            now = _now(client)
            client.zadd(self.key, dict.fromkeys(names, now))
            client.zremrangebyscore(self.key, "-inf", now - ALIVE_SECONDS)

    def alive(self) -> list[str]:
        """Returns the names that gave a sign in the last ALIVE_SECONDS. Raises RedisError."""
        with _client() as client:
            since = _now(client) - ALIVE_SECONDS
            return [sign.decode() for sign in client.zrangebyscore(self.key, since, "+inf")]


BEATS = Signs("breachportal:beats")  # `host:process`, and the host of the portal
WORKERS = Signs("breachportal:workers")  # the queue, and `process@host`


def _now(client: "redis.Redis") -> int:
    """Returns the time of Redis in seconds: the clocks of two machines may differ."""
    return int(client.time()[0])


def _client() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
