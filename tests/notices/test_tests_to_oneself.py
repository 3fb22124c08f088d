"""A test to oneself: one press on a version's or a draft notice's page sends it to the person."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry

from accounts.models import AuditEntry, User, VerifiedPhone
from harness.sign_in import sign_in_to_desk
from notices.models import Delivery, Notice, ReturnedMail, Suppression
from notices.returned_mail import bounces
from statements.models import Statement, StatementVersion
from tests.desk_pages import desk_url, page_text
from tests.notice_factory import draft_notice
from tests.returned_mail import bounce
from tests.smtp_server import DROP, SmtpServer
from tests.statement_factory import complete_draft

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("english", "people")


@pytest.fixture(autouse=True)
def addresses(editor, approver):
    for user in (editor, approver):
        EmailAddress.objects.get_or_create(user=user, email=user.email, verified=True, primary=True)


def press(client, page: str, row: Notice | StatementVersion, **chosen) -> str:
    """Presses the button on the page of the row; returns the text of the same page after it."""
    response = client.post(desk_url(f"{page}_own_test", row.pk), chosen, follow=True)
    assert response.redirect_chain[-1][0] == desk_url(f"{page}_change", row.pk)
    return page_text(response)


def to_version(client, version: StatementVersion, *languages: str, **chosen) -> str:
    return press(client, "statements_statementversion", version, languages=languages, **chosen)


@pytest.mark.parametrize("role", ["editor", "approver"])
def test_one_press_sends_the_message_of_a_version_to_the_person(
    client, request, role, version, server
):
    user = request.getfixturevalue(role)
    sign_in_to_desk(client, user)
    shown = client.get(desk_url("statements_statementversion_change", version.pk)).content.decode()
    assert 'value="en" checked' in shown  # one press is enough
    assert "Send a test to me" in shown
    said = to_version(client, version, "en")
    assert f"Sent to {user.email} in English. The server: 250" in said
    [mail] = server.taken
    assert mail.to == user.email
    assert mail.message["Subject"].startswith("[Test]")
    assert "Nothing in it is about you" in mail.message.get_body(("plain",)).get_content()
    assert not Delivery.objects.exists()
    assert not Notice.objects.exists()


def test_each_chosen_language_is_one_message_with_an_id_of_its_own(client, editor, version, server):
    sign_in_to_desk(client, editor)
    to_version(client, version, "ko", "en")
    to_version(client, version, "ko")
    assert [mail.message["Content-Language"] for mail in server.taken] == ["ko", "en", "ko"]
    assert len({mail.message["Message-ID"] for mail in server.taken}) == 3


def test_the_draft_of_a_text_is_sent_before_it_is_published(client, incident, editor, server):
    statement = Statement.objects.create(incident=incident, slug="draft", kind="notice")
    draft = complete_draft(statement, editor)
    sign_in_to_desk(client, editor)
    assert "Sent to" in to_version(client, draft, "en")
    assert len(server.taken) == 1


def test_a_draft_notice_is_tried_in_its_own_kind(client, approver, editor, version, server):
    notice = draft_notice(version, editor, kind="alert", topic="scams")
    sign_in_to_desk(client, approver)
    said = press(client, "notices_notice", notice, languages=["en"])
    assert f"Sent to {approver.email} in English" in said
    assert server.taken[0].message["List-Unsubscribe"]
    notice.refresh_from_db()
    assert (notice.state, notice.planned) == ("draft", 0)


def test_the_test_is_recorded(client, editor, version, server):
    sign_in_to_desk(client, editor)
    before = AuditEntry.objects.count()
    to_version(client, version, "ko", "en")
    entry = LogEntry.objects.latest("pk")
    words = "Test to oneself (e‑mail, ko, en): the server took 2."
    assert (entry.user, entry.change_message) == (editor, words)
    assert AuditEntry.objects.count() > before


@pytest.mark.parametrize(
    ("step", "reply", "words"),
    [
        ("recipient", "550 5.1.1 unknown user", "Not sent to"),
        ("message", "554 5.7.1 rejected as spam", "Not sent to"),
        ("message", DROP, "the server may have taken it"),
        ("sender", "530 5.7.0 authenticate first", "Not sent"),
    ],
)
def test_the_page_shows_the_servers_answer(client, editor, version, server, step, reply, words):
    server.reply_next(step, "", *[reply] * 10)
    sign_in_to_desk(client, editor)
    said = to_version(client, version, "en")
    assert words in said
    assert reply == DROP or reply in said
    assert "Sent to" not in said
    assert LogEntry.objects.latest("pk").change_message.endswith("the server took 0.")


def test_a_server_that_is_away_is_named_once(client, editor, version, settings):
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    sign_in_to_desk(client, editor)
    said = to_version(client, version, "ko", "en")
    assert said.count(f"Not sent to {editor.email} in 한국어, English.") == 1
    assert "Connection refused" in said


def test_a_server_that_never_answers_does_not_hold_the_page(
    client, editor, version, settings, monkeypatch
):
    monkeypatch.setattr("notices.tests_to_oneself.SECONDS", 2.0)
    with SmtpServer(reply_seconds=30) as slow:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", slow.port
        sign_in_to_desk(client, editor)
        assert "no answer" in to_version(client, version, "en")


def test_a_text_message_goes_to_the_persons_own_number(client, editor, version, server, gateway):
    page = desk_url("statements_statementversion_change", version.pk)
    sign_in_to_desk(client, editor)
    assert "Send a text message to me" not in client.get(page).content.decode()
    VerifiedPhone.objects.create(user=editor, number="+821012345678")
    assert "Send a text message to me" in client.get(page).content.decode()
    said = to_version(client, version, "ko", channel="sms")
    assert "Sent to +821012345678" in said
    assert (len(gateway.asked), server.taken) == (1, [])


def test_without_a_language_or_an_address_nothing_is_sent(client, editor, version, server):
    sign_in_to_desk(client, editor)
    assert "Choose a language." in to_version(client, version)
    assert "Choose a language." in to_version(client, version, "xx")
    EmailAddress.objects.filter(user=editor).update(verified=False)
    assert "has no verified e‑mail address" in to_version(client, version, "en")
    assert server.taken == []


def test_many_tests_have_to_wait(client, editor, version, server):
    sign_in_to_desk(client, editor)
    for _time in range(6):
        to_version(client, version, "en")
    assert "You sent many tests" in to_version(client, version, "en")
    assert len(server.taken) == 6


@pytest.mark.parametrize("role", ["importer", "support", "auditor"])
def test_roles_that_write_no_notice_get_no_button(
    client, team: dict[str, User], role, version, editor, server
):
    notice = draft_notice(version, editor)
    sign_in_to_desk(client, team[role])
    for page, row in [("statements_statementversion", version), ("notices_notice", notice)]:
        assert (
            "Send a test to me"
            not in client.get(desk_url(f"{page}_change", row.pk)).content.decode()
        )
        response = client.post(desk_url(f"{page}_own_test", row.pk), {"languages": ["en"]})
        assert response.status_code == 403
    assert server.taken == []


def test_a_bounce_of_a_test_changes_nothing(client, editor, version, server):
    sign_in_to_desk(client, editor)
    to_version(client, version, "en")
    [mail] = server.taken
    returned = bounce(recipient=mail.to)
    assert bounces.receive(mail.sender, returned) == ReturnedMail.Outcome.UNKNOWN
    assert not Suppression.objects.exists()
