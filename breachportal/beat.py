"""Celery's scheduler, which tells Redis that it runs. The doctor counts the schedulers there."""

import os
import socket
import time
from contextlib import suppress
from typing import Any

import redis
from celery.beat import PersistentScheduler
from django.conf import settings

KEY = "breachportal:beats"  # a sorted set of the schedulers by the time of their last sign
EVERY_SECONDS = 10.0
ALIVE_SECONDS = 30.0  # without a sign for this long, a scheduler counts as ended


class SeenScheduler(PersistentScheduler):
    """Celery's persistent scheduler. It gives a sign every EVERY_SECONDS, if Redis answers."""

    _last_sign = float("-inf")

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Sends the tasks that are due. Returns the seconds until the next call."""
        wait: float = super().tick(*args, **kwargs)
        if time.monotonic() - self._last_sign >= EVERY_SECONDS:
            self._last_sign = time.monotonic()
            with suppress(redis.RedisError):
                _give_sign(f"{socket.gethostname()}:{os.getpid()}")
        return min(wait, EVERY_SECONDS)


def running() -> list[str]:
    """Returns the schedulers that gave a sign lately, as `host:process`. Raises RedisError."""
    with _client() as client:
        since = _now(client) - ALIVE_SECONDS
        return [name.decode() for name in client.zrangebyscore(KEY, since, "+inf")]


def _give_sign(name: str) -> None:
    with _client() as client:
        now = _now(client)
        client.zadd(KEY, {name: now})
        client.zremrangebyscore(KEY, "-inf", now - ALIVE_SECONDS)


def _now(client: "redis.Redis") -> int:
    """Returns the time of Redis in seconds: the clocks of two machines may differ."""
    return int(client.time()[0])


def _client() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
