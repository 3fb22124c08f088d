"""The sessions of a user."""

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.browsers import describe_device
from harness.sign_in import ask_for_code, enter_code, newest_code, sign_in

pytestmark = pytest.mark.django_db

TELEPHONE = (
    "Mozilla/5.0 (Linux; Android 14; SM-S921N) AppleWebKit/537.36 (KHTML, like Gecko) "
    "SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36"
)
LAPTOP = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0"
)


@pytest.fixture
def telephone(minji) -> Client:
    client = Client(headers={"user-agent": TELEPHONE}, REMOTE_ADDR="203.0.113.7")
    sign_in(client, minji.email)
    return client


@pytest.fixture
def laptop(minji, telephone) -> Client:
    client = Client(headers={"user-agent": LAPTOP}, REMOTE_ADDR="198.51.100.4")
    sign_in(client, minji.email)
    return client


def is_signed_in(client: Client) -> bool:
    return client.get(reverse("account")).status_code == 200


def test_every_browser_is_listed_in_words(telephone, laptop):
    page = laptop.get("/en/account/sessions/").content.decode()
    assert "Samsung Internet on Android" in page
    assert "203.0.113.7" in page
    assert "Edge on Windows" in page
    assert page.count("This is the browser you are using now.") == 1


def test_one_other_browser_can_be_signed_out(telephone, laptop):
    other = UserSession.objects.get(ip="203.0.113.7")
    laptop.post(reverse("sessions"), {"session": other.pk})
    assert not is_signed_in(telephone)
    assert is_signed_in(laptop)


def test_all_other_browsers_can_be_signed_out(telephone, laptop):
    laptop.post(reverse("sessions"))
    assert not is_signed_in(telephone)
    assert is_signed_in(laptop)


def test_a_user_cannot_see_or_end_another_users_session(laptop, seojun, client):
    sign_in(client, seojun.email)
    page = client.get(reverse("sessions")).content.decode()
    assert "198.51.100.4" not in page
    minjis = UserSession.objects.get(ip="198.51.100.4")
    assert client.post(reverse("sessions"), {"session": minjis.pk}).status_code == 302
    assert is_signed_in(laptop)


@pytest.mark.parametrize("forged", ["0", "99999999999999999999", "x", "1; --", "-1"])
def test_a_forged_session_id_ends_no_session(laptop, telephone, forged):
    assert laptop.post(reverse("sessions"), {"session": forged}).status_code == 302
    assert is_signed_in(telephone)


def test_a_session_that_ended_is_no_longer_listed(telephone, laptop):
    telephone.post(reverse("account_logout"))
    assert "203.0.113.7" not in laptop.get(reverse("sessions")).content.decode()


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) KAKAOTALK 10",
            "KakaoTalk on iPhone",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) CriOS/130.0 Mobile Safari/604.1",
            "Chrome on iPhone",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:130.0) Firefox/130.0", "Firefox on Mac"),
        (
            "Mozilla/5.0 (Linux; Android 14) Chrome/130 NAVER(inapp; search; 1000)",
            "Naver on Android",
        ),
        ("curl/8.0", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_is_named_in_words(user_agent, words, settings):
    settings.LANGUAGE_CODE = "en"
    assert describe_device(user_agent) == words


def test_the_rows_of_the_database_cannot_be_used_as_sessions(laptop):
    """A backup contains the rows, and its reader must not be able to use a session."""
    keys = {*Session.objects.values_list("pk", flat=True)}
    keys |= {*UserSession.objects.values_list("session_key", flat=True)}
    assert keys
    for stolen in (*keys, *(f"{key}:" for key in keys), *(f"{key}:{key}" for key in keys)):
        thief = Client()
        thief.cookies[settings.SESSION_COOKIE_NAME] = stolen
        assert not is_signed_in(thief)
    assert laptop.cookies[settings.SESSION_COOKIE_NAME].value not in keys
    assert is_signed_in(laptop)


def test_a_new_secret_key_signs_no_user_out(laptop, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one, as random as the first, and long enough"
    assert is_signed_in(laptop)


def test_a_session_of_a_forgotten_secret_key_has_ended(laptop, settings):
    settings.SECRET_KEY = "another one, as random as the first, and long enough"
    assert not is_signed_in(laptop)


def statements_of_sign_in(user) -> list[str]:
    client = Client()
    ask_for_code(client, user.email)
    with CaptureQueriesContext(connection) as queries:
        enter_code(client, newest_code())
    return [query["sql"] for query in queries]


def test_a_sign_in_asks_no_more_of_the_database_with_more_sessions(minji):
    sign_in(Client(), minji.email)
    before = statements_of_sign_in(minji)
    assert sum("usersessions_usersession" in one for one in before) == 1
    for _session in range(2):
        sign_in(Client(), minji.email)
    assert len(statements_of_sign_in(minji)) == len(before)


def test_a_second_sign_in_in_one_session_is_listed_once(minji, seojun):
    client = Client()
    for user in (minji, seojun):
        sign_in(client, user.email)
        client.post(reverse("account_logout"))
    sign_in(client, minji.email)
    assert (
        list(UserSession.objects.filter(user=minji).values_list("session_key", flat=True)).count(
            client.session.session_key
        )
        == 1
    )
