"""The store of sessions: each write is one statement, and what Django's store promises holds."""

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.core.signing import Signer
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from foundations.session_store import SessionStore, random_key
from foundations.sessions import cookie_of, session_key_of
from harness.sign_in import ask_for_code

pytestmark = pytest.mark.django_db(transaction=True)


def statements(action) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        action()
    return [query["sql"].split()[0] for query in queries]


def new_session(**data: str) -> SessionStore:
    session = SessionStore()
    session.update(data)
    session.save()
    return session


def test_each_write_is_one_statement():
    session = SessionStore()
    session["name"] = "minji"
    assert statements(session.save) == ["INSERT"]
    session["name"] = "seojun"
    assert statements(session.save) == ["UPDATE"]
    assert SessionStore(session.session_key)["name"] == "seojun"
    assert statements(session.delete) == ["DELETE"]
    assert not SessionStore(session.session_key).get("name")


def test_the_same_data_is_not_written_twice():
    session = new_session(name="minji")
    assert statements(session.save) == []
    again = SessionStore(session.session_key)
    again["name"] = "minji"
    assert statements(again.save) == ["UPDATE"]  # another request may have changed it


def test_a_session_that_was_ended_is_not_written_again():
    session = new_session(name="minji")
    SessionStore(session.session_key).delete()
    session["name"] = "seojun"
    with pytest.raises(UpdateError):
        session.save()
    assert not SessionStore(session.session_key).get("name")


def test_a_new_key_takes_the_data_along_and_ends_the_old_one():
    session = new_session(name="minji")
    old = session.session_key
    session.cycle_key()
    session.save()
    assert session.session_key != old
    assert SessionStore(session.session_key)["name"] == "minji"
    assert not SessionStore(old).get("name")


def test_a_key_that_exists_is_not_taken_over(monkeypatch):
    taken = new_session(name="minji").session_key
    keys = iter([taken, "another-key-of-thirty-two-letters"[:32]])
    monkeypatch.setattr("foundations.session_store.random_key", lambda: next(keys))
    session = new_session(name="seojun")
    assert session.session_key != taken
    assert SessionStore(taken)["name"] == "minji"


@pytest.mark.parametrize("email", ["minji@example.com", "unknown@example.com"])
def test_a_request_of_a_code_takes_one_statement(minji, email):
    assert minji.email == "minji@example.com"
    client = Client()
    assert statements(lambda: ask_for_code(client, email)) == ["INSERT"]


def test_a_new_key_is_one_statement_and_ends_the_old_one():
    session = new_session(name="minji")
    old = session.session_key
    assert old
    assert statements(session.cycle_key) == ["UPDATE"]
    assert session.session_key != old
    assert SessionStore(session.session_key)["name"] == "minji"
    assert "name" not in SessionStore(old)
    assert statements(session.save) == []


def test_a_session_without_a_row_gets_a_row_with_its_new_key():
    session = SessionStore()
    session["name"] = "minji"
    session.cycle_key()
    assert session.session_key
    session.save()
    assert SessionStore(session.session_key)["name"] == "minji"


def test_a_session_that_ended_meanwhile_gets_a_new_row():
    session = new_session(name="minji")
    SessionStore(session.session_key).delete()
    session.cycle_key()
    session.save()
    assert SessionStore(session.session_key)["name"] == "minji"


def test_a_cookie_is_signed_as_djangos_signer_does(settings):
    key = random_key()
    assert cookie_of(key) == Signer(salt="session cookie").sign(key)
    assert session_key_of(cookie_of(key)) == key
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "a newer key"
    assert cookie_of(key) == Signer(salt="session cookie").sign(key)
    for cookie in (None, "", key, f"{key}:x", f"{random_key()}:{cookie_of(key)[33:]}"):
        assert session_key_of(cookie) is None


def test_no_stranger_stores_a_long_address_to_come_back_to(client):
    """A row of a stranger lives for twelve hours: 2.5 MB each would fill the disk."""
    with override("en"):
        ask_for_code(client, "minji@example.com", next="/en/" + "a" * 100_000)
        client.post(reverse("alerts"), {"next": "/en/" + "a" * 100_000})
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(length(session_data)) FROM django_session")
        [(longest,)] = cursor.fetchall()
    assert longest < 2_000
