"""The cache in Redis: Django's own, with kept clients, and with JSON instead of pickle.

Django's own serializer writes pickles, and loading a pickle can execute code. Redis is protected
less than the database and holds no secrets. With JSON, an attacker who can write to Redis can
change a value but cannot execute code in the processes that hold the keys.
"""

import json
from collections.abc import Sequence
from typing import Any, cast

from django.core.cache import caches
from django.core.cache.backends import redis

_ADD = "return redis.call('EXISTS', KEYS[1]) == 1 and redis.call('INCRBY', KEYS[1], ARGV[1])"
Entry = tuple[str, Any, float]  # a key, its value, and the seconds for which it is stored
Encoded = tuple[str, tuple[int | str, int]]  # the same as Redis stores it


class JsonSerializer:
    """A cache serializer for numbers, strings, lists and dicts; a tuple is loaded as a list."""

    def dumps(self, value: Any) -> int | bytes:
        """Returns `value` as JSON. Raises TypeError if JSON cannot represent it.

        Returns an int unchanged, so that Redis can increment it.
        """
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        """Returns the value that `data` encodes. Raises ValueError if `data` is not JSON."""
        return json.loads(data)


class KeptClients(redis.RedisCacheClient):
    """Django's client of the cache with one kept client of redis-py, not a new one for each call.

    To make one takes as long as a call of Redis.
    """

    _serializer: "JsonSerializer"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clients: dict[bool, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        """Returns the client for reads or for writes, which does not depend on `key`."""
        if write not in self._clients:
            self._clients[write] = super().get_client(key, write=write)
        return self._clients[write]

    def incr(self, key: Any, delta: int) -> int:
        """Adds to a number and returns it, in one call of Redis; Django's own takes two.

        Raises ValueError if there is none.
        """
        number = self.get_client(write=True).eval(_ADD, 1, key, delta)
        if number is None:
            raise ValueError(f"Key '{key}' not found.")
        return int(number)

    def set_each(self, entries: Sequence[Encoded]) -> None:
        """Stores several values in one call of Redis. The times are at least one second."""
        pipeline = self.get_client(write=True).pipeline(transaction=False)
        for name, (value, seconds) in entries:
            pipeline.set(name, value, ex=seconds)
        pipeline.execute()


class KeptRedisCache(redis.RedisCache):
    """Django's cache in Redis with `KeptClients`."""

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = KeptClients

    def validate_key(self, key: str) -> None:
        """Does nothing: Django's own looks at each character, for the rules of memcached."""

    @property
    def _kept(self) -> KeptClients:
        return cast("KeptClients", self._cache)

    def set_each(self, entries: Sequence[Entry]) -> None:
        """Stores several values in one call of Redis. The times are at least one second."""
        self._kept.set_each([self.encoded(entry) for entry in entries])

    def encoded(self, entry: Entry) -> Encoded:
        """Returns what Redis stores of an entry, for a script that stores it."""
        key, value, seconds = entry
        data = self._kept._serializer.dumps(value)
        stored = data if isinstance(data, int) else data.decode()
        return self.make_and_validate_key(key), (stored, int(seconds))

    def decoded(self, data: bytes) -> Any:
        """Returns the value that Redis stores as `data`."""
        return self._kept._serializer.loads(data)


def kept_cache() -> KeptRedisCache:
    """Returns Django's default cache, with the methods that only this backend has."""
    return cast("KeptRedisCache", caches["default"])
