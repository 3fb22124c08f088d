"""The page cache: the same pages, faster, and outdated for seconds at most."""

import itertools
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError
from django.test import Client

from foundations import page_cache
from incidents.models import Incident
from statements import sample
from statements.models import StatementVersion
from tests.database import without_triggers
from tests.localized import merged
from tests.sample_pages import PAGES, SLUG, correct, published
from tests.web_processes import web_processes

NOTICE = f"/en/incidents/{SLUG}/statements/notice/"
TITLE = "Notice of a leak of personal data"
PATIENCE_SECONDS = 20
MOST_BYTES = 60_000


@pytest.fixture(autouse=True)
def _keep_pages(settings):
    """Caches pages as in production, and empties the cache before and after the test."""
    settings.PUBLIC_PAGE_SECONDS = 2
    page_cache.forget()
    yield
    page_cache.forget()


@pytest.fixture
def later(monkeypatch):
    """A function that moves the clock forward by the given seconds."""
    clock, skipped = time.monotonic, list[float]()
    monkeypatch.setattr(time, "monotonic", lambda: clock() + sum(skipped))
    return skipped.append


def rename(title: str) -> None:
    """Changes a title as another process would: the cache is not informed."""
    with without_triggers():
        notices = StatementVersion.objects.filter(statement__slug="notice")
        notices.update(**merged("title", en=title))


@pytest.mark.parametrize("page", PAGES)
def test_the_second_reader_costs_no_query(coupang, page, django_assert_num_queries):
    first = Client().get(f"/ko/{page}")
    with django_assert_num_queries(0):
        second = Client().get(f"/ko/{page}?utm_source=mail", headers={"accept-language": "en"})
    assert second.content == first.content
    assert second.headers == first.headers
    assert not second.cookies


def test_a_cached_page_has_every_security_header(coupang, client):
    for _time in range(2):
        headers = client.get(NOTICE).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
        assert int(headers["Content-Length"]) == len(client.get(NOTICE).content)


def test_an_unchanged_page_is_answered_with_304(coupang, client):
    first = client.get(NOTICE)
    since = {"if-modified-since": first["Last-Modified"]}
    for headers in ({"if-none-match": first["ETag"]}, since):
        again = client.get(NOTICE, headers=headers)
        assert again.status_code == 304
        assert again.content == b""
    assert client.get(NOTICE, headers={"if-none-match": '"other"'} | since).status_code == 200


def test_last_modified_is_the_same_in_every_process_and_changes_with_the_text(
    coupang, client, monkeypatch
):
    first = client.get(NOTICE)["Last-Modified"]
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + 100)
    page_cache.forget()  # as in a process that starts later
    assert client.get(NOTICE)["Last-Modified"] == first
    rename("Another title")
    page_cache.forget()
    assert client.get(NOTICE)["Last-Modified"] != first
    assert client.get(NOTICE, headers={"if-modified-since": first}).status_code == 200


def test_publishing_shows_in_the_next_answer(
    coupang, correction, client, django_capture_on_commit_callbacks
):
    assert TITLE in client.get(NOTICE).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        published(correction)
    assert "Corrected notice" in client.get(NOTICE).content.decode()


def test_a_change_by_another_process_shows_within_seconds(coupang, client, later):
    client.get(NOTICE)
    rename("Another title")
    assert TITLE in client.get(NOTICE).content.decode()
    later(2.1)
    assert "Another title" in client.get(NOTICE).content.decode()


def test_a_page_rendered_during_a_publication_is_not_cached(coupang, rf):
    def publish_meanwhile(request):
        page_cache.forget()
        return Client().get(NOTICE)

    page_cache.public_pages(publish_meanwhile)(rf.get("/en/other/"))
    assert "/en/other/" not in page_cache._pages


def test_one_request_renews_a_page_while_others_get_the_old_one(coupang, rf, client, later):
    asked = []
    client.get(NOTICE)
    rename("Another title")
    later(2.1)

    def slowly(request):
        asked.append(request)
        assert TITLE in client.get(NOTICE).content.decode()  # another reader at the same time
        return Client().get("/en/nothing/")

    page_cache.public_pages(slowly)(rf.get(NOTICE))
    assert len(asked) == 1


def test_the_cached_page_is_served_while_the_database_is_unreachable(
    coupang, client, later, monkeypatch
):
    client.raise_request_exception = False
    before = client.get(NOTICE)
    monkeypatch.setattr(
        StatementVersion.objects, "current", lambda: (_ for _ in ()).throw(OperationalError)
    )
    later(2.1)
    during = client.get(NOTICE)
    assert (during.status_code, during.content) == (200, before.content)
    later(24 * 3600)
    away = client.get(NOTICE)
    assert (away.status_code, away["Retry-After"]) == (503, "30")
    assert '<html lang="en">' in away.content.decode()


def test_a_page_that_is_no_longer_public_leaves_the_cache(coupang, client, later):
    page = f"/en/incidents/{SLUG}/timeline/"
    assert client.get(page).status_code == 200
    with without_triggers():
        Incident.objects.update(is_public=False)
    later(2.1)
    assert client.get(page).status_code == 404
    assert client.get(page).status_code == 404


def test_the_cache_does_not_answer_other_hosts_or_post(coupang, client):
    client.get(NOTICE)
    assert client.get(NOTICE, headers={"host": "evil.example"}).status_code == 400
    assert client.post(NOTICE).status_code == 405


def test_a_cached_page_is_not_sent_without_tls(coupang, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get(NOTICE, secure=True).status_code == 200
    for _time in range(2):
        assert Client().get(NOTICE).headers["Location"].startswith("https://")
    assert Client().get(NOTICE, secure=True).status_code == 200


def test_private_and_unknown_pages_are_never_cached(coupang, client, minji):
    client.force_login(minji)
    for page in ("/en/account/", "/en/nothing/", "/", "/static/css/portal.css"):
        client.get(page)
    assert not page_cache._pages


@pytest.mark.parametrize("page", ["", "record.json", "picture.png"])
def test_other_spellings_of_a_version_number_are_not_found(coupang, client, page):
    for number in ("01", "0001", "0" * 3_000 + "1", "+1", "1" * 50):
        assert client.get(f"{NOTICE}versions/{number}/{page}").status_code == 404
    assert not page_cache._pages


def test_a_page_with_its_styles_weighs_less_than_60_kb(coupang, client):
    styles = sum(
        (Path(django_settings.BASE_DIR) / "static" / name).stat().st_size
        for name in ("css/portal.css", "favicon.svg")
    )
    for language, page in itertools.product(("ko", "en"), PAGES):
        response = client.get(f"/{language}/{page}")
        headers = sum(len(f"{name}: {value}\r\n") for name, value in response.items())
        assert len(response.content) + headers + styles < MOST_BYTES, page


BAD_COOKIES = ["csrftoken=x", "sessionid=x", "messages=x", "language=xx", "a=b; ;;=", "\x00=\xff"]


@pytest.mark.parametrize("cookie", BAD_COOKIES)
def test_a_cookie_does_not_hold_an_old_page(coupang, client, later, cookie):
    client.get(NOTICE)
    for number in range(3):
        rename(f"Title {number}")
        later(2.1)
        for headers in ({"cookie": cookie}, {}):
            answer = Client().get(NOTICE, headers=headers)
            assert answer.status_code == 200
            assert f"Title {number}" in answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_a_public_page_is_the_same_with_cookies(coupang, page):
    plain = Client().get(f"/ko/{page}")
    page_cache.forget()
    headers = {"cookie": "csrftoken=x; sessionid=x; language=en"}
    assert Client().get(f"/ko/{page}", headers=headers).content == plain.content


REFUSED = [{"transfer-encoding": "chunked"}, {"content-length": "99999999"}]


@pytest.mark.parametrize("headers", REFUSED)
def test_a_refused_request_neither_drops_nor_holds_a_page(coupang, client, later, headers):
    before = client.get(NOTICE)
    rename("Another title")
    later(2.1)
    assert client.get(NOTICE, headers=headers).status_code == 413
    assert page_cache._pages[NOTICE].content == before.content
    assert "Another title" in client.get(NOTICE).content.decode()


def test_an_error_that_is_not_the_database_does_not_show_an_old_page(
    coupang, client, later, monkeypatch
):
    client.raise_request_exception = False
    client.get(NOTICE)
    monkeypatch.setattr(StatementVersion.objects, "current", lambda: 1 / 0)
    later(2.1)
    assert client.get(NOTICE).status_code == 500
    assert client.get(NOTICE).status_code == 500
    monkeypatch.undo()
    assert client.get(NOTICE).status_code == 200


def test_a_private_page_says_that_the_database_is_away(client, minji, monkeypatch):
    client.raise_request_exception = False
    client.force_login(minji)

    def fail(*_args, **_options):
        raise OperationalError

    monkeypatch.setattr("foundations.session_store.SessionStore.load", fail)
    answer = client.get("/ko/account/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "지금 이 포털의 일부가 응답하지 않습니다" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


# Two real web processes


@pytest.fixture
def portal(transactional_db):
    """The port of two web processes."""
    sample.load_sample_incident()
    with web_processes("--workers 2", PUBLIC_PAGE_SECONDS="2") as port:
        yield port


def read(port: int) -> str:
    """Returns the notice's page over a new connection, so that either process may answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        reader = HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            reader.request("GET", NOTICE)
            return reader.getresponse().read().decode()
        except ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        finally:
            reader.close()


def test_a_correction_shows_in_every_process_within_seconds(portal):
    assert all(TITLE in read(portal) for _time in range(20))
    published(correct())
    time.sleep(2.1)
    read(portal), read(portal)
    time.sleep(0.5)  # each process has rendered it again
    assert all("Corrected notice" in read(portal) for _time in range(20))
