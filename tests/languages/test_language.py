"""The language of the pages: a user chooses it, and it is remembered."""

import html
import re

import pytest
from django.test import Client
from django.urls import reverse

from harness.exposure_factory import expose, file_of, person
from harness.sign_in import newest_code, sign_in, step_up

pytestmark = pytest.mark.django_db


def choose(client: Client, **query: str):
    return client.get("/ko/account/language/", query)


def test_the_same_page_opens_in_the_other_language(client):
    response = choose(client, language="en", next="/ko/account/sign-in/?next=/admin/")
    assert response.url == "/en/account/sign-in/?next=/admin/"


def test_the_choice_is_understood_from_a_page_of_either_language(client):
    response = client.get(
        "/en/account/language/", {"language": "en", "next": "/ko/account/sign-in/"}
    )
    assert response.url == "/en/account/sign-in/"
    response = choose(client, language="ko", next="/en/account/sign-in/")
    assert response.url == "/ko/account/sign-in/"


def test_the_choice_is_remembered_in_a_cookie(client):
    choose(client, language="en")
    cookie = client.cookies["language"]
    assert cookie.value == "en"
    assert cookie["max-age"] == 60 * 60 * 24 * 365
    assert client.get("/", headers={"accept-language": "ko"}).url == "/en/"


def test_a_link_changes_nothing_in_the_account(client, minji):
    client.force_login(minji)
    choose(client, language="en")
    assert client.cookies["language"].value == "en"
    minji.refresh_from_db()
    assert minji.language == "ko"


def test_without_a_page_the_choice_leads_home(client):
    assert choose(client, language="en").url == "/en/"
    assert choose(client, language="ko").url == "/ko/"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:1",
        "\x00",
        "foo",
        "?next=/",
        "./",
    ],
)
def test_the_choice_never_redirects_to_another_site(client, elsewhere):
    assert choose(client, language="en", next=elsewhere).url == "/en/"


@pytest.mark.parametrize("page", ["/admin/", "/ko/nothing/here/", "/fr/", "/%00", "/ko/%ff/"])
def test_a_page_without_another_language_stays(client, page):
    response = choose(client, language="en", next=page)
    assert response.status_code == 302
    assert response.url.startswith("/")


@pytest.mark.parametrize("language", ["fr", "", "EN", "ko-kr", "../", "\x00"])
def test_an_unknown_language_is_not_found(client, language):
    response = choose(client, language=language)
    assert response.status_code == 404
    assert "language" not in response.cookies


def test_the_account_page_changes_the_language(client, minji):
    client.force_login(minji)
    response = client.post("/ko/account/", {"language": "en"})
    assert response.url == "/en/account/"
    assert client.cookies["language"].value == "en"
    minji.refresh_from_db()
    assert minji.language == "en"


def test_the_account_page_refuses_an_unknown_language(client, minji):
    client.force_login(minji)
    response = client.post(reverse("account"), {"language": "fr"})
    assert response.status_code == 200
    assert response.context["form"].errors["language"]
    minji.refresh_from_db()
    assert minji.language == "ko"


def test_signing_in_on_a_page_of_the_other_language_keeps_the_choice(client, minji):
    sign_in(client, minji.email)
    minji.refresh_from_db()
    assert minji.language == "ko"


def other_language(page) -> str:
    """Returns the URL of the page's link to the other language."""
    [link] = re.findall(r'href="([^"]*/language/[^"]*)"', page.text)
    return html.unescape(link)


def test_switching_on_the_way_to_the_values_keeps_the_way(client, minji):
    client.force_login(minji)
    confirm = client.post("/ko/my-data/reveal/").url
    page = client.get(client.get(other_language(client.get(confirm))).url)
    assert page.request["PATH_INFO"] == "/en/account/confirm/"
    [next_url] = re.findall(r'name="next" value="([^"]+)"', page.text)
    client.post("/en/account/confirm/send/", {"next": next_url})
    answer = client.post("/en/account/confirm/", {"code": newest_code()})
    assert answer.url == "/en/my-data/reveal/"


def test_switching_after_unmasking_keeps_the_values(client, incident, minji):
    row = person(incident, name="김민지", email=minji.email)
    expose(row, file_of(incident), values=[("physical-addresses", "서울특별시 강남구")])
    client.force_login(minji)
    step_up(client, minji)
    shown = client.post("/ko/my-data/reveal/", follow=True)
    assert "서울특별시 강남구" in shown.text
    page = client.get(client.get(other_language(shown)).url)
    assert page.request["PATH_INFO"] == "/en/my-data/reveal/"
    assert "서울특별시 강남구" in page.text


def test_switching_while_a_code_is_awaited_keeps_the_page_and_the_language(client, minji):
    client.post("/ko/account/sign-in/", {"email": minji.email, "next": "/ko/alerts/"})
    page = client.post("/en/account/sign-in/code/", {"to_language": "en"}, follow=True)
    assert page.request["PATH_INFO"] == "/en/account/sign-in/code/"
    answer = client.post("/en/account/sign-in/code/", {"code": newest_code()})
    assert answer.url == "/en/alerts/"
