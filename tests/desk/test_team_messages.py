"""Messages to the response team, over a real mail server and a real receiver of webhooks."""

import hashlib
import hmac
import json
import socketserver
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from accounts.models import RightsGrant, User
from breachportal import desk_health, desk_webhooks
from foundations.webhooks import SIGNATURE, Webhook
from harness.exposure_factory import file_of
from harness.sign_in import sign_in_to_desk
from incidents import team_messages, withdrawal_decisions
from incidents.desk_page import IncidentBoard
from incidents.models import FactChange, Incident, MessageChoice, Shredding, TeamMessage
from incidents.tasks import send_team_messages
from incidents.team_messages import TeamEvent
from notices.models import Notice
from scams.models import ScamReport
from tests.desk_pages import desk_url, page_text
from tests.local_server import serving
from tests.smtp_server import DROP, SmtpServer
from tests.webhook_receiver import WebhookReceiver, webhook_receiver

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db
SECRET = "a secret of the receiver"


@pytest.fixture
def hook(settings) -> Iterator[WebhookReceiver]:
    with webhook_receiver() as server:
        settings.DESK_WEBHOOKS = {
            "ops": Webhook(name="ops", kind="json", url=server.url, secret=SECRET)
        }
        yield server


@pytest.fixture
def team(db) -> dict[str, User]:
    team = {}
    for role in ("editor", "approver", "support"):
        user = User.objects.create_user(f"{role}@hanbit.example", is_staff=True, language="en")
        user.groups.add(Group.objects.get(name=role))
        team[role] = user
    return team


def received(mails: SmtpServer) -> list[tuple[str, str]]:
    return [(mail.to, mail.message.get_content().splitlines()[0]) for mail in mails.taken]


def due_in(incident: Incident, hours: float) -> None:
    """Moves the moment of becoming aware, so that the clock of 72 hours has `hours` left."""
    aware = timezone.now() - timedelta(hours=72) + timedelta(hours=hours)
    Incident.objects.filter(pk=incident.pk).update(aware_at=aware)


def hours_of_clocks() -> list[str]:
    events = TeamMessage.objects.filter(kind="clock", event__contains="kr-decree-notice-72h")
    return sorted({event.split(":")[3] for event in events.values_list("event", flat=True)})


@pytest.mark.parametrize(
    ("left", "hours"),
    [(25, []), (23.9, ["24"]), (6.1, ["24"]), (5.9, ["6"]), (0.9, ["1"]), (-0.1, [])],
)
def test_a_clock_is_told_at_24_6_and_1_hours(mails, team, incident, left, hours):
    due_in(incident, left)
    send_team_messages()
    assert hours_of_clocks() == hours


def test_a_clock_says_the_time_left_and_is_told_once(mails, team, incident):
    due_in(incident, 5.5)
    send_team_messages()
    send_team_messages()
    texts = [text for to, text in received(mails) if to == "editor@hanbit.example"]
    assert len(texts) == len(set(texts)) > 0
    assert any("5 hours left" in text and "Hanbit Store data leak" in text for text in texts)


def test_an_approval_waits_for_the_approver_and_not_for_who_wrote(mails, team, draft):
    Notice.objects.update(created_by=team["editor"])
    send_team_messages()
    readers = {to for to, text in received(mails) if "Read and approve" in text}
    assert readers >= {"approver@hanbit.example"}
    assert "editor@hanbit.example" not in readers
    assert "support@hanbit.example" not in readers


def test_a_pause_comes_with_its_reason_and_each_new_pause_again(mails, team, notice):
    Notice.objects.update(state="paused", paused_for="bounces")
    send_team_messages()
    Notice.objects.update(state="paused", paused_for="refused")
    send_team_messages()
    texts = [text for to, text in received(mails) if to == "approver@hanbit.example"]
    assert sum("too many messages bounced" in text for text in texts) == 1
    assert sum("the server refuses us" in text for text in texts) == 1


def test_a_notice_that_pauses_again_for_the_same_reason_is_announced_again(mails, team, notice):
    for state, reason in (("paused", "bounces"), ("sending", ""), ("paused", "bounces")):
        Notice.objects.update(state=state, paused_for=reason)
        send_team_messages()
        send_team_messages()
    texts = [text for to, text in received(mails) if to == "approver@hanbit.example"]
    assert sum("too many messages bounced" in text for text in texts) == 2


def test_a_fault_of_the_portal_that_lasts_is_announced_each_time_it_begins(
    mails, team, monkeypatch
):
    def about_the_disk() -> list[str]:
        send_team_messages()
        return [to for to, text in received(mails) if text.startswith("Disk: ")]

    monkeypatch.setattr(desk_health, "LEAST_FREE_BYTES", 1 << 60)
    assert about_the_disk() == []  # not yet
    monkeypatch.setattr(desk_health, "TOLD_AFTER", timedelta(0))
    assert about_the_disk() == about_the_disk() == ["approver@hanbit.example"]
    monkeypatch.setattr(desk_health, "LEAST_FREE_BYTES", 0)
    assert len(about_the_disk()) == 1
    monkeypatch.setattr(desk_health, "LEAST_FREE_BYTES", 1 << 60)
    assert len(about_the_disk()) == 2


def test_a_superuser_who_becomes_one_again_is_announced_again(mails, team):
    again = User.objects.create_superuser("again@hanbit.example", language="en")
    User.objects.create_superuser("reader@hanbit.example", language="en")
    for is_superuser in (True, False, True):
        User.objects.filter(pk=again.pk).update(is_superuser=is_superuser)
        send_team_messages()
    texts = [text for to, text in received(mails) if to == "reader@hanbit.example"]
    assert sum("again@hanbit.example is a superuser" in text for text in texts) == 2


def test_a_second_wave_of_scam_reports_is_announced_again(mails, team, incident):
    for _wave in range(2):
        reports = [ScamReport(incident=incident, channel="sms", ciphertext=b"x") for _ in range(12)]
        ScamReport.objects.bulk_create(reports)
        send_team_messages()
        ScamReport.objects.all().delete()
        send_team_messages()
    texts = [text for to, text in received(mails) if to == "support@hanbit.example"]
    assert sum("scam reports" in text for text in texts) == 2


def test_a_withdrawal_waits_for_the_approver(mails, team, incident):
    batch = file_of(incident).batch
    withdrawal_decisions.propose(batch, by=team["editor"], reason="The wrong file.")
    send_team_messages()
    readers = {to for to, text in received(mails) if "withdrawal of a scope version" in text}
    assert readers == {"approver@hanbit.example"}


def test_a_clock_that_runs_while_no_stage_waits_for_a_person_is_for_the_approver(
    mails, team, incident, monkeypatch
):
    monkeypatch.setattr(IncidentBoard, "undone", [])
    due_in(incident, 5.5)
    send_team_messages()
    readers = {to for to, text in received(mails) if "5 hours left" in text}
    assert readers == {"approver@hanbit.example"}


def test_one_incident_whose_page_cannot_be_made_stops_no_message(
    mails, team, incident, monkeypatch, caplog
):
    def broken(_incident: Incident) -> IncidentBoard:
        raise LookupError("Minji")

    monkeypatch.setattr(team_messages, "board_of", broken)
    User.objects.create_superuser("first@hanbit.example", language="en")
    User.objects.create_superuser("second@hanbit.example", language="en")
    send_team_messages()
    assert any("is a superuser" in text for _to, text in received(mails))
    assert f"no messages about incident {incident.pk}: LookupError" in caplog.text
    assert "Minji" not in caplog.text


@pytest.mark.parametrize("source", ["board_of", "fault_events"])
def test_a_source_that_cannot_be_read_forgets_nothing(mails, team, notice, monkeypatch, source):
    def broken(*_args: object) -> Iterator[TeamEvent]:
        raise LookupError

    monkeypatch.setattr(desk_health, "TOLD_AFTER", timedelta(0))
    Notice.objects.update(state="paused", paused_for="bounces")
    send_team_messages()
    send_team_messages()
    told = received(mails)
    with monkeypatch.context() as patch:
        if source == "board_of":
            patch.setattr(team_messages, source, broken)
        else:
            patch.setattr(team_messages, "FURTHER_EVENTS", [broken])
        send_team_messages()
    send_team_messages()
    assert received(mails) == told
    assert {"portal", "paused"} <= set(TeamMessage.objects.values_list("kind", flat=True))


def test_a_message_that_cannot_be_composed_stops_no_other(mails, team, incident, monkeypatch):
    User.objects.create_superuser("first@hanbit.example", language="en")
    User.objects.create_superuser("second@hanbit.example", language="en")
    send = team_messages._mail

    def faulty(message: TeamMessage, user_id: int) -> None:
        if message.to == f"mail:{User.objects.get(email='first@hanbit.example').pk}":
            raise LookupError
        send(message, user_id)

    monkeypatch.setattr(team_messages, "_mail", faulty)
    send_team_messages()
    assert {to for to, text in received(mails) if "is a superuser" in text} == {
        "second@hanbit.example"
    }
    assert TeamMessage.objects.filter(tries=1, sent_at=None).exists()


def test_shredding_and_superusers_go_to_the_other_superusers(mails, team, incident):
    first = User.objects.create_superuser("first@hanbit.example", language="en")
    second = User.objects.create_superuser("second@hanbit.example", language="en")
    Shredding.objects.create(incident=incident, asked_by=first, asked_at=timezone.now())
    RightsGrant.objects.create(user=team["support"], is_staff=True, asked_by=first)
    send_team_messages()
    texts = {(to, text.partition(":")[2].strip() or text) for to, text in received(mails)}
    assert ("second@hanbit.example", "Decide about the request to shred the data") in texts
    assert not any(to == first.email and "shred" in text for to, text in texts)
    assert any(to == second.email and "first@hanbit.example is a superuser" in t for to, t in texts)
    assert any(to == second.email and "New rights on the desk" in text for to, text in texts)
    assert not any("superuser" in text for to, text in texts if to == "editor@hanbit.example")


def test_scam_reports_are_told_at_ten_and_at_a_hundred(mails, team, incident):
    def report(number: int) -> list[str]:
        ScamReport.objects.bulk_create(
            ScamReport(incident=incident, channel="sms", ciphertext=b"x") for _each in range(number)
        )
        send_team_messages()
        events = TeamMessage.objects.filter(kind="scams").values_list("event", flat=True)
        return sorted({event.rpartition(":")[2] for event in events})

    assert report(9) == []
    assert report(1) == ["10"]
    assert report(50) == ["10"]
    assert report(40) == ["10", "100"]
    readers = {to for to, text in received(mails) if "scam reports" in text}
    assert readers == {"editor@hanbit.example", "support@hanbit.example"}


def test_no_message_has_a_customers_data(mails, hook, team, notice, people, editor):
    MessageChoice.objects.create(user=team["approver"], webhooks=["ops"])
    FactChange.objects.create(
        incident=notice.incident, model="incidents.incident", object_id=notice.incident_id,
        title="Names: 김민지", changes={}, proposed_by=editor,
    )  # fmt: skip
    Notice.objects.update(state="paused", paused_for="bounces")
    send_team_messages()
    everything = "".join(str(mail.message) for mail in mails.taken)
    everything += "".join(body.decode() for _headers, body in hook.received)
    everything += "".join(TeamMessage.objects.values_list("text", flat=True))
    assert len(hook.received) > 1
    for name in ("minji@", "김민지", "seojun@", "Seojun"):
        assert name not in everything


def test_the_webhook_gets_each_event_once_and_signed(mails, hook, team, draft, settings):
    for role in ("approver", "support"):
        MessageChoice.objects.create(user=team[role], webhooks=["ops"], by_mail=False)
    send_team_messages()
    send_team_messages()
    bodies = [body for _headers, body in hook.received]
    fields = [json.loads(body) for body in bodies]
    (approval,) = [each for each in fields if each["kind"] == "waiting"]
    assert approval["url"] == settings.PORTAL_URL + desk_url("notices_notice_approve", draft.pk)
    for headers, body in hook.received:
        mac = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers[SIGNATURE] == f"sha256={mac}"
    assert "approver@hanbit.example" not in [mail.to for mail in mails.taken]


@pytest.mark.parametrize("kind", ["slack", "teams"])
def test_slack_and_teams_get_their_own_forms(mails, hook, team, draft, settings, kind):
    settings.DESK_WEBHOOKS = {"ops": Webhook(name="ops", kind=kind, url=hook.url, secret=SECRET)}
    title = "<!channel> & [leak](https://evil.example)"
    Incident.objects.update(title={"en": title, "ko": title})
    MessageChoice.objects.create(user=team["approver"], webhooks=["ops"])
    send_team_messages()
    sent: list[Any] = [json.loads(body) for _headers, body in hook.received]
    assert sent
    if kind == "slack":
        assert all("&lt;!channel&gt;" in each["text"] for each in sent)
        assert not any("<!channel>" in each["text"] for each in sent)
    else:
        card = sent[0]["attachments"][0]
        assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
        [block] = card["content"]["body"]
        assert block["type"] == "RichTextBlock"  # which reads no Markdown, as a TextBlock does
        assert any(
            title in each["attachments"][0]["content"]["body"][0]["inlines"][0] for each in sent
        )


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_refuses_is_tried_again_and_delays_no_mail(
    mails, hook, team, draft, caplog, status
):
    MessageChoice.objects.create(user=team["approver"], webhooks=["ops"])
    hook.status = status
    send_team_messages()
    assert f"HTTP {status}" in caplog.text
    assert "t0ken" not in caplog.text
    assert len(hook.received) == 1
    assert "approver@hanbit.example" in [mail.to for mail in mails.taken]
    hook.status = 204
    send_team_messages()
    waiting = TeamMessage.objects.filter(to="webhook:ops", sent_at=None)
    assert not waiting.exists()


def test_a_refused_recipient_keeps_no_other_from_the_message(mails, team, notice, caplog):
    Notice.objects.update(state="paused", paused_for="bounces")
    other = User.objects.create_user("other@hanbit.example", is_staff=True, language="en")
    other.groups.add(Group.objects.get(name="approver"))
    mails.reply_next("recipient", "approver@hanbit.example", "452 4.2.2 full")
    send_team_messages()
    assert "other@hanbit.example" in [mail.to for mail in mails.taken]
    send_team_messages()
    assert "approver@hanbit.example" in [mail.to for mail in mails.taken]


def test_a_message_is_given_up_after_some_refusals(settings, team, notice, mails):
    settings.TEAM_MESSAGE_TRIES = 2
    Notice.objects.update(state="paused", paused_for="bounces")
    mails.reply_next("recipient", "", *["452 4.2.2 full"] * 20)
    for _number in range(4):
        send_team_messages()
    assert set(TeamMessage.objects.values_list("tries", flat=True)) == {2}
    assert mails.taken == []


def test_an_hour_without_the_mail_server_gives_up_no_message(settings, team, notice, mails):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    settings.TEAM_MESSAGE_TRIES = 2
    Notice.objects.update(state="paused", paused_for="bounces")
    for _number in range(4):
        send_team_messages()
    waiting = TeamMessage.objects.count()
    settings.EMAIL_PORT = port
    send_team_messages()
    assert len(mails.taken) == waiting > 0


@pytest.fixture
def closing(request) -> Iterator[int]:
    """The port of a mail server that gives these replies to what it gets, and then disconnects."""

    class Closing(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for reply in request.param:
                self.wfile.write(reply)
                self.rfile.readline()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Closing) as server, serving(server):
        server.daemon_threads = True
        yield server.server_address[1]


@pytest.mark.parametrize(
    "closing",
    [
        [b"421 4.3.2 closing\r\n"],
        [b"220 ready\r\n", b"250-here\r\n250 AUTH PLAIN\r\n", b"454 4.7.0 later\r\n"],
    ],
    ids=["connect", "sign-in"],
    indirect=True,
)
def test_a_server_that_takes_no_connection_now_gives_up_no_message(settings, team, notice, closing):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", closing
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = "portal"
    Notice.objects.update(state="paused", paused_for="bounces")
    for _number in range(3):
        send_team_messages()
    assert set(TeamMessage.objects.values_list("tries", "sent_at")) == {(0, None)}


@pytest.mark.parametrize("step", ["sender", "recipient", "message"])
def test_a_server_that_takes_no_mail_now_gives_up_no_message(team, notice, mails, step):
    Notice.objects.update(state="paused", paused_for="bounces")
    mails.reply_next(step, "", *["421 4.3.2 closing"] * 20)
    for _number in range(3):
        send_team_messages()
    assert set(TeamMessage.objects.values_list("tries", "sent_at")) == {(0, None)}


def test_one_mail_at_which_the_server_disconnects_stops_no_other(settings, team, notice, mails):
    settings.TEAM_MESSAGE_TRIES = 2
    Notice.objects.update(state="paused", paused_for="bounces")
    other = User.objects.create_user("other@hanbit.example", is_staff=True, language="en")
    other.groups.add(Group.objects.get(name="approver"))
    mails.reply_next("data", "approver@hanbit.example", *[DROP] * 20)
    for _number in range(3):
        send_team_messages()
    assert "other@hanbit.example" in [mail.to for mail in mails.taken]
    lost = TeamMessage.objects.filter(to=f"mail:{team['approver'].pk}", sent_at=None)
    assert 2 in lost.values_list("tries", flat=True)


def test_a_message_of_yesterday_is_given_up(settings, team, notice, mails):
    Notice.objects.update(state="paused", paused_for="bounces")
    team_messages.queue()
    yesterday = timezone.now() - timedelta(hours=settings.TEAM_MESSAGE_HOURS)
    TeamMessage.objects.update(created_at=yesterday)
    team_messages.send_due()
    assert mails.taken == []


def test_who_left_the_team_gets_nothing(mails, team, notice):
    Notice.objects.update(state="paused", paused_for="bounces")
    team_messages.queue()
    User.objects.update(is_active=False)
    team_messages.send_due()
    assert mails.taken == []


def test_a_message_is_in_the_language_of_its_reader(mails, team, notice):
    User.objects.update(language="ko")
    Notice.objects.update(state="paused", paused_for="bounces")
    send_team_messages()
    texts = [text for to, text in received(mails) if to == "approver@hanbit.example"]
    assert any("반송이 너무 많아" in text for text in texts)


def test_a_person_chooses_what_to_receive(client, mails, team, notice, hook):
    sign_in_to_desk(client, team["approver"])
    url = desk_url("incidents_incident_messages")
    assert "scam reports that come in numbers" in page_text(client.get(url))
    assert client.post(url, {"kinds": ["clock"], "webhooks": ["ops"]}).status_code == 302
    Notice.objects.update(state="paused", paused_for="bounces")
    send_team_messages()
    assert "approver@hanbit.example" not in [mail.to for mail in mails.taken]
    assert not any(json.loads(body)["kind"] == "paused" for _headers, body in hook.received)
    assert "Select a valid choice" in page_text(client.post(url, {"webhooks": ["unknown"]}))


GOOD = {"kind": "slack", "url": "https://hooks.example/t0ken", "secret": "s" * 16}


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "irc"},
        {"url": "http://hooks.example/t0ken"},
        {"url": "ftp://127.0.0.1/t0ken"},
        {"secret": "short-t0ken"},
        {"extra": "x"},
    ],
)
def test_a_webhook_that_is_not_safe_is_refused_without_its_secrets(wrong):
    with pytest.raises(ImproperlyConfigured, match="DESK_WEBHOOKS") as refused:
        desk_webhooks.webhooks({"ops": GOOD | wrong})
    assert "t0ken" not in str(refused.value)


def test_webhooks_are_read_by_name():
    webhook = desk_webhooks.webhooks({"ops": GOOD})["ops"]
    assert webhook.url == GOOD["url"]
    assert "t0ken" not in repr(webhook)
