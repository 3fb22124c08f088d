"""Signs of life: beat and each worker give one in Redis, so that a dead one is seen in seconds."""

import time
from contextlib import suppress

import redis
from django.conf import settings

EVERY_SECONDS = 10.0
ALIVE_SECONDS = 30.0  # without a sign for this long, a process counts as ended


class Signs:
    """The signs of one kind of process: a sorted set of names by the time of their last sign.

    Each name ends with the host of its portal, because several portals may use one Redis.
    """

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
            signs = [f"{name} {settings.PORTAL_HOST}" for name in names]
            client.zadd(self.key, dict.fromkeys(signs, now))
            client.zremrangebyscore(self.key, "-inf", now - ALIVE_SECONDS)

    def alive(self) -> list[str]:
        """Returns the names of this portal that gave a sign in the last ALIVE_SECONDS.

        Raises RedisError.
        """
        return [name for name, portal in self._lately() if portal == settings.PORTAL_HOST]

    def other_portals(self) -> list[str]:
        """Returns the hosts of other portals whose processes use this Redis. Raises RedisError.

        Their workers take tasks of this portal, and the limits count the visitors of both.
        """
        return sorted({portal for _name, portal in self._lately()} - {settings.PORTAL_HOST})

    def _lately(self) -> list[tuple[str, str]]:
        """Returns (name, host of the portal) for each sign of the last ALIVE_SECONDS."""
        with _client() as client:
            since = _now(client) - ALIVE_SECONDS
            signs = client.zrangebyscore(self.key, since, "+inf")
        return [(name, portal) for name, _, portal in (s.decode().rpartition(" ") for s in signs)]


BEATS = Signs("breachportal:beats")  # `host:process`
WORKERS = Signs("breachportal:workers")  # the queue, and `process@host`


def _now(client: "redis.Redis") -> int:
    """Returns the time of Redis in seconds: the clocks of two machines may differ."""
    return int(client.time()[0])


def _client() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
