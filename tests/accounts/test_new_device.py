"""The mail about a sign-in on a device that is new to the account."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts import new_devices
from accounts.mail_codes import MailKind
from accounts.new_device import NewDevice
from harness.sign_in import sign_in
from scams.message_check import MessageVerdict, answer_for

pytestmark = pytest.mark.django_db
TELEPHONE = (
    "Mozilla/5.0 (Linux; Android 14; SM-S921N) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/121.0.0.0 Mobile Safari/537.36"
)


def mails_sent() -> list[Any]:
    """Returns the mails that the task sends now."""
    before = len(mail.outbox)
    new_devices.send_due()
    return mail.outbox[before:]


@pytest.fixture
def laptop(client, minji) -> Client:
    """The browser of the first sign-in."""
    sign_in(client, minji.email)
    return client


def on_telephone(email: str) -> Client:
    telephone = Client(headers={"user-agent": TELEPHONE}, REMOTE_ADDR="203.0.113.7")
    sign_in(telephone, email)
    return telephone


def test_the_first_sign_in_of_all_is_not_reported(laptop):
    assert mails_sent() == []


def test_a_new_device_is_reported_once_in_the_users_language(laptop, minji):
    on_telephone(minji.email)
    (sent,) = mails_sent()
    assert sent.to == [minji.email]
    assert "Chrome" in sent.body
    assert "로그인한 곳" in sent.body
    assert not re.search(r"\b([A-Z]{3,4}) \1\b", sent.body)
    assert "203.0.113.7" not in sent.message().as_bytes().decode()
    assert mails_sent() == []


def test_a_device_that_signed_in_before_is_not_reported(laptop, minji):
    laptop.post(reverse("account_logout"))
    sign_in(laptop, minji.email)
    assert mails_sent() == []


def test_the_account_page_names_the_device(laptop, minji):
    telephone = on_telephone(minji.email)
    page = telephone.get("/en/account/").text
    assert "Last sign-in on a new device" in page
    assert "Chrome on Android" in page
    assert "203.0.113.7" not in page


def test_the_check_page_knows_the_mail_and_finds_no_sign_in_code_in_it(laptop, minji):
    on_telephone(minji.email)
    (sent,) = mails_sent()
    answer = answer_for(sent.body)
    assert answer.verdict == MessageVerdict.SENT
    assert [one.kind for one in answer.account_mails] == [MailKind.NEW_DEVICE]
    page = Client().post("/en/check/answer/", {"text": sent.body}).text
    assert "A mail about a sign-in on a new device" in page
    assert "Do not give its sign-in code" not in page


def test_a_day_has_few_mails(laptop, minji):
    for _number in range(new_devices.MOST_A_DAY + 2):
        request = RequestFactory().get("/", headers={"user-agent": TELEPHONE})
        new_devices.record(request, minji.pk)
    assert len(mails_sent()) == new_devices.MOST_A_DAY


def test_a_server_that_is_away_gets_the_mail_later(laptop, minji, settings):
    on_telephone(minji.email)
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    away = {**settings.CODE_MAIL_SERVER, "host": "127.0.0.1", "port": 1}
    settings.CODE_MAIL_SERVER = away
    for _minute in range(6):
        new_devices.send_due()
    assert NewDevice.objects.get().mail_tries == 0
    settings.EMAIL_BACKEND = backend
    settings.CODE_MAIL_SERVER = {}
    assert len(mails_sent()) == 1


def test_old_rows_are_deleted(laptop, minji):
    on_telephone(minji.email)
    NewDevice.objects.update(at=timezone.now() - new_devices.KEPT_FOR - timedelta(hours=1))
    new_devices.purge()
    assert not NewDevice.objects.exists()
