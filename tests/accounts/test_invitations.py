"""Invitations to the response team: two superusers, one link, a name, a second factor, the desk."""

import logging
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts import second_person
from accounts.models import AuditEntry, Invitation, RightsGrant, User
from accounts.team import invitations
from breachportal.demo.app_codes import code_at
from foundations.logs import Line
from harness.sign_in import sign_in, sign_in_to_desk
from incidents.desk_parts import general_tasks
from tests.database import a_lock_is_waited_for
from tests.desk_pages import desk_url, page_text

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
INVITED = "jiwoo@hanbit.example"


def desk_of(staff: User) -> Client:
    client = Client()
    sign_in_to_desk(client, staff)
    return client


def invite(by: User, email: str = INVITED, roles: tuple[str, ...] = ("support",)):
    groups = Group.objects.filter(name__in=roles).values_list("pk", flat=True)
    form = {"email": email, "groups": list(groups), "language": "en"}
    return desk_of(by).post(desk_url("accounts_invitation_add"), form)


def act(by: User, step: str, invitation: Invitation) -> int:
    return desk_of(by).post(desk_url(f"accounts_invitation_{step}", invitation.pk)).status_code


def link_in_mail() -> str:
    found = re.search(r"^ +https?://[^/]+(/\S+)$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


@pytest.fixture
def invitation(editor) -> Invitation:
    assert invite(editor).status_code == 302
    return Invitation.objects.get()


@pytest.fixture
def sent(invitation, approver) -> Invitation:
    assert act(approver, "confirm", invitation) == 302
    invitation.refresh_from_db()
    return invitation


def accept(client: Client, link: str, name: str = "Jiwoo Han"):
    opened: Any = client.get(link)
    assert opened.url == reverse("invitation")
    return client.post(reverse("invitation"), {"name": name})


@pytest.mark.django_db(transaction=True)
def test_a_passkey_that_is_added_while_the_invitation_is_accepted_does_not_stay(editor, approver):
    """With a code by mail alone a customer makes it, and on the desk it is a second factor."""
    customer = User.objects.create_user(INVITED)
    now = timezone.now()
    Invitation.objects.create(
        email=INVITED,
        asked_by=editor,
        confirmed_by=approver,
        confirmed_at=now,
        expires_at=now + timedelta(days=1),
    )
    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=customer.pk)  # as the page does
        accepted = threads.submit(accept_alone)
        while not accepted.done() and not a_lock_is_waited_for():
            time.sleep(0.05)
        Authenticator.objects.create(user=customer, type="webauthn", data={"credential": {}})
    assert accepted.result() == customer
    assert not Authenticator.objects.filter(user=customer).exists()


def accept_alone() -> User:
    try:
        return invitations.accept_proven(INVITED, "Jiwoo Han")
    finally:
        connection.close()


# Two superusers


def test_an_invitation_waits_for_another_superuser(invitation, editor, approver, seojun):
    assert invitation.state == Invitation.State.WAITING
    assert mail.outbox == []
    assert act(editor, "confirm", invitation) == 403
    assert act(editor, "send", invitation) == 302
    assert mail.outbox == []
    assert not User.objects.filter(email=INVITED).exists()
    with override("en"):
        words = [task.words for task in general_tasks()]
    assert f"Confirm the invitation of {INVITED}" in words
    assert act(approver, "confirm", invitation) == 302
    assert [message.to for message in mail.outbox] == [[INVITED]]


def test_a_superuser_who_was_just_made_confirms_nothing_of_the_maker(invitation, editor, approver):
    root = User.objects.create_user("root@hanbit.example", is_staff=True, is_superuser=True)
    now = timezone.now()
    RightsGrant.objects.create(
        user=root, is_superuser=True, asked_by=editor, confirmed_by=approver, confirmed_at=now
    )
    assert act(root, "confirm", invitation) == 403
    assert mail.outbox == []


def test_the_database_refuses_one_person_as_both(invitation, editor):
    invitation.confirmed_by, invitation.confirmed_at = editor, timezone.now()
    with pytest.raises(IntegrityError), transaction.atomic():
        invitation.save()


@pytest.mark.parametrize("role", ["importer", "editor", "approver", "support", "auditor"])
def test_no_role_invites_confirms_sends_or_withdraws(sent, editor, role):
    member = User.objects.create_user(f"{role}@hanbit.example", is_staff=True)
    member.groups.add(Group.objects.get(name=role))
    assert invite(member, "other@hanbit.example").status_code == 403
    for step in ("confirm", "send", "withdraw"):
        assert act(member, step, sent) == 403
    assert Invitation.objects.get().state == Invitation.State.SENT
    assert len(mail.outbox) == 1


def test_the_page_names_accounts_of_the_same_mailbox(editor, approver):
    User.objects.create_user("jiwoo+desk@hanbit.example", is_staff=True)
    invite(editor)
    pk = Invitation.objects.get().pk
    assert "jiwoo+desk@hanbit.example" in page_text(
        desk_of(approver).get(desk_url("accounts_invitation_change", pk))
    )


@pytest.mark.parametrize(
    ("email", "why"),
    [
        ("approver@breachportal.example", "has an account here"),
        ("closed@hanbit.example", "has an account here"),
        ("JIWOO@hanbit.example", "is pending"),
        ("jiwoo", "Enter a valid email address"),
    ],
)
def test_an_address_that_cannot_be_invited_is_refused(invitation, editor, approver, email, why):
    User.objects.create_user("closed@hanbit.example", is_active=False)
    shown = page_text(invite(editor, email))
    assert why in shown
    assert Invitation.objects.count() == 1


# The link


def test_the_link_leads_through_name_and_second_factor_to_the_desk(client, sent, editor, approver):
    response = accept(client, link_in_mail())
    assert response.url == reverse("mfa_activate_totp")
    page = client.get(response.url)
    assert "data:image/svg+xml;base64," in page.text
    code = code_at(page.context["form"].secret, time.time())
    response = client.post(response.url, {"code": code})
    assert response.url == reverse("mfa_view_recovery_codes")
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    assert all(each in client.get(response.url).text for each in codes)
    assert client.get(reverse("admin:index")).status_code == 200
    user = User.objects.get(email=INVITED)
    assert (user.name, user.is_staff, user.is_superuser) == ("Jiwoo Han", True, False)
    assert [group.name for group in user.groups.all()] == ["support"]
    assert user.verified_emails() == [INVITED]
    sent.refresh_from_db()
    assert (sent.state, sent.user) == (Invitation.State.ACCEPTED, user)
    assert "Jiwoo Han" in client.get(reverse("admin:index")).text
    for giver in (editor, approver):
        assert second_person.objection(user, first=[giver])


def test_the_link_works_once(client, sent):
    link = link_in_mail()
    accept(client, link)
    second = Client()
    assert second.get(link).status_code == 410
    assert second.post(reverse("invitation"), {"name": "Thief"}).status_code == 410
    assert User.objects.filter(is_staff=True).count() == 3


def test_opening_the_link_accepts_nothing(client, sent):
    for _ in range(3):
        assert Client().get(link_in_mail()).status_code == 302
    assert not User.objects.filter(email=INVITED).exists()
    assert accept(client, link_in_mail()).status_code == 302


def test_an_expired_link_gives_nothing_until_a_new_one_is_sent(client, sent, editor):
    old = link_in_mail()
    client.get(old)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.post(reverse("invitation"), {"name": "Jiwoo"}).status_code == 410
    with pytest.raises(invitations.InvitationClosedError):
        invitations.accept(old.rstrip("/").rpartition("/")[2], "Jiwoo")
    assert not User.objects.filter(email=INVITED).exists()
    assert "expired" in page_text(desk_of(editor).get(desk_url("accounts_invitation_changelist")))
    assert act(editor, "send", sent) == 302
    assert Client().get(old).status_code == 410
    assert accept(client, link_in_mail()).status_code == 302


def test_a_withdrawn_invitation_opens_nothing_and_the_address_can_be_invited_again(
    client, sent, editor
):
    client.get(link_in_mail())
    assert act(editor, "withdraw", sent) == 302
    assert client.post(reverse("invitation"), {"name": "Jiwoo"}).status_code == 410
    assert act(editor, "send", sent) == 302
    assert len(mail.outbox) == 1
    assert not User.objects.filter(email=INVITED).exists()
    assert invite(editor).status_code == 302


def test_an_accepted_invitation_cannot_be_withdrawn(client, sent, editor):
    accept(client, link_in_mail())
    act(editor, "withdraw", sent)
    sent.refresh_from_db()
    assert sent.state == Invitation.State.ACCEPTED


def test_another_persons_session_ends_before_the_invited_person_is_signed_in(client, sent, minji):
    link = link_in_mail()
    sign_in(client, minji.email)
    accept(client, link)
    assert client.session["_auth_user_id"] == str(User.objects.get(email=INVITED).pk)
    assert client.get(reverse("mfa_activate_totp")).status_code == 200


def test_a_customer_who_is_invited_keeps_the_account(client, editor, approver, minji):
    invite(editor, minji.email)
    act(approver, "confirm", Invitation.objects.get())
    accept(client, link_in_mail())
    minji.refresh_from_db()
    assert minji.is_staff
    assert [group.name for group in minji.groups.all()] == ["support"]


def test_an_account_that_was_deactivated_meanwhile_gets_no_rights(client, editor, approver, minji):
    invite(editor, minji.email)
    act(approver, "confirm", Invitation.objects.get())
    User.objects.filter(pk=minji.pk).update(is_active=False)
    assert accept(client, link_in_mail()).status_code == 410
    minji.refresh_from_db()
    assert not minji.is_staff


@pytest.mark.parametrize("name", ["", "  ", "a\u200bb", "x" * 101])
def test_a_name_that_cannot_be_shown_is_refused(client, sent, name):
    assert accept(client, link_in_mail(), name).status_code == 200
    assert not User.objects.filter(email=INVITED).exists()


def test_a_mail_that_the_server_refuses_leaves_the_invitation_unsent(
    invitation, approver, settings
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.CODE_MAIL_SERVER = {"host": "127.0.0.1", "port": 1}
    answer = desk_of(approver).post(
        desk_url("accounts_invitation_confirm", invitation.pk), follow=True
    )
    assert "did not take the mail" in answer.text
    invitation.refresh_from_db()
    assert invitation.state == Invitation.State.NOT_SENT


# Secrets and the record


def test_the_database_holds_only_the_hash_of_the_link(sent):
    token = link_in_mail().rstrip("/").rpartition("/")[2]
    assert len(token) >= 43
    assert token.encode() not in bytes(sent.token_hash)
    assert len(bytes(sent.token_hash)) == 32
    details = str(list(AuditEntry.objects.values_list("details", flat=True)))
    assert token not in details
    assert bytes(sent.token_hash).hex() not in details


def test_each_step_is_in_the_audit_trail(empty_trail, client, editor, approver):
    invite(editor)
    invitation = Invitation.objects.get()
    act(approver, "confirm", invitation)
    act(editor, "send", invitation)
    accept(client, link_in_mail())
    found = AuditEntry.objects.filter(object_type="accounts_invitation").order_by("id")
    steps = [(entry.kind, entry.actor, sorted(entry.details)) for entry in found]
    changed = [(actor, columns) for kind, actor, columns in steps if kind == "changed"]
    assert steps[0][:2] == ("added", editor.email)
    assert changed[0] == (approver.email, ["confirmed_at", "confirmed_by_id"])
    assert (editor.email, ["expires_at", "sent_at", "token_hash"]) in changed
    assert changed[-1] == (INVITED, ["accepted_at", "token_hash", "user_id"])
    given = AuditEntry.objects.filter(object_type="accounts_user", actor=INVITED)
    assert [entry.details for entry in given if "is_staff" in entry.details] == [
        {"is_staff": [False, True], "name": ["", "Jiwoo Han"]}
    ]


def test_the_mail_is_in_the_language_of_the_invitation(sent, editor):
    assert mail.outbox[-1].subject.endswith("invitation to the response team")
    Invitation.objects.update(language="ko")
    act(editor, "send", sent)
    assert "초대" in mail.outbox[-1].subject
    assert "/ko/account/invitation/" in mail.outbox[-1].body


def test_no_log_line_of_the_portal_or_of_nginx_holds_the_token(client, sent):
    path = link_in_mail()
    token = path.rstrip("/").rpartition("/")[2]
    record = logging.LogRecord("django.request", logging.WARNING, "", 1, f"Gone: {path}", (), None)
    assert token not in Line("%(message)s").format(record)
    site = (ROOT / "deploy" / "nginx" / "breachportal.conf").read_text(encoding="utf-8")
    not_logged = re.findall(r"^ +~(\S+) 0;$", site, re.MULTILINE)
    assert any(re.search(pattern, path) for pattern in not_logged)
    shown = client.get(path, follow=True)
    assert token not in shown.text
    assert token not in shown.request["PATH_INFO"]
