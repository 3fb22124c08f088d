"""The cache in Redis. While Redis is away, the database holds what the second factor needs of it.

The limit on guesses at a second factor, and the codes that were used, are in the cache. Without
them no member of the team could open the desk, which is where the failure is shown.
"""

from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from accounts import code_states
from accounts.code_states import DatabaseStates
from accounts.models import CodeState
from foundations.caching import KeptRedisCache
from foundations.keyed_hashes import keyed_hash

# The beginnings of the keys: allauth's counts and used codes, and the portal's used codes.
OF_SECOND_FACTOR = ("allauth", "accounts.app_code_used")
_states = DatabaseStates()


class PortalCache(KeptRedisCache):
    """`KeptRedisCache`, whose methods for OF_SECOND_FACTOR also work without Redis."""

    def add(self, key: str, value: Any, *options: Any, **named: Any) -> bool:
        """Stores `value` if there is none, and returns whether it did."""
        return bool(self._held(super().add, _add, key, value, *options, **named))

    def get(self, key: str, *options: Any, **named: Any) -> Any:
        """Returns the value, or a default."""
        return self._held(super().get, _get, key, *options, **named)

    def set(self, key: str, value: Any, *options: Any, **named: Any) -> None:
        """Stores `value`."""
        self._held(super().set, _set, key, value, *options, **named)

    def delete(self, key: str, *options: Any, **named: Any) -> bool:
        """Removes the value, and returns whether there was one."""
        return bool(self._held(super().delete, _delete, key, *options, **named))

    def _held(
        self,
        in_redis: Callable[..., Any],
        in_database: Callable[..., Any],
        key: str,
        *rest: Any,
        **named: Any,
    ) -> Any:
        if not key.startswith(OF_SECOND_FACTOR):
            return in_redis(key, *rest, **named)
        if not code_states.redis_is_away():
            try:
                return in_redis(key, *rest, **named)
            except RedisError:
                code_states.note_redis_away()
        return in_database(keyed_hash("second factor", key), *rest, **named)


def _add(key: str, _value: Any, timeout: float) -> bool:
    number, _seconds = code_states.count(key, seconds=round(timeout))
    return number == 1


def _get(key: str, default: Any = None) -> Any:
    return _states.get(key, default)


def _set(key: str, value: Any, timeout: float) -> None:
    _states.set(key, value, timeout)


def _delete(key: str) -> bool:
    return bool(CodeState.objects.filter(key=key).delete()[0])
