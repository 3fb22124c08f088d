"""A notice at the desk: one person writes it, another approves it, support looks it up."""

import logging
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from harness.sign_in import sign_in_to_desk
from incidents.models import DataClass, ExposureBatch, ExposureFile, Incident, Reveal
from notices import decisions, message_codes, tasks
from notices.engine import starting
from notices.models import Delivery, Notice
from notices.proof.notifications import notifications
from statements import publishing
from tests.database import without_triggers
from tests.desk_pages import approve, desk_url
from tests.localized import merged
from tests.notice_factory import affected, delivery_to, draft_notice, published, work
from tests.smtp_server import DROP

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("english")


def url(name: str, *args) -> str:
    return reverse(f"admin:notices_{name}", args=args)


def page(response) -> str:
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_the_desk_is_korean_where_libraries_have_no_translation(client, approver):
    sign_in_to_desk(client, approver)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"
    notices = page(client.get(url("notice_changelist")))
    assert "통지 보기" in notices
    assert "보기위한" not in notices
    assert "(으)로" not in notices
    form = page(client.get(url("notice_add")))
    assert "저장하고 하나 더 추가" in form
    assert "다른 이름으로" not in form


def test_the_form_is_filled_in_by_the_link_after_publishing(client, editor, version):
    sign_in_to_desk(client, editor)
    address = f"{url('notice_add')}?version={version.pk}&kind=alert&topic=scams"
    text = page(client.get(address))
    assert re.search(rf'<option value="{version.pk}" selected', text)
    assert re.search(r'<option value="alert" selected', text)
    assert re.search(r'<option value="scams" selected', text)


def test_the_audience_is_counted_while_it_is_chosen(
    client, editor, approver, version, people, settings
):
    sign_in_to_desk(client, editor)
    batch = ExposureBatch.objects.get()
    ExposureBatch.objects.update(state="closed")
    first = draft_notice(version, editor, approved_by=approver, approved_at=timezone.now())
    Notice.objects.filter(pk=first.pk).update(state="closed", planned_at=timezone.now())
    bounced = {"recipient": people["seojun"].pk, "language": "en", "state": "bounced"}
    Delivery.objects.create(notice=first, ended_at=timezone.now(), **bounced)

    def said(**chosen: object) -> str:
        query = {"version": version.pk, "kind": "mandatory", "channel": "email", **chosen}
        return page(client.get(url("notice_audience"), query))

    three = "All affected people: <strong>3 people</strong>. Can be reached over this channel: 2."
    assert three in said()
    assert "Can be reached over this channel: 0." in said(channel="sms")
    assert "Scope version: Choose one." in said(audience="batch")
    assert "<strong>3 people</strong>" in said(audience="batch", batch=batch.pk)
    assert "<strong>1 person</strong>" in said(audience="unreached", follows=first.pk)
    assert "Subscribers: New scam warnings: <strong>0" in said(kind="alert", topic="scams")
    assert "to the test addresses only" in said(audience="test")
    assert page(client.get(url("notice_audience"))) == ""
    ExposureFile.objects.update(rows_taken=3)
    settings.NOTICE_COUNT_AT_ONCE = 1
    assert "A worker counts them" in said()


def test_a_notice_waits_for_the_time_that_its_author_set(
    client, editor, approver, version, people, server
):
    later = timezone.now().replace(second=0, microsecond=0) + timedelta(days=3)
    sign_in_to_desk(client, editor)
    chosen = {"version": version.pk, "kind": "mandatory"}
    client.post(
        url("notice_add"), chosen | {"begins_at": f"{timezone.localtime(later):%Y-%m-%dT%H:%M}"}
    )
    notice = Notice.objects.get()
    sign_in_to_desk(client, approver)
    shown = page(client.get(url("notice_approve", notice.pk)))
    assert "Not sent before" in shown
    assert "Whom it goes to is decided when it begins" in shown
    approve(client, notice, "3")
    notice.refresh_from_db()
    assert notice.begins_at == later
    assert notice.deadline_at == later + timedelta(hours=settings.NOTICE_DEADLINE_HOURS)
    decisions.pause(notice)
    decisions.resume(notice)
    tasks.sweep_notices()
    assert (work(notice).state, server.taken) == (Notice.State.PLANNING, [])
    assert not Notice.objects.unfinished().exists()
    assert list(notifications(notice.incident)) == []  # no duty is met before
    assert "Until then nothing is sent" in page(client.get(url("notice_change", notice.pk)))
    assert "It begins on" in page(
        client.get(desk_url("incidents_incident_page", notice.incident_id))
    )
    began = timezone.now()
    Notice.objects.filter(pk=notice.pk).update(begins_at=began)
    assert Notice.objects.unfinished().exists()
    assert work(notice).accepted == 2
    assert [each.begun_at for each in notifications(notice.incident)] == [began]


def test_a_notice_that_waits_can_be_cancelled(version, people, editor, approver, server):
    notice = draft_notice(version, editor, begins_at=timezone.now() + timedelta(days=1))
    decisions.approve(notice, by=approver)
    assert decisions.cancel(notice)
    assert (work(notice).state, notice.planned, server.taken) == (Notice.State.CANCELLED, 0, [])
    assert notice.closed_at


@pytest.fixture
def waiting(version, people, editor, approver) -> Notice:
    """A notice that three people were approved for, and that begins tomorrow."""
    notice = draft_notice(version, editor, begins_at=timezone.now() + timedelta(days=1))
    decisions.approve(notice, by=approver, people=3)
    return notice


def begin(notice: Notice) -> Notice:
    Notice.objects.filter(pk=notice.pk).update(begins_at=timezone.now())
    return work(notice)


def go_on(notice: Notice) -> Notice:
    assert decisions.resume(notice)
    return work(notice)


@pytest.mark.parametrize("is_set", [True, False], ids=["a set time", "a pause"])
def test_a_text_that_was_corrected_before_the_start_is_not_sent(
    client, version, people, editor, approver, server, is_set
):
    later = timezone.now() + timedelta(days=1) if is_set else None
    notice = draft_notice(version, editor, begins_at=later)
    decisions.approve(notice, by=approver, people=3)
    decisions.pause(notice)
    draft = publishing.draft_next(version.statement, by=editor)
    draft.change_reason = {"ko": "주소를 더했습니다.", "en": "We added addresses."}
    draft.save()
    publishing.publish(draft, by=approver)
    decisions.resume(notice)
    if is_set:
        begin(notice)
    work(notice)
    assert (notice.state, notice.paused_for, server.taken) == ("paused", "newer", [])
    assert list(notifications(notice.incident)) == []  # no duty is met
    sign_in_to_desk(client, approver)
    shown = page(client.get(url("notice_change", notice.pk)))
    assert "a newer version of its text is published" in shown
    assert "draft one with the newer version" in shown
    assert (go_on(notice).paused_for, server.taken) == ("newer", [])


def test_a_notice_does_not_begin_while_its_incident_is_hidden(waiting, server):
    with without_triggers():  # the posting time of its statement is over
        Incident.objects.update(is_public=False)
    assert (begin(waiting).paused_for, server.taken) == ("hidden", [])
    Incident.objects.update(is_public=True)
    assert go_on(waiting).accepted == 2


def test_a_notice_to_far_more_people_than_approved_waits_for_a_person(
    client, waiting, approver, server, settings, monkeypatch
):
    monkeypatch.setattr(starting, "FEW_MORE", 1)
    settings.NOTICE_RAMP_FROM_PEOPLE = 5
    file = ExposureFile.objects.get()
    for number in range(2):
        affected(file, "나중", f"later{number}@example.com")
    notice = begin(waiting)
    assert (notice.paused_for, notice.planned, server.taken) == ("more", 0, [])
    sign_in_to_desk(client, approver)
    shown = page(client.get(url("notice_change", notice.pk)))
    assert "5 people now, 3 when a person confirmed the number" in shown
    at = timezone.now()
    with without_triggers():
        Notice.objects.update(created_by=F("approved_by"), approved_by=F("created_by"))
    read = shown_pause(client, notice)
    refused = page(client.post(url("notice_resume", notice.pk), read, follow=True))
    assert "Another person must approve this notice" in refused
    notice.refresh_from_db()
    assert notice.state == Notice.State.PAUSED
    notice = go_on(notice)
    assert (notice.state, notice.ramp, notice.planned) == (Notice.State.SENDING, "interval", 5)
    assert [each.begun_at for each in notifications(notice.incident)] == [notice.begins_at]
    assert notice.begins_at
    assert notice.begins_at > at
    assert notice.deadline_at
    assert notice.deadline_at > at + timedelta(hours=settings.NOTICE_DEADLINE_HOURS)


def test_who_lets_a_notice_go_on_confirms_the_number_that_was_read(
    client, waiting, approver, monkeypatch
):
    monkeypatch.setattr(starting, "FEW_MORE", 1)
    file = ExposureFile.objects.get()
    affected(file, "나중", "later1@example.com")
    affected(file, "나중", "later2@example.com")
    notice = begin(waiting)
    sign_in_to_desk(client, approver)
    of_five = shown_pause(client, notice)
    decisions.resume(notice)  # another person does so, and still more people are added
    for number in range(3, 6):
        affected(file, "나중", f"later{number}@example.com")
    notice = work(notice)
    assert (notice.paused_for, notice.confirmed_people) == ("more", 8)
    for read in (of_five, {}):
        said = page(client.post(url("notice_resume", notice.pk), read, follow=True))
        assert "than on the page that you read" in said
        notice.refresh_from_db()
        assert notice.state == Notice.State.PAUSED
    assert not decisions.resume(notice, **of_five)
    client.post(url("notice_resume", notice.pk), shown_pause(client, notice))
    notice.refresh_from_db()
    assert notice.state == Notice.State.PLANNING


def shown_pause(client, notice: Notice) -> dict[str, str]:
    """Returns what “Go on” sends on the page of the notice as it is now."""
    text = client.get(url("notice_change", notice.pk)).text
    [read] = re.findall(r'name="read" value="(\w+)"', text)
    return {"read": read}


def test_a_few_more_people_than_approved_are_told(waiting, server):
    affected(ExposureFile.objects.get(), "나중", "later@example.com")
    assert begin(waiting).accepted == 3


@pytest.mark.parametrize(
    ("hours", "fields", "reason"),
    [
        (-1, {}, "This time is over."),
        (24 * 15, {}, "At most 14 days ahead"),
        (1, {"audience": "test", "test_addresses": "a@b.example"}, "A test is sent at once"),
    ],
)
def test_a_time_that_does_not_fit_is_refused(client, editor, version, hours, fields, reason):
    sign_in_to_desk(client, editor)
    at = timezone.localtime() + timedelta(hours=hours)
    chosen = {"version": version.pk, "kind": "mandatory", "begins_at": f"{at:%Y-%m-%dT%H:%M}"}
    assert reason in page(client.post(url("notice_add"), chosen | fields))
    assert not Notice.objects.exists()


def test_from_draft_to_closed(client, editor, approver, version, people, server):
    sign_in_to_desk(client, editor)
    client.post(url("notice_add"), {"version": version.pk, "kind": "mandatory", "topic": ""})
    notice = Notice.objects.get()
    assert (notice.created_by, notice.incident) == (editor, version.statement.incident)
    assert notice.state == Notice.State.DRAFT
    own = page(client.get(url("notice_approve", notice.pk)))
    assert "Another person must approve" in own
    approve(client, notice, "3")
    notice.refresh_from_db()
    assert notice.state == Notice.State.DRAFT
    own = page(client.get(url("notice_change", notice.pk)))
    assert "Waits for a second person" in own
    assert "All affected people: <strong>3 people</strong>" in own
    assert "Approve and send" not in own
    assert ">None<" not in own

    sign_in_to_desk(client, approver)
    assert "Approve and send" in page(client.get(url("notice_change", notice.pk)))
    text = page(client.get(url("notice_approve", notice.pk)))
    assert "김민지" not in text  # the sample has no real name
    assert "홍길동" in text
    assert "Gildong Hong" in text
    assert "It goes to 3 people" in text
    assert "not the number" in page(approve(client, notice, "2"))
    approve(client, notice, "3")
    notice.refresh_from_db()
    assert (notice.state, notice.approved_by) == (Notice.State.PLANNING, approver)

    text = page(client.get(url("notice_change", notice.pk)))
    assert 'http-equiv="refresh"' in text
    work(notice)
    text = page(client.get(url("notice_change", notice.pk)))
    assert "closed: each person has a result" in text
    assert 'http-equiv="refresh"' not in text
    assert len(server.taken) == 2


@pytest.mark.parametrize(
    ("kind", "topic"), [("mandatory", "scams"), ("alert", "")], ids=["mandatory", "alert"]
)
def test_an_alert_needs_a_topic_and_a_mandatory_notice_must_not_have_one(
    client, editor, version, kind, topic
):
    sign_in_to_desk(client, editor)
    response = client.post(url("notice_add"), {"version": version.pk, "kind": kind, "topic": topic})
    assert "errornote" in page(response)
    assert not Notice.objects.exists()


def changed_class(draft: Notice) -> None:
    DataClass.objects.filter(slug="names").update(**merged("name", en="Names and nicknames"))


def changed_contact(draft: Notice) -> None:
    Incident.objects.filter(pk=draft.incident_id).update(contact_phone="02-9999-9999")


@pytest.mark.parametrize("change", [changed_class, changed_contact])
def test_messages_that_changed_since_they_were_read_are_not_approved(
    client, approver, draft, people, change
):
    sign_in_to_desk(client, approver)
    seen = client.get(url("notice_approve", draft.pk)).context["form"].shown
    change(draft)
    asked = {"people": "3", "seen": seen}
    refused = client.post(url("notice_approve", draft.pk), asked)
    assert "The messages changed while you read them." in page(refused)
    draft.refresh_from_db()
    assert (draft.state, draft.messages.count()) == (Notice.State.DRAFT, 0)
    # The refused page shows the new messages, so it can be confirmed as it is.
    client.post(url("notice_approve", draft.pk), asked | {"seen": refused.context["form"].shown})
    draft.refresh_from_db()
    assert draft.state == Notice.State.PLANNING


def test_an_approval_without_the_messages_that_were_read_is_refused(
    client, approver, draft, people
):
    sign_in_to_desk(client, approver)
    client.post(url("notice_approve", draft.pk), {"people": "3"})
    draft.refresh_from_db()
    assert draft.state == Notice.State.DRAFT


def test_a_notice_of_an_incident_that_is_not_public_is_not_approved(
    client, approver, editor, incident
):
    Incident.objects.filter(pk=incident.pk).update(is_public=False, first_public_at=None)
    version = published(incident, editor=editor, approver=approver)
    draft = draft_notice(version, editor)
    sign_in_to_desk(client, approver)
    assert "The incident is not public yet" in page(client.get(url("notice_approve", draft.pk)))
    approve(client, draft, "0")
    draft.refresh_from_db()
    assert draft.state == Notice.State.DRAFT


def test_the_approval_names_the_company_and_the_incident(client, approver, draft):
    sign_in_to_desk(client, approver)
    text = page(client.get(url("notice_approve", draft.pk)))
    assert f"{draft.incident} ({draft.incident.company})" in text


def test_a_notice_is_paused_resumed_and_cancelled(client, approver, notice, server):
    sign_in_to_desk(client, approver)
    client.post(url("notice_pause", notice.pk))
    notice.refresh_from_db()
    assert notice.state == Notice.State.PAUSED
    assert "Go on" in page(client.get(url("notice_change", notice.pk)))
    client.post(url("notice_resume", notice.pk), shown_pause(client, notice))
    assert "cannot be undone" in page(client.get(url("notice_cancel", notice.pk)))
    notice.refresh_from_db()
    assert notice.state == Notice.State.PLANNING
    client.post(url("notice_cancel", notice.pk), {"number": notice.pk})
    work(notice)
    assert notice.state == Notice.State.CANCELLED
    assert server.taken == []
    again = client.post(url("notice_resume", notice.pk), follow=True)
    assert "Nothing was changed now" in page(again)


@pytest.mark.parametrize("typed", [{}, {"number": ""}, {"number": "4711"}])
def test_a_wrong_number_cancels_nothing(client, approver, notice, typed):
    sign_in_to_desk(client, approver)
    shown = page(client.get(url("notice_cancel", notice.pk)))
    assert f"Its number is {notice.pk}." in shown
    assert "a paused notice can go on" in shown
    assert "errorlist" in page(client.post(url("notice_cancel", notice.pk), typed))
    notice.refresh_from_db()
    assert notice.state == Notice.State.PLANNING


def test_the_cancel_page_counts_the_messages_that_are_not_sent_yet(client, approver, notice):
    sign_in_to_desk(client, approver)
    assert "nobody gets it" in page(client.get(url("notice_cancel", notice.pk)))
    tasks.plan_notice(notice.pk)
    assert "2 people have not been sent" in page(client.get(url("notice_cancel", notice.pk)))


def test_a_draft_is_cancelled_without_typing_its_number(client, approver, draft):
    sign_in_to_desk(client, approver)
    assert "another notice can be written" in page(client.get(url("notice_cancel", draft.pk)))
    client.post(url("notice_cancel", draft.pk))
    draft.refresh_from_db()
    assert draft.state == Notice.State.CANCELLED
    again = page(client.get(url("notice_cancel", draft.pk), follow=True))
    assert "Cancelled (approver@" in again


def test_a_get_request_neither_pauses_nor_resumes(client, approver, notice):
    sign_in_to_desk(client, approver)
    assert client.get(url("notice_pause", notice.pk)).status_code == 405
    assert client.get(url("notice_resume", notice.pk)).status_code == 405


def test_the_sample_mail_opens_in_a_mail_program(client, editor, draft):
    sign_in_to_desk(client, editor)
    response = client.get(url("notice_preview", draft.pk, "ko"))
    assert response["Content-Type"] == "message/rfc822"
    assert "홍길동".encode() in response.content
    assert client.get(url("notice_preview", draft.pk, "fr")).status_code == 404


def test_the_pages_of_an_unknown_notice_are_not_found(client, editor):
    sign_in_to_desk(client, editor)
    for name in ("notice_approve", "notice_cancel"):
        assert client.get(url(name, 4711)).status_code == 404


def test_staff_with_view_permission_cannot_approve_or_cancel(client, notice, draft):
    support = User.objects.create_user("support@breachportal.example", is_staff=True)
    names = ["view_notice", "view_delivery"]
    support.user_permissions.set(Permission.objects.filter(codename__in=names))
    sign_in_to_desk(client, support)
    assert "Cancel this notice" not in page(client.get(url("notice_change", notice.pk)))
    for name in ("notice_approve", "notice_pause", "notice_resume", "notice_cancel"):
        assert client.post(url(name, notice.pk)).status_code == 403


def test_customers_cannot_open_the_pages(client, minji, notice):
    client.force_login(minji)
    for name, args in (("notice_change", [notice.pk]), ("delivery_changelist", [])):
        assert client.get(url(name, *args)).status_code == 404


def test_support_finds_what_a_customer_was_sent(client, editor, notice, people, server):
    work(notice)
    sign_in_to_desk(client, editor)
    text = page(
        client.post(url("delivery_changelist"), {"asked": " Minji@Example.com ", "reason": "x"})
    )
    code = message_codes.message_code(delivery_to(notice, people["minji"]).pk)
    assert "accepted by the mail server" in text
    assert "250 2.0.0 taken" in text
    assert text.count("250 2.0.0 taken") == 1
    assert code in text
    assert code in page(
        client.post(url("delivery_changelist"), {"asked": code.lower(), "reason": "x"})
    )


def test_the_code_of_a_message_leads_to_the_person_with_all_that_happened(
    client, team, notice, people, minji, server
):
    work(notice)
    delivery = delivery_to(notice, people["minji"])
    Reveal.objects.create(user=minji, person=people["minji"])
    sign_in_to_desk(client, team["support"])
    asked = {"asked": message_codes.message_code(delivery.pk).lower(), "reason": "x"}
    found = page(client.post(desk_url("incidents_affectedperson_changelist"), asked))
    address = desk_url("incidents_affectedperson_change", people["minji"].pk)
    assert address in found
    assert str(people["seojun"].pk) not in found
    shown = page(client.get(address))
    assert "250 2.0.0 taken" in shown
    assert f"user {minji.pk}" in shown
    assert "minji@" not in shown


def test_support_reads_that_nothing_was_sent(client, editor, notice):
    sign_in_to_desk(client, editor)
    address = url("delivery_changelist")
    assert "Nothing was sent" in page(
        client.post(address, {"asked": "nobody@example.com", "reason": "x"})
    )
    assert "no e-mail address, phone" in page(client.post(address, {"asked": "???", "reason": "x"}))
    assert "required" in page(client.post(address, {"asked": "", "reason": "x"}))


def test_nothing_of_the_ledger_is_deleted_at_the_desk(client, editor, notice):
    sign_in_to_desk(client, editor)
    assert client.get(url("notice_delete", notice.pk)).status_code == 403
    assert Delivery._meta.label == "notices.Delivery"
    assert Notice.objects.filter(pk=notice.pk).exists()


def test_a_look_up_of_sent_messages_is_recorded_with_its_user(
    client, editor, notice, people, server, caplog
):
    work(notice)
    sign_in_to_desk(client, editor)
    delivery = delivery_to(notice, people["minji"])
    with caplog.at_level(logging.INFO):
        client.post(url("delivery_changelist"), {"asked": "minji@example.com", "reason": "x"})
    entry = LogEntry.objects.get(user=editor)
    assert (entry.object_id, entry.object_repr) == (str(delivery.pk), str(delivery))
    assert entry.get_change_message() == "Looked up."
    assert "minji" not in caplog.text.lower()


def test_a_look_up_that_finds_nothing_is_recorded_without_the_address(
    client, editor, notice, caplog
):
    sign_in_to_desk(client, editor)
    with caplog.at_level(logging.INFO):
        client.post(url("delivery_changelist"), {"asked": "nobody@example.com", "reason": "x"})
    assert f"user {editor.pk} looked up deliveries []" in caplog.text
    assert "nobody" not in caplog.text


def in_korean(client) -> None:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"


@pytest.mark.parametrize(
    ("reply", "stored", "shown"),
    [
        (DROP, "the mail server hung up", "메일 서버가 연결을 끊음"),
        ("421 4.3.2 going down", "421 4.3.2 going down", "421 4.3.2 going down"),
    ],
    ids=["ours", "the server's"],
)
def test_the_problem_of_a_notice_is_shown_in_the_readers_language(
    client, approver, notice, server, reply, stored, shown
):
    server.reply_next("sender", "", reply)
    work(notice)
    assert notice.problem == stored
    sign_in_to_desk(client, approver)
    assert f'<p class="errornote">{stored}</p>' in page(client.get(url("notice_change", notice.pk)))
    in_korean(client)
    assert f'<p class="errornote">{shown}</p>' in page(client.get(url("notice_change", notice.pk)))


def test_the_reason_why_nothing_was_sent_is_in_the_readers_language(
    client, editor, notice, people, server
):
    work(notice)
    delivery = delivery_to(notice, people["neighbour"])
    assert delivery.reply == "no usable address"
    sign_in_to_desk(client, editor)
    asked = {"asked": message_codes.message_code(delivery.pk), "reason": "x"}
    assert ">no usable address</td>" in page(client.post(url("delivery_changelist"), asked))
    in_korean(client)
    text = page(client.post(url("delivery_changelist"), asked))
    assert ">쓸 수 있는 주소나 번호가 없음</td>" in text


def test_a_notices_history_is_stored_in_english_and_shown_in_any_language(
    client, approver, draft, people
):
    sign_in_to_desk(client, approver)
    in_korean(client)
    approve(client, draft, "3")
    assert LogEntry.objects.get().change_message == "Approved for 3 people."
    assert "3명에게 보내도록 승인함." in page(client.get(url("notice_history", draft.pk)))
    sign_in_to_desk(client, approver)
    assert "Approved for 3 people." in page(client.get(url("notice_history", draft.pk)))
