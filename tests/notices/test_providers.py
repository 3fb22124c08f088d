"""Mail through a provider's API, with a real HTTP server in place of the provider."""

import base64
import json
from typing import Any

import pytest
from django.test import override_settings
from django.urls import clear_url_caches, include, path

from breachportal import urls
from notices.message_codes import message_code, message_id
from notices.models import Delivery, Notice, Suppression
from tests.gateway import HANG_UP, Gateway
from tests.notice_factory import assert_adds_up, delivery_to, work, work_again

pytest_plugins = ["tests.notice_fixtures"]

State = Delivery.State
TAKEN = json.dumps(
    {
        "ErrorCode": 0,
        "Message": "OK",
        "MessageID": "b7bc2f4a-e38e-4336-af7d-e6c392c2f817",
        "SubmittedAt": "2025-11-22T09:00:00Z",
        "To": "<to>",
    }
)
SECRET = "user:long-enough-secret"
urlpatterns = [*urls.urlpatterns, path("anymail/", include("anymail.urls"))]


@pytest.fixture
def provider(settings):
    with Gateway(answer=TAKEN) as provider:
        settings.NOTICE_PROVIDER = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = {
            "POSTMARK_SERVER_TOKEN": "token",
            "POSTMARK_API_URL": provider.url.removesuffix("send"),
            "REQUESTS_TIMEOUT": 2,
            "IGNORE_UNSUPPORTED_FEATURES": True,
            "WEBHOOK_SECRET": SECRET,
        }
        yield provider


def test_each_person_gets_a_mail_through_the_provider(provider, notice, people):
    work(notice)
    assert {asked.body["To"] for asked in provider.asked} == {
        "minji@example.com",
        "seojun@example.com",
    }
    asked = next(one for one in provider.asked if one.body["To"] == "minji@example.com")
    assert asked.headers["X-Postmark-Server-Token"] == "token"
    assert "김민지" in asked.body["TextBody"]
    assert "김민지" in asked.body["HtmlBody"]
    headers = {one["Name"]: one["Value"] for one in asked.body["Headers"]}
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Message-ID"] == f"<{message_id(notice.pk, people['minji'].pk)}>"
    assert asked.body["TrackOpens"] is False
    row = delivery_to(notice, people["minji"])
    assert (row.state, row.reply) == (State.ACCEPTED, "sent b7bc2f4a-e38e-4336-af7d-e6c392c2f817")
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


@pytest.mark.parametrize(
    ("status", "state", "is_flagged"),
    [(429, "deferred", False), (500, "deferred", True), (HANG_UP, "deferred", True)],
)
def test_each_failure_leads_to_one_state(provider, notice, people, status, state, is_flagged):
    provider.answer_next("minji@example.com", status, "minji@example.com: no")
    work(notice)
    row = delivery_to(notice, people["minji"])
    assert (row.state, row.is_possible_duplicate) == (state, is_flagged)
    assert "minji" not in row.reply
    work_again(notice)
    row.refresh_from_db()
    assert (row.state, row.is_possible_duplicate) == (State.ACCEPTED, is_flagged)
    assert_adds_up(notice)


def test_an_inactive_recipient_is_bounced(provider, notice, people):
    words = json.dumps(
        {
            "ErrorCode": 406,
            "Message": "You tried to send to a recipient that was marked as inactive. "
            "Found inactive addresses: minji@example.com. Inactive recipients are ones that "
            "have generated a hard bounce.",
        }
    )
    provider.answer_next("minji@example.com", 422, words)
    work(notice)
    row = delivery_to(notice, people["minji"])
    assert row.state == State.BOUNCED
    assert "minji" not in row.reply
    assert_adds_up(notice)


def test_a_provider_that_refuses_our_account_pauses_the_notice(provider, notice):
    for address in ("minji@example.com", "seojun@example.com"):
        provider.answer_next(address, 401, "no such token")
    work(notice)
    assert notice.state == Notice.State.PAUSED
    assert notice.problem == "401 no such token"
    assert not notice.deliveries.filter(state="bounced").exists()


def test_an_unreachable_provider_sent_nothing(provider, notice, settings):
    settings.ANYMAIL = settings.ANYMAIL | {"POSTMARK_API_URL": "http://127.0.0.1:9/"}
    work(notice)
    assert set(notice.deliveries.values_list("state", flat=True)) == {"pending", "unreachable"}
    assert notice.problem == "the provider is away"
    assert not notice.deliveries.filter(is_possible_duplicate=True).exists()


# -------------------------------------------------------------------- webhooks


@pytest.fixture
def hook(client, provider):
    """A function that posts a webhook as Postmark does."""
    clear_url_caches()

    def post(event: dict[str, Any], *, secret: str = SECRET):
        basic = base64.b64encode(secret.encode()).decode()
        return client.post(
            "/anymail/postmark/tracking/",
            json.dumps(event),
            content_type="application/json",
            HTTP_AUTHORIZATION=f"Basic {basic}",
        )

    with override_settings(ROOT_URLCONF="tests.notices.test_providers"):
        yield post


def bounced(delivery: Delivery) -> dict[str, Any]:
    code = message_code(delivery.pk)
    return {
        "RecordType": "Bounce",
        "ID": 42,
        "Type": "HardBounce",
        "TypeCode": 1,
        "MessageID": "b7bc2f4a",
        "Description": "The server was unable to deliver your message",
        "Details": "smtp;550 5.1.1 <minji@example.com> user unknown",
        "Email": "minji@example.com",
        "BouncedAt": "2025-11-22T10:00:00Z",
        "Metadata": {"delivery": code},
    }


def test_a_webhook_changes_accepted_to_bounced(hook, provider, notice, people):
    provider.answer_next("seojun@example.com", 429)
    work(notice)
    row = delivery_to(notice, people["minji"])
    assert hook(bounced(row)).status_code == 200
    row.refresh_from_db()
    assert row.state == State.BOUNCED
    assert "minji" not in row.reply
    assert Suppression.objects.get().index == people["minji"].email_index
    assert_adds_up(notice)


@pytest.mark.parametrize("named", ["postmaster@example.com", "bounce+x@portal.example"])
def test_a_webhook_that_names_another_address_suppresses_none(
    hook, provider, notice, people, named
):
    work(notice)
    event = bounced(delivery_to(notice, people["minji"]))
    event["Details"] = f"smtp;550 5.1.1 <{named}> does not exist"
    assert hook(event).status_code == 200
    assert not Suppression.objects.exists()


def test_a_webhook_without_the_secret_changes_nothing(hook, provider, notice, people):
    work(notice)
    row = delivery_to(notice, people["minji"])
    assert hook(bounced(row), secret="user:wrong").status_code == 400
    row.refresh_from_db()
    assert row.state == State.ACCEPTED


def test_a_webhook_about_an_unknown_delivery_changes_nothing(hook, provider, notice, people):
    work(notice)
    event = bounced(delivery_to(notice, people["minji"])) | {"Metadata": {"delivery": "x"}}
    assert hook(event).status_code == 200
    assert_adds_up(notice)
