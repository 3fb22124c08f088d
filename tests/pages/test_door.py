"""The process environment does not reach a request, and no request is stored."""

import json
import secrets

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from breachportal.door import only_the_request
from foundations.session_store import SessionStore
from harness.sign_in import ask_for_code, give_app, give_recovery_codes, sign_in_to_desk

pytestmark = pytest.mark.django_db


def seen_by_application(environ: dict[str, object]) -> dict[str, object]:
    seen: list[dict[str, object]] = []

    def application(request, _start_response):
        seen.append(request)
        return []

    only_the_request(application)(environ, lambda *_: None)
    return seen[0]


def test_the_environment_of_the_process_stays_outside(monkeypatch):
    monkeypatch.setenv("HTTP_AUTHORIZATION", "a secret of the process")
    request: dict[str, object] = {
        "REQUEST_METHOD": "GET",
        "HTTP_HOST": "portal.example",
        "wsgi.version": (1, 0),
    }
    secrets_of_process = dict.fromkeys(["MASTER_KEYSET", "SECRET_KEY", "DATABASE_URL"], "secret")
    headers = {
        "HTTP_AUTHORIZATION": "a secret of the process",
        "HTTP_PROXY": "http://user:password@proxy",
    }
    process: dict[str, object] = {"PATH": "/bin", **secrets_of_process, **headers}
    assert seen_by_application(process | request) == request


def test_a_header_of_the_visitor_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("HTTP_ACCEPT", "of the process")
    assert seen_by_application({"HTTP_ACCEPT": "text/html"}) == {"HTTP_ACCEPT": "text/html"}


def _make_reauthentication_due(client: Client) -> None:
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "mfa", "at": 0.0}]
    session.save()


def test_an_interrupted_request_is_not_stored(client, editor):
    give_app(editor)
    give_recovery_codes(editor)
    sign_in_to_desk(client, editor)
    _make_reauthentication_due(client)
    typed = secrets.token_hex(8)
    url = reverse("mfa_generate_recovery_codes")

    response = client.post(url, {"anything": typed}, headers={"x-secret": typed})

    assert response.url.startswith(reverse("mfa_reauthenticate"))
    assert url.replace("/", "%2F") in response.url or url in response.url
    stored = json.dumps(dict(client.session))
    assert typed not in stored
    assert "REQUEST_METHOD" not in stored


def test_the_rows_of_sessions_show_no_typed_address(client):
    ask_for_code(client, "minji@example.com")
    assert client.session["sign_in_code"]["contact"] == "minji@example.com"
    for row in Session.objects.all():
        assert "minji" not in str(row.session_data)


def test_data_of_one_session_is_not_accepted_in_another(client):
    ask_for_code(client, "minji@example.com")
    other = Client()
    ask_for_code(other, "seojun@example.com")
    stolen = Session.objects.get(pk=client.session.session_key).session_data
    Session.objects.filter(pk=other.session.session_key).update(session_data=stolen)
    assert dict(other.session) == {}


@pytest.mark.parametrize("junk", ["", "x", "AAAA", "ü", "eyJhIjoxfQ:1u:x", "A" * 400])
def test_a_row_that_is_no_session_is_an_empty_session(client, junk):
    ask_for_code(client, "minji@example.com")
    Session.objects.filter(pk=client.session.session_key).update(session_data=junk)
    assert dict(client.session) == {}
    assert client.get(reverse("account_login")).status_code == 200


def test_sessions_stay_readable_after_a_new_secret_key(client, settings):
    ask_for_code(client, "minji@example.com")
    key = client.session.session_key
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one, as random as the first, and long enough"
    assert SessionStore(key)["sign_in_code"]["contact"] == "minji@example.com"
