"""The cache in Redis: it returns values, and executes nothing that Redis holds."""

import os
import pickle
from typing import Any

import pytest
from django.core.cache import cache

from foundations import latency


class Command:
    """An object that runs a system call when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def key():
    yield "test-caching"
    cache.delete("test-caching")


@pytest.mark.parametrize("value", [7, True, None, 1.5, "민지", ["a", 1, [2.5]], {"a": 1}])
def test_a_value_is_stored_and_returned(key, value):
    cache.set(key, value, 10)
    assert cache.get(key) == value


def test_numbers_are_counted_by_redis(key):
    cache.set(key, 0, 10)
    assert cache.incr(key) == 1
    assert not cache.add(key, True, 10)


def test_a_number_that_is_not_there_is_not_counted(key):
    with pytest.raises(ValueError, match=key):
        cache.incr(key)
    assert cache.get(key) is None


def test_content_of_redis_is_never_executed(key, tmp_path):
    latency.client().set(cache.make_key(key), pickle.dumps(Command(tmp_path / "owned")))
    with pytest.raises(ValueError, match="decode"):
        cache.get(key)
    assert not (tmp_path / "owned").exists()


def test_a_call_makes_no_new_client(key):
    cache.set(key, 1, 10)
    clients: Any = cache
    made = clients._cache.get_client(key, write=True)
    cache.incr(key)
    assert clients._cache.get_client(key, write=True) is made
