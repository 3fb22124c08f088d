"""The same right code, posted twice, signs in once and answers both requests."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import sign_in as sign_in_module
from harness.sign_in import ask_for_code, give_app, newest_code, sign_in, wrong
from harness.sign_in import enter_code as submit_code

pytestmark = pytest.mark.django_db


def copy_of(browser: Client) -> Client:
    """The same browser before it has read the answer to its last request."""
    copy = Client()
    for name, morsel in browser.cookies.items():
        copy.cookies[name] = morsel.value
    return copy


def enter_code(browser: Client, code: str) -> Any:
    return submit_code(browser, code)


def asked(email: str = "minji@example.com") -> tuple[Client, str]:
    browser = Client()
    ask_for_code(browser, email)
    return browser, newest_code()


def is_signed_in(browser: Client) -> bool:
    return browser.get(reverse("account")).status_code == 200


def test_the_second_request_gets_the_answer_of_the_first():
    browser, code = asked()
    second = copy_of(browser)
    assert enter_code(browser, code).url == reverse("my_data")
    answer = enter_code(second, code)
    assert (answer.status_code, answer.url) == (302, reverse("my_data"))
    assert is_signed_in(second)
    assert is_signed_in(browser)
    assert UserSession.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_once_both_sign_in():
    browser, code = asked()
    together = Barrier(2)

    def post(_number: int) -> tuple[int, str, Client]:
        copy = copy_of(browser)
        together.wait(timeout=10)
        try:
            answer = enter_code(copy, code)
            return answer.status_code, answer.url, copy
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(post, range(2)))
    assert [answer[:2] for answer in answers] == [(302, reverse("my_data"))] * 2
    assert all(is_signed_in(copy) for _status, _url, copy in answers)
    assert UserSession.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_second_request_waits_for_the_first_that_has_changed_the_session(monkeypatch):
    browser, code = asked()
    second, complete = copy_of(browser), sign_in_module.complete_sign_in
    answers: list[Any] = []

    def post() -> None:
        try:
            answers.append(enter_code(second, code))
        finally:
            connection.close()

    thread = Thread(target=post)

    def complete_while_the_second_asks(*args: Any, **kwargs: Any) -> Any:
        response = complete(*args, **kwargs)
        thread.start()
        thread.join(timeout=0.5)
        return response

    monkeypatch.setattr(sign_in_module, "complete_sign_in", complete_while_the_second_asks)
    first = enter_code(browser, code)
    thread.join(timeout=30)
    assert [answer.status_code for answer in (first, *answers)] == [302, 302]
    assert answers[0].url == reverse("my_data")
    assert is_signed_in(second)


def test_a_browser_that_is_signed_in_goes_on():
    browser, code = asked()
    enter_code(browser, code)
    answer = enter_code(browser, code)
    shown: Any = browser.get(answer.url)
    assert shown.url == reverse("my_data")


def test_the_second_request_cannot_guess_the_code():
    browser, code = asked()
    second = copy_of(browser)
    enter_code(browser, code)
    for guess in (wrong(code), code):
        page = enter_code(second, guess)
        assert page.templates[0].name == "accounts/sign_in.html"
    assert not is_signed_in(second)


def test_another_browser_with_the_code_is_not_signed_in():
    browser, code = asked()
    stranger, _code = asked("seojun@example.com")
    enter_code(browser, code)
    enter_code(stranger, code)
    assert not is_signed_in(stranger)


def test_the_answer_is_forgotten_after_half_a_minute(monkeypatch):
    monkeypatch.setattr("accounts.repeated_codes.ANSWER_SECONDS", 0)
    browser, code = asked()
    second = copy_of(browser)
    enter_code(browser, code)
    assert enter_code(second, code).templates[0].name == "accounts/sign_in.html"


def test_a_second_factor_is_still_asked_for(editor):
    give_app(editor)
    browser, code = asked(editor.email)
    second = copy_of(browser)
    assert enter_code(browser, code).url == reverse("mfa_authenticate")
    assert enter_code(second, code).url == reverse("mfa_authenticate")
    assert not is_signed_in(second)


def test_an_ended_session_does_not_delete_the_cookie_of_a_new_one(minji):
    browser = Client()
    sign_in(browser, minji.email)
    old = copy_of(browser)
    browser.post(reverse("account_logout"))
    answer = old.get(reverse("my_data"))
    assert settings.SESSION_COOKIE_NAME not in answer.cookies


def test_signing_out_deletes_the_cookie(minji):
    browser = Client()
    sign_in(browser, minji.email)
    answer = browser.post(reverse("account_logout"))
    assert answer.cookies[settings.SESSION_COOKIE_NAME].value == ""


def test_a_session_that_ends_during_a_request_leads_to_the_sign_in(minji, monkeypatch):
    browser = Client()
    ask_for_code(browser, minji.email)
    session = browser.session

    def end_session(*_args: object, **_connection: object) -> None:
        session.delete()
        mail.outbox.clear()

    monkeypatch.setattr("accounts.emails.send_sign_in_code", end_session)
    answer: Any = browser.post(reverse("sign_in_code_again"))
    assert (answer.status_code, answer.url) == (302, reverse("account_login"))
