"""The audiences of a notice, as counted before and planned after its approval."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from harness import exposure_factory
from harness.sign_in import sign_in_to_desk
from incidents.models import AffectedPerson
from notices import decisions
from notices.models import Delivery, Notice, TestAddress
from statements import publishing
from statements.models import StatementVersion
from tests.notice_factory import affected, assert_adds_up, draft_notice, work
from tests.smtp_server import recipients

pytest_plugins = ["tests.notice_fixtures"]

Audience = Notice.Audience


@pytest.fixture
def corrected(version: StatementVersion, editor, approver) -> StatementVersion:
    """The second version of the statement."""
    draft = publishing.draft_next(version.statement, by=editor)
    draft.change_reason = {"ko": "주소도 유출되었습니다.", "en": "More leaked."}
    draft.save()
    publishing.publish(draft, by=approver)
    draft.refresh_from_db()
    return draft


def sent(notice: Notice, approver) -> Notice:
    decisions.approve(notice, by=approver)
    return work(notice)


def test_the_audience_of_a_scope_version_has_its_people(version, people, editor, approver, server):
    later = exposure_factory.file_of(version.statement.incident, number=2)
    exposure_factory.expose(people["seojun"], later, "physical-addresses")
    affected(later, "최나중", "later@example.com")
    notice = sent(
        draft_notice(version, editor, audience=Audience.BATCH, batch=later.batch), approver
    )
    assert recipients(server.taken) == ["later@example.com", "seojun@example.com"]
    assert_adds_up(notice)


def test_the_audience_earlier_has_recipients_of_the_earlier_version_only(
    version, people, corrected, editor, approver, server
):
    server.reply_next("recipient", "seojun@example.com", "550 5.1.1 no such user")
    sent(draft_notice(version, editor), approver)
    server.taken.clear()
    affected(
        exposure_factory.file_of(version.statement.incident, number=2),
        "최나중",
        "later@example.com",
    )
    sent(draft_notice(corrected, editor, audience=Audience.EARLIER), approver)
    assert recipients(server.taken) == [
        "minji@example.com"
    ]  # Seojun's bounced; the third person got no earlier version
    again = sent(draft_notice(corrected, editor, audience=Audience.EARLIER), approver)
    assert again.planned == 0
    assert recipients(server.taken) == ["minji@example.com"]


def test_a_test_notice_of_the_earlier_version_has_no_recipients_to_correct(
    version, corrected, people, editor, approver
):
    test_notice = draft_notice(version, editor, audience=Audience.TEST)
    Delivery.objects.create(
        notice=test_notice, recipient=people["minji"].pk, language="ko", state="accepted"
    )
    assert sent(draft_notice(corrected, editor, audience=Audience.EARLIER), approver).planned == 0


def test_the_audience_unreached_has_the_people_a_notice_did_not_reach(
    version, people, editor, approver, server
):
    server.reply_next("recipient", "seojun@example.com", "550 5.1.1 no such user")
    first = sent(draft_notice(version, editor), approver)
    again = sent(
        draft_notice(version, editor, audience=Audience.UNREACHED, follows=first), approver
    )
    assert set(again.deliveries.values_list("recipient", flat=True)) == {
        people["seojun"].pk,
        people["neighbour"].pk,
    }


def test_people_of_a_withdrawn_scope_version_get_no_mail(version, people, editor, approver, server):
    later = exposure_factory.file_of(version.statement.incident, number=2)
    affected(later, "최나중", "later@example.com")
    notice = draft_notice(version, editor, audience=Audience.BATCH, batch=later.batch)
    exposure_factory.withdraw(later.batch, "another company's")
    assert sent(notice, approver).planned == 0


def test_a_withdrawn_scope_version_is_no_audience_for_people_of_another_one(
    version, people, editor, approver, server
):
    later = exposure_factory.file_of(version.statement.incident, number=2)
    exposure_factory.expose(people["seojun"], later, "physical-addresses")
    notice = draft_notice(version, editor, audience=Audience.BATCH, batch=later.batch)
    exposure_factory.withdraw(later.batch, "another company's")
    assert sent(notice, approver).planned == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"audience": "batch"},
        {"audience": "unreached"},
        {"kind": "alert", "topic": "scams", "audience": "earlier"},
    ],
    ids=["no batch", "no notice", "alert"],
)
def test_the_database_refuses_an_incomplete_audience(version, editor, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        draft_notice(version, editor, **fields)


# -------------------------------------------------------------------- at the desk


def post(client, version, **fields):
    fields = {"version": version.pk, "kind": "mandatory", "topic": "", **fields}
    return client.post(reverse("admin:notices_notice_add"), fields)


def test_a_test_notice_goes_only_to_the_typed_addresses(
    client, version, people, editor, approver, server
):
    sign_in_to_desk(client, editor)
    typed = " Boss@Hanbit.example \nlawyer@hanbit.example\nboss@hanbit.example"
    post(client, version, audience="test", test_addresses=typed)
    notice = Notice.objects.get()
    held = b"".join(bytes(row.contact) for row in TestAddress.objects.all())
    assert b"boss" not in held.lower()
    sent(notice, approver)
    addresses = ["boss@hanbit.example", "lawyer@hanbit.example"]
    assert recipients(server.taken) == sorted(addresses * 2)
    subjects = {taken.message["Subject"] for taken in server.taken}
    assert {subject.split("]")[0] for subject in subjects} == {"[시험 발송", "[Test"}
    text = server.to("boss@hanbit.example")[0].get_body(("plain",)).get_content()
    assert "홍길동" in text or "Gildong" in text
    assert "김민지" not in text
    assert_adds_up(notice)


def test_a_test_notice_does_not_count_as_a_notification(version, people, editor, approver):
    test = draft_notice(version, editor, audience=Audience.TEST)
    assert list(Notice.objects.real()) == []
    assert test.is_test


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"audience": "test"}, "Type them for a test"),
        ({"audience": "test", "test_addresses": "nobody"}, "not an e-mail address"),
        ({"audience": "everybody", "test_addresses": "a@b.example"}, "for nothing else"),
        ({"audience": "batch"}, "Choose one."),
        ({"kind": "alert", "topic": "scams", "audience": "earlier"}, "An alert goes to"),
    ],
)
def test_an_invalid_audience_is_refused_with_a_message(client, version, editor, fields, reason):
    sign_in_to_desk(client, editor)
    assert reason in post(client, version, **fields).content.decode()
    assert not Notice.objects.exists()


def test_another_incidents_scope_version_is_refused(client, version, editor):
    incident = version.statement.incident
    other = type(incident)(slug="other", aware_at=incident.aware_at)
    other.make_keysets()
    other.save()
    batch = exposure_factory.file_of(other).batch
    sign_in_to_desk(client, editor)
    answer = post(client, version, audience="batch", batch=batch.pk).content.decode()
    assert "It belongs to another incident." in answer


def test_the_approval_says_how_many_in_which_bucket(client, version, people, editor, approver):
    file = people["minji"].exposures.get().file
    odd = affected(file, "이상해", "")
    AffectedPerson.objects.filter(pk=odd.pk).update(email_reach=3, relation=3)
    notice = draft_notice(version, editor)
    sign_in_to_desk(client, approver)
    text = " ".join(
        client.get(reverse("admin:notices_notice_approve", args=[notice.pk])).text.split()
    )
    for label, number in {
        "People": 4,
        "Reachable": 2,
        "Without an address for this channel": 1,
        "With an address that cannot be one": 1,
        "Language: 한국어": 3,
        "Language: English": 1,
        "Relation: member": 3,
        "Relation: recipient": 1,
    }.items():
        assert f'<th scope="row">{label}</th><td>{number}</td>' in text


def test_the_sample_mail_is_shown_with_its_layout_and_cannot_run_scripts(client, editor, version):
    notice = draft_notice(version, editor)
    sign_in_to_desk(client, editor)
    answer = client.get(reverse("admin:notices_notice_html", args=[notice.pk, "ko"]))
    assert "홍길동" in answer.text
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'nonce-")
    assert "sandbox" in policy
    assert "unsafe" not in policy
    assert 'style="' not in answer.text
