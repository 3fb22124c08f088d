"""A reason leads to each page of a customer, and what it may hold: the audit trail keeps it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client, RequestFactory
from django.utils import timezone
from django.utils.translation import override

from accounts import desk_look_ups
from accounts.admin import OfAnAccount
from accounts.audit import refusals
from accounts.company_sign_on.identities import CompanyIdentity
from accounts.desk_api.tokens import ApiToken
from accounts.desk_look_ups import LookUpReasonForm
from accounts.models import AuditEntry, User, VerifiedPhone
from harness.sign_in import give_app, sign_in_to_desk
from incidents import team_messages
from incidents.admin.person_forms import (
    EndAddressChangeForm,
    LiftMarkForm,
    MarkPersonForm,
    NewAddressForm,
)
from incidents.models import AddressChange, AffectedPerson, PersonMark
from notices.forms.suppression import LiftSuppressionForm, SuppressionForm
from notices.models import Suppression
from scams.models import ScamReport
from tests.desk_pages import desk_url, page_text, say_why
from tickets import correspondence

pytest_plugins = ["tests.notice_fixtures"]
ASKED = "Reason for the look-up"
NO_INLINES = {
    f"{name}-{kind}_FORMS": "0"
    for name in ("emailaddress_set", "phones")
    for kind in ("TOTAL", "INITIAL")
}
# They name who wrote or asked, and are no rows of an account. A ticket has no page that deletes it.
OF_OTHER_THINGS = {
    *("statements.statementversion", "statements.regulatorreport", "tickets.ticket"),
    "incidents.savedmapping",
}


@pytest.mark.parametrize(
    "reason",
    [
        "Call on 2026-11-29 10:30",
        "Ticket 2345-6789 2026",
        "Ticket 20261129",
        "Tickets 12345678, 23456789",
        "2026. 11. 29. 통화, 접수 12345678",
        "29.11.2026 14:05:10, 11/29/2026 2:05",
        "2026-11-29 2026-11-30 2026-12-01",
    ],
)
def test_a_date_or_a_ticket_is_a_reason(reason):
    assert LookUpReasonForm({"reason": reason}).is_valid()


@pytest.mark.parametrize(
    "reason",
    [
        "minji@example.com asks",
        "call 010-1234-5678.",
        "Tel:010/1234/5678",
        "010 1234 5678",
        "7 010 1234 5678",
        "on 2026-11-29 10:30 010 1234 5678",
        "+82 (0)10 1234 5678",
        "（０１０）１２３４‐５６７８",
        "010–1234–5678",
        "번호01012345678로 전화",
        "900101-1234567",
        "1234 5678 9012 3456",
        "02-345-6789 home",
    ],
)
def test_a_reason_names_no_address_or_number_of_the_customer(reason):
    assert "reason" in LookUpReasonForm({"reason": reason}).errors


def test_no_stored_reason_or_note_about_a_person_names_a_contact(people, editor):
    """They are not encrypted, and outlive the keyset of a shredded incident."""
    typed = {"reason": "call of 010-1234-5678", "note": "It is minji@example.com now."}
    forms = [
        MarkPersonForm(typed, person=people["minji"], by=editor),
        LiftMarkForm(typed, mark=PersonMark(), by=editor),
        NewAddressForm(typed, person=people["minji"], by=editor),
        EndAddressChangeForm(typed, change=AddressChange(), by=editor),
        SuppressionForm(typed),
        LiftSuppressionForm(typed, entry=Suppression(), by=editor),
    ]
    with override("en"):
        for form in forms:
            assert "no address or number" in str(form.errors["reason"])
        assert "no address or number" in str(forms[0].errors["note"])


@pytest.fixture
def desk(client: Client):
    """Returns the function that signs a member of the team in to the desk."""

    def open_as(user: User) -> Client:
        sign_in_to_desk(client, user)
        return client

    return open_as


def test_the_address_of_a_persons_page_asks_for_the_reason(
    desk, team, people, empty_trail, monkeypatch
):
    support, minji = desk(team["support"]), people["minji"]
    address = desk_url("incidents_affectedperson_change", minji.pk)
    shown = page_text(support.get(address))
    assert ASKED in shown
    assert "This person has no mark." not in shown
    support.post(address, {"kind": "minor", "reason": "x"})
    refused = support.post(address, {"look_up-reason": "call of minji@example.com"})
    assert "no address or number" in page_text(refused)
    assert not PersonMark.objects.exists()
    assert not AuditEntry.objects.filter(kind="look_up").exists()
    say_why(support, address)
    assert "This person has no mark." in page_text(support.get(address))
    entry = AuditEntry.objects.get(kind="look_up")
    assert (entry.actor_id, entry.object_id) == (team["support"].pk, str(minji.pk))
    assert entry.details == {"found": 1, "reason": "Ticket 7QK2-X9ND"}
    assert ASKED in page_text(
        support.get(desk_url("incidents_affectedperson_change", people["seojun"].pk))
    )
    monkeypatch.setattr(desk_look_ups, "OPEN_FOR", 0)
    assert ASKED in page_text(support.get(address))


def test_a_mark_is_not_lifted_by_an_address_that_no_look_up_led_to(desk, team, people):
    minji = people["minji"]
    mark = PersonMark.objects.create(
        incident=minji.incident, person=minji, kind="minor", reason="x", marked_by=team["support"]
    )
    lift = desk_url("incidents_affectedperson_lift", minji.pk, mark.pk)
    assert desk(team["support"]).post(lift, {"reason": "x"}).status_code == 302
    mark.refresh_from_db()
    assert mark.lifted_at is None


def test_the_account_of_a_customer_asks_for_the_reason_and_is_for_superusers(
    desk, team, editor, minji, empty_trail
):
    VerifiedPhone.objects.create(user=minji, number="+821012345601")
    address = desk_url("accounts_user_change", minji.pk)
    auditor = desk(team["auditor"])
    assert auditor.get(address).status_code == 302
    assert minji.email not in page_text(auditor.get(desk_url("accounts_user_changelist")))
    assert auditor.get(desk_url("accounts_verifiedphone_changelist")).status_code == 403
    superuser = desk(editor)
    for number in (minji.pk, f"_2B{minji.pk}", f"{minji.pk}_0A"):  # quoted: +, and a line's end
        for page in ("change", "delete", "history"):
            at = f"/admin/accounts/user/{number}/{page}/"
            shown = page_text(superuser.get(at))
            assert ASKED in shown, at
            assert "+82" not in shown
            assert ASKED in page_text(superuser.post(at, {"post": "yes"}))
    chosen = {"action": "delete_selected", "_selected_action": minji.pk, "post": "yes"}
    superuser.post(desk_url("accounts_user_changelist"), chosen)
    assert User.objects.filter(pk=minji.pk).exists()
    say_why(superuser, address)
    assert minji.email in page_text(superuser.get(address))
    assert page_text(superuser.get(desk_url("accounts_user_change", team["support"].pk)))
    entry = AuditEntry.objects.get(kind="look_up")
    assert (entry.object_type, entry.object_id) == ("accounts_user", str(minji.pk))


@pytest.mark.parametrize(
    "asked",
    [
        "accounts_user_changelist?email=minji@example.com",
        "accounts_user_changelist?email__startswith=z",
        "accounts_user_changelist?groups__user__email__startswith=m",
        "accounts_verifiedphone_changelist?number__endswith=5678",
        "mfa_authenticator_changelist?data__secret__startswith=a",
        "incidents_addresschange_changelist?reason__contains=Called",
    ],
)
def test_no_list_says_whether_it_holds_what_a_page_shows_after_a_reason(desk, editor, minji, asked):
    VerifiedPhone.objects.create(user=minji, number="+821012345678")
    page, _mark, query = asked.partition("?")
    answer = desk(editor).get(f"{desk_url(page)}?{query}")
    assert answer.status_code == 400  # with a hit and without one


def test_the_desks_log_names_no_customer(desk, editor, minji):
    """It is never deleted, and the account of the customer is."""
    phone = VerifiedPhone.objects.create(user=minji, number="+821012345601")
    superuser = desk(editor)
    say_why(superuser, desk_url("accounts_user_change", minji.pk))
    asked = {"post": "yes", "reason": "Asked to"}
    superuser.post(desk_url("accounts_verifiedphone_delete", phone.pk), asked)
    superuser.post(desk_url("accounts_user_delete", minji.pk), asked)
    assert not User.objects.filter(pk=minji.pk).exists()
    kept = [(one.object_repr, one.change_message) for one in LogEntry.objects.order_by("pk")]
    names = [f"verified phone {phone.pk}", f"user {minji.pk}"]
    assert kept == [(name, "Asked to") for name in names]


def takings(approver: User, minji: User) -> dict[str, tuple[str, dict[str, object], Any]]:
    """Returns by name each act that takes something from an account: its page, what it posts, and
    the rows that it changes."""
    phone = VerifiedPhone.objects.create(user=minji, number="+821012345601")
    give_app(approver)
    factor = Authenticator.objects.get(user=approver)
    browser = Client()
    browser.force_login(approver)
    key = browser.session.session_key
    session = UserSession.objects.create(user=approver, ip="127.0.0.1", session_key=key)
    identity = CompanyIdentity.objects.create(user=approver, issuer="https://x", subject="x")
    token = ApiToken.objects.create(
        label="SOC", digest=b"x" * 32, made_by=approver, expires_at=timezone.now()
    )
    user = {"language": "en", "is_staff": "on", "is_superuser": "on", **NO_INLINES}
    changed, post = "accounts_user_change", {"post": "yes"}
    return {
        "number": ("accounts_verifiedphone_delete", post, phone),
        "account": ("accounts_user_delete", post, minji),
        "second factor": ("mfa_authenticator_delete", post, factor),
        "session": ("accounts_user_sessions", {"session": session.pk}, session),
        "connection": ("accounts_companyidentity_remove", {}, identity),
        "token": ("accounts_apitoken_revoke", {}, token),
        "deactivated": (changed, user, approver),
        "a right": (changed, {**user, "is_active": "on", "is_superuser": ""}, approver),
    }


@pytest.mark.parametrize(
    "what",
    [
        *("number", "account", "second factor", "session", "connection", "deactivated"),
        *("a right", "token"),
    ],
)
def test_each_act_that_takes_something_from_an_account_has_a_reason(
    desk, editor, approver, minji, what
):
    superuser = desk(editor)
    page, posted, row = takings(approver, minji)[what]
    address = desk_url(page, approver.pk if what == "session" else row.pk)
    if what in ("number", "account"):
        say_why(superuser, address)
    rows = type(row)._default_manager.filter(pk=row.pk)
    before = rows.values().get()
    for refused in ({}, {"reason": ""}, {"reason": "minji@example.com"}):
        superuser.post(address, {**posted, **refused})
        assert rows.values().get() == before, refused
    superuser.post(address, {**posted, "reason": "A lost laptop"})
    assert rows.values().first() != before
    entries = AuditEntry.objects.filter(kind="desk", actor_id=editor.pk)
    assert any("A lost laptop" in str(entry.details) for entry in entries)


def test_no_page_of_the_desk_deletes_rows_of_an_account_without_a_reason(editor):
    request = RequestFactory().get("/admin/")
    request.user = editor  # a superuser
    deleting = {
        model._meta.label_lower
        for model, each in admin.site._registry.items()
        if each.has_delete_permission(request) and not isinstance(each, OfAnAccount)
        if any(field.related_model is User for field in model._meta.fields) or model is User
    }
    inlines = [
        inline
        for each in admin.site._registry.values()
        for inline in each.get_inline_instances(request)
        if any(field.related_model is User for field in inline.model._meta.fields)
    ]
    assert deleting == OF_OTHER_THINGS
    assert not any(each.can_delete and each.has_delete_permission(request) for each in inlines)


def test_each_view_of_a_scam_report_is_in_the_trail(desk, team, incident, settings, empty_trail):
    report = ScamReport.objects.create(incident=incident, channel="sms")
    page_text(desk(team["support"]).get(desk_url("scams_scamreport_change", report.pk)))
    entry = AuditEntry.objects.get(kind="reveal")
    assert (entry.actor_id, entry.object_id) == (team["support"].pk, str(report.pk))
    settings.LOOK_UPS_PER_DAY = 1
    desk_look_ups.require_few(team["support"], AffectedPerson)  # a report is of no customer


def test_who_opens_too_many_customers_is_refused_and_the_superusers_get_a_message(
    desk, team, people, minji, editor, settings, empty_trail, monkeypatch
):
    """A program with the session of a member could read a list of addresses one by one."""
    settings.LOOK_UPS_PER_DAY = 12
    ticket = correspondence.ask(
        minji, people["minji"].incident, kind="access", text="Mine?", language="en", key=uuid4()
    )
    support, member = desk(team["support"]), team["support"]
    address = desk_url("incidents_affectedperson_changelist")
    asked = {"asked": "minji@example.com", "reason": "A call"}

    assert [support.post(address, asked).status_code for _each in range(3)] == [200] * 3
    refused = support.post(address, asked)
    assert refused.status_code == 403
    assert "data of 3 customers" in refused.content.decode()
    assert str(people["minji"].pk) not in refused.content.decode()
    of_ticket = desk_url("tickets_ticket_change", ticket.pk)
    assert support.get(of_ticket).status_code == 403
    [event] = [one for one in team_messages.events() if one.key.startswith("look-ups:")]
    assert member.contact in event.text
    assert event.is_for(editor)
    assert not event.is_for(member)
    in_an_hour = timezone.now() + timedelta(minutes=61)
    monkeypatch.setattr(timezone, "now", lambda: in_an_hour)
    settings.LOOK_UPS_PER_DAY = 4
    assert [support.get(of_ticket).status_code for _each in range(5)] == [200] * 5  # one customer
    assert support.post(address, asked).status_code == 403


def test_provoked_refusals_do_not_hide_that_look_ups_were_refused(
    desk, team, people, settings, empty_trail, monkeypatch
):
    monkeypatch.setattr(refusals, "MOST", 3)
    settings.LOOK_UPS_PER_DAY = 4
    support = desk(team["support"])
    for _each in range(5):
        assert support.get(desk_url("accounts_auditentry_changelist")).status_code == 403
    asked = {"asked": "minji@example.com", "reason": "A call"}
    for _each in range(5):
        support.post(desk_url("incidents_affectedperson_changelist"), asked)
    told = AuditEntry.objects.too_many_look_ups(timezone.now() - timedelta(hours=1))
    assert told.count() == 3
