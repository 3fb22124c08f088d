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
    _last_time = float("-inf")
    _heap: list[Any] | None

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Sends the tasks that are due. Returns the seconds until the next call."""
        self._follow_clock()
        wait: float = super().tick(*args, **kwargs)
        if time.monotonic() - self._last_sign >= EVERY_SECONDS:
            self._last_sign = time.monotonic()
            with suppress(redis.RedisError):
                _give_sign(f"{socket.gethostname()}:{os.getpid()} {settings.PORTAL_HOST}")
        return min(wait, EVERY_SECONDS)

    def _follow_clock(self) -> None:
        """Lets tasks be due again after the clock of this machine was set back.

        Each would else wait until the clock shows the time that it showed before. The file of the
        schedule may hold such a time, too.
        """
        before, self._last_time = self._last_time, time.time()
        if self._heap and self._last_time >= before:
            return
        latest = self.app.now()
        for entry in self.schedule.values():
            if entry.last_run_at and entry.last_run_at > latest:
                entry.last_run_at = latest
        self._heap = None  # Celery computes it again


def running() -> list[str]:
    """Returns the schedulers that gave a sign lately, as `host:process`. Raises RedisError."""
    return [name for name, portal in _signs() if portal == settings.PORTAL_HOST]


def other_portals() -> list[str]:
    """Returns the hosts of other portals whose schedulers use this Redis. Raises RedisError.

    Their workers take tasks of this portal, and the limits count the visitors of both.
    """
    return sorted({portal for _name, portal in _signs()} - {settings.PORTAL_HOST})


def _signs() -> list[tuple[str, str]]:
    """Returns (`host:process`, host of the portal) of each scheduler that gave a sign lately."""
    with _client() as client:
        since = _now(client) - ALIVE_SECONDS
        signs = [sign.decode() for sign in client.zrangebyscore(KEY, since, "+inf")]
    parts = [sign.partition(" ") for sign in signs]
    # The version before wrote the name only.
    return [(name, portal or settings.PORTAL_HOST) for name, _, portal in parts]


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
