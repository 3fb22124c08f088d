"""The fresh code before sensitive pages; closing an account is the example."""

import time

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from harness.sign_in import newest_code, sign_in, step_up, wrong

pytestmark = pytest.mark.django_db

GUARDED = "/ko/account/close/"


@pytest.fixture
def minjis(client: Client, minji) -> Client:
    """Minji's browser, signed in."""
    sign_in(client, minji.email)
    mail.outbox.clear()
    return client


def enter(client: Client, code: str):
    return client.post(reverse("step_up"), {"code": code})


def test_a_guarded_page_asks_for_a_code_first(minjis):
    response = minjis.get(GUARDED)
    assert response.url == f"{reverse('step_up')}?next={GUARDED}"
    page = minjis.get(response.url).content.decode()
    assert "minji@example.com" in page
    assert not mail.outbox


def test_the_code_opens_the_requested_page(minjis, minji):
    minjis.post(reverse("step_up_send"), {"next": GUARDED})
    [message] = mail.outbox
    assert message.to == [minji.email]
    response = enter(minjis, newest_code())
    assert response.url == GUARDED
    assert minjis.get(GUARDED).status_code == 200


def test_the_step_up_ends_after_five_minutes(minjis, monkeypatch):
    minjis.post(reverse("step_up_send"), {"next": GUARDED})
    enter(minjis, newest_code())
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 299)
    assert minjis.get(GUARDED).status_code == 200
    monkeypatch.setattr("time.time", lambda: now + 301)
    assert minjis.get(GUARDED).status_code == 302
    assert minjis.post(GUARDED, {"sure": "on"}).url.startswith(reverse("step_up"))


def test_a_sign_in_just_now_is_not_a_step_up(minjis):
    assert minjis.get(GUARDED).status_code == 302


def test_a_step_up_does_not_outlive_the_sign_in(minjis, minji):
    minjis.post(reverse("step_up_send"), {"next": GUARDED})
    enter(minjis, newest_code())
    minjis.post(reverse("account_logout"))
    sign_in(minjis, minji.email)
    assert minjis.get(GUARDED).status_code == 302


def test_a_wrong_code_opens_nothing(minjis):
    minjis.post(reverse("step_up_send"), {"next": GUARDED})
    code = newest_code()
    for _ in range(4):
        assert enter(minjis, wrong(code)).status_code == 200
    assert enter(minjis, wrong(code)).status_code == 403
    enter(minjis, code)
    assert minjis.get(GUARDED).status_code == 302


def test_an_expired_code_opens_nothing(minjis, monkeypatch):
    minjis.post(reverse("step_up_send"), {"next": GUARDED})
    code, now = newest_code(), time.time()
    monkeypatch.setattr("time.time", lambda: now + 601)
    response = enter(minjis, code)
    assert response.status_code == 410
    assert reverse("step_up_send") in response.content.decode()


def test_a_sign_in_code_is_no_step_up_code(minjis, minji):
    other = Client()
    other.post(reverse("account_login"), {"email": minji.email})
    sign_in_code = newest_code()
    minjis.post(reverse("step_up_send"), {"next": GUARDED})
    if newest_code() != sign_in_code:
        assert enter(minjis, sign_in_code).status_code == 200


def test_sign_in_attempts_of_strangers_do_not_block_a_step_up(minjis, minji):
    for _ in range(6):
        stranger = Client()
        stranger.post(reverse("account_login"), {"email": minji.email})
        for _ in range(5):
            stranger.post(reverse("sign_in_code"), {"code": wrong(newest_code())})
    minjis.post(reverse("step_up_send"), {"next": GUARDED})
    assert enter(minjis, newest_code()).url == GUARDED


def test_asking_is_limited_for_one_person_in_all_their_sessions(minji):
    answers = []
    for number in range(6):
        browser = Client(REMOTE_ADDR=f"203.0.113.{number}")
        browser.force_login(minji)
        answers.append(browser.post(reverse("step_up_send")).status_code)
    assert answers == [302] * 5 + [429]


def test_a_new_code_can_be_sent(minjis):
    minjis.post(reverse("step_up_send"), {"next": GUARDED})
    minjis.post(reverse("step_up_send"))
    assert len(mail.outbox) == 2
    assert enter(minjis, newest_code()).url == GUARDED


def test_the_page_asked_for_last_is_the_one_that_opens(minjis):
    minjis.post(reverse("step_up_send"), {"next": "/ko/account/sessions/"})
    minjis.get(reverse("step_up"), {"next": GUARDED})
    assert enter(minjis, newest_code()).url == GUARDED


def test_next_never_redirects_to_another_site(minjis):
    minjis.post(reverse("step_up_send"), {"next": "https://evil.example/"})
    assert enter(minjis, newest_code()).url == reverse("account")


def test_sending_needs_a_post(minjis):
    sent = len(mail.outbox)
    assert minjis.get(reverse("step_up_send")).url == reverse("step_up")
    assert len(mail.outbox) == sent
    assert not mail.outbox


def test_an_anonymous_user_gets_no_code(client):
    assert client.post(reverse("step_up_send")).url.startswith(reverse("account_login"))
    assert not mail.outbox


def test_the_step_up_of_one_person_does_not_serve_another(client, minji, seojun):
    client.force_login(minji)
    step_up(client, minji)
    assert client.get(GUARDED).status_code == 200
    client.force_login(seojun)
    assert client.get(GUARDED).status_code == 302
