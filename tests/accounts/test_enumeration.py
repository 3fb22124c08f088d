"""No answer tells whether an address belongs to a user or is in the leaked data.

Status, headers, cookies, length of the page, queries and time are compared over the whole way:
requesting a code, the page for it, a wrong code, a new code.
"""

import re
import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis.connection
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import give_app

pytestmark = pytest.mark.django_db
# Addresses of one length, because the pages show what was typed.
UNKNOWN, CUSTOMER, LEAKED, INACTIVE, STAFF = (
    f"{letter}nnnnnnn@example.com" for letter in ("u", "c", "l", "i", "s")
)
KINDS = [CUSTOMER, LEAKED, INACTIVE, STAFF]
ROUNDS = 15
MOST_RATIO = 1.5
LATENCY_CALLS = 1  # once a second a process publishes its response time


@pytest.fixture(autouse=True)
def _people(incident):
    User.objects.create_user(CUSTOMER)
    User.objects.create_user(INACTIVE, is_active=False)
    give_app(User.objects.create_user(STAFF, is_staff=True, is_superuser=True))
    row = person(incident, name="김민지", email=LEAKED)
    expose(row, file_of(incident), "names")


def way(client: Client, email: str) -> Iterator[Any]:
    """Yields the answers to a visitor who enters an address and a wrong code."""
    yield client.post(reverse("account_login"), {"email": email})
    yield client.get(reverse("sign_in_code"))
    yield client.post(reverse("sign_in_code"), {"code": "00000000"})
    yield client.post(reverse("sign_in_code_again"))
    yield client.get(reverse("sign_in_code"))


def seen(response: Any, email: str) -> dict[str, Any]:
    """Returns what a visitor can see of an answer, without tokens that are random."""
    page = response.content.decode()
    page = re.sub(r'(csrfmiddlewaretoken" value=")[^"]+', r"\1", page)
    random = {"Set-Cookie", "Date", "Content-Length"}
    return {
        "status": response.status_code,
        "headers": {name: value for name, value in response.items() if name not in random},
        "cookies": {name: len(cookie.OutputString()) for name, cookie in response.cookies.items()},
        "page": page.replace("<wbr>", "").replace(email, "the address"),
        "length": len(response.content),
    }


@pytest.mark.parametrize("email", KINDS)
def test_every_step_shows_the_same_for_any_address(email):
    shown = [seen(answer, email) for answer in way(Client(), email)]
    assert shown == [seen(answer, UNKNOWN) for answer in way(Client(), UNKNOWN)]


@pytest.mark.parametrize("email", KINDS)
def test_every_address_gets_a_mail_of_the_same_length(email):
    lengths = []
    for address in (email, UNKNOWN):
        list(way(Client(), address))
        lengths.append([len(str(message.body)) for message in mail.outbox])
        mail.outbox.clear()
    assert lengths[0] == lengths[1]
    assert lengths[0]


@pytest.mark.parametrize("email", KINDS)
def test_every_step_asks_the_database_the_same(email):
    def questions(address: str) -> list[str]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            list(way(Client(), address))
        return [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in queries]

    questions(UNKNOWN)  # what a process asks once
    assert questions(email) == questions(UNKNOWN)


@pytest.mark.parametrize("email", [CUSTOMER, UNKNOWN])
def test_a_request_of_a_code_takes_one_call_of_redis(email, settings, monkeypatch):
    settings.SIGN_INS_PER_SECOND = 0  # the waiting room takes a call of its own
    calls: list[object] = []
    send = redis.connection.AbstractConnection.send_packed_command

    def counting(self: Any, command: Any, **options: Any) -> None:
        calls.append(command)
        send(self, command, **options)

    browser = Client(headers={"user-agent": "Mozilla/5.0"})
    next(way(browser, "first@example.com"))  # the script is loaded, and connections are open
    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", counting)
    next(way(Client(headers={"user-agent": "Mozilla/5.0"}), email))
    assert len(mail.outbox) == 2
    assert len(calls) <= 1 + LATENCY_CALLS


@pytest.mark.parametrize("email", KINDS)
def test_every_step_takes_the_same_time(email, settings):
    settings.CODE_RATES = dict.fromkeys(settings.CODE_RATES, "")
    seconds: dict[str, list[float]] = {email: [], UNKNOWN: []}
    for _round in range(ROUNDS):
        for address, found in seconds.items():
            began = time.process_time()
            list(way(Client(), address))
            found.append(time.process_time() - began)
    known, unknown = (statistics.median(found) for found in seconds.values())
    assert 1 / MOST_RATIO < known / unknown < MOST_RATIO
