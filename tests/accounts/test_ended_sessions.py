"""A form that is sent after its session ended: the reason, a way in, and the ticks kept."""

import uuid

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import ended_sessions
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import enter_code, newest_code, sign_in
from incidents.models import Incident, Reveal
from notices.models import AlertSubscription

pytestmark = pytest.mark.django_db
ENDED = "로그인 시간이 지나 아무것도 바뀌지 않았습니다"
KEPT = "선택하신 항목이 그대로 있으며"


@pytest.fixture
def returning(client, minji, incident) -> Client:
    """A browser whose session ended while a page was open."""
    sign_in(client, minji.email)
    client.get(reverse("alerts"))
    Session.objects.all().delete()
    return client


def sign_in_again(client: Client, answer, email: str = "minji@example.com"):
    """Signs in on the page to which `answer` leads. Returns the page that follows."""
    page = client.get(answer.url)
    assert ENDED in page.text
    client.post(reverse("account_login"), {"email": email, "next": page.context["next_url"]})
    code = enter_code(client, newest_code())
    return client.get(code.url)


def test_ticks_on_alerts_are_kept_until_they_are_saved(returning, minji, incident):
    answer = returning.post(reverse("alerts"), {incident.slug: ["updates", "scams"]})
    page = sign_in_again(returning, answer)
    assert page.request["PATH_INFO"] == reverse("alerts")
    assert KEPT in page.text
    assert page.text.count("checked") == 3  # the updates come at once
    assert not AlertSubscription.objects.exists()
    saved = returning.post(reverse("alerts"), {incident.slug: ["scams"]}, follow=True)
    assert KEPT not in saved.text
    assert saved.text.count("checked") == 2


def test_unticked_alerts_stay_unticked(returning, minji, incident):
    AlertSubscription.objects.create(user=minji, incident=incident, topic="scams")
    page = sign_in_again(returning, returning.post(reverse("alerts"), {}))
    assert KEPT in page.text
    assert page.text.count("checked") == 1
    assert minji.subscriptions.live().count() == 1


def test_only_topics_of_public_incidents_are_kept(returning, incident):
    Incident.objects.exclude(pk=incident.pk).update(is_public=False)
    fields = {incident.slug: ["updates", "x" * 1000], "secret": ["updates"], "email": ["a@b.kr"]}
    returning.post(reverse("alerts"), fields)
    kept = returning.session[ended_sessions._KEY]["choices"]
    assert kept == {incident.slug: ["updates"]}


def test_ticks_are_forgotten_after_an_hour(returning, incident, monkeypatch):
    answer = returning.post(reverse("alerts"), {incident.slug: ["updates"]})
    monkeypatch.setattr(ended_sessions, "KEPT_SECONDS", 0)
    page = sign_in_again(returning, answer)
    assert KEPT not in page.text
    assert page.text.count("checked") == 1


def test_show_in_full_asks_again_after_the_sign_in(returning, minji, incident):
    row = person(incident, name="김민지", email=minji.email)
    expose(row, file_of(incident), values=[("physical-addresses", "서울특별시 강남구 558")])
    page = sign_in_again(returning, returning.post(reverse("my_data_reveal")))
    assert page.request["PATH_INFO"] == reverse("my_data_reveal")
    assert not Reveal.objects.exists()
    shown = returning.post(reverse("my_data_reveal"), follow=True)
    assert "강남구 558" in shown.text


@pytest.mark.parametrize(
    ("name", "args", "page"),
    [
        ("my_data_hide", [], "my_data"),
        ("my_data_step", ["{slug}"], "my_data"),
        ("my_data_answer", ["{slug}"], "my_data"),
        ("subscribe_browser", [], "alerts"),
        ("end_browser", [uuid.UUID(int=1)], "alerts"),
        ("step_up_send", [], "step_up"),
        ("account", [], "account"),
        ("sessions", [], "sessions"),
    ],
)
def test_each_form_leads_back_to_its_page(returning, incident, name, args, page):
    url = reverse(name, args=[str(each).format(slug=incident.slug) for each in args])
    shown = sign_in_again(returning, returning.post(url))
    assert shown.status_code == 200
    assert shown.request["PATH_INFO"] == reverse(page)


def test_a_page_that_is_only_opened_says_nothing_of_an_ended_session(client, incident):
    assert ENDED not in client.get(reverse("alerts"), follow=True).text


def test_a_form_with_an_old_token_offers_a_way_in(returning):
    strict = Client(enforce_csrf_checks=True)
    refused = strict.post(reverse("my_data_reveal"))
    assert refused.status_code == 403
    assert f'class="button" href="{reverse("account_login")}"' in refused.text
    assert len(mail.outbox) == 1
