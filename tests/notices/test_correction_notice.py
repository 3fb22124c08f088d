"""The notice to all recipients of an earlier version, drafted from a published correction."""

import pytest
from django.contrib.auth.models import Permission

from accounts.models import User
from harness.sign_in import sign_in_to_desk
from incidents.desk_page import board_of
from notices import decisions
from notices.models import AlertSubscription, Notice
from statements import publishing
from statements.models import Advisory, Statement, StatementVersion
from tests.desk_pages import desk_url
from tests.notice_factory import work
from tests.smtp_server import recipients

pytest_plugins = ["tests.notice_fixtures"]
BUTTON = "Tell those who received an earlier version"


@pytest.fixture
def correction(version: StatementVersion, editor, approver) -> StatementVersion:
    draft = publishing.draft_next(version.statement, by=editor)
    draft.change_reason = {"ko": "주소를 더했습니다.", "en": "We added addresses."}
    draft.save()
    return publishing.publish(draft, by=approver)


def draft_correction(client, version: StatementVersion):
    return client.post(
        desk_url("statements_statementversion_draft_correction", version.pk), follow=True
    )


def test_one_click_drafts_the_notice_and_a_second_person_sends_it(
    editors_desk, notice, server, correction, editor, approver
):
    work(notice)
    server.taken.clear()
    html = editors_desk.get(
        desk_url("statements_statementversion_change", correction.pk)
    ).content.decode()
    assert BUTTON in html

    response = draft_correction(editors_desk, correction)

    drafted = Notice.objects.get(version=correction)
    assert response.request["PATH_INFO"] == desk_url("notices_notice_change", drafted.pk)
    assert (drafted.state, drafted.audience, drafted.created_by) == ("draft", "earlier", editor)
    with pytest.raises(decisions.ApprovalRefusedError):
        decisions.approve(drafted, by=editor)
    decisions.approve(drafted, by=approver)
    work(drafted)
    assert recipients(server.taken) == ["minji@example.com", "seojun@example.com"]
    text = server.to("seojun@example.com")[0].get_body(("plain",)).get_content()
    assert "We added addresses." in text


def test_drafting_twice_makes_one_notice(editors_desk, notice, server, correction):
    work(notice)
    draft_correction(editors_desk, correction)
    draft_correction(editors_desk, correction)
    assert Notice.objects.filter(version=correction).count() == 1


def test_a_first_version_offers_no_correction_notice(editors_desk, notice, server, version):
    work(notice)
    assert (
        BUTTON
        not in editors_desk.get(
            desk_url("statements_statementversion_change", version.pk)
        ).content.decode()
    )
    draft_correction(editors_desk, version)
    assert Notice.objects.count() == 1


def test_a_correction_without_earlier_recipients_offers_no_notice(editors_desk, correction):
    url = desk_url("statements_statementversion_change", correction.pk)
    assert BUTTON not in editors_desk.get(url).content.decode()
    assert (
        "Nobody has received an earlier version."
        in draft_correction(editors_desk, correction).content.decode()
    )
    assert not Notice.objects.exists()


def test_no_correction_is_drafted_from_a_draft(notice, server, version, editor):
    work(notice)
    draft = publishing.draft_next(version.statement, by=editor)
    with pytest.raises(decisions.NothingToCorrectError):
        decisions.draft_correction(draft, by=editor)


def test_drafting_a_correction_needs_the_permission_to_add_notices(
    client, notice, server, correction
):
    work(notice)
    clerk = User.objects.create_user("clerk@breachportal.example", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_statementversion"))
    sign_in_to_desk(client, clerk)
    url = desk_url("statements_statementversion_change", correction.pk)
    assert BUTTON not in client.get(url).content.decode()
    assert (
        client.post(
            desk_url("statements_statementversion_draft_correction", correction.pk)
        ).status_code
        == 403
    )
    assert (
        client.get(
            desk_url("statements_statementversion_draft_correction", correction.pk)
        ).status_code
        == 405
    )


# An advisory's alert


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["KISA", "Issued on: 29 November 2025", "How urgent: urgent", "Hotline: 118"]),
        ("ko", ["한국인터넷진흥원", "2025년 11월 29일", "긴급", "118"]),
    ],
)
def test_an_advisorys_alert_names_issuer_date_urgency_and_hotline(
    incident, server, minji, editor, approver, language, words
):
    minji.language = language
    minji.save()
    AlertSubscription.objects.create(user=minji, incident=incident, topic="scams")
    statement = Statement.objects.create(incident=incident, kind="advisory", slug="kisa")
    Advisory.objects.create(
        statement=statement,
        issuer={"ko": "한국인터넷진흥원", "en": "KISA"},
        issued_on="2025-11-29",
        original_url="https://www.kisa.example/notice",
        hotline="118",
        severity=3,
    )
    draft = publishing.draft_next(statement, by=editor)
    draft.title = {"ko": "주의하십시오", "en": "Be careful"}
    draft.save()
    draft.sections.update(body={"ko": "조심하십시오", "en": "Take care"})
    publishing.publish(draft, by=approver)
    alert = Notice.objects.create(
        incident=incident, version=draft, kind="alert", topic="scams", created_by=editor
    )
    decisions.approve(alert, by=approver)
    work(alert)
    mail = server.to("minji@example.com")[0]
    for kind in ("plain", "html"):
        text = mail.get_body((kind,)).get_content()
        for needed in words:
            assert needed in text
        assert "kisa.example" not in text  # no mail links to others


def test_the_incidents_page_asks_an_editor_for_the_notice_of_a_correction(
    notice, server, correction, editor
):
    work(notice)
    incident, asked = notice.incident, f"correction-{correction.pk}"
    assert asked in {task.key for task in board_of(incident).waiting_for(editor)}
    decisions.draft_correction(correction, by=editor)
    assert asked not in {task.key for task in board_of(incident).waiting_for(editor)}
