"""Health checks of balancers and monitors."""

from contextlib import suppress

import pytest
from django.test import Client

from tests.running.database_proxy import DatabaseProxy
from tests.running.test_database_away import get, wait_for
from tests.web_processes import web_processes

BALANCER = "10.0.0.7"


def ask(path: str, address: str = BALANCER, **headers: str):
    host = {"host": "10.0.0.9:8000", **headers}  # a balancer asks by IP address
    return Client().get(path, headers=host, REMOTE_ADDR=address)


def test_a_balancer_learns_that_the_process_answers(db, settings):
    settings.SECURE_SSL_REDIRECT = True
    response = ask("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
    assert response["Cache-Control"] == "no-store"


def test_a_monitor_learns_which_parts_answer(db):
    response = ask("/readyz")
    assert response.status_code == 200
    assert response.json() == {"database": "ok", "redis": "ok", "master_keyset": "ok"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_the_checks_are_not_public(db, settings, path):
    settings.ALLOWED_HOSTS = ["*"]
    assert ask(path, "8.8.8.8").status_code == 404
    assert ask(path, "127.0.0.1", **{"x-forwarded-for": "10.0.0.7"}).status_code == 404
    settings.ALLAUTH_TRUSTED_CLIENT_IP_HEADER = "Visitoraddress"
    assert ask(path, "127.0.0.1", visitoraddress="8.8.8.8").status_code == 404
    assert ask(path, "").status_code == 404


def test_redis_away_is_named_without_its_address(db, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://:secret@127.0.0.1:1/0",
        }
    }
    response = ask("/readyz")
    assert response.status_code == 503
    assert response.json() == {"database": "ok", "redis": "away", "master_keyset": "ok"}


@pytest.mark.django_db(transaction=True)
def test_a_process_is_not_ready_while_the_database_is_away(coupang):
    proxy = DatabaseProxy()
    with web_processes("--workers 1", DATABASE_URL=proxy.url, WEB_THREADS="2") as port:
        wait_for(port, "/readyz", 200)
        proxy.cut()
        with suppress(OSError):
            get(port, "/readyz")  # the first check may still hold a connection
        answer, text, _seconds = get(port, "/readyz")
        assert (answer.status, '"database": "away"' in text) == (503, True)
        assert get(port, "/healthz")[0].status == 200
        proxy.restore()
        wait_for(port, "/readyz", 200)
