"""Closing an account."""

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from accounts.models import User, VerifiedPhone
from harness.sign_in import sign_in, step_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def minjis(client: Client, minji) -> Client:
    """Minji's browser, signed in and stepped up."""
    sign_in(client, minji.email)
    step_up(client, minji)
    return client


def test_the_page_lists_what_is_deleted_and_what_stays(minjis):
    page = minjis.get("/en/account/close/").content.decode()
    assert "What is deleted" in page
    assert "Your alerts" in page
    assert "Notices that the law demands" in page


def test_closing_needs_a_fresh_code(client, minji):
    sign_in(client, minji.email)
    assert client.post(reverse("close_account"), {"sure": "on"}).url.startswith(reverse("step_up"))
    assert User.objects.filter(pk=minji.pk).exists()


def test_closing_needs_the_ticked_box(minjis, minji):
    response = minjis.post(reverse("close_account"))
    assert response.status_code == 200
    assert response.context["form"].errors["sure"]
    assert User.objects.filter(pk=minji.pk).exists()


def test_closing_deletes_the_account_and_its_rows(minjis, minji, seojun):
    VerifiedPhone.objects.create(user=minji, number="+821012345678")
    response = minjis.post(reverse("close_account"), {"sure": "on"})
    assert response.url == reverse("account_closed")
    assert list(User.objects.all()) == [seojun]
    assert not VerifiedPhone.objects.exists()
    assert not UserSession.objects.exists()
    assert EmailAddress.objects.count() == 1


def test_closing_signs_every_browser_out(minjis, minji):
    other = Client()
    sign_in(other, minji.email)
    minjis.post(reverse("close_account"), {"sure": "on"})
    for browser in (minjis, other):
        assert browser.get(reverse("account")).status_code == 302


def test_the_last_page_is_the_same_for_every_reader(minjis):
    minjis.post(reverse("close_account"), {"sure": "on"})
    page = minjis.get(reverse("account_closed"))
    assert page.status_code == Client().get(reverse("account_closed")).status_code == 200
    assert "minji" not in page.content.decode()


def test_a_user_may_sign_in_again_after_closing_the_account(minjis, minji):
    minjis.post(reverse("close_account"), {"sure": "on"})
    sign_in(minjis, minji.email)
    assert minjis.get(reverse("account")).status_code == 200


def test_staff_cannot_close_their_account(client, editor):
    client.force_login(editor)
    step_up(client, editor)
    response = client.post(reverse("close_account"), {"sure": "on"})
    assert response.status_code == 200
    assert response.context["form"].non_field_errors()
    assert User.objects.filter(pk=editor.pk).exists()
