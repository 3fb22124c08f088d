"""Rate limits: a sliding window for each rate, shared by all web servers."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import RequestFactory
from django.urls import reverse
from django.utils.translation import override

from breachportal.rates import OF_PAGES
from foundations import rate_limits
from foundations.rate_limits import Rate


def ask(rates: str, *, address: str = "203.0.113.7", key: str = "", action: str = "ask"):
    request = RequestFactory().post("/", REMOTE_ADDR=address)
    return rate_limits.consume(request, scope="tests", action=action, rates=rates, key=key)


def passed(rates: str, times: int, **how: str) -> list[bool]:
    return [ask(rates, **how) is not None for _ in range(times)]


def test_a_rate_is_read():
    assert rate_limits.parse_rates("5/10m/key, 20/d/key,60/m/ip,1/2h/ip,3/15s/key") == (
        Rate(5, 600, "key"),
        Rate(20, 86_400, "key"),
        Rate(60, 60, "ip"),
        Rate(1, 7_200, "ip"),
        Rate(3, 15, "key"),
    )
    assert rate_limits.parse_rates("") == ()


@pytest.mark.parametrize(
    "rate", ["5", "5/m", "5/m/user", "x/m/ip", "5/w/ip", "5/m/ip/key", "5/ /ip"]
)
def test_a_rate_that_cannot_be_read_is_named(rate):
    with pytest.raises(ValueError, match=rate):
        rate_limits.parse_rates(rate)


def test_every_rate_of_the_settings_can_be_read():
    for of_settings in (django_settings.CODE_RATES, OF_PAGES):
        assert all(rate_limits.parse_rates(text) for text in of_settings.values())


def test_who_has_many_networks_of_one_site_is_limited_as_well():
    """A hosting customer gets 65,536 networks of /64, each of which had a count of its own."""
    for action, text in (django_settings.CODE_RATES | OF_PAGES).items():
        read = rate_limits.parse_rates(text)
        of_sites = {rate.seconds: rate.amount for rate in read if rate.per == "site"}
        for rate in read:
            if rate.per == "ip":
                assert rate.amount < of_sites.get(rate.seconds, 0) <= 5 * rate.amount, action
    addresses = [f"2001:db8:1:{number:x}::1" for number in range(601)]
    rates = django_settings.PROOF_RATES["stop_texts"]
    assert [ask(rates, address=each) is not None for each in addresses] == [True] * 600 + [False]


def test_each_network_and_each_key_has_its_own_count():
    assert passed("2/h/ip", 3) == [True, True, False]
    assert passed("2/h/ip", 1, address="203.0.113.8") == [True]
    assert passed("2/h/ip", 1, action="other") == [True]
    assert passed("2/h/key", 3, key="minji") == [True, True, False]
    assert passed("2/h/key", 1, key="seojun") == [True]


def test_an_ipv6_network_is_counted_as_one():
    assert passed("1/h/ip", 1, address="2001:db8::1") == [True]
    assert passed("1/h/ip", 1, address="2001:db8::ffff:2") == [False]
    assert passed("1/h/ip", 1, address="2001:db8:0:1::1") == [True]


def test_the_window_slides():
    assert passed("2/h/ip", 1) == [True]
    make_older(minutes=40)
    assert passed("2/h/ip", 2) == [True, False]
    make_older(minutes=40)  # the first request is older than an hour, the second is not
    assert passed("2/h/ip", 2) == [True, False]


def make_older(*, minutes: float) -> None:
    """Moves all counted requests into the past."""
    client = rate_limits._client(django_settings.REDIS_URL)
    for key in client.scan_iter(match="*", _type="zset"):
        counted: Any = client.zrange(key, 0, -1, withscores=True)
        client.zadd(key, {request: at - 60 * minutes for request, at in counted})


def test_a_used_up_rate_ends_the_count():
    assert passed("1/h/key,2/h/ip", 3, key="minji") == [True, False, False]
    assert passed("1/h/key,2/h/ip", 1, key="seojun") == [
        True
    ]  # the second request of this network only
    assert passed("1/h/key,2/h/ip", 1, key="hana") == [False]


def test_a_request_can_be_taken_back():
    for _ in range(3):
        usage = ask("1/h/ip,1/h/key", key="minji")
        assert usage
        usage.roll_back()
    assert passed("1/h/ip", 2) == [True, False]


def test_steps_are_counted_in_order_by_one_call():
    steps = [
        rate_limits.CountStep("ask", "3/h/key,9/d/key", "minji"),
        rate_limits.CountStep("network", "2/h/ip"),
        rate_limits.CountStep("mails", "9/h/key", "*"),
    ]
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1")

    def attempt():
        return rate_limits.attempt_in_order(request, scope="tests", steps=steps).usages

    answers = [attempt() for _ in range(4)]
    assert [len(usages) for usages in answers] == [3, 3, 2, 1]
    assert [len(usages[0].entries) for usages in answers] == [2, 2, 2, 0]
    assert [usages[-1].wait_seconds > 0 for usages in answers] == [False, False, True, True]
    answers[2][0].roll_back()
    usages = attempt()
    assert (len(usages), usages[0].wait_seconds) == (2, 0)


def test_what_goes_along_is_stored_with_the_counts_and_only_if_all_pass():
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1")
    steps = [rate_limits.CountStep("ask", "2/h/key", "minji")]

    def attempt(number: int, claim: str = "claim"):
        along = rate_limits.Along((f"tests:{claim}", number, 60), [("tests:entry", number, 60)])
        return rate_limits.attempt_in_order(request, scope="tests", steps=steps, along=along)

    cache.delete_many(["tests:claim", "tests:second", "tests:third", "tests:entry"])
    first = attempt(1)
    assert (first.claimed, first.usages[0].wait_seconds, cache.get("tests:entry")) == (None, 0, 1)
    again = attempt(2)
    assert (again.claimed, again.usages[0].entries, cache.get("tests:entry")) == (1, [], 1)
    assert attempt(3, "second").claimed is None  # the one before was not counted
    used_up = attempt(4, "third")
    assert (used_up.claimed, used_up.usages[0].wait_seconds > 0) == (None, True)
    assert (cache.get("tests:entry"), cache.get("tests:third")) == (3, 4)


def test_requests_at_the_same_moment_do_not_pass_together():
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: ask("5/h/ip") is not None, range(48)))
    assert answers.count(True) == 5


def test_what_is_counted_expires(settings):
    ask("5/10m/key", key="minji@example.com")
    client = redis.Redis.from_url(settings.REDIS_URL)
    [name] = client.keys("breachportal:rl:*")
    assert b"minji" not in name
    assert 590 < client.ttl(name) <= 600


def test_an_unreachable_redis_is_an_error_and_not_a_permission(settings):
    settings.REDIS_URL = "unix:///nonexistent/redis.sock"
    with pytest.raises(redis.RedisError):
        ask("5/h/ip")


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "head"])
def test_the_address_of_a_certificate_is_limited(client, settings, method):
    settings.PROOF_RATES = {"certificate_check": "2/h/ip"}
    with override("en"):
        address = reverse("certificate_checked", args=["7QK2X9ND4HTB90FCWZ6M"])
    statuses = [getattr(client, method)(address).status_code for _ in range(3)]
    assert statuses == [404, 404, 429]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
    ],
)
def test_a_client_is_counted_by_its_ipv4_address_or_its_ipv6_network(rf, address, network):
    request = rf.get("/", REMOTE_ADDR=address)
    assert rate_limits.network_of(request) == network


def test_no_network_address_can_be_found_in_redis(settings):
    """The hash is keyed: otherwise all 2^32 addresses could be hashed and compared."""
    address = "203.0.113.7"
    ask("5/h/ip", address=address)
    client = redis.Redis.from_url(settings.REDIS_URL)
    [before] = client.keys("breachportal:rl:*")
    assert address.encode() not in before
    for algorithm in ("md5", "sha1", "sha256"):
        assert hashlib.new(algorithm, address.encode()).hexdigest().encode() not in before
    settings.SECRET_KEY = "another one, as random as the first, and long enough"
    ask("5/h/ip", address=address)
    assert len(client.keys("breachportal:rl:*")) == 2


@pytest.mark.django_db
def test_head_counts_in_a_limit_as_get_does(client, settings):
    settings.PROOF_RATES = {**settings.PROOF_RATES, "stop_texts": "2/m/ip"}
    page = reverse("stop_texts", args=["7QK2-X9ND-4HTB"])
    assert [client.head(page).status_code for _each in range(3)] == [200, 200, 429]
