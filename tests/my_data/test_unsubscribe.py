"""Unsubscribing from a mail: one click, without session or sign-in, and never by GET."""

import uuid

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from notices.message_codes import unsubscribe_url
from notices.models import AlertSubscription

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def subscription(minji, incident) -> AlertSubscription:
    return AlertSubscription.objects.create(user=minji, incident=incident, topic="scams")


@pytest.fixture
def stranger() -> Client:
    """A client without cookies, like a mail program, with Django's CSRF check on."""
    return Client(enforce_csrf_checks=True)


def address(subscription_id: uuid.UUID) -> str:
    return unsubscribe_url(subscription_id, "ko").removeprefix(settings.PORTAL_URL)


def is_live(subscription) -> bool:
    return AlertSubscription.objects.live().filter(pk=subscription.pk).exists()


def test_one_click_unsubscribes_without_a_session(stranger, subscription):
    response = stranger.post(address(subscription.pk), ONE_CLICK)
    assert response.status_code == 200
    assert not response.cookies
    assert not is_live(subscription)


def test_get_shows_a_button_and_ends_nothing(stranger, subscription):
    response = stranger.get(address(subscription.pk))
    assert response.status_code == 200
    assert not response.cookies
    assert b"<button" in response.content
    assert b"csrfmiddlewaretoken" not in response.content
    assert is_live(subscription)
    stranger.head(address(subscription.pk))
    assert is_live(subscription)


def test_the_page_names_the_alert_and_says_when_it_has_ended(stranger, subscription):
    asked = stranger.get(address(subscription.pk)).content.decode()
    assert subscription.incident.title.get("ko") in asked
    with override("ko"):
        assert subscription.get_topic_display() in asked
    ended = stranger.post(address(subscription.pk), ONE_CLICK)
    assert stranger.get(address(subscription.pk)).content == ended.content


def test_unsubscribing_twice_is_no_error(stranger, subscription):
    pages = [stranger.post(address(subscription.pk), ONE_CLICK) for _time in range(2)]
    assert pages[0].content == pages[1].content
    subscription.refresh_from_db()
    assert subscription.unsubscribed_at


def test_a_mail_of_before_ends_the_subscription_that_was_chosen_after_it(stranger, subscription):
    stranger.post(address(subscription.pk), ONE_CLICK)
    same = {"user": subscription.user, "incident": subscription.incident, "topic": "scams"}
    again = AlertSubscription.objects.create(**same)
    assert b"<button" in stranger.get(address(subscription.pk)).content
    stranger.post(address(subscription.pk), ONE_CLICK)
    assert not is_live(again)


def test_only_this_subscription_ends(stranger, subscription, minji, seojun, incident):
    others = [
        AlertSubscription.objects.create(user=minji, incident=incident, topic="updates"),
        AlertSubscription.objects.create(user=seojun, incident=incident, topic="scams"),
    ]
    stranger.post(address(subscription.pk), ONE_CLICK)
    assert all(is_live(other) for other in others)


def test_a_closed_account_gets_the_same_page(stranger, subscription, minji):
    same = stranger.post(address(subscription.pk), ONE_CLICK).content
    minji.delete()
    response = stranger.post(address(subscription.pk), ONE_CLICK)
    assert response.status_code == 200
    assert response.content.replace(b"", b"") == same


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_forged_token_gets_a_neutral_page(stranger, subscription, method):
    genuine = address(subscription.pk).rstrip("/").rpartition("/")[2]
    key, _colon, signature = genuine.partition(":")
    pages = set()
    for token in (
        "nonsense",
        key,
        f"{key}:{signature[:-1]}",
        f"{uuid.uuid4().hex}:{signature}",
        "%00",
        "x" * 2000,
    ):
        response = getattr(stranger, method)(reverse("unsubscribe", args=[token]))
        assert response.status_code == 200
        pages.add(response.content.replace(token.encode(), b""))
    assert b"<form" not in pages.pop()
    assert is_live(subscription)


def test_other_methods_are_refused(stranger, subscription):
    assert stranger.put(address(subscription.pk)).status_code == 405
