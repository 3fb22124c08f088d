"""Keyed hashes, and the random keys of sessions."""

from collections import Counter

from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.utils.crypto import salted_hmac
from hypothesis import given
from hypothesis import strategies as st

from foundations.keyed_hashes import keyed_hash
from foundations.session_store import random_key


@given(st.text(max_size=200))
def test_a_keyed_hash_is_djangos_salted_hmac(text):
    text = text.encode(errors="ignore").decode()
    expected = salted_hmac("a purpose", text, algorithm="sha256").hexdigest()
    assert keyed_hash("a purpose", text) == expected
    assert keyed_hash("another purpose", text) != expected


def test_a_keyed_hash_follows_the_secret_key(settings):
    before = keyed_hash("a purpose", "minji@example.com")
    settings.SECRET_KEY = "another secret key of the portal, long and random 8472"
    assert keyed_hash("a purpose", "minji@example.com") != before


def test_each_character_of_a_session_key_is_as_likely():
    keys = [random_key() for _number in range(9_000)]
    assert {len(key) for key in keys} == {32}
    assert len(set(keys)) == len(keys)
    found = Counter("".join(keys))
    assert set(found) == set(VALID_KEY_CHARS)
    # 8,000 of each are expected, with a standard deviation of 88: a seventh would be no chance.
    assert all(7_200 < number < 8_800 for number in found.values())
