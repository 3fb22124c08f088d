"""The request of a code by a new visitor: the same answer with and without most middleware."""

import re
import time
from typing import Any
from urllib.parse import urlencode

import pytest
import redis
from django.core import mail
from django.db import OperationalError
from django.test import Client
from django.test.client import ClientHandler

from accounts import waiting_room
from foundations import session_store
from foundations.slow_bodies import BodySlots
from harness.sign_in import enter_code, newest_code

pytestmark = pytest.mark.django_db
SIGN_IN, CODE = "/en/account/sign-in/", "/en/account/sign-in/code/"
PUBLIC = "/en/account/sign-in/begin/"  # takes the form of public pages
RANDOM = {"ETag", "Content-Length"}
SECURITY = ("Cache-Control", "Content-Security-Policy", "X-Content-Type-Options")


@pytest.fixture(autouse=True)
def portal(settings) -> ClientHandler:
    """A process that has answered a new visitor before."""
    settings.SIGN_INS_PER_SECOND = 0
    handler = ClientHandler(enforce_csrf_checks=True)
    post(visitor(handler))
    mail.outbox.clear()
    return handler


def visitor(handler: ClientHandler | None = None, network: str = "203.0.113.7") -> Client:
    client = Client(REMOTE_ADDR=network, headers={"user-agent": "Mozilla/5.0"})
    client.handler = handler or ClientHandler(enforce_csrf_checks=True)
    return client


def token(client: Client, path: str = SIGN_IN) -> dict[str, str]:
    """Returns the hidden field of the sign-in page."""
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get(path).text)
    assert found
    return {"csrfmiddlewaretoken": found[1]}


def send(client: Client, form: dict[str, str], path: str = SIGN_IN, **options: Any) -> Any:
    """Posts a form as browsers do; the test client's own form is multipart."""
    return client.post(path, urlencode(form), "application/x-www-form-urlencoded", **options)


def post(client: Client, email: str = "seojun@example.com", **fields: str) -> Any:
    """Requests the sign-in page, and posts its form."""
    return send(client, {**token(client), "email": email, **fields})


def is_early(answer: Any) -> bool:
    """Returns whether the answer came before the middleware that gives requests a user."""
    return not hasattr(answer.wsgi_request, "user")


def seen(answer: Any) -> dict[str, Any]:
    """Returns what a visitor sees of an answer but for its random parts."""
    attributes = {
        name: [len(cookie.value), *(cookie[key] for key in ("path", "secure", "httponly"))]
        for name, cookie in answer.cookies.items()
    }
    headers = {name: value for name, value in answer.headers.items() if name not in RANDOM}
    return {"status": answer.status_code, "headers": headers, "cookies": attributes}


@pytest.mark.parametrize(
    "email", ["minji@example.com", "unknown@example.com", " Minji@EXAMPLE.com "]
)
def test_a_new_visitor_gets_the_same_answer_before_the_middleware(portal, minji, email):
    early, full = visitor(portal), visitor(network="198.51.100.7")
    answers = [post(client, email) for client in (early, full)]
    assert [is_early(answer) for answer in answers] == [True, False]
    assert seen(answers[0]) == seen(answers[1])
    assert answers[0].headers["Location"] == CODE
    assert "Content-Security-Policy" in answers[0].headers
    states = [{**client.session["sign_in_code"]} for client in (early, full)]
    assert states[0].keys() == states[1].keys()
    assert states[0]["contact"] == states[1]["contact"] == email.strip().lower()
    assert [len(one.to) for one in mail.outbox] == [1, 1]


def test_the_code_of_an_early_answer_signs_in(portal):
    early = visitor(portal)
    assert is_early(post(early, "minji@example.com"))
    early.handler = ClientHandler(enforce_csrf_checks=False)
    assert enter_code(early, newest_code()).status_code == 302
    assert "_auth_user_id" in early.session


@pytest.mark.parametrize(
    ("email", "fields", "status"),
    [
        ("minji@example.com", {"csrfmiddlewaretoken": "x" * 64}, 403),
        ("minji@example.com", {"csrfmiddlewaretoken": ""}, 403),
        ("minji@example.com", {"next": "/en/alerts/"}, 302),
        ("minji@example.com", {"next": "https://evil.example/"}, 302),
        ("minji@example.com", {"is_as_typed": "on"}, 302),
        ("minji@example.com", {"to_language": "en"}, 303),
        ("minji@gmial.com", {}, 200),  # asks whether the domain is right
        ("minji", {}, 200),
        ("", {}, 200),
        ("minji@example.com\0", {}, 200),
        ("m" * 320 + "@example.com", {}, 200),
        ("x" * 5_000, {}, 200),
    ],
)
def test_what_is_not_plain_goes_the_long_way(portal, email, fields, status):
    answers = [post(client, email, **fields) for client in (visitor(portal), visitor())]
    assert not any(is_early(answer) for answer in answers)
    assert [answer.status_code for answer in answers] == [status, status]
    assert seen(answers[0]) == seen(answers[1])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"host": "evil.example"}, 400),
        ({"cookie": "sessionid=x"}, 403),
        ({"transfer-encoding": "chunked"}, 413),
    ],
)
def test_a_request_of_another_kind_is_refused_as_ever(portal, headers, status):
    for handler in (portal, None):
        client = visitor(handler)
        form = {**token(client), "email": "minji@example.com"}
        answer = send(client, form, headers=headers)
        assert answer.status_code == status
        assert set(SECURITY) <= answer.headers.keys()
    assert mail.outbox == []


def test_a_refused_form_has_the_security_headers(portal, monkeypatch):
    client = visitor(portal)
    form = {**token(client), "email": "minji@example.com"}
    answers = [send(client, {**form, **{f"x{n}": "" for n in range(1_100)}})]
    assert answers[0].status_code == 400
    monkeypatch.setattr(BodySlots, "_is_free", lambda *_arguments: False)
    answers += [send(client, form), send(client, form, headers={"host": "evil.example"})]
    assert [answer.status_code for answer in answers[1:]] == [503, 503]
    assert all(set(SECURITY) <= answer.headers.keys() for answer in answers)


def test_a_visitor_with_a_query_or_a_session_goes_the_long_way(portal):
    client = visitor(portal)
    assert is_early(post(client))
    assert not is_early(post(client))
    client = visitor(portal)
    form = {**token(client), "email": "a@example.com"}
    assert not is_early(send(client, form, f"{SIGN_IN}?next=/en/alerts/"))


def test_a_visitor_waits_if_more_come_than_are_served(portal, settings, monkeypatch):
    settings.SIGN_INS_PER_SECOND = 0.001
    monkeypatch.setattr(waiting_room, "BURST_SECONDS", 2_000)
    room = redis.Redis.from_url(settings.REDIS_URL)
    queue: dict[Any, Any] = {"issued": 100, "admitted": 102, "at": time.time(), "queue": "test"}
    room.hset(waiting_room._KEY, mapping=queue)
    headers, form = {"sec-fetch-site": "same-origin"}, {"email": "minji@example.com"}
    answers = [
        send(visitor(portal, f"198.51.100.{number}"), form, PUBLIC, headers=headers)
        for number in range(3)
    ]
    assert [is_early(answer) for answer in answers] == [False, True, False]
    assert [answer.status_code for answer in answers] == [302, 302, 200]
    assert all(waiting_room.COOKIE in answer.cookies for answer in answers)
    answer = answers[-1]
    assert "You are in the queue" in answer.text
    assert room.hget(waiting_room._KEY, "issued") == b"103"
    room.delete(waiting_room._KEY)


def test_the_form_of_a_public_page_is_answered_early_if_it_is_ours(portal):
    form = {"email": "minji@example.com"}
    for expected in (False, True):
        answer = send(visitor(portal), form, PUBLIC, headers={"sec-fetch-site": "same-origin"})
        assert is_early(answer) is expected
        assert answer.headers["Location"] == CODE
        assert len(mail.outbox) == 1
    for headers in ({}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        answer = send(visitor(portal), form, PUBLIC, headers=headers)
        assert not is_early(answer)
        assert 'value="minji@example.com"' in answer.text
    assert len(mail.outbox) == 1


def test_a_refusal_has_its_page_and_counts_once(portal, settings):
    settings.CODE_RATES = settings.CODE_RATES | {"all_mails": "2/10m/key"}
    clients = [visitor(portal, f"198.51.100.{number}") for number in range(4)]
    answers = [post(client, f"{number}@example.com") for number, client in enumerate(clients)]
    assert [answer.status_code for answer in answers] == [302, 302, 429, 429]
    assert not any(is_early(answer) for answer in answers[2:])
    refused, full = answers[-1], post(visitor(network="198.51.100.9"), "9@example.com")
    assert seen(refused)["headers"].keys() == seen(full)["headers"].keys()
    assert "More codes are being requested right now" in refused.text
    assert 'name="email" value="3@example.com"' in refused.text
    assert len(mail.outbox) == 2


def test_a_session_that_cannot_be_stored_is_an_answer_with_all_headers(portal, monkeypatch):
    client = visitor(portal)
    client.raise_request_exception = False

    def away(*_arguments: object) -> int:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(session_store, "_run", away)
    answer = post(client)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert "Content-Security-Policy" in answer.headers


def test_each_language_has_its_own_redirect(portal):
    path = SIGN_IN.replace("/en/", "/ko/")
    for expected in (False, True):
        client = visitor(portal)
        answer = send(client, {**token(client, path), "email": "minji@example.com"}, path)
        assert is_early(answer) is expected
        assert answer.headers["Location"] == CODE.replace("/en/", "/ko/")
        assert "인증번호" in mail.outbox[-1].body
