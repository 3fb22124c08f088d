"""The suppression list: who adds addresses, what is not sent to them, who lifts an entry."""

import logging

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.urls import reverse

from accounts.models import User
from harness.sign_in import sign_in_to_desk
from notices import decisions
from notices.models import Notice, Suppression
from notices.returned_mail import suppression_list
from tests.notice_factory import assert_adds_up, delivery_to, scam_alert, work
from tests.smtp_server import recipients

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("english")

BOUNCE = Suppression.Source.BOUNCE


def url(name: str, *args) -> str:
    return reverse(f"admin:notices_suppression_{name}", args=args)


def add(client, address="Minji@Example.com ", source="stranger", incident="", reason="a call"):
    fields = {"address": address, "source": source, "incident": incident, "reason": reason}
    return client.post(url("add"), fields)


@pytest.mark.parametrize("is_for_all", [True, False], ids=["all incidents", "one incident"])
def test_an_address_reported_by_a_stranger_gets_nothing(
    client, draft, people, editor, approver, server, is_for_all
):
    sign_in_to_desk(client, editor)
    add(client, incident="" if is_for_all else draft.incident_id)
    decisions.approve(draft, by=approver)
    work(draft)
    assert recipients(server.taken) == ["seojun@example.com"]
    row = delivery_to(draft, people["minji"])
    assert (row.state, row.reply) == ("suppressed", "on the suppression list: stranger")
    assert_adds_up(draft)


def test_an_entry_is_valid_after_the_secret_key_was_changed(
    client, draft, people, editor, approver, server, settings
):
    sign_in_to_desk(client, editor)
    add(client)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one, as random as the first, and long enough"
    decisions.approve(draft, by=approver)
    work(draft)
    assert recipients(server.taken) == ["seojun@example.com"]
    assert list(suppression_list.entries_of("email", "minji@example.com")) == [
        Suppression.objects.get()
    ]


def test_a_suppression_at_own_request_stops_alerts_but_not_mandatory_notices(
    client, draft, version, people, minji, editor, approver, server
):
    sign_in_to_desk(client, editor)
    add(client, source="request")
    alert = scam_alert(version, editor, minji)
    for notice in (draft, alert):
        decisions.approve(notice, by=approver)
        work(notice)
    assert delivery_to(draft, people["minji"]).state == "accepted"
    assert alert.deliveries.get().state == "suppressed"


def test_an_entry_for_another_incident_has_no_effect(draft, people, approver, server):
    other = type(draft.incident)(slug="other", aware_at=draft.incident.aware_at)
    other.make_keysets()
    other.save()
    index = suppression_list.index_in("email", "minji@example.com", other)
    suppression_list.add_automatic(
        [(index, other.pk, "x")], channel="email", source=Suppression.Source.BOUNCE
    )
    decisions.approve(draft, by=approver)
    work(draft)
    assert delivery_to(draft, people["minji"]).state == "accepted"


def test_an_address_that_does_not_exist_is_not_tried_by_the_next_notice(
    draft, version, people, editor, approver, server
):
    server.reply_next("recipient", "minji@example.com", "550 5.1.1 no such user")
    server.reply_next("recipient", "seojun@example.com", "552 5.2.2 mailbox full")
    decisions.approve(draft, by=approver)
    work(draft)
    entry = Suppression.objects.get()
    assert (entry.index, entry.source) == (people["minji"].email_index, "bounce")
    again = Notice.objects.create(
        incident=draft.incident, version=version, kind="mandatory", created_by=editor
    )
    decisions.approve(again, by=approver)
    work(again)
    assert delivery_to(again, people["minji"]).state == "suppressed"
    assert delivery_to(again, people["seojun"]).state == "accepted"


@pytest.mark.parametrize(
    ("reply", "is_suppressed"),
    [
        ("550 Unknown user minji@example.com", False),
        (f"550 {'see our help ' * 37}Unknown user", False),  # nearly as long as the ledger stores
        ("550 5.1.1 User unknown", True),
    ],
)
def test_an_unknown_user_after_the_content_may_be_a_filter(
    draft, people, approver, server, reply, is_suppressed
):
    server.reply_next("message", "minji@example.com", reply)
    decisions.approve(draft, by=approver)
    work(draft)
    assert delivery_to(draft, people["minji"]).state == "bounced"
    assert Suppression.objects.exists() is is_suppressed


def test_the_approval_counts_those_on_the_list(client, draft, people, editor, approver):
    sign_in_to_desk(client, editor)
    add(client, incident=draft.incident_id)
    sign_in_to_desk(client, approver)
    page = client.get(reverse("admin:notices_notice_approve", args=[draft.pk])).text
    assert '<th scope="row">Suppressed for this incident</th><td>1</td>' in page
    assert '<th scope="row">Reachable</th><td>1</td>' in page


# -------------------------------------------------------------------- at the desk


def test_no_address_can_be_read_anywhere(client, incident, people, editor, caplog):
    sign_in_to_desk(client, editor)
    with caplog.at_level(logging.INFO):
        add(client, incident=incident.pk)
        found = client.post(url("look_up"), {"address": "minji@example.com", "reason": "x"}).text
    entry = Suppression.objects.get()
    assert url("change", entry.pk) in found
    assert f"looked up suppressions [{entry.pk}]" in caplog.text
    for text in (
        client.get(url("changelist")).text,
        client.get(url("change", entry.pk)).text,
        caplog.text,
        "".join(LogEntry.objects.values_list("object_repr", flat=True)),
    ):
        assert "minji" not in text.lower()


def test_a_number_is_looked_up_too(client, editor):
    sign_in_to_desk(client, editor)
    add(client, address="010-1234-5678")
    assert Suppression.objects.get().channel == "sms"
    assert (
        "a call" in client.post(url("look_up"), {"address": "+82 10 1234 5678", "reason": "x"}).text
    )
    assert (
        "not on the list"
        in client.post(url("look_up"), {"address": "a@b.example", "reason": "x"}).text
    )
    assert "neither" in client.post(url("look_up"), {"address": "???", "reason": "x"}).text


def test_an_address_is_listed_once(client, editor):
    sign_in_to_desk(client, editor)
    add(client)
    assert "on the list already" in add(client).text
    assert Suppression.objects.count() == 1


def test_the_reason_for_adding_an_address_has_no_default(client, editor):
    sign_in_to_desk(client, editor)
    assert not client.get(url("add")).context["adminform"].form["source"].value()
    assert "This field is required" in add(client, source="").text
    assert not Suppression.objects.exists()


def test_a_lifted_entry_has_no_effect_and_stays_on_record(
    client, draft, people, editor, approver, server
):
    sign_in_to_desk(client, editor)
    add(client)
    entry = Suppression.objects.get()
    assert "all incidents" in client.get(url("change", entry.pk)).text
    assert "because it belongs to another person" in client.get(url("lift", entry.pk)).text
    client.post(url("lift", entry.pk), {"reason": "it is hers after all"})
    entry.refresh_from_db()
    assert (entry.lifted_by, entry.lifted_reason) == (editor, "it is hers after all")
    again = client.post(url("lift", entry.pk), {"reason": "again"}, follow=True)
    assert "Lifted already (editor@" in again.text
    decisions.approve(draft, by=approver)
    work(draft)
    assert delivery_to(draft, people["minji"]).state == "accepted"
    assert add(client).status_code == 302  # a new entry; the old one stays


@pytest.mark.parametrize(
    ("role", "may_add", "may_lift"),
    [("support", True, False), ("approver", False, True), ("editor", False, False)],
)
def test_support_adds_and_an_approver_lifts(client, editor, role, may_add, may_lift):
    call_command("make_roles")
    sign_in_to_desk(client, editor)
    add(client)
    staff = User.objects.create_user(f"{role}@hanbit.example", is_staff=True)
    staff.groups.add(Group.objects.get(name=role))
    sign_in_to_desk(client, staff)
    assert client.get(url("add")).status_code == (200 if may_add else 403)
    entry = Suppression.objects.get()
    assert client.get(url("lift", entry.pk)).status_code == (200 if may_lift else 403)


def test_customers_find_no_list(client, minji):
    client.force_login(minji)
    for name in ("changelist", "add", "look_up"):
        assert client.get(url(name)).status_code == 404
