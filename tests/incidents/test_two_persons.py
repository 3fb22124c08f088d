"""Who is a second person, and what one person may do alone."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from django.utils import timezone

from accounts import second_person
from accounts.models import Invitation, RightsGrant, User, rights_grant
from breachportal.management.commands.make_roles import ROLES
from harness.sign_in import sign_in_to_desk
from incidents import team_messages
from incidents.models import FactChange
from notices import decisions
from notices.admin import approval
from notices.models import Notice
from notices.own_tests import is_own_test
from statements import publishing, sample
from statements.legal import deadlines
from statements.legal.laws import all_duties
from statements.models import StatementVersion
from statements.publishing import PublishingRefusedError
from tests.desk_pages import approve, notice_url, page_text, save
from tests.notice_factory import draft_notice, work

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("english")
State = Notice.State


def give(user: User, *, by: User, confirmed_by: User) -> None:
    RightsGrant.objects.create(
        user=user,
        is_staff=True,
        asked_by=by,
        confirmed_by=confirmed_by,
        confirmed_at=timezone.now(),
    )


@pytest.fixture
def root(db) -> User:
    return User.objects.create_user("root@hanbit.example", is_staff=True, is_superuser=True)


# The giver of rights


def test_who_gave_rights_and_who_got_them_are_one_person_for_a_time(
    editor, approver, root, monkeypatch
):
    assert not second_person.objection(approver, first=[editor])
    give(approver, by=editor, confirmed_by=root)
    for one, other in ((approver, editor), (editor, approver), (approver, root), (root, approver)):
        assert "rights on the desk" in second_person.objection(one, first=[other])
    assert not second_person.objection(root, first=[editor])
    monkeypatch.setattr(rights_grant, "GRANT_JOINS_FOR", timedelta(0))
    assert not second_person.objection(approver, first=[editor])


def test_they_neither_approve_nor_publish_nor_confirm_for_each_other(
    client, draft, editor, approver, root, incident
):
    give(approver, by=editor, confirmed_by=root)
    with pytest.raises(decisions.ApprovalRefusedError, match="rights on the desk"):
        decisions.approve(draft, by=approver)
    following = publishing.draft_next(draft.version.statement, by=editor)
    with pytest.raises(PublishingRefusedError):
        publishing.publish(following, by=approver)
    change = FactChange.objects.create(
        incident=incident, model="incidents.incident", changes={}, proposed_by=editor
    )
    sign_in_to_desk(client, approver)
    url = reverse("admin:incidents_factchange_confirm", args=[change.pk])
    assert client.post(url).status_code == 403
    change.refresh_from_db()
    assert change.confirmed_at is None


def test_a_superuser_made_a_moment_ago_confirms_nothing_for_the_maker(
    editor, approver, minji, root
):
    User.objects.update(is_superuser=True)
    give(approver, by=editor, confirmed_by=root)
    approver.refresh_from_db()
    grant = RightsGrant.objects.create(user=minji, is_staff=True, asked_by=editor)
    assert not grant.may_be_confirmed_by(approver)
    assert not grant.confirm(approver)


# One person with two accounts


@pytest.mark.parametrize(
    ("email", "is_same"),
    [
        ("kim+2@gmail.com", True),
        ("k.im@googlemail.com", True),
        ("kim@hanbit.example", False),
        ("kimm@gmail.com", False),
    ],
)
def test_accounts_of_one_mailbox_are_named(db, email, is_same):
    one = User.objects.create_user("kim@gmail.com", is_staff=True)
    other = User.objects.create_user(email, is_staff=True)
    assert second_person.same_person(one) == ([other] if is_same else [])


def test_a_further_address_is_of_one_mailbox_too(editor, approver, minji):
    """Codes that go to any proven address open the account."""
    EmailAddress.objects.create(
        user=approver, email=editor.email.replace("@", "+x@"), verified=True
    )
    for one, other in ((editor, approver), (approver, editor)):
        assert "of the same mailbox" in second_person.objection(one, first=[other])
        assert second_person.same_person(one) == [other]
    User.objects.update(is_superuser=True)
    approver.refresh_from_db()
    grant = RightsGrant.objects.create(user=minji, is_staff=True, asked_by=editor)
    assert not grant.may_be_confirmed_by(approver)


def test_the_page_of_a_user_names_the_other_account(client, root):
    one = User.objects.create_user("kim@gmail.com", is_staff=True)
    User.objects.create_user("kim+2@gmail.com", is_staff=True)
    sign_in_to_desk(client, root)
    shown = page_text(client.get(reverse("admin:accounts_user_change", args=[one.pk])))
    assert "kim+2@gmail.com" in shown


def test_two_accounts_of_one_mailbox_are_never_two_people(
    client, draft, editor, approver, root, minji
):
    twin = User.objects.create_user("k.im+2@googlemail.com", is_staff=True, is_superuser=True)
    User.objects.filter(pk=editor.pk).update(email="kim@gmail.com")
    editor.refresh_from_db()
    draft.created_by = editor
    with pytest.raises(decisions.ApprovalRefusedError, match="of the same mailbox"):
        decisions.approve(draft, by=twin)
    grant = RightsGrant.objects.create(user=minji, is_staff=True, asked_by=editor)
    invited = Invitation.objects.create(email="new@hanbit.example", asked_by=editor)
    assert not grant.may_be_confirmed_by(twin)
    assert not invited.may_be_confirmed_by(twin)
    assert grant.may_be_confirmed_by(root)
    sign_in_to_desk(client, twin)
    shown = page_text(client.get(notice_url("approve", draft)))
    assert "of the same mailbox" in shown
    assert 'value="Approve and send"' not in shown
    change = FactChange.objects.create(
        incident=draft.incident,
        model="incidents.incident",
        object_id=draft.incident_id,
        title="x",
        changes={},
        proposed_by=editor,
    )
    for name, row, why in (
        ("incidents_factchange", change, "of the same mailbox"),
        ("accounts_rightsgrant", grant, "Another superuser has to confirm these rights."),
        ("accounts_invitation", invited, "Another superuser has to confirm this invitation."),
    ):
        shown = page_text(client.get(reverse(f"admin:{name}_change", args=[row.pk])))
        assert why in shown
        assert "/confirm/" not in shown
    assert not second_person.objection(approver, first=[editor])


def test_who_adds_a_right_to_a_role_is_no_second_person_of_its_members(client, team, editor):
    """Otherwise a superuser lets a second account of an auditor confirm what the first proposed."""
    second, role = team["auditor"], Group.objects.get(name="auditor")
    sign_in_to_desk(client, editor)
    page = reverse("admin:auth_group_change", args=[role.pk])
    held = list(role.permissions.values_list("pk", flat=True))
    added = Permission.objects.get(codename="confirm_factchange")
    client.post(page, {"name": role.name, "permissions": held})
    assert not second_person.objection(second, first=[editor])
    client.post(page, {"name": role.name, "permissions": [*held, added.pk]})
    assert second.has_perm("incidents.confirm_factchange")
    for one, other in ((second, editor), (editor, second)):
        assert "cannot be two people yet" in second_person.objection(one, first=[other])
    assert not second_person.objection(team["approver"], first=[editor])
    start = f"role:{role.pk}:"
    told = [event for event in team_messages.events() if event.key.startswith(start)]
    assert [event.is_for(editor) for event in told] == [True]
    assert not told[0].is_for(second)
    User.objects.filter(pk=second.pk).update(is_staff=False)
    second.groups.clear()  # one superuser does this alone
    for one, other in ((second, editor), (editor, second)):
        assert "cannot be two people yet" in second_person.objection(one, first=[other])


def test_superusers_are_told_of_a_right_that_a_role_of_the_company_gets(client, editor):
    sign_in_to_desk(client, editor)
    added = Permission.objects.get(codename="confirm_factchange")
    client.post(reverse("admin:auth_group_add"), {"name": "Night shift"})
    role = Group.objects.get(name="Night shift")

    def told() -> list[tuple[str, str]]:
        events = [event for event in team_messages.events() if event.key.startswith("role:")]
        return [(event.key, event.text) for event in events]

    assert told() == []
    page = reverse("admin:auth_group_change", args=[role.pk])
    client.post(page, {"name": role.name, "permissions": [added.pk]})
    first = told()
    assert [text for _key, text in first] == [
        "The rights of the role Night shift were changed by hand."
    ]
    assert told() == first
    client.post(page, {"name": role.name, "permissions": []})
    client.post(page, {"name": role.name, "permissions": [added.pk]})
    assert [text for _key, text in told()] == [text for _key, text in first]
    assert told() != first


# What the approver reads


def test_the_approver_reads_who_has_the_version_already(
    client, notice, server, version, editor, approver
):
    work(notice)
    again = draft_notice(version, editor)
    sign_in_to_desk(client, approver)
    assert approval.already_sent(again) == 2
    text = page_text(client.get(notice_url("approve", again)))
    assert "2 messages with this version were accepted already" in text
    assert approval.already_sent(draft_notice(version, editor, channel="sms")) == 0


def test_the_approver_reads_that_another_notice_of_the_version_waits(
    client, version, people, editor, approver
):
    waiting = draft_notice(version, editor, begins_at=timezone.now() + timedelta(days=1))
    decisions.approve(waiting, by=approver)
    again = draft_notice(version, editor, audience="earlier")
    sign_in_to_desk(client, approver)
    words = "Another notice with this version waits for its time"
    assert words in page_text(client.get(notice_url("approve", again)))
    decisions.cancel(waiting)
    assert words not in page_text(client.get(notice_url("approve", again)))


def test_the_approver_reads_what_differs_from_the_last_version(client, version, editor, approver):
    following = publishing.draft_next(version.statement, by=editor)
    following.title = {"ko": "새로운 안내", "en": "News about your data"}
    following.change_reason = {"ko": "제목을 고쳤습니다.", "en": "Another title."}
    following.save()
    publishing.publish(following, by=approver)
    following.refresh_from_db()
    sign_in_to_desk(client, approver)
    text = page_text(client.get(notice_url("approve", draft_notice(following, editor))))
    assert "What differs from version 1" in text
    assert "<ins>News" in text
    assert "<ins>새로운" in text
    first = page_text(client.get(notice_url("approve", draft_notice(version, editor))))
    assert "What differs" not in first


# Returned with a comment


def test_a_draft_is_returned_with_a_comment(client, draft, editor, approver):
    sign_in_to_desk(client, approver)
    assert client.post(notice_url("return", draft), {"comment": " "}).status_code == 200
    draft.refresh_from_db()
    assert draft.state == State.DRAFT
    client.post(notice_url("return", draft), {"comment": "The <date> is wrong."})
    draft.refresh_from_db()
    assert (draft.state, draft.returned_because) == (State.CANCELLED, "The <date> is wrong.")
    assert "The <date> is wrong." in page_text(client.get(notice_url("history", draft)))
    sign_in_to_desk(client, editor)
    assert "The &lt;date&gt; is wrong." in client.get(notice_url("change", draft)).text
    with pytest.raises(decisions.ApprovalRefusedError):
        decisions.approve(draft, by=approver)


def test_only_a_draft_is_returned_and_only_by_an_approver(client, notice, draft, team):
    sign_in_to_desk(client, team["editor"])
    assert client.post(notice_url("return", notice), {"comment": "x"}).status_code == 403
    sign_in_to_desk(client, team["approver"])
    client.post(notice_url("return", notice), {"comment": "x"})
    notice.refresh_from_db()
    assert (notice.state, notice.returned_because) == (State.PLANNING, "")


# Dates


@pytest.mark.parametrize(
    ("aware", "is_refused"),
    [("2199-01-01", True), ("0203-01-01", True), ("2025-11-01", False)],
)
def test_a_time_of_awareness_that_cannot_be_is_refused(client, root, incident, aware, is_refused):
    sign_in_to_desk(client, root)
    address = reverse("admin:incidents_incident_change", args=[incident.pk])
    response = save(client, address, aware_at_0=aware, aware_at_1="00:00:00")
    form = response.context.get("adminform")
    assert bool(form and form.form.errors.get("aware_at")) == is_refused


@pytest.mark.parametrize(
    ("day", "is_refused"), [("2199-01-01", True), ("0203-01-01", True), ("2025-11-01", False)]
)
def test_a_day_of_the_timeline_that_cannot_be_is_refused(client, root, incident, day, is_refused):
    sign_in_to_desk(client, root)
    address = reverse("admin:statements_timelineentry_add")
    basis = {"basis": "company", "text_ko": "발견", "text_en": "Found", "incident": incident.pk}
    response = client.post(address, basis | {"happened_on": day}, follow=True)
    form = response.context.get("adminform")
    assert bool(form and form.form.errors.get("happened_on")) == is_refused


def test_a_display_of_days_is_met_once_they_have_passed(db, monkeypatch):
    incident = sample.load_sample_incident()
    duty = next(each for each in all_duties() if each.id == "kr-decree-website-30-days")
    notices = StatementVersion.objects.public().filter(statement__incident=incident)
    now = notices.filter(statement__kind="notice").earliest("published_at").published_at
    assert now
    for days, is_met in ((0, False), (29, False), (31, True)):
        moment = now + timedelta(days=days)
        monkeypatch.setattr(timezone, "now", lambda moment=moment: moment)
        (shown,) = deadlines._ClockFacts(incident)._displayed(duty)
        assert (shown.at is not None) == is_met


# What one person may do alone


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_pause_and_only_an_approver_lets_it_go_on(client, notice, team, role):
    sign_in_to_desk(client, team[role])
    assert 'value="Pause"' in page_text(client.get(notice_url("change", notice)))
    assert client.post(notice_url("pause", notice)).status_code == 302
    notice.refresh_from_db()
    assert notice.state == State.PAUSED
    goes_on = client.post(notice_url("resume", notice)).status_code
    assert goes_on == (302 if role == "approver" else 403)


def test_the_author_cancels_an_own_draft_and_no_other(client, version, team, approver):
    own = draft_notice(version, team["editor"])
    other = draft_notice(version, team["importer"])
    sign_in_to_desk(client, team["editor"])
    assert notice_url("cancel", own) in client.get(notice_url("change", own)).text
    assert client.post(notice_url("cancel", other)).status_code == 403
    assert client.post(notice_url("cancel", own)).status_code == 302
    own.refresh_from_db()
    assert own.state == State.CANCELLED
    sent = draft_notice(version, team["editor"])
    decisions.approve(sent, by=approver)
    assert client.post(notice_url("cancel", sent), {"number": sent.pk}).status_code == 403


def add_test(client, version, addresses: str) -> Notice:
    posted = {"version": version.pk, "kind": "mandatory", "audience": "test"}
    client.post(reverse("admin:notices_notice_add"), posted | {"test_addresses": addresses})
    return Notice.objects.latest("pk")


def test_a_test_to_oneself_needs_no_second_person(client, version, team, server):
    editor = team["editor"]
    sign_in_to_desk(client, editor)
    test = add_test(client, version, editor.email)
    assert "Send this test" in page_text(client.get(notice_url("change", test)))
    typed = page_text(client.get(notice_url("approve", test)))
    people = client.get(notice_url("approve", test)).context["counted"].people
    assert "Another person must" not in typed
    approve(client, test, str(people))
    test.refresh_from_db()
    assert (test.state, test.approved_by) == (State.PLANNING, editor)
    work(test)
    assert {to for mail in server.taken for to in [mail.to]} == {editor.email}


@pytest.mark.parametrize("other", ["minji@example.com", "editor@hanbit.example\nminji@example.com"])
def test_a_test_to_others_needs_a_second_person(client, version, team, other):
    sign_in_to_desk(client, team["editor"])
    test = add_test(client, version, other)
    assert not is_own_test(test, team["editor"])
    assert client.get(notice_url("approve", test)).status_code == 403
    with pytest.raises(decisions.ApprovalRefusedError, match="Another person"):
        decisions.approve(test, by=team["editor"])
