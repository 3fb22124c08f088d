"""Signing in with an e-mail address and a code."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any, cast

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMultiAlternatives
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from harness.sign_in import ask_for_code, enter_code, newest_code, sign_in, wrong

pytestmark = pytest.mark.django_db
NO_CODE = "이 브라우저에서 요청한 인증번호가 없거나"


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def shape(response: Any) -> Any:
    """Returns what an observer sees of a response, without random tokens."""
    headers = {name: value for name, value in response.headers.items() if name != "Content-Length"}
    cookies = {
        name: {key: value for key, value in morsel.items() if key != "expires"}
        for name, morsel in response.cookies.items()
    }
    return response.status_code, headers, cookies


def page_of(client: Client, email: str) -> str:
    html = client.get(reverse("sign_in_code")).content.decode()
    tokens = {line for line in html.splitlines() if "csrfmiddlewaretoken" in line}
    return "\n".join(line for line in html.splitlines() if line not in tokens).replace(email, "…")


def test_unknown_address_gets_the_same_answer(minji):
    known, unknown = Client(), Client()
    answer = ask_for_code(known, minji.email)
    assert answer.url == reverse("sign_in_code")
    assert shape(answer) == shape(ask_for_code(unknown, "nobody@example.com"))
    assert page_of(known, minji.email) == page_of(unknown, "nobody@example.com")
    assert [len(message.to) for message in mail.outbox] == [1, 1]
    first, second = (str(message.body).splitlines() for message in mail.outbox)
    assert len(first) == len(second)
    assert [
        a for a, b in zip(first, second, strict=True) if a != b and not a.strip().isdigit()
    ] == []


def test_requests_and_wrong_codes_never_look_up_a_user(client, minji):
    with CaptureQueriesContext(connection) as queries:
        ask_for_code(client, minji.email)
        enter_code(client, wrong(newest_code()))
    tables = " ".join(query["sql"] for query in queries)
    assert "accounts_user" not in tables
    assert "account_emailaddress" not in tables


def test_a_wrong_code_is_answered_the_same_for_an_unknown_address(minji):
    answers = []
    for email in (minji.email, "nobody@example.com"):
        client = Client()
        ask_for_code(client, email)
        answers.append(enter_code(client, wrong(newest_code())))
    assert shape(answers[0])[0] == shape(answers[1])[0] == 200
    assert all("4" in answer.context["form"].errors["code"][0] for answer in answers)


def test_the_right_code_signs_a_known_person_in(client, minji):
    response = sign_in(client, "  Minji@Example.com ")
    assert response.status_code == 302
    assert client.session["_auth_user_id"] == str(minji.pk)
    assert User.objects.count() == 1


def test_an_unknown_person_becomes_a_user_only_with_the_right_code(client):
    ask_for_code(client, "seojun@example.com")
    enter_code(client, wrong(newest_code()))
    assert not User.objects.exists()
    enter_code(client, newest_code())
    user = User.objects.get()
    assert user.verified_emails() == ["seojun@example.com"]
    assert not user.has_usable_password()
    assert is_signed_in(client)


def test_a_new_person_keeps_the_language_of_the_page(client):
    client.post("/en/account/sign-in/", {"email": "seojun@example.com"})
    assert "Here is your code" in mail.outbox[0].body
    client.post("/en/account/sign-in/code/", {"code": newest_code()})
    assert User.objects.get().language == "en"


def test_a_user_added_on_the_desk_proves_the_address_by_signing_in(client):
    user = User.objects.create(email="editor@example.com", is_staff=True, password="!")
    sign_in(client, "editor@example.com")
    assert EmailAddress.objects.get().user == user
    assert user.verified_emails() == ["editor@example.com"]


@pytest.mark.parametrize(
    "typed", [" {0} ", "{1} {2}", "{1}-{2}", "{1}–{2}", "\u200b{0}", "\t{0}\n"]
)
def test_a_code_may_be_pasted_with_spaces_and_dashes(client, typed):
    ask_for_code(client, "minji@example.com")
    code = newest_code()
    enter_code(client, typed.format(code, code[:3], code[3:]))
    assert is_signed_in(client)


def test_a_code_may_be_typed_in_full_width_digits(client):
    ask_for_code(client, "minji@example.com")
    enter_code(client, newest_code().translate({48 + n: 0xFF10 + n for n in range(10)}))
    assert is_signed_in(client)


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "x" * 1000, "\x00"])
def test_text_that_is_not_a_code_costs_no_try(client, typed):
    ask_for_code(client, "minji@example.com")
    for _ in range(6):
        assert enter_code(client, typed).status_code == 200
    enter_code(client, newest_code())
    assert is_signed_in(client)


@pytest.mark.parametrize(
    "typed",
    ["", "minji", "minji@", "a@b\nBcc: c@d.example", "민지@example.com", "m@x." + "y" * 400],
)
def test_an_invalid_address_is_refused_with_a_message(client, typed):
    response = ask_for_code(client, typed)
    assert response.status_code == 200
    assert response.context["form"].errors["email"]
    assert not mail.outbox


def test_the_fields_suit_a_telephone(client):
    page = client.get(reverse("account_login")).content.decode()
    assert 'type="email"' in page
    assert 'autocomplete="email"' in page
    assert 'inputmode="email"' in page
    ask_for_code(client, "minji@example.com")
    page = client.get(reverse("sign_in_code")).content.decode()
    assert 'autocomplete="one-time-code"' in page
    assert 'inputmode="numeric"' in page
    assert "code-input" in page
    assert "minji@example.com" in page


def test_the_page_of_the_code_says_what_to_do_if_none_comes(client, minji):
    client.force_login(minji)
    client.post(reverse("step_up_send"))
    step_up_page = client.get(reverse("step_up")).text
    visitor = Client()
    ask_for_code(visitor, "minji@example.com")
    page = visitor.get(reverse("sign_in_code")).text
    for text in (page, step_up_page):
        advice = text[text.index("1분이 지나도") :]
        for words in ("네이버", "Daum", "Gmail", "스팸메일함", "위의 주소", "새 인증번호 받기"):
            assert words in advice


def test_the_mail_holds_nothing_it_should_not(client):
    client.post("/en/account/sign-in/", {"email": "minji@example.com"})
    [message] = mail.outbox
    assert message.to == ["minji@example.com"]
    assert b"\nAuto-Submitted: auto-generated\n" in message.message().as_bytes()
    assert newest_code() not in message.subject
    assert "minji" not in message.subject
    assert "127.0.0.1:8000" in message.subject
    text, html = str(message.body), str(cast("EmailMultiAlternatives", message).alternatives[0][0])
    for body in (text, html):
        assert newest_code() in body
        assert "10 minutes" in body
        assert "http://127.0.0.1:8000" in body
        assert "<img" not in body
        assert "&#x27;" not in text


def test_the_code_is_nowhere_in_the_session(client):
    ask_for_code(client, "minji@example.com")
    assert newest_code() not in str(client.session.items())


def test_the_fifth_wrong_code_ends_the_sign_in(client):
    ask_for_code(client, "minji@example.com")
    code = newest_code()
    for _ in range(4):
        assert enter_code(client, wrong(code)).status_code == 200
    response = enter_code(client, wrong(code))
    assert response.status_code == 403
    assert reverse("account_login") in response.content.decode()
    assert NO_CODE in enter_code(client, code).text
    assert not is_signed_in(client)


def test_an_expired_code_gets_a_page_with_a_new_one(client, settings, monkeypatch):
    ask_for_code(client, "minji@example.com")
    old = newest_code()
    later = timezone.now() + timedelta(minutes=10, seconds=1)
    monkeypatch.setattr("time.time", later.timestamp)
    response = enter_code(client, old)
    assert response.status_code == 410
    assert reverse("sign_in_code_again") in response.content.decode()
    assert client.get(reverse("sign_in_code")).status_code == 410
    client.post(reverse("sign_in_code_again"))
    enter_code(client, newest_code())
    assert is_signed_in(client)


def test_sending_again_sends_another_code_and_ends_the_first(client):
    ask_for_code(client, "minji@example.com")
    first = newest_code()
    response = client.post(reverse("sign_in_code_again"))
    assert response.url == reverse("sign_in_code")
    assert len(mail.outbox) == 2
    assert mail.outbox[1].to == ["minji@example.com"]
    if newest_code() != first:
        enter_code(client, first)
        assert not is_signed_in(client)
    enter_code(client, newest_code())
    assert is_signed_in(client)


def test_sending_again_is_limited(client):
    ask_for_code(client, "minji@example.com")
    for _ in range(3):
        assert client.post(reverse("sign_in_code_again")).status_code == 302
    refused = client.post(reverse("sign_in_code_again"))
    assert refused.status_code == 429
    assert len(mail.outbox) == 4
    assert f'href="{reverse("sign_in_code")}"' in refused.content.decode()


def test_the_newest_code_works_after_too_many_were_asked_for(client):
    ask_for_code(client, "minji@example.com")
    for _ in range(5):
        client.post(reverse("sign_in_code_again"))
    assert client.get(reverse("sign_in_code")).status_code == 200
    enter_code(client, newest_code())
    assert is_signed_in(client)


def test_a_get_sends_nothing(client):
    ask_for_code(client, "minji@example.com")
    sent = len(mail.outbox)
    assert client.get(reverse("sign_in_code_again")).url == reverse("sign_in_code")
    assert len(mail.outbox) == sent
    client.get(reverse("sign_in_code"))
    assert len(mail.outbox) == 1


def test_a_code_works_once(client):
    sign_in(client, "minji@example.com")
    code = newest_code()
    client.post(reverse("account_logout"))
    assert NO_CODE in enter_code(client, code).text
    assert not is_signed_in(client)


def test_the_page_of_the_code_in_another_browser_says_why_it_does_not_go_on(client):
    ask_for_code(client, "minji@example.com")
    other = Client()
    page = other.get(reverse("sign_in_code"))
    assert NO_CODE in page.text
    assert f'action="{reverse("account_login")}"' in page.text
    assert NO_CODE not in other.get(reverse("account_login")).text


@pytest.mark.parametrize("name", ["sign_in_code", "sign_in_code_again"])
def test_a_form_of_the_code_without_its_session_keeps_the_address(client, name):
    ask_for_code(client, "minji@example.com")
    other = Client()
    page = other.post(reverse(name), {"code": newest_code(), "email": "minji@example.com"})
    assert NO_CODE in page.text
    assert 'value="minji@example.com"' in page.text
    assert newest_code() not in page.text
    assert not is_signed_in(other)
    ask_for_code(other, page.context["form"]["email"].value())
    enter_code(other, newest_code())
    assert is_signed_in(other)


def test_the_kept_page_of_the_code_holds_no_address(client):
    Client().post(reverse("sign_in_code"), {"email": "minji@example.com"})
    assert "minji" not in Client().get(reverse("sign_in_code")).text


def test_a_step_up_code_without_its_session_says_why_it_is_not_taken(client, minji):
    client.force_login(minji)
    assert NO_CODE in client.post(reverse("step_up"), {"code": "12345678"}).text
    assert NO_CODE not in client.get(reverse("step_up")).text


def test_a_code_works_only_in_the_browser_that_asked(client):
    ask_for_code(client, "minji@example.com")
    thief = Client()
    ask_for_code(thief, "thief@example.com")
    thiefs_code = newest_code()
    ask_for_code(client, "minji@example.com")
    if newest_code() != thiefs_code:
        enter_code(thief, newest_code())
        assert not is_signed_in(thief)


def test_guesses_at_one_code_are_counted_across_copies_of_its_session(client):
    ask_for_code(client, "minji@example.com")
    code, pending = newest_code(), dict(client.session["sign_in_code"])
    for _ in range(4):
        assert enter_code(client, wrong(code)).status_code == 200
        session = client.session  # as a second request at the same time would read it
        session["sign_in_code"] = pending
        session.save()
    assert enter_code(client, wrong(code)).status_code == 403
    session = client.session
    session["sign_in_code"] = pending
    session.save()
    assert enter_code(client, code).status_code == 403
    assert not is_signed_in(client)


def test_a_code_missing_in_redis_is_invalid(client):
    ask_for_code(client, "minji@example.com")
    cache.clear()
    assert enter_code(client, newest_code()).status_code == 410
    assert not is_signed_in(client)


@pytest.mark.django_db(transaction=True)
def test_a_code_posted_several_times_at_once_makes_one_session():
    client = Client()
    ask_for_code(client, "minji@example.com")
    code = newest_code()
    together = Barrier(4)

    def post(_number: int) -> Client:
        browser = Client()
        browser.cookies["sessionid"] = client.cookies["sessionid"].value
        together.wait(timeout=10)
        try:
            enter_code(browser, code)
            return browser
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(post, range(4)))
    assert UserSession.objects.count() == 1


def test_a_code_used_in_another_request_leads_back_to_the_start(client):
    ask_for_code(client, "minji@example.com")
    pending = dict(client.session["sign_in_code"])
    other = Client()
    other.get(reverse("account_login"))
    enter_code(client, newest_code())
    ask_for_code(other, "seojun@example.com")
    session = other.session
    session["sign_in_code"] = pending
    session.save()
    code = re.findall(r"^ +(\d{8})$", str(mail.outbox[0].body), re.MULTILINE)[0]
    assert NO_CODE in enter_code(other, code).text
    assert not is_signed_in(other)


def test_redis_holds_no_address(client):
    ask_for_code(client, "minji@example.com")
    redis = cast("Any", cache)._cache.get_client()
    limits = [key for key in redis.keys("*") if b":rl:" in key]
    assert limits
    assert not any(b"minji" in key for key in limits)


def test_the_session_key_changes_at_sign_in(client):
    ask_for_code(client, "minji@example.com")
    before = client.session.session_key
    enter_code(client, newest_code())
    assert client.session.session_key != before


def test_next_leads_to_a_page_of_the_portal(client):
    response = sign_in(client, "minji@example.com", next="/ko/account/sessions/")
    assert response.url == "/ko/account/sessions/"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "http://localhost/",
        "\x00//evil.example",
        "foo",
        "?",
        "./account/",
    ],
)
def test_next_never_redirects_to_another_site(client, settings, elsewhere):
    settings.LOGIN_REDIRECT_URL = "account"
    response = sign_in(client, "minji@example.com", next=elsewhere)
    assert response.url == reverse("account")
    again = client.get(reverse("account_login"), {"next": elsewhere})
    assert again.url == reverse("account")


def test_a_signed_in_user_is_redirected(client, minji):
    client.force_login(minji)
    response = client.get(reverse("account_login"), {"next": "/ko/account/"})
    assert response.url == "/ko/account/"


@pytest.fixture
def nayeon(db) -> User:
    """A user with a deactivated account."""
    return User.objects.create_user("nayeon@example.com", is_active=False)


def test_an_inactive_user_gets_the_same_answer_and_never_in(client, nayeon):
    assert ask_for_code(client, nayeon.email).url == reverse("sign_in_code")
    assert len(mail.outbox) == 1
    assert enter_code(client, wrong(newest_code())).status_code == 200
    response = enter_code(client, newest_code())
    assert response.status_code == 403
    assert not is_signed_in(client)
    assert client.get(reverse("account")).status_code == 302


def test_an_unreachable_mail_server_is_reported_to_the_user(client, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = unused.getsockname()
        response = ask_for_code(client, "minji@example.com")
    assert response.status_code == 503
    assert NO_CODE in client.get(reverse("sign_in_code")).text


def test_the_form_has_csrf_protection():
    strict = Client(enforce_csrf_checks=True)
    assert ask_for_code(strict, "minji@example.com").status_code == 403


def test_account_pages_are_not_stored(client, minji):
    client.force_login(minji)
    for name in ("account", "sessions"):
        assert "no-store" in client.get(reverse(name)).headers["Cache-Control"]
