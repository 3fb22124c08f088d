"""Leaving."""

import pytest
from django.test import Client
from django.urls import reverse

from harness.sign_in import sign_in

pytestmark = pytest.mark.django_db


def test_a_get_only_shows_a_button(client, minji):
    client.force_login(minji)
    response = client.get(reverse("account_logout"))
    assert response.status_code == 200
    assert "<button" in response.content.decode()
    assert client.get(reverse("account")).status_code == 200


def test_the_button_signs_out(client, minji):
    sign_in(client, minji.email)
    cookie = client.cookies["sessionid"].value
    response = client.post(reverse("account_logout"))
    assert response.url == reverse("home")
    client.cookies["sessionid"] = cookie
    assert client.get(reverse("account")).status_code == 302


def test_somebody_who_is_not_signed_in_is_led_home(client):
    assert client.get(reverse("account_logout")).url == reverse("home")
    assert client.post(reverse("account_logout")).url == reverse("home")


def test_it_never_leads_elsewhere(client, minji):
    client.force_login(minji)
    response = client.post(reverse("account_logout"), {"next": "https://evil.example/"})
    assert response.url == reverse("home")


def test_another_site_cannot_sign_anybody_out(minji):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(minji)
    assert strict.post(reverse("account_logout")).status_code == 403


@pytest.mark.parametrize("name", ["account", "sessions", "close_account", "step_up", "mfa_index"])
def test_a_stranger_is_asked_to_sign_in(client, name):
    response = client.get(reverse(name))
    assert response.url == f"{reverse('account_login')}?next={reverse(name)}"


@pytest.mark.parametrize(
    "path", ["signup/", "password/reset/", "password/change/", "email/", "login/", "login/code/"]
)
def test_there_are_no_pages_for_passwords_or_sign_up(client, path):
    assert client.get(f"/ko/account/{path}").status_code == 404
