"""Ended sessions are deleted, with the network addresses of their browsers."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.tasks import purge_sessions
from harness.sign_in import ask_for_code, sign_in

pytestmark = pytest.mark.django_db


def end(browser: Client) -> None:
    earlier = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(pk=browser.session.session_key).update(expire_date=earlier)


def test_ended_sessions_and_their_addresses_are_deleted(minji, seojun):
    gone, here, asked = Client(), Client(), Client()
    sign_in(gone, minji.email)
    sign_in(here, seojun.email)
    ask_for_code(asked, "nayeon@example.com")
    end(gone)
    end(asked)

    purge_sessions()
    purge_sessions()

    assert [row.pk for row in Session.objects.all()] == [here.session.session_key]
    assert [row.user for row in UserSession.objects.all()] == [seojun]
    assert here.get("/en/account/").status_code == 200


def test_a_session_that_was_signed_out_leaves_no_address(minji, client):
    sign_in(client, minji.email)
    Session.objects.all().delete()
    purge_sessions()
    assert not UserSession.objects.exists()
