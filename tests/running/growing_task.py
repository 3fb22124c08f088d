"""A task of tests, for a worker that is started with `--include`: its process grows."""

import os

import redis
from celery import shared_task
from django.conf import settings


@shared_task(name="tests.grow")
def grow(number: int, mebibytes: int, key: str) -> None:
    """Uses the memory for a moment. Adds its number and its process to the list `key` of Redis."""
    used = b"x" * (mebibytes << 20)
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        server.rpush(key, f"{number} {os.getpid()}")
    del used
