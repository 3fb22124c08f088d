"""A page whose task is over says who did it and when, and leads to its object: no 404.

A new page of the desk fails here until it is named as a task or as a page without an end.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.cache import cache
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from django.utils.translation import gettext, override

from accounts.desk_api.tokens import ApiToken
from accounts.models import AuditEntry, CompanyIdentity, Invitation, RightsGrant, User
from harness.sign_in import sign_in_to_desk, step_up
from incidents.models import (
    AddressChange,
    BatchWithdrawal,
    ExposureBatch,
    FactChange,
    Incident,
    PersonMark,
    RetentionDecision,
    Upload,
    WriteOff,
)
from notices.models import Notice, Suppression
from offers.models import Offer
from scams.models import ScamReport
from statements.legal import laws
from statements.models import DutyConfirmation, RegulatorReport, StatementVersion
from tests.database import without_triggers
from tests.desk.test_role_limits import PAGES, world  # noqa: F401  a fixture
from tests.desk_pages import desk_url, page_text, say_why
from tickets.models import Ticket

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english", "world")]


class Over(NamedTuple):
    """An object whose task is over, what the message says, and the arguments of the page."""

    row: Model
    says: str
    arguments: tuple[Any, ...] = ()  # after the key of the row
    address: tuple[Any, ...] = ()  # in place of it


def set_to(model: type[Model], **columns: Any) -> Any:
    """Returns the first row of the model with these columns, past the triggers."""
    row = model._default_manager.order_by("pk")[0]
    with without_triggers():
        model._default_manager.filter(pk=row.pk).update(**columns)
    row.refresh_from_db()
    return row


def confirmed(model: type[Model]) -> Callable[[User], Over]:
    def make(by: User) -> Over:
        row = set_to(model, confirmed_by=by, confirmed_at=timezone.now())
        return Over(row, f"Confirmed already ({by}, ")

    return make


def published(*arguments: Any) -> Callable[[User], Over]:
    def make(_by: User) -> Over:
        row = StatementVersion.objects.filter(state="published").earliest("pk")
        return Over(row, f"Published already ({row.approved_by}, ", arguments)

    return make


def closed_notice(_by: User) -> Over:
    row = Notice.objects.get(state="closed")
    state = "Its state: closed: each person has a result."
    return Over(row, f"{state} Approved already ({row.approved_by}, ")


def draft_notice(_by: User) -> Over:
    row = Notice.objects.get(state="draft")
    return Over(row, "This notice is not approved yet")


def ended_upload(_by: User) -> Over:
    return Over(set_to(Upload, state="discarded"), "Thrown away")


def version_of_data(state: str) -> Callable[[User], Over]:
    return lambda _by: Over(set_to(ExposureBatch, state=state), state.capitalize())


def lifted_mark(by: User) -> Over:
    mark = set_to(PersonMark, lifted_by=by, lifted_at=timezone.now(), lifted_reason="x")
    return Over(mark.person, f"Lifted already ({by}, ", (mark.pk,))


def lifted_suppression(by: User) -> Over:
    row = set_to(Suppression, lifted_by=by, lifted_at=timezone.now())
    return Over(row, f"Lifted already ({by}, ")


def ended_address(by: User) -> Over:
    now = timezone.now()
    columns = {"confirmed_by": by, "confirmed_at": now, "ended_by": by, "ended_at": now}
    return Over(set_to(AddressChange, **columns), f"Ended already ({by}, ")


def withdrawn_duty(by: User) -> Over:
    columns = {"withdrawn_by": by, "withdrawn_at": timezone.now(), "withdrawn_reason": "x"}
    return Over(set_to(DutyConfirmation, **columns), f"Withdrawn already ({by}, ")


def confirmed_duty(_by: User) -> Over:
    row = set_to(DutyConfirmation, duty=laws.all_duties()[0].id)
    says = f"Confirmed already ({row.confirmed_by}, "
    return Over(row, says, address=(row.incident_id, row.duty))


def filed_report(by: User) -> Over:
    columns = {"state": "filed", "filed_by": by, "filed_at": timezone.now(), "reference": "x"}
    return Over(set_to(RegulatorReport, **columns), f"Filed already ({by}, ")


def draft_report(_by: User) -> Over:
    return Over(RegulatorReport.objects.get(), "This report is not filed yet")


def revoked_token(by: User) -> Over:
    now = timezone.now()
    columns = {"made_by": by, "expires_at": now, "revoked_at": now, "digest": b"x" * 32}
    return Over(ApiToken.objects.create(label="SOC", **columns), "Revoked already")


def removed_identity(by: User) -> Over:
    now = timezone.now()
    columns = {"removed_by": by, "removed_at": now, "allowed_by": by, "allowed_at": now}
    row = CompanyIdentity.objects.create(user=by, issuer="https://x", subject="x", **columns)
    return Over(row, f"Removed already ({by}, ")


def allowed_identity(by: User) -> Over:
    return removed_identity(by)._replace(says=f"Allowed already ({by}, ")


def closed_ticket(by: User) -> Over:
    incident = Incident.objects.get()
    due = timezone.now().date()
    row = Ticket.objects.create(user=by, incident=incident, kind="question", due_on=due)
    return Over(set_to(Ticket, state="closed") and row, "Closed already")


TASKS: dict[str, Callable[[User], Over]] = {
    "accounts_apitoken_revoke": revoked_token,
    "accounts_companyidentity_allow": allowed_identity,
    "accounts_companyidentity_remove": removed_identity,
    "accounts_invitation_confirm": confirmed(Invitation),
    "accounts_invitation_send": lambda _by: Over(Invitation.objects.get(), "Waits"),
    "accounts_invitation_withdraw": lambda _by: Over(
        set_to(Invitation, withdrawn_at=timezone.now()), "Withdrawn"
    ),
    "tickets_ticket_close": closed_ticket,
    "scams_scamreport_dismiss": lambda _by: Over(
        set_to(ScamReport, state="dismissed"), "Dismissed"
    ),
    **{
        f"notices_notice_{act}": closed_notice
        for act in (
            *("approve", "return", "count", "pause", "resume", "limits", "change_plan"),
            *("destination", "next_step", "cancel", "own_test"),
        )
    },
    **{
        f"notices_notice_{act}": draft_notice
        for act in ("proof", "not_reached", "letters", "letter_reports", "summary")
    },
    "notices_suppression_lift": lifted_suppression,
    "statements_dutyconfirmation_confirm": confirmed_duty,
    "statements_dutyconfirmation_withdraw": withdrawn_duty,
    "statements_regulatorreport_file": filed_report,
    "statements_regulatorreport_supplement": draft_report,
    "statements_statementversion_publish": published(),
    "statements_statementversion_waive": published(),
    "statements_statementversion_withdraw_waiver": published("x"),
    "offers_offer_codes": lambda _by: Over(
        set_to(Offer, has_codes=False), "This offer has no codes"
    ),
    **{
        f"{name}_{act}": confirmed(model)
        for name, model in (
            ("accounts_rightsgrant", RightsGrant),
            ("incidents_batchwithdrawal", BatchWithdrawal),
            ("incidents_writeoff", WriteOff),
            ("incidents_factchange", FactChange),
            ("incidents_retentiondecision", RetentionDecision),
            ("incidents_addresschange", AddressChange),
        )
        for act in ("confirm", "withdraw")
    },
    "incidents_addresschange_end": ended_address,
    "incidents_exposurebatch_close": version_of_data("closed"),
    "incidents_exposurebatch_withdraw": version_of_data("withdrawn"),
    "incidents_affectedperson_lift": lifted_mark,
    "incidents_incident_take_shred_request_back": lambda _by: Over(
        Incident.objects.get(), "No request to shred the data stands"
    ),
    **{
        f"incidents_upload_{act}": ended_upload
        for act in ("columns", "import", "discard", "rejects")
    },
}
# Pages that are read, lists, forms that say in themselves why they cannot be sent, and acts that
# can be done again, such as opening a draft.
WITHOUT_END = {
    *("index", "login", "jsi18n", "view_on_site", "app_list", "autocomplete", "auth_group_matrix"),
    *("health", "examine", "accounts_auditentry_export", "accounts_user_sessions"),
    *("tickets_ticket_take", "tickets_ticket_note", "tickets_ticket_extend"),
    *("scams_scamreport_warn", "notices_delivery_resend", "notices_notice_progress"),
    *("notices_notice_preview", "notices_notice_html", "notices_notice_in_doubt"),
    *("notices_notice_taken_back", "notices_suppression_look_up"),
    *("statements_dutyconfirmation_clocks", "statements_dutyconfirmation_conditions"),
    *("statements_regulatorreport_pdf", "statements_statement_draft"),
    *("statements_statementversion_mail", "statements_statementversion_draft_correction"),
    "statements_statementversion_own_test",
    *("statements_statementversion_preview", "statements_statementversion_previews"),
    *("statements_statementversion_live_lint", "notices_notice_audience"),  # a script asks them
    *("offers_offer_counts", "incidents_incident_messages", "incidents_incident_page"),
    *("incidents_incident_guide_start", "incidents_incident_guide"),
    *("incidents_incident_retention", "incidents_incident_propose_retention"),
    *("incidents_incident_start_deletion", "incidents_incident_shred"),
    *("incidents_affectedperson_address", "incidents_savedmapping_file"),
}


def test_each_page_is_a_task_or_has_no_end():
    assert {*TASKS} | WITHOUT_END == {*PAGES}
    assert not {*TASKS} & WITHOUT_END


@pytest.fixture
def desk(client: Client, approver: User) -> Client:
    sign_in_to_desk(client, approver)
    step_up(client, approver)
    client.cookies["language"] = "en"
    return client


def test_a_page_of_a_task_that_is_over_says_who_did_it_and_leads_to_its_object(
    desk, team, approver
):
    """One test asks all pages: to make their rows takes longer than to ask them."""
    for name in TASKS:
        with transaction.atomic():
            step_up(desk, approver)  # which ends after minutes, and a busy machine takes them
            assert_says_that_it_is_over(desk, name, by=team["approver"])
            transaction.set_rollback(True)
        cache.clear()


def assert_says_that_it_is_over(desk: Client, name: str, *, by: User) -> None:
    """Ends the task of the page and asks the page, which has to change nothing."""
    over = TASKS[name](by)
    if name.startswith("incidents_affectedperson"):
        say_why(desk, desk_url("incidents_affectedperson_change", over.row.pk))
    page = desk_url(name, *(over.address or (over.row.pk, *over.arguments)))
    opts = over.row._meta
    change = desk_url(f"{opts.app_label}_{opts.model_name}_change", over.row.pk)
    newest = AuditEntry.objects.values_list("pk", flat=True).first() or 0
    for answer in (desk.post(page), desk.get(page)):
        if answer.status_code == 405 or (name.endswith("n_confirm") and answer.status_code == 200):
            continue  # a form that keeps what was typed says it itself
        assert (answer.status_code, answer.get("Location")) == (302, change), name
    done = AuditEntry.objects.filter(pk__gt=newest).exclude(kind__in=("sign_in", "look_up"))
    assert not done.exists(), name
    said = page_text(desk.get(change))
    assert over.says in said, name
    assert "Nothing was changed now." in said, name


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("tickets_ticket_close", "Closed."),
        ("incidents_exposurebatch_close", "Closed the scope version."),
        ("accounts_apitoken_revoke", "Revoked."),
        ("incidents_incident_take_shred_request_back", ""),
        ("incidents_upload_import", ""),
    ],
)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_it_names_who_did_it_and_not_who_did_something_else_later(
    desk, team, people, name, entry, language
):
    over = TASKS[name](team["approver"])
    with override(language):
        acts = [(team["support"], gettext(entry))] if entry else []
    for by, text in [*acts, (team["editor"], "Something else.")]:
        LogEntry.objects.log_actions(by.pk, [over.row], CHANGE, text, single_object=True)
    said = page_text(desk.post(desk_url(name, over.row.pk), follow=True))
    who = f" ({team['support']}, " if entry else f"{over.says}. Nothing was changed now."
    assert who in said
    assert str(team["editor"]) not in said.partition("Nothing was changed now.")[0][-200:]


@pytest.mark.parametrize("act", ["cancel", "approve"])
def test_an_author_reads_that_the_own_draft_or_test_has_ended(client, team, act, monkeypatch):
    editor = team["editor"]
    monkeypatch.setattr("notices.admin.notices.is_own_test", lambda _notice, _by: True)
    sign_in_to_desk(client, editor)
    client.cookies["language"] = "en"
    notice = set_to(Notice, state="cancelled", created_by=editor)
    page = desk_url(f"notices_notice_{act}", notice.pk)
    for answer in (client.get(page, follow=True), client.post(page, follow=True)):
        assert "ancelled. Nothing was changed now." in page_text(answer)


def test_a_page_that_renews_itself_says_it_once(desk):
    page = desk_url("notices_notice_approve", set_to(Notice, state="cancelled").pk)
    desk.get(page, headers={"X-Live-Part": "1"}, follow=True)
    assert page_text(desk.get(page, follow=True)).count("Nothing was changed now.") == 1


@pytest.mark.parametrize("model", [RightsGrant, BatchWithdrawal])
@pytest.mark.parametrize("act", ["confirm", "withdraw"])
def test_an_act_that_did_nothing_is_not_shown_as_done(desk, monkeypatch, model, act):
    monkeypatch.setattr(model, act, lambda *_by: False)
    monkeypatch.setattr("accounts.models.RightsGrant.may_be_confirmed_by", lambda *_by: True)
    row = model._default_manager.get()
    name = f"{model._meta.app_label}_{model._meta.model_name}_{act}"
    User.objects.filter(email="approver@hanbit.example").update(is_superuser=True)
    assert desk.post(desk_url(name, row.pk)).status_code == 403
    assert not LogEntry.objects.filter(object_id=str(row.pk)).exists()


@pytest.mark.parametrize(
    ("model", "over"), [(StatementVersion, published()), (RegulatorReport, filed_report)]
)
def test_who_saves_a_text_that_was_published_or_filed_meanwhile_reads_by_whom(
    desk, team, model, over
):
    made = over(team["approver"])
    name = f"{model._meta.app_label}_{model._meta.model_name}_change"
    answer = desk.post(desk_url(name, made.row.pk), {"text": "x"}, follow=True)
    assert made.says in page_text(answer)
