"""The e-mail field of the home page, which has no CSRF token."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from harness.sign_in import enter_code, newest_code

pytestmark = pytest.mark.django_db
OWN = "http://testserver"


def begin(client: Client, email: str = "minji@example.com", **headers: str):
    return client.post(reverse("sign_in_begin"), {"email": email}, headers=headers)


def visitor() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": OWN, "Sec-Fetch-Site": "same-origin"},
        {"Origin": OWN},  # a browser without Fetch Metadata
        {"Sec-Fetch-Site": "same-origin"},
    ],
)
def test_an_own_page_begins_the_sign_in_without_a_token(minji, headers):
    client = visitor()
    assert begin(client, **headers).url == reverse("sign_in_code")
    assert [message.to for message in mail.outbox] == [["minji@example.com"]]
    own = Client()
    own.cookies = client.cookies
    assert enter_code(own, newest_code()).url == reverse("my_data")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://testserver"},
        {"Origin": f"{OWN}:8080"},
        {"Origin": f"{OWN}.evil.example"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": OWN, "Sec-Fetch-Site": "same-site"},
        {"Origin": OWN, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_another_page_sends_no_code_and_gets_the_sign_in_page(minji, headers):
    page = begin(visitor(), "minji@example.com", **headers)
    assert page.status_code == 200
    assert 'value="minji@example.com"' in page.text
    assert f'action="{reverse("account_login")}"' in page.text
    assert page.text.count("autofocus") == 1
    assert mail.outbox == []


def test_the_sign_in_page_itself_still_requires_a_token(minji):
    client = visitor()
    path, fields = reverse("account_login"), {"email": "minji@example.com"}
    assert client.post(path, fields, headers={"Origin": OWN}).status_code == 403
    assert mail.outbox == []


def test_the_address_is_in_no_url(coupang):
    html = Client().get("/ko/").text
    assert f'<form id="typed-form" method="post" action="{reverse("sign_in_begin")}"' in html
    assert Client().get(reverse("sign_in_begin"))["Location"] == reverse("account_login")


def test_a_spelling_mistake_is_explained_and_stays(db):
    page = begin(visitor(), "minji", Origin=OWN)
    assert 'aria-invalid="true"' in page.text
    assert 'value="minji"' in page.text


def test_a_signed_in_user_learns_why_another_address_is_not_used(minji):
    client = visitor()
    client.force_login(minji)
    path = begin(client, "seojun@example.com", Origin=OWN).url
    assert path == reverse("my_data")
    assert "minji@example.com 주소로 로그인되어 있습니다" in client.get(path).text
    assert mail.outbox == []
