"""The digest of the audit trail leaves the portal once a day, by mail and to a webhook."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from accounts.audit import acts, chain, digests
from accounts.models import AuditEntry
from accounts.tasks import send_audit_digest
from breachportal import setting_values
from foundations import webhooks
from tests.webhook_receiver import WebhookReceiver, webhook_receiver

pytestmark = pytest.mark.django_db
Kind = AuditEntry.Kind


@pytest.fixture(autouse=True)
def _begin_without_entries(empty_trail):
    """Empties the trail before any other fixture, which may act as another account."""


SECRET = "a secret of the receiver"


@pytest.fixture
def webhook(settings) -> Iterator[WebhookReceiver]:
    with webhook_receiver() as server:
        settings.AUDIT_DIGEST_WEBHOOK = server.url
        settings.AUDIT_DIGEST_SECRET = SECRET
        yield server


def add_entry() -> None:
    acts.record(Kind.COMMAND, by=None, command="a test")


def sent() -> list[str]:
    return list(
        AuditEntry.objects.filter(kind=Kind.DIGEST)
        .order_by("id")
        .values_list("details__to", flat=True)
    )


def test_each_address_gets_the_digest_of_the_moment(mails, settings):
    settings.AUDIT_DIGEST_TO = ["a@audit.example", "b@audit.example"]
    add_entry()
    send_audit_digest()
    assert [mail.to for mail in mails.taken] == settings.AUDIT_DIGEST_TO
    message = mails.taken[0].message
    text = message.get_content()
    digest = AuditEntry.objects.filter(kind=Kind.DIGEST).earliest("id").details["digest"]
    assert settings.PORTAL_URL in text
    assert f"manage.py verify_audit --digest {digest}" in text
    assert message["Feedback-ID"].startswith("audit:")
    assert sent() == settings.AUDIT_DIGEST_TO
    call_command("verify_audit", digest=[digest])


def test_the_digest_shows_a_chain_that_was_written_again(mails, settings):
    settings.AUDIT_DIGEST_TO = ["a@audit.example"]
    add_entry()
    send_audit_digest()
    text = mails.taken[0].message.get_content()
    number, hash_ = text.split("--digest ")[1].split()[0].split(":")
    other = chain.TrailDigest(int(number), hashlib.sha256(hash_.encode()).hexdigest())
    assert not chain.verify(digests=[chain.TrailDigest(int(number), hash_)]).faults
    assert chain.verify(digests=[other]).faults


def test_a_second_run_of_the_day_sends_nothing_and_the_next_day_does(mails, settings, monkeypatch):
    settings.AUDIT_DIGEST_TO = ["a@audit.example"]
    add_entry()
    send_audit_digest()
    send_audit_digest()
    assert len(mails.taken) == 1
    monkeypatch.setattr(digests, "EVERY", timedelta(0))
    send_audit_digest()
    assert len(mails.taken) == 2


def test_the_webhook_gets_a_signed_body(webhook, settings):
    add_entry()
    send_audit_digest()
    ((headers, body),) = webhook.received
    mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert headers[webhooks.SIGNATURE] == f"sha256={mac}"
    fields = json.loads(body)
    assert f"--digest {fields['number']}:{fields['hash']}" in fields["text"]
    assert fields["portal"] == settings.PORTAL_URL
    assert sent() == ["webhook 127.0.0.1"]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_refuses_is_logged_and_tried_again(webhook, caplog, status):
    add_entry()
    webhook.status = status
    send_audit_digest()
    (error,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert f"HTTP {status}" in error.getMessage()
    assert "t0ken" not in caplog.text
    assert sent() == []
    webhook.status = 204
    send_audit_digest()
    assert len(webhook.received) == 2
    assert sent() == ["webhook 127.0.0.1"]


def test_one_failing_address_keeps_no_other_from_its_digest(mails, webhook, settings, caplog):
    settings.AUDIT_DIGEST_TO = ["full@audit.example", "b@audit.example"]
    add_entry()
    mails.reply_next("recipient", "full@audit.example", "452 4.2.2 full")
    send_audit_digest()
    assert "full@audit.example" in caplog.text
    assert sent() == ["b@audit.example", "webhook 127.0.0.1"]
    send_audit_digest()
    assert sent() == ["b@audit.example", "webhook 127.0.0.1", "full@audit.example"]


def test_a_server_that_is_away_is_logged(settings, mails, caplog):
    settings.AUDIT_DIGEST_TO, settings.EMAIL_PORT = ["a@audit.example"], 9
    settings.AUDIT_DIGEST_WEBHOOK = "http://127.0.0.1:9/"
    settings.AUDIT_DIGEST_SECRET = SECRET
    add_entry()
    send_audit_digest()
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 2
    assert sent() == []


def test_without_destinations_nothing_is_sent_or_recorded():
    add_entry()
    send_audit_digest()
    assert sent() == []


@pytest.mark.parametrize(
    "url", ["http://hooks.example/", "ftp://hooks.example/", "https:///x", "x"]
)
def test_a_webhook_that_is_not_private_is_refused(monkeypatch, url):
    monkeypatch.setenv("AUDIT_DIGEST_WEBHOOK", url)
    with pytest.raises(ImproperlyConfigured, match="AUDIT_DIGEST_WEBHOOK"):
        setting_values.private_url("AUDIT_DIGEST_WEBHOOK")


@pytest.mark.parametrize("value", ["audit", "Audit <a@b.example>", "a@b.example c@d.example", "a@"])
def test_a_recipient_that_is_no_address_is_refused(monkeypatch, value):
    monkeypatch.setenv("AUDIT_DIGEST_TO", value)
    with pytest.raises(ImproperlyConfigured, match="AUDIT_DIGEST_TO"):
        setting_values.addresses("AUDIT_DIGEST_TO")
