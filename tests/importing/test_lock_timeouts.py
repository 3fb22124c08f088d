"""While a table is locked, a page that needs it answers 503 soon, and other pages work."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from foundations import lock_timeouts
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import ask_for_code, enter_code, newest_code, step_up
from statements import sample
from tests.database import conninfo
from tests.web_processes import web_processes

pytestmark = pytest.mark.django_db(transaction=True)
LOCK_SECONDS, SLACK_SECONDS, SOON_SECONDS = 1, 1.5, 0.7
PATIENCE_SECONDS = 30


@contextmanager
def locked(table: str) -> Iterator[None]:
    """Context manager: another connection holds the table lock of a large import."""
    with psycopg.connect(conninfo()) as holder:
        holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        holder.rollback()


@pytest.fixture
def impatient() -> Iterator[None]:
    """Sets the lock timeout of a web process on Django's connection."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
    yield
    connection.close()


@pytest.fixture
def leaked(minji, incident) -> User:
    """Minji, with a leak of her name."""
    expose(person(incident, name="김민지", email=minji.email), file_of(incident), "names")
    return minji


@pytest.mark.usefixtures("impatient")
class TestACustomer:
    def test_reads_when_to_try_again_and_what_to_check_first(self, leaked, client, caplog):
        client.force_login(leaked)
        began = time.monotonic()
        with locked("incidents_affectedperson"), caplog.at_level(logging.INFO):
            response = client.get(reverse("my_data"))

        assert LOCK_SECONDS <= time.monotonic() - began < LOCK_SECONDS + SLACK_SECONDS
        assert response.status_code == 503
        assert response["Retry-After"] == "120"
        assert "no-store" in response["Cache-Control"]
        shown = response.content.decode()
        assert "몇 분 뒤에 다시 시도해 주십시오. 방금 보내신 내용이 있다면" in shown
        assert "달라진 정보" not in shown  # an earlier statement of the request may have written
        assert "Please try again" not in shown  # the page is in the visitor's language
        assert "고객님의 정보가 안전하다는 뜻이 아닙니다." in shown
        logged = [record.getMessage() for record in caplog.records if "in vain" in record.message]
        assert logged == [f"my_data: user {leaked.pk} waited for a lock in vain"]
        for private in ("Traceback", leaked.email, "민지"):
            assert private not in caplog.text

    def test_does_not_wait_after_another_request_timed_out(self, leaked, client, monkeypatch):
        client.force_login(leaked)
        with locked("incidents_affectedperson"):
            client.get(reverse("my_data"))
            began = time.monotonic()
            for _time in range(5):
                assert client.get(reverse("my_data")).status_code == 503
            assert time.monotonic() - began < SOON_SECONDS
        clock = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: clock() + lock_timeouts.REST_SECONDS)
        assert client.get(reverse("my_data")).status_code == 200

    def test_can_sign_in_and_read_public_pages_meanwhile(self, leaked, client, incident):
        with locked("incidents_affectedperson, incidents_exposure, incidents_exposurefile"):
            assert client.get("/ko/").status_code == 200
            assert client.get(f"/en/incidents/{incident.slug}/").status_code == 200
            ask_for_code(client, leaked.email)
            assert enter_code(client, newest_code()).status_code == 302
            assert client.get(reverse("account")).status_code == 200
            assert client.get(reverse("my_data")).status_code == 503

    def test_sees_no_unmasked_value_and_no_reveal_is_recorded(self, leaked, client):
        client.force_login(leaked)
        step_up(client, leaked)
        with locked("incidents_reveal"):
            assert client.post(reverse("my_data_reveal"), follow=True).status_code == 503
        assert not leaked.reveals.exists()

    def test_with_a_locked_row_delays_no_other_customer(self, leaked, seojun, incident):
        """A lock on one user's row does not delay the page for other users."""
        mine, theirs = Client(), Client()
        mine.force_login(leaked)
        theirs.force_login(seojun)
        wanted = {incident.slug: ["updates"]}
        with psycopg.connect(conninfo()) as holder:
            holder.execute("SELECT FROM accounts_user WHERE id = %s FOR UPDATE", [leaked.pk])
            first = mine.post(reverse("alerts"), wanted)
            assert first.status_code == 503
            began = time.monotonic()
            assert theirs.post(reverse("alerts"), wanted).status_code != 503
            assert time.monotonic() - began < SOON_SECONDS


# A real web process


@pytest.fixture
def portal(incident) -> Iterator[int]:
    """The port of one web process with one thread for pages."""
    sample.load_sample_incident()
    options = "--workers 1 --blocking-threads 1"
    with web_processes(options, WEB_LOCK_SECONDS=str(LOCK_SECONDS)) as port:
        yield port


def ask(port: int, path: str, cookie: str = "") -> tuple[HTTPResponse, float]:
    """Returns the response and its time in seconds; waits until the process listens."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        began = time.monotonic()
        visitor = HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            visitor.request("GET", path, headers={"Cookie": cookie})
            response = visitor.getresponse()
            response.read()
            return response, time.monotonic() - began
        except ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        finally:
            visitor.close()


def test_a_web_process_with_one_thread_still_answers(portal, leaked, client):
    client.force_login(leaked)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    assert ask(portal, "/en/my-data/", cookie)[0].status == 200

    with locked("incidents_affectedperson"):
        visitors = [
            threading.Thread(target=ask, args=(portal, "/en/my-data/", cookie)) for _ in range(10)
        ]
        for visitor in visitors:
            visitor.start()
        public, seconds = ask(portal, "/en/")
        response, _ = ask(portal, "/en/my-data/", cookie)
        for visitor in visitors:
            visitor.join()

    assert public.status == 200
    assert seconds < LOCK_SECONDS + SLACK_SECONDS
    assert response.status == 503
    assert response.headers["Retry-After"] == "120"
