"""The time that customers wait for a page. Web processes measure it, and the send engine reads it.

Redis holds the figure for KEPT_SECONDS; an older one is useless. Without Redis there is no figure,
and no request is delayed.
"""

import threading
import time
from collections.abc import Callable
from functools import lru_cache

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from redis.backoff import NoBackoff
from redis.retry import Retry

KEY = "portal:latency"
PUBLISH_SECONDS = 1.0
REST_SECONDS = 10.0  # after Redis did not answer
KEPT_SECONDS = 5
ANSWER_SECONDS = 0.2


@lru_cache(maxsize=1)
def client() -> "redis.Redis":
    """Returns a Redis client for optional data: one attempt of at most ANSWER_SECONDS."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def measure_latency(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that publishes the mean response time of a process about once a second.

    Pages of the desk do not count, because they may be slow.
    """
    lock = threading.Lock()
    total, pages, publish_at = 0.0, 0, 0.0

    def middleware(request: HttpRequest) -> HttpResponse:
        nonlocal total, pages, publish_at
        began = time.monotonic()
        response = get_response(request)
        if request.path.startswith("/admin/"):
            return response
        now = time.monotonic()
        with lock:
            total, pages = total + now - began, pages + 1
            if now < publish_at:
                return response
            mean, total, pages, publish_at = total / pages, 0.0, 0, now + PUBLISH_SECONDS
        if not _publish(mean):
            publish_at = now + REST_SECONDS
        return response

    return middleware


def _publish(seconds: float) -> bool:
    try:
        client().set(KEY, f"{seconds:.4f}", ex=KEPT_SECONDS)
    except redis.RedisError:
        return False
    return True


def latest() -> float | None:
    """Returns the latest published mean in seconds, or None if no page was requested lately.

    Raises redis.RedisError.
    """
    value = client().get(KEY)
    return float(value) if isinstance(value, bytes) else None
