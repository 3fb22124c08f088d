"""Signing out."""

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


def test_an_anonymous_user_is_redirected_home(client):
    assert client.get(reverse("account_logout")).url == reverse("home")
    assert client.post(reverse("account_logout")).url == reverse("home")


def test_it_never_redirects_to_another_site(client, minji):
    client.force_login(minji)
    response = client.post(reverse("account_logout"), {"next": "https://evil.example/"})
    assert response.url == reverse("home")


def test_another_site_cannot_sign_a_user_out(minji):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(minji)
    assert strict.post(reverse("account_logout")).status_code == 403


@pytest.mark.parametrize("name", ["account", "sessions", "close_account", "step_up", "mfa_index"])
def test_an_anonymous_user_is_asked_to_sign_in(client, name):
    response = client.get(reverse(name))
    assert response.url == f"{reverse('account_login')}?next={reverse(name)}"


@pytest.mark.parametrize(
    "path", ["signup/", "password/reset/", "password/change/", "email/", "login/", "login/code/"]
)
def test_there_are_no_pages_for_passwords_or_sign_up(client, path):
    assert client.get(f"/ko/account/{path}").status_code == 404
