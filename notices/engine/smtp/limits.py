"""Learns how many messages a mail server takes on one connection.

Many servers end a connection after a number of messages, with 421 or 452 at the next MAIL or RCPT,
or by closing it. That is no failure: the message goes over another connection at once. If two
connections end at the same number, the transport ends later ones itself (QUIT) before that number.
All workers share what they learned in Redis, for KEPT_SECONDS. Without Redis each worker learns for
itself.
"""

import contextlib
import time
from typing import cast

import redis
from django.conf import settings

from foundations import latency

KEY = "notices:messages_a_connection"  # a hash {"host:port": "number time"}
FORGOTTEN_SECONDS = 60
KEPT_SECONDS = 3600  # then a higher number is tried, at the cost of two ended connections


class ConnectionLimit:
    """The number of messages that the server in the settings takes on one connection.

    `most` is that number, None as long as no limit is known.
    """

    def __init__(self) -> None:
        self._server = server_name()
        self._last_end: int | None = None
        self._forgotten_until = 0.0
        self.most = connection_limits().get(self._server)

    def record_end(self, messages: int) -> None:
        """Records that the server ended a connection after `messages` messages (at least 1).

        Two ends in a row at about the same number set the limit to the smaller one.
        """
        if time.monotonic() < self._forgotten_until:
            return
        last, self._last_end = self._last_end, messages
        if last is None or abs(last - messages) > max(1, messages // 10):
            return
        self.most = min(last, messages)
        value = f"{self.most} {time.time():.0f}"
        with contextlib.suppress(redis.RedisError):
            latency.client().hset(KEY, self._server, value)

    def forget(self) -> None:
        """Forgets the limit, because the server refuses new connections too: what ended the earlier
        ones was no number of messages on each. Nor do the next ends teach any.
        """
        self._forgotten_until = time.monotonic() + FORGOTTEN_SECONDS
        self._last_end = self.most = None
        with contextlib.suppress(redis.RedisError):
            latency.client().hdel(KEY, self._server)


def server_name() -> str:
    """Returns the mail server in the settings as "host:port"."""
    return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"


def connection_limits() -> dict[str, int]:
    """Returns {"host:port": messages a connection}, as learned in the last KEPT_SECONDS; {} without
    Redis.
    """
    try:
        stored = cast("dict[bytes, bytes]", latency.client().hgetall(KEY))
    except redis.RedisError:
        return {}
    found = {}
    for server, value in stored.items():
        number, _space, learned_at = value.decode().partition(" ")
        if time.time() - float(learned_at) < KEPT_SECONDS:
            found[server.decode()] = int(number)
    return found
