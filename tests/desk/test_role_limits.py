"""What each role may not do: by URL, by POST and by bulk action, over every page of the desk.

The pages come from the desk itself, so a new page fails here until PAGES names who may use it.
"""

import re
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import transaction
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import URLPattern, resolve
from django.utils import timezone

from accounts.models import AuditEntry, Invitation, RightsGrant, User
from breachportal.management.commands.make_roles import ROLES
from harness.sign_in import give_app, sign_in_to_desk, step_up
from incidents import saved_mappings
from incidents.importing.mapping_writing import Choices
from incidents.models import (
    AddressChange,
    BatchWithdrawal,
    ExposureBatch,
    FactChange,
    PersonMark,
    RetentionDecision,
    Upload,
    WriteOff,
)
from notices.models import Notice, Suppression
from scams.models import ScamReport
from statements import publishing
from statements.models import DutyConfirmation, RegulatorReport, StatementVersion
from tests.desk_pages import desk_url, say_why
from tests.notice_factory import draft_notice
from tests.offer_factory import offer_of

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db
ARGUMENTS = {
    "kind": "hold",
    "language": "en",
    "duty": "kr-pipa-notice",
    "name": "template",
    "rule": "x",
}


class DeskPage(NamedTuple):
    """A page of the desk: its URL name, its route, and its model and action, if it has a model."""

    name: str
    route: str
    model: type[Model] | None
    action: str


def desk_pages() -> Iterator[DeskPage]:
    """Yields every page of the desk, as its resolver knows them."""
    models = {f"{each._meta.app_label}_{each._meta.model_name}": each for each in apps.get_models()}

    def walk(patterns: Any, before: str) -> Iterator[DeskPage]:
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if not isinstance(pattern, URLPattern):
                yield from walk(pattern.url_patterns, route)
            elif pattern.name:
                fitting = [name for name in models if pattern.name.startswith(f"{name}_")]
                key = max(fitting, key=len, default="")
                action = pattern.name.removeprefix(f"{key}_") if key else pattern.name
                yield DeskPage(pattern.name, route, models.get(key), action)

    yield from walk(admin.site.urls[0], "")


def address(page: DeskPage) -> str:
    """Returns an address of the page, with an existing row in it if there is one."""
    row = row_for(page)
    mark = PersonMark.objects.first()

    def argument(found: re.Match[str]) -> str:
        kind, name = found[1], found[2]
        if name in ARGUMENTS:
            return ARGUMENTS[name]
        if name == "mark" and mark:
            return str(mark.pk)
        return str(row.pk) if row else str(uuid.UUID(int=1)) if kind == "uuid" else "1"

    return "/admin/" + re.sub(r"<(?:(\w+):)?(\w+)>", argument, page.route)


def row_for(page: DeskPage) -> Model | None:
    """Returns an existing row of the page's model, in a state in which the page is at work."""
    rows = page.model._default_manager.order_by("pk") if page.model else None
    if rows is None:
        return None
    if page.model is Notice and page.action in ("proof", "not_reached", "letters", "summary"):
        rows = rows.filter(state="closed")
    if page.model is StatementVersion:
        rows = rows.filter(state="draft")
    return rows.first()


@pytest.fixture
def world(team, editor, approver, incident, version, people, settings) -> dict[str, User]:
    """The team by role, and a row of each model that has a page of its own."""
    batch = ExposureBatch.objects.get(incident=incident)
    draft_notice(version, editor)
    now = timezone.now()
    closed = {"state": "closed", "approved_at": now, "planned_at": now, "closed_at": now}
    draft_notice(version, editor, approved_by=approver, **closed)
    publishing.draft_next(version.statement, by=editor)
    new = User.objects.create_user("new@hanbit.example")
    RightsGrant.objects.create(user=new, is_staff=True, asked_by=editor)
    Invitation.objects.create(email="jiwoo@hanbit.example", asked_by=editor)
    PersonMark.objects.create(
        incident=incident, person=people["minji"], kind="minor", reason="x", marked_by=editor
    )
    AddressChange.objects.create(
        incident=incident,
        person=people["minji"],
        kind=1,
        contact_index=uuid.uuid4(),
        ciphertext=b"x",
        reason="x",
        proposed_by=editor,
    )
    FactChange.objects.create(
        incident=incident,
        model="incidents.incident",
        object_id=incident.pk,
        title="x",
        changes={},
        proposed_by=editor,
    )
    BatchWithdrawal.objects.create(
        batch=batch, reason="x", public_reason="wrong_file", rows=1, proposed_by=editor
    )
    RetentionDecision.objects.create(incident=incident, kind="hold", reason="x", proposed_by=editor)
    WriteOff.objects.create(file=batch.files.get(), rows=1, reason="x", proposed_by=editor)
    saved_mappings.save("members", Choices(roles={"id": "reference"}), by=editor, replaces=False)
    Upload.objects.create(incident=incident, by=editor, name="a.csv", size=1, sha256="0" * 64)
    ScamReport.objects.create(incident=incident, channel="sms")
    Suppression.objects.create(
        index=uuid.uuid4(), channel="email", source="bounce", reason="x", incident=incident
    )
    duty = {"incident": incident, "duty": "kr-pipa-notice"}
    DutyConfirmation.objects.create(
        **duty, verdict="not_applicable", evidence="x", confirmed_by=approver
    )
    RegulatorReport.objects.create(**duty, form="pipc", authority="x", text="x", created_by=editor)
    offer_of(incident)
    give_app(approver)
    return team


# The pages that the desk has besides Django's, and the roles that they do not refuse.
EACH = frozenset(ROLES)
APPROVER, EDITOR, IMPORTER, NOT_A_ROLE = {"approver"}, {"editor"}, {"importer"}, set[str]()
# The rights of pages that take the place of Django's.
OWN_RIGHTS = {"tickets_ticket_change": "tickets.answer_ticket"}
PAGES: dict[str, set[str] | frozenset[str]] = {
    "index": EACH,
    "login": EACH,
    "jsi18n": EACH,
    "view_on_site": EACH,
    "app_list": EACH,
    "autocomplete": NOT_A_ROLE,  # no field of the desk uses it
    "auth_group_matrix": EACH,
    "health": EACH,
    "examine": EACH,
    "accounts_apitoken_revoke": NOT_A_ROLE,
    "accounts_auditentry_export": {"auditor"},
    "accounts_companyidentity_allow": NOT_A_ROLE,
    "accounts_companyidentity_remove": NOT_A_ROLE,
    "accounts_invitation_confirm": NOT_A_ROLE,
    "accounts_invitation_send": NOT_A_ROLE,
    "accounts_invitation_withdraw": NOT_A_ROLE,
    "accounts_user_sessions": NOT_A_ROLE,
    "accounts_rightsgrant_confirm": NOT_A_ROLE,
    "accounts_rightsgrant_withdraw": NOT_A_ROLE,
    "tickets_ticket_take": {"support"},
    "tickets_ticket_close": {"support"},
    "tickets_ticket_note": {"support"},
    "tickets_ticket_extend": {"support"},
    "scams_scamreport_warn": EDITOR,
    "scams_scamreport_dismiss": EDITOR,
    "notices_delivery_resend": {"support"},
    "notices_notice_audience": EDITOR,
    "notices_notice_approve": APPROVER,
    "notices_notice_own_test": EDITOR | APPROVER,
    "notices_notice_return": APPROVER,
    "notices_notice_count": APPROVER,
    "notices_notice_preview": EACH,
    "notices_notice_progress": EACH,
    "notices_notice_html": EACH,
    "notices_notice_pause": EACH,
    "notices_notice_resume": APPROVER,
    "notices_notice_in_doubt": APPROVER,
    "notices_notice_proof": {"approver", "auditor"},
    "notices_notice_not_reached": {"approver", "auditor"},
    "notices_notice_letters": APPROVER,
    "notices_notice_letter_reports": APPROVER,
    "notices_notice_limits": APPROVER,
    "notices_notice_change_plan": APPROVER,
    "notices_notice_destination": APPROVER,
    "notices_notice_taken_back": APPROVER,
    "notices_notice_next_step": APPROVER,
    "notices_notice_cancel": APPROVER,  # and the author
    "notices_notice_summary": EACH,
    "notices_suppression_look_up": EACH,  # each look-up is recorded
    "notices_suppression_lift": APPROVER,
    "statements_dutyconfirmation_clocks": EACH,
    "statements_dutyconfirmation_conditions": APPROVER,
    "statements_dutyconfirmation_confirm": APPROVER,
    "statements_dutyconfirmation_withdraw": APPROVER,
    "statements_regulatorreport_pdf": EACH,
    "statements_regulatorreport_file": APPROVER,
    "statements_regulatorreport_supplement": EDITOR,
    "statements_statement_draft": EDITOR,
    "statements_statementversion_mail": EACH,
    "statements_statementversion_draft_correction": EDITOR,
    "statements_statementversion_own_test": EDITOR | APPROVER,
    "statements_statementversion_preview": EACH,
    "statements_statementversion_previews": EACH,
    "statements_statementversion_live_lint": EDITOR,
    "statements_statementversion_publish": APPROVER,
    "statements_statementversion_waive": APPROVER,
    "statements_statementversion_withdraw_waiver": APPROVER,
    "offers_offer_codes": IMPORTER,
    "offers_offer_counts": EACH,
    "incidents_batchwithdrawal_confirm": APPROVER,
    "incidents_batchwithdrawal_withdraw": APPROVER,  # and who proposed it
    "incidents_writeoff_confirm": APPROVER,
    "incidents_writeoff_withdraw": APPROVER,
    "incidents_factchange_confirm": APPROVER,
    "incidents_factchange_withdraw": APPROVER,
    "incidents_exposurebatch_close": IMPORTER,
    "incidents_exposurebatch_withdraw": IMPORTER,
    "incidents_incident_messages": EACH,
    "incidents_incident_guide_start": IMPORTER,
    "incidents_incident_guide": IMPORTER,
    "incidents_incident_page": EACH,
    "incidents_incident_retention": EACH,
    "incidents_incident_propose_retention": {"editor", "approver"},
    "incidents_incident_start_deletion": APPROVER,
    "incidents_retentiondecision_confirm": APPROVER,
    "incidents_retentiondecision_withdraw": APPROVER,  # and who proposed it
    "incidents_incident_shred": NOT_A_ROLE,
    "incidents_incident_take_shred_request_back": NOT_A_ROLE,
    "incidents_affectedperson_lift": {"support"},
    "incidents_affectedperson_address": {"support"},
    "incidents_addresschange_confirm": APPROVER,
    "incidents_addresschange_withdraw": APPROVER,  # and who proposed it
    "incidents_addresschange_end": {"support", "approver"},
    "incidents_upload_columns": IMPORTER,
    "incidents_savedmapping_file": EACH,
    "incidents_upload_import": IMPORTER,
    "incidents_upload_discard": IMPORTER,
    "incidents_upload_rejects": IMPORTER,
}
# Pages that refuse by who proposed something, besides the right.
OWN = {name for name in PAGES if name.endswith("_withdraw")} | {"notices_notice_cancel"}
# The bulk actions that the lists offer to a superuser. Each other list has none.
ACTIONS = {"tickets.answertemplate": ["delete_selected"]}
# Acts of Django's pages; the lists are read by GET in test_access.py.
DJANGOS = ("add", "change", "delete")
NOT_ASKED = ("changelist", "history", "logout")
# They show the person, or ask for the reason of the look-up, to a POST too. A mark is recorded
# only with the right incidents.add_personmark.
SHOWS_ONLY = ("incidents_affectedperson_change", "incidents_addresschange_change")


def is_refused(client: Client, method: str, page: DeskPage, user: User) -> bool | None:
    """Returns whether the desk refuses an empty request; None if the page has no such method.

    The request is no valid one, so a page that validated before it looked at the role would not
    refuse it. Fails if the reason of a refusal is no right that `user` lacks, if a refused request
    leaves more in the audit trail than the refusal, or if the page fails. What the request changed
    is undone.
    """
    with transaction.atomic():
        newest = AuditEntry.objects.values_list("pk", flat=True).first() or 0
        response = getattr(client, method)(address(page))
        written = list(AuditEntry.objects.filter(pk__gt=newest).values_list("kind", "details"))
        transaction.set_rollback(True)
    assert response.status_code < 500, (method, page)
    is_refusal = response.status_code == 403
    assert not is_refusal or {kind for kind, _details in written} <= {"refused"}, (method, page)
    if is_refusal and PAGES.get(page.name) not in (NOT_A_ROLE, None) and page.name not in OWN:
        rights = [details.get("right") for _kind, details in written]
        assert all(right and not user.has_perm(right) for right in rights), (method, page, rights)
    return None if response.status_code == 405 else is_refusal


def test_each_page_of_the_desk_is_listed():
    own = {page.name for page in desk_pages() if page.action not in (*DJANGOS, *NOT_ASKED)}
    assert own == set(PAGES)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_refused_by_every_page_that_is_not_of_it(world, role):
    client = Client(raise_request_exception=False)
    sign_in_to_desk(client, world[role])
    step_up(client, world[role])
    wrong = [
        (page.name, method)
        for page in desk_pages()
        if page.name in PAGES
        for method in ("get", "post")
        if is_refused(client, method, page, world[role]) not in (role not in PAGES[page.name], None)
    ]
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_a_role_adds_changes_and_deletes_only_what_its_permissions_name(world, role):
    client = Client(raise_request_exception=False)
    sign_in_to_desk(client, world[role])
    wrong = []
    for page in desk_pages():
        if page.model is None or page.action not in DJANGOS or page.name in SHOWS_ONLY:
            continue
        usual = f"{page.model._meta.app_label}.{page.action}_{page.model._meta.model_name}"
        right = OWN_RIGHTS.get(page.name, usual)
        if (
            not world[role].has_perm(right)
            and is_refused(client, "post", page, world[role]) is False
        ):
            wrong.append(page.name)
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_who_may_not_mark_people_marks_none_by_a_valid_request(world, people, role):
    client = Client(raise_request_exception=False)
    sign_in_to_desk(client, world[role])
    page = desk_url("incidents_affectedperson_change", people["seojun"].pk)
    if world[role].has_perm("incidents.view_affectedperson"):
        say_why(client, page)
    client.post(page, {"kind": "restricted", "reason": "x"})
    marks = PersonMark.objects.filter(person=people["seojun"])
    assert marks.exists() == world[role].has_perm("incidents.add_personmark")


def test_each_bulk_action_is_decided(editor):
    request = RequestFactory().get("/admin/")
    request.user = editor
    offered = {
        model._meta.label_lower: [*model_admin.get_actions(request)]
        for model, model_admin in admin.site._registry.items()
    }
    assert {label: actions for label, actions in offered.items() if actions} == ACTIONS
    assert not any(each.list_editable for each in admin.site._registry.values())


@pytest.mark.parametrize("role", ROLES)
def test_a_role_deletes_and_changes_nothing_by_a_bulk_action(world, role):
    client = Client(raise_request_exception=False)
    sign_in_to_desk(client, world[role])
    wrong = []
    for page in desk_pages():
        if page.model is None or page.action != "changelist":
            continue
        rows = page.model._default_manager.order_by("pk")
        before = list(rows.values_list("pk", flat=True))
        for action in {"delete_selected", *ACTIONS.get(page.model._meta.label_lower, ())}:
            chosen = {ACTION_CHECKBOX_NAME: before, "action": action, "post": "yes"}
            newest = AuditEntry.objects.values_list("pk", flat=True).first() or 0
            with transaction.atomic():
                client.post(address(page), chosen)
                written = AuditEntry.objects.filter(pk__gt=newest).exclude(kind="refused")
                if written.exists() or list(rows.values_list("pk", flat=True)) != before:
                    wrong.append((page.name, action))
                transaction.set_rollback(True)
    assert wrong == []


def links_of(response: Any) -> dict[str, str]:
    """Returns one address for each page of the desk to which an HTML page has links, by name."""
    if "text/html" not in response.headers.get("Content-Type", ""):
        return {}
    found = re.findall(r'<a\b[^>]*\bhref="(/admin/[^"#?]*)', response.text)
    return {resolve(each).view_name: each for each in found}


@pytest.mark.parametrize("role", ROLES)
def test_no_page_has_a_link_that_its_reader_may_not_follow(world, role):
    client = Client(raise_request_exception=False)
    sign_in_to_desk(client, world[role])
    step_up(client, world[role])
    todo, seen, dead = ["/admin/"], {"admin:index"}, []
    while todo:
        shown = client.get(todo.pop())
        for name, link in links_of(shown).items():
            if name not in seen:
                seen.add(name)
                todo.append(link)
        dead += [shown.request["PATH_INFO"]] if shown.status_code == 403 else []
    assert dead == []
