"""A code of an earlier mail: the page says that a newer one was sent, and it uses no try."""

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from harness.sign_in import ask_for_code, enter_code, newest_code, wrong

pytestmark = pytest.mark.django_db
MINJI = "minji@example.com"
NEWER = "이전 이메일의 인증번호입니다"


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def codes_of(client: Client, number: int) -> list[str]:
    """Requests `number` codes, the first by the form and the others by "Send a new code"."""
    ask_for_code(client, MINJI)
    codes = [newest_code()]
    for _ in range(number - 1):
        client.post(reverse("sign_in_code_again"))
        codes.append(newest_code())
    return codes


def test_an_earlier_code_says_that_a_newer_was_sent_and_uses_no_try(client):
    first, second, newest = codes_of(client, 3)
    for earlier in (first, second) * 5:
        page = enter_code(client, earlier)
        assert page.status_code == 200
        assert NEWER in page.context["form"].errors["code"][0]
    page = enter_code(client, wrong(newest))
    assert "4" in page.context["form"].errors["code"][0]  # the first try
    enter_code(client, newest)
    assert is_signed_in(client)


def test_a_wrong_code_uses_a_try_between_earlier_codes_as_well(client):
    first, newest = codes_of(client, 2)
    statuses = []
    for _ in range(5):
        assert NEWER in enter_code(client, first).text
        statuses.append(enter_code(client, wrong(newest)).status_code)
    assert statuses == [200, 200, 200, 200, 403]
    enter_code(client, newest)
    assert not is_signed_in(client)


def test_an_earlier_code_opens_nothing_after_the_last_try(client):
    first, newest = codes_of(client, 2)
    for _ in range(5):
        enter_code(client, wrong(newest))
    enter_code(client, first)
    assert not is_signed_in(client)


def test_only_the_last_two_earlier_codes_are_recognised(client):
    codes = codes_of(client, 4)
    assert len(client.session["sign_in_code"]["replaced"]) == 2
    assert "4" in enter_code(client, codes[0]).context["form"].errors["code"][0]
    assert NEWER in enter_code(client, codes[1]).text


def test_a_code_requested_again_by_the_sign_in_form_replaces_the_earlier_one(client):
    ask_for_code(client, MINJI)
    first = newest_code()
    ask_for_code(client, MINJI)
    assert NEWER in enter_code(client, first).text
    enter_code(client, newest_code())
    assert is_signed_in(client)


def test_the_code_of_a_double_press_is_recognised_after_a_new_one(monkeypatch):
    client = Client(headers={"user-agent": "Mozilla/5.0 (iPhone)"})
    for _ in range(2):
        ask_for_code(client, MINJI)
    assert len(mail.outbox) == 1
    first = newest_code()
    client.post(reverse("sign_in_code_again"))
    assert NEWER in enter_code(client, first).text
    enter_code(client, newest_code())
    assert is_signed_in(client)


def test_a_code_is_not_an_earlier_one_while_no_newer_mail_was_sent(client, settings):
    settings.CODE_RATES = settings.CODE_RATES | {"ask": "1/10m/key", "ask_site": "1/10m/key"}
    ask_for_code(client, MINJI)
    ask_for_code(client, MINJI)  # sends none: the newest mailed code works
    assert len(mail.outbox) == 1
    enter_code(client, newest_code())
    assert is_signed_in(client)


def test_an_earlier_code_of_another_address_or_browser_uses_a_try(client):
    first, _second = codes_of(client, 2)
    ask_for_code(client, "seojun@example.com")
    page = client.post(reverse("sign_in_code"), {"code": first, "email": "seojun@example.com"})
    assert "4" in page.context["form"].errors["code"][0]
    other = Client()
    ask_for_code(other, MINJI)
    assert "4" in enter_code(other, first).context["form"].errors["code"][0]


def test_the_session_holds_no_earlier_code(client):
    first, second, _newest = codes_of(client, 3)
    stored = str(dict(client.session.items()))
    assert first not in stored
    assert second not in stored


def test_an_earlier_step_up_code_uses_no_try(client, minji):
    client.force_login(minji)
    client.post(reverse("step_up_send"))
    first = newest_code()
    client.post(reverse("step_up_send"))
    assert NEWER in client.post(reverse("step_up"), {"code": first}).text
    assert client.post(reverse("step_up"), {"code": newest_code()}).url == reverse("account")
