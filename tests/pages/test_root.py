"""The address without a path redirects to the home page: quickly, and in the right language."""

import pytest
from django.conf import settings
from django.test import Client

LANGUAGES = [
    ("ko", "/ko/"),
    ("en", "/en/"),
    ("fr", "/ko/"),
    ("en-US,ko;q=0.5", "/en/"),
    ("*", "/ko/"),
]


@pytest.mark.parametrize(("wanted", "url"), LANGUAGES)
def test_the_browsers_language_decides(client, wanted, url):
    for _kept in range(2):
        response = client.get("/", headers={"accept-language": wanted})
        assert (response.status_code, response["Location"]) == (302, url)


def test_a_chosen_language_comes_before_the_browsers(client):
    client.get("/", headers={"accept-language": "ko"})
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert client.get("/", headers={"accept-language": "ko"}).url == "/en/"


def test_neither_the_database_nor_a_session_is_needed(client):
    """pytest-django refuses a connection: the test has no mark `django_db`."""
    client.cookies[settings.SESSION_COOKIE_NAME] = "malformed"
    assert [client.get("/").status_code for _visit in range(3)] == [302] * 3


def test_the_kept_answer_has_the_headers_of_the_first_and_no_cookie():
    first, kept = (Client().get("/", headers={"accept-language": "en"}) for _visit in range(2))
    assert dict(kept.headers) == dict(first.headers)
    assert kept["Cache-Control"] == "max-age=60"
    assert {name.strip() for name in kept["Vary"].split(",")} == {"Accept-Language", "Cookie"}
    assert "Content-Security-Policy" in kept
    assert not kept.cookies


def test_another_host_is_refused(client):
    client.get("/")
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_a_post_is_refused(client):
    assert client.post("/").status_code == 405
