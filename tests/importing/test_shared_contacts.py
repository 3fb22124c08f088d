"""One message to a contact of many people, and none to people whom the desk marked."""

import csv
import io

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts.models import User
from harness import exposure_factory
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import sign_in_to_desk
from incidents import scope_versions
from incidents.models import (
    AffectedPerson,
    ExposureFile,
    FurtherContact,
    Incident,
    PersonMark,
    SharedContact,
)
from incidents.scope_counts import recount
from notices import decisions
from notices.engine import audiences, planning
from notices.models import Chunk, Notice
from notices.proof.ledger_export import as_csv, not_reached, proof, proof_fields
from scams import message_check
from tests.desk_pages import desk_url, notice_url, page_text, say_why
from tests.gateway import Gateway
from tests.notice_factory import affected, assert_adds_up, delivery_to, draft_notice, work
from tests.smtp_server import recipients

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("english")

PLACEHOLDER = "none@shop.example"
SHARED = "shared contact: recorded for many people, it gets one message"


@pytest.fixture
def crowd(people, incident) -> list[AffectedPerson]:
    """Five people with a placeholder as their address, in the order of their keys."""
    file = file_of(incident)
    rows = [affected(file, f"홍길{number}", PLACEHOLDER, "names") for number in range(5)]
    recount(incident)
    return sorted(rows, key=lambda row: row.pk)


def sent(notice: Notice, approver: User) -> Notice:
    decisions.approve(notice, by=approver)
    return work(notice)


# ---------------------------------------------------------------- counting


def test_a_closing_and_a_withdrawal_count_the_shared_contacts(incident):
    file = file_of(incident, state="open")
    loaded = {"state": "loaded", "rows_read": 4, "rows_taken": 4, "rows_rejected": 0}
    ExposureFile.objects.update(**loaded, finished_at=timezone.now())
    for number in range(4):
        row = person(incident, name="홍길동", email=PLACEHOLDER, phone=f"010-1111-000{number % 3}")
        expose(row, file, "names")
    batch = incident.batches.get()
    scope_versions.close(batch)
    shared = SharedContact.objects.get()
    assert (shared.kind, shared.people) == ("email", 4)
    assert shared.contact_index == incident.cipher().email_index(PLACEHOLDER)

    exposure_factory.withdraw(batch, "wrong file")
    assert not SharedContact.objects.exists()


def test_further_contacts_count_and_the_bound_is_the_incidents(incident):
    file, index = file_of(incident), incident.cipher().phone_index("+821011112222")
    for number in range(3):
        row = person(incident, email=f"p{number}@example.com")
        expose(row, file, "names")
        FurtherContact.objects.create(person=row, kind=2, contact_index=index)
    recount(incident)
    assert not SharedContact.objects.exists()
    Incident.objects.update(shared_contact_bound=2)
    recount(incident)
    assert SharedContact.objects.get().kind == "phone"


def test_the_desk_lists_them_and_shows_a_sample_with_a_right(client, crowd, approver):
    sign_in_to_desk(client, approver)
    page = page_text(client.get(desk_url("incidents_sharedcontact_changelist")))
    assert "n***@s***.example" in page
    assert PLACEHOLDER not in page
    assert "홍길" not in page


# ---------------------------------------------------------------- sending


def test_a_shared_address_gets_one_mail_without_names_and_data(
    draft, crowd, people, approver, server
):
    notice = sent(draft, approver)
    assert recipients(server.taken) == ["minji@example.com", PLACEHOLDER, "seojun@example.com"]
    [mail] = server.to(PLACEHOLDER)
    text = mail.get_body(("plain",)).get_content()
    assert "이 한 통만" in text
    for hidden in ("홍길", "- 이름", "- Name", "customer"):
        assert hidden not in text
    states = [delivery_to(notice, row) for row in crowd]
    assert [row.state for row in states] == ["accepted", *["suppressed"] * 4]
    assert {row.reply for row in states[1:]} == {SHARED}
    assert states[0].data_classes == []
    assert states[0].went_to_shared_contact()
    assert not delivery_to(notice, people["minji"]).went_to_shared_contact()
    assert_adds_up(notice)
    assert notice.state == Notice.State.CLOSED


def test_one_mail_goes_out_however_the_ledger_is_cut(
    settings, draft, crowd, people, approver, server
):
    settings.NOTICE_CHUNK_SIZE = 1
    decisions.approve(draft, by=approver)
    planning.plan_ledger(draft.pk)
    for chunk in Chunk.objects.order_by("-pk"):
        assert chunk.people == 1
    work(draft)
    assert recipients(server.taken).count(PLACEHOLDER) == 1
    assert_adds_up(draft)


def test_the_dry_run_shows_the_numbers(client, draft, crowd, people, approver, editor):
    PersonMark.objects.create(
        incident=draft.incident,
        person=people["seojun"],
        kind="deceased",
        reason="a call",
        marked_by=editor,
    )
    sign_in_to_desk(client, approver)
    page = page_text(client.get(notice_url("approve", draft)))
    assert '<th scope="row">Held back: many people share the contact</th><td>4</td>' in page
    assert '<th scope="row">Held back: marked as deceased or restricted</th><td>1</td>' in page
    assert '<th scope="row">Reachable</th><td>2</td>' in page
    assert "English, to a contact that many people share: Hanbit Store: your address" in page


def test_the_proof_names_the_reason_and_the_marks(draft, crowd, people, approver, editor, server):
    mark = PersonMark.objects.create(
        incident=draft.incident,
        person=people["seojun"],
        kind="restricted",
        reason="a secret reason",
        marked_by=editor,
    )
    mark.lift(editor, "done")
    PersonMark.objects.create(
        incident=draft.incident, person=people["minji"], kind="minor", reason="x", marked_by=editor
    )
    notice = sent(draft, approver)
    lines = "".join(as_csv(proof_fields(is_opened=False), proof(notice, is_opened=False)))
    rows = {row["person"]: row for row in csv.DictReader(io.StringIO(lines))}
    assert rows[str(crowd[1].pk)]["reply"] == SHARED
    assert rows[str(people["minji"].pk)]["marks"].startswith("minor 20")
    assert " to 20" in rows[str(people["seojun"].pk)]["marks"]
    assert "secret" not in lines
    reasons = {row["person"]: row["reply"] for row in not_reached(notice, is_opened=False)}
    assert reasons[str(crowd[1].pk)] == SHARED
    assert str(crowd[0].pk) in reasons
    assert str(people["seojun"].pk) not in reasons


@pytest.mark.parametrize("kind", ["deceased", "restricted"])
def test_a_marked_person_gets_no_message(draft, people, approver, editor, server, kind):
    PersonMark.objects.create(
        incident=draft.incident, person=people["minji"], kind=kind, reason="x", marked_by=editor
    )
    notice = sent(draft, approver)
    assert recipients(server.taken) == ["seojun@example.com"]
    row = delivery_to(notice, people["minji"])
    assert (row.state, row.reply) == ("suppressed", f"marked on the desk: {kind}")
    assert_adds_up(notice)


def test_a_minor_and_a_lifted_mark_change_nothing(draft, people, approver, editor, server):
    for name, kind in (("minji", "minor"), ("seojun", "deceased")):
        mark = PersonMark.objects.create(
            incident=draft.incident, person=people[name], kind=kind, reason="x", marked_by=editor
        )
        if kind == "deceased":
            mark.lift(editor, "a mistake")
    sent(draft, approver)
    assert recipients(server.taken) == ["minji@example.com", "seojun@example.com"]


def test_a_marked_person_does_not_take_the_one_mail_with_them(
    draft, crowd, approver, editor, server
):
    PersonMark.objects.create(
        incident=draft.incident, person=crowd[0], kind="deceased", reason="x", marked_by=editor
    )
    notice = sent(draft, approver)
    assert recipients(server.taken).count(PLACEHOLDER) == 1
    assert delivery_to(notice, crowd[1]).state == "accepted"


def test_contacts_that_are_shared_only_since_the_approval_get_no_details(
    draft, people, incident, approver, server
):
    file = file_of(incident)
    for number in range(4):
        affected(file, f"홍길{number}", PLACEHOLDER, "names")
    decisions.approve(draft, by=approver)
    recount(incident)
    work(draft)
    assert PLACEHOLDER not in recipients(server.taken)
    assert_adds_up(draft)


def test_a_family_gets_a_notice_each_without_each_others_values(
    draft, people, incident, approver, server
):
    for name, slug in (("김영희", "names"), ("박지훈", "passwords")):
        affected(file_of(incident), name, "home@example.com", slug)
    recount(incident)
    sent(draft, approver)
    texts = [mail.get_body(("plain",)).get_content() for mail in server.to("home@example.com")]
    assert sorted(("김영희" in text, "박지훈" in text) for text in texts) == [
        (False, True),
        (True, False),
    ]
    [mothers] = [text for text in texts if "김영희" in text]
    assert "비밀번호\r\n" not in mothers.split("주소")[0]


def test_the_code_of_the_one_mail_is_ours(draft, crowd, approver, server, client):
    notice = sent(draft, approver)
    [mail] = server.to(PLACEHOLDER)
    text = mail.get_body(("plain",)).get_content()
    answer = message_check.answer_for(text)
    assert answer.verdict == message_check.MessageVerdict.SENT
    assert notice.state == Notice.State.CLOSED


def test_a_shared_number_gets_one_text_message(version, incident, editor, approver, settings):
    for number in range(4):
        row = person(incident, name=f"홍길{number}", phone="010-1111-2222")
        expose(row, file_of(incident), "names")
    recount(incident)
    with Gateway() as gateway:
        settings.SMS_GATEWAY = "notices.engine.gateways.HttpGateway"
        settings.SMS_GATEWAY_URL = gateway.url
        settings.SMS_GATEWAY_TOKEN = "secret"
        settings.SMS_SENDER = "15881234"
        notice = sent(draft_notice(version, editor, channel="sms"), approver)
        [asked] = gateway.asked
    assert "여러 사람의 번호로" in str(asked.body)
    assert "이름" not in str(asked.body)
    assert_adds_up(notice)


def test_all_who_share_a_contact_can_be_reached_by_another_channel(
    draft, version, crowd, people, editor, approver, server
):
    notice = sent(draft, approver)
    follow_up = draft_notice(
        version, editor, channel="sms", audience=Notice.Audience.UNREACHED, follows=notice
    )
    neighbour = people["neighbour"]
    assert set(audiences.people(follow_up)) == {*crowd, neighbour}


# ---------------------------------------------------------------- the desk


def test_support_marks_a_person_and_lifts_the_mark(client, people, incident, editor, caplog):
    sign_in_to_desk(client, editor)
    client.cookies["language"] = "en"
    url = desk_url("incidents_affectedperson_change", people["minji"].pk)
    say_why(client, url)
    with override("en"):
        assert "This person has no mark." in page_text(client.get(url))
        refused = client.post(url, {"kind": "corrected", "reason": "a call", "note": ""})
        assert "A correction needs a note" in page_text(refused)
        client.post(url, {"kind": "deceased", "reason": "a certificate", "note": ""})
        mark = PersonMark.objects.get()
        assert (mark.marked_by, mark.person, mark.incident) == (editor, people["minji"], incident)
        page = page_text(client.get(url))
        assert "a certificate" in page
        again = client.post(url, {"kind": "deceased", "reason": "again", "note": ""})
        assert "has this mark already" in page_text(again)
        lift = desk_url("incidents_affectedperson_lift", people["minji"].pk, mark.pk)
        client.post(lift, {"reason": "the wrong person"})
        assert "the wrong person" in page_text(client.get(url))
    mark.refresh_from_db()
    assert mark.lifted_by == editor
    assert "김민지" not in page


def test_a_stranger_to_the_desk_does_not_see_a_person(client, minji, people):
    client.force_login(minji)
    url = reverse("admin:incidents_affectedperson_change", args=[people["minji"].pk])
    assert client.get(url).status_code == 404
