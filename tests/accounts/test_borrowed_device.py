"""A sign-in on another person's device leaves nothing behind."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import known_devices
from harness.sign_in import ask_for_code, newest_code

pytestmark = pytest.mark.django_db


def sign_in_here(client: Client, email: str, **ticks: str):
    ask_for_code(client, email)
    return client.post(reverse("sign_in_code"), {"code": newest_code(), **ticks})


def test_the_session_ends_with_the_browser_and_after_15_minutes(client, minji):
    response = sign_in_here(client, minji.email, is_borrowed="on")
    cookie = response.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["max-age"], cookie["expires"]) == ("", "")
    assert client.get(reverse("account")).status_code == 200
    (session,) = Session.objects.all()
    left = session.expire_date - timezone.now()
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert client.get(reverse("account")).status_code == 302


def test_what_the_tick_does_is_said_below_it(client, minji):
    ask_for_code(client, minji.email)
    page = client.get(reverse("sign_in_code")).text
    assert page.index('for="id_is_borrowed"') < page.index('id="id_is_borrowed_helptext"')


def test_later_pages_do_not_extend_it(client, minji):
    sign_in_here(client, minji.email, is_borrowed="on")
    before = Session.objects.get().expire_date
    session = client.session
    session["something"] = 1
    session.save()
    assert Session.objects.get().expire_date == before


def test_the_device_is_not_remembered(client, minji):
    sign_in_here(client, minji.email, is_borrowed="on")
    assert known_devices.COOKIE not in client.cookies


def test_a_double_press_leaves_no_lasting_cookie(client, minji):
    ask_for_code(client, minji.email)
    before = client.cookies[settings.SESSION_COOKIE_NAME].value
    form = {"code": newest_code(), "is_borrowed": "on"}
    client.post(reverse("sign_in_code"), form)
    client.cookies[settings.SESSION_COOKIE_NAME] = before
    second = client.post(reverse("sign_in_code"), form)
    assert second.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == ""


def test_without_the_tick_the_session_lasts_and_the_device_is_known(client, minji):
    response = sign_in_here(client, minji.email)
    assert response.cookies[settings.SESSION_COOKIE_NAME]["max-age"] == settings.SESSION_COOKIE_AGE
    assert known_devices.COOKIE in client.cookies
