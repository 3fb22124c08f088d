"""The audit trail: who changed what, and no account of the portal can change the record."""

import hashlib
import json
import time
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.audit import actors, acts, chain
from accounts.models import AuditEntry, User
from breachportal.demo import app_codes
from harness.sign_in import give_app, sign_in, sign_in_to_desk, step_up
from incidents.models import ExposureBatch, Incident, PersonMark
from tests.audit_trails import as_owner
from tests.running.test_database_role import ROLE, as_portal, run  # noqa: F401

pytestmark = pytest.mark.django_db
Kind = AuditEntry.Kind


@pytest.fixture(autouse=True)
def _begin_without_entries(empty_trail):
    """Empties the trail before any other fixture, which may act as another account."""


def newest(**wanted) -> AuditEntry:
    entry = AuditEntry.objects.filter(**wanted).first()
    assert entry is not None, list(AuditEntry.objects.values_list("kind", "object_type", "details"))
    return entry


# What is recorded


def test_a_change_has_the_old_and_the_new_value_and_its_incident(incident):
    Incident.objects.filter(pk=incident.pk).update(contact_phone="1577-1111")
    Incident.objects.filter(pk=incident.pk).update(contact_phone="1577-2222")
    entry = newest(object_type="incidents_incident")
    assert (entry.kind, entry.object_id, entry.incident_id) == (
        "changed",
        str(incident.pk),
        incident.pk,
    )
    assert entry.details == {"contact_phone": ["1577-1111", "1577-2222"]}
    assert entry.account == run("SELECT session_user")[0][0]


def test_added_and_deleted_rows_are_recorded(incident):
    batch = ExposureBatch.objects.create(incident=incident, number=1)
    assert newest(object_type="incidents_exposurebatch").details["number"] == [None, 1]
    batch.delete()
    entry = newest(object_type="incidents_exposurebatch")
    assert (entry.kind, entry.details["number"]) == ("deleted", [1, None])


def test_an_update_that_changes_nothing_leaves_no_entry(incident):
    before = AuditEntry.objects.count()
    Incident.objects.filter(pk=incident.pk).update(contact_phone=incident.contact_phone)
    assert AuditEntry.objects.count() == before


def test_encrypted_values_are_only_marked_as_changed(incident):
    Incident.objects.filter(pk=incident.pk).update(data_keyset=b"another")
    assert newest(object_type="incidents_incident").details == {"data_keyset": "changed"}


def test_no_audited_table_shows_a_column_of_bytes():
    """A new column with ciphertext must be among the secret ones of its trigger."""
    shown = run(
        "SELECT c.relname, a.attname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE p.proname = 'accounts_audit_change' AND a.atttypid = 'bytea'::regtype"
        " AND NOT a.attname = ANY (string_to_array("
        "   split_part(encode(t.tgargs, 'escape'), '\\000', 2), ' '))"
    )
    assert shown == []


def test_every_column_that_a_trigger_names_exists():
    """A renamed column would otherwise silently enter the trail."""
    rows = run(
        "SELECT c.relname, encode(t.tgargs, 'escape') FROM pg_trigger t"
        " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE p.proname = 'accounts_audit_change'"
    )
    assert len(rows) > 40
    for table, arguments in rows:
        ignored, secret, path = arguments.split("\\000")[:3]
        has = {
            name
            for (name,) in run(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0",
                table,
            )
        }
        assert {*ignored.split(), *secret.split(), *path.split()[:1]} <= has, table


def test_the_customers_own_rows_are_not_audited(client, minji):
    sign_in(client, minji.email)
    assert not AuditEntry.objects.exists()


def test_the_paths_to_the_incident_hold(correction):
    section = correction.sections.first()
    section.save()
    type(section).objects.filter(pk=section.pk).update(position=99)
    entry = newest(object_type="statements_section")
    assert entry.incident_id == correction.statement.incident_id


def test_a_mark_of_a_person_keeps_its_reason_out(editor, incident):
    from harness.exposure_factory import person

    PersonMark.objects.create(
        incident=incident,
        person=person(incident, name="김민지"),
        kind="minor",
        reason="her father called",
        marked_by=editor,
    )
    details = newest(object_type="incidents_personmark").details
    assert details["reason"] == "changed"
    assert "father" not in json.dumps(details)


# The actor


def test_a_desk_request_names_the_signed_in_person(approvers_desk, approver, editor):
    url = reverse("admin:accounts_user_change", args=[editor.pk])
    form = {"language": "en", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    inlines = {
        f"{name}-{kind}_FORMS": 0
        for name in ("emailaddress_set", "phones")
        for kind in ("TOTAL", "INITIAL")
    }
    answer = approvers_desk.post(url, form | inlines)
    assert answer.status_code == 302, answer.text
    entry = newest(object_type="accounts_user", kind="changed")
    assert (entry.actor_id, entry.actor) == (approver.pk, approver.email)
    logged = newest(kind="desk")
    assert (logged.actor_id, logged.object_id) == (approver.pk, str(editor.pk))
    assert editor.email not in json.dumps(logged.details)


def test_the_actor_holds_after_a_rolled_back_savepoint(editor, incident):
    with actors.acting(editor), transaction.atomic():
        try:
            with transaction.atomic():
                Incident.objects.filter(pk=incident.pk).update(contact_phone="1")
                raise ValueError
        except ValueError:
            Incident.objects.filter(pk=incident.pk).update(contact_phone="2")
    assert newest(object_type="incidents_incident").actor == editor.email


@pytest.mark.django_db(transaction=True)
def test_the_actor_ends_with_the_transaction(editor, incident):
    with actors.acting(editor):
        Incident.objects.filter(pk=incident.pk).update(contact_phone="1")
    Incident.objects.filter(pk=incident.pk).update(contact_phone="2")
    by_hand, by_editor = AuditEntry.objects.filter(object_type="incidents_incident")[:2]
    assert (by_editor.actor, by_hand.actor) == (editor.email, "")


@pytest.mark.django_db(transaction=True)
def test_a_command_and_a_task_name_their_process(incident):
    before = actors.name_process("command: root close_batch")
    try:
        for _ in range(2):
            Incident.objects.filter(pk=incident.pk).update(contact_phone=str(_))
            assert newest(object_type="incidents_incident").actor == "command: root close_batch"
            connection.close()
    finally:
        actors.name_process(before)
    Incident.objects.filter(pk=incident.pk).update(contact_phone="9")
    assert newest(object_type="incidents_incident").actor == ""


def test_a_command_is_named_with_the_account_of_the_system(monkeypatch):
    monkeypatch.setenv("USER", "another")
    monkeypatch.setenv("SUDO_USER", "minji")
    assert actors.command_actor("export_proof") == "command: root (sudo: minji) export_proof"


# The chain


@pytest.fixture
def trail(incident):
    for number in range(12):  # texts would sort 10 before 2
        Incident.objects.filter(pk=incident.pk).update(contact_phone=f"전화 {number}: “a”\n")
    acts.record(Kind.LOOK_UP, by=None, reason="'\\ 😀")
    chain.link()
    return chain.last_digest()


def test_the_chain_is_whole(trail):
    report = chain.verify(digests=[trail])
    assert (report.faults, report.last, report.waiting) == ([], trail, 0)
    assert report.entries == AuditEntry.objects.count()


def test_linking_again_changes_nothing(trail):
    assert chain.link() == 0
    assert chain.last_digest() == trail


def test_an_entry_that_waits_is_counted_and_no_fault(trail, incident):
    Incident.objects.filter(pk=incident.pk).update(contact_phone="x")
    report = chain.verify()
    assert (report.faults, report.waiting) == ([], 1)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2020-01-01"),
        ("actor_id", "7"),
        ("actor", "x"),
        ("account", "x"),
        ("kind", "deleted"),
        ("object_type", "x"),
        ("object_id", "x"),
        ("incident_id", "77"),
        ("details", "{}"),
        ("hash", "x"),
    ],
)
def test_a_changed_entry_is_named(trail, column, value):
    update = f"UPDATE accounts_auditentry SET {column} = %s WHERE number = 3"  # noqa: S608
    as_owner(update, value)
    assert chain.verify().faults == [
        f"entry 3 (id {AuditEntry.objects.get(number=3).pk}) was changed"
    ]


def test_a_missing_entry_is_named(trail):
    as_owner("DELETE FROM accounts_auditentry WHERE number = 3")
    assert chain.verify().faults == ["entry 3 is missing"]


def test_removed_last_entries_are_shown_by_a_digest(trail):
    as_owner("DELETE FROM accounts_auditentry WHERE number = %s", trail.number)
    assert chain.verify().faults == []
    assert chain.verify(digests=[trail]).faults == [
        f"entry {trail.number} is missing: a digest names {trail.number}"
    ]


def test_an_owner_who_rewrites_and_links_again_is_shown_by_a_digest(trail):
    as_owner("UPDATE accounts_auditentry SET actor = 'x' WHERE number = 3")
    as_owner("UPDATE accounts_auditentry SET number = NULL, hash = NULL")
    chain.link()
    assert chain.verify().faults == []
    found = chain.verify(digests=[trail]).faults
    assert found == [f"entry {trail.number} or one before it differs from the digest received"]


def test_the_format_in_the_document_is_the_one_in_use(trail):
    entry = AuditEntry.objects.get(number=1)
    raw = run("SELECT details::text FROM accounts_auditentry WHERE number = 1")[0][0]
    at = entry.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    texts = [
        "1",
        str(entry.pk),
        at,
        None,
        "",
        entry.account,
        entry.kind,
        entry.object_type,
        entry.object_id,
        str(entry.incident_id) if entry.incident_id else None,
        raw,
    ]
    parts = ["-" if text is None else f"{len(text.encode())}:{text}" for text in texts]
    assert bytes(entry.hash or b"") == hashlib.sha256(",".join(parts).encode()).digest()


def test_the_command_prints_the_digest_and_fails_on_a_fault(trail):
    out = StringIO()
    call_command("verify_audit", "--json", "--digest", str(trail), stdout=out)
    assert json.loads(out.getvalue())["last"]["hash"] == trail.hash
    as_owner("DELETE FROM accounts_auditentry WHERE number = 3")
    error = StringIO()
    with pytest.raises(SystemExit, match="1"):
        call_command("verify_audit", stdout=StringIO(), stderr=error)
    assert "entry 3 is missing" in error.getvalue()
    with pytest.raises(CommandError, match="not a digest"):
        call_command("verify_audit", "--digest", "5:abc")


# Attacks with the account of the portal


@pytest.mark.usefixtures("trail", "as_portal")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditentry SET actor = 'x'",
        "DELETE FROM accounts_auditentry",
        "TRUNCATE accounts_auditentry",
        "ALTER TABLE accounts_auditentry DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_stays ON accounts_auditentry",
        "DROP TRIGGER audit ON incidents_incident",
        "SET session_replication_role = replica",
        "INSERT INTO accounts_auditentry (actor, number, hash) VALUES ('x', 99, 'x')",
        "SELECT accounts_audit_record('changed', 'incidents_incident', '1', 1, '{}', '1:x')",
        "SELECT accounts_audit_add('changed', 'incidents_incident', '1', 1, '{}', '1:x')",
        "ALTER FUNCTION accounts_audit_change() RENAME TO x",
    ],
)
def test_the_account_of_the_portal_cannot_write_the_trail(statement):
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner|only a trigger"):
        run(statement)


@pytest.mark.usefixtures("as_portal")
def test_a_temporary_table_diverts_no_entry(incident):
    run("CREATE TEMPORARY TABLE accounts_auditentry (LIKE public.accounts_auditentry)")
    run("CREATE TEMPORARY TABLE accounts_user (LIKE public.accounts_user)")
    Incident.objects.filter(pk=incident.pk).update(contact_phone="1")
    acts.record(Kind.LOOK_UP, by=None)
    assert run("SELECT count(*) FROM pg_temp.accounts_auditentry") == [(0,)]
    kinds = run("SELECT kind FROM public.accounts_auditentry ORDER BY id DESC LIMIT 2")
    assert kinds == [("look_up",), ("changed",)]


@pytest.mark.usefixtures("as_portal")
def test_the_account_of_the_portal_records_and_links(incident):
    Incident.objects.filter(pk=incident.pk).update(contact_phone="1")
    acts.record(Kind.LOOK_UP, by=None)
    assert chain.link() >= 2
    assert chain.verify().faults == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditentry SET actor = 'x'",
        "UPDATE accounts_auditentry SET hash = 'x'",
        "UPDATE accounts_auditentry SET number = NULL, hash = NULL",
        "DELETE FROM accounts_auditentry",
        "TRUNCATE accounts_auditentry",
    ],
)
def test_the_owner_does_not_change_it_by_accident(trail, statement):
    with pytest.raises(IntegrityError, match="cannot be changed or deleted"), transaction.atomic():
        run(statement)


# Acts


def test_a_page_that_is_refused_is_recorded(client, db):
    staff = User.objects.create_user("new@hanbit.example", is_staff=True)
    sign_in_to_desk(client, staff)
    assert client.get(reverse("admin:notices_notice_changelist")).status_code == 403
    entry = newest(kind="refused")
    assert (entry.actor_id, entry.details) == (
        staff.pk,
        {"page": "/admin/notices/notice/", "right": "notices.view_notice"},
    )
    # PostgreSQL's JSON takes no NUL: the attempt was answered with 500, and not recorded.
    assert client.get("/admin/notices/notice/%00/delete/").status_code == 403
    assert newest(kind="refused").details["page"] == "/admin/notices/notice/\ufffd/delete/"


def test_the_sign_in_of_staff_and_a_wrong_second_factor_are_recorded(client, editor):
    secret = give_app(editor)
    sign_in(client, editor.email)
    step = reverse("mfa_authenticate")
    code = app_codes.code_at(secret, time.time())
    client.post(step, {"code": f"{(int(code) + 1) % 10**6:06d}"})
    assert newest(kind="refused").details == {"reason": "wrong code of the second factor"}
    assert not AuditEntry.objects.filter(kind="sign_in").exists()
    client.post(step, {"code": code})
    entries = AuditEntry.objects.filter(kind="sign_in", actor_id=editor.pk)
    assert {entry.details["step"] for entry in entries} == {"second factor", "signed in"}


def test_staff_who_may_not_sign_in_are_recorded(client, editor):
    User.objects.filter(pk=editor.pk).update(is_active=False)
    assert sign_in(client, editor.email).status_code == 403
    assert newest(kind="refused").details == {"reason": "may not sign in"}


# The accounts of the response team


def test_an_account_of_the_team_is_not_deleted(approvers_desk, editor):
    answer = approvers_desk.post(f"/admin/accounts/user/{editor.pk}/delete/", {"post": "yes"})
    assert f"{editor}: of the response team; to deactivate, never to delete" in answer.text
    assert User.objects.filter(pk=editor.pk).exists()


def test_a_former_member_of_the_team_is_not_deleted(approvers_desk, editor):
    User.objects.filter(pk=editor.pk).update(is_staff=False, is_superuser=False)
    approvers_desk.post(f"/admin/accounts/user/{editor.pk}/delete/", {"post": "yes"})
    assert User.objects.filter(pk=editor.pk).exists()
    former = Client()
    sign_in(former, editor.email)
    step_up(former, editor)
    assert former.post(reverse("close_account"), {"sure": "on"}).status_code == 200
    with pytest.raises(IntegrityError, match="deactivated, not deleted"), transaction.atomic():
        User.objects.filter(pk=editor.pk).delete()


def test_a_customer_whom_staff_changed_closes_the_account(client, minji, editor):
    desk = Client()
    sign_in_to_desk(desk, editor)
    sign_in(client, minji.email)
    step_up(client, minji)
    LogEntry.objects.create(
        user=editor,
        action_flag=2,
        object_repr="x",
        object_id=str(minji.pk),
        content_type=ContentType.objects.get_for_model(User),
    )
    assert client.post(reverse("close_account"), {"sure": "on"}).status_code == 302
    assert not User.objects.filter(pk=minji.pk).exists()


@pytest.mark.parametrize(
    ("page", "field"),
    [
        ("incidents_affectedperson_changelist", "asked"),
        ("notices_delivery_changelist", "asked"),
        ("notices_suppression_look_up", "address"),
    ],
)
def test_a_look_up_without_a_hit_is_recorded_with_its_reason_and_without_the_address(
    editors_desk, editor, incident, page, field
):
    def look_up(reason: str) -> Any:
        typed = {field: "minji@example.com", "reason": reason}
        return editors_desk.post(reverse(f"admin:{page}"), typed)

    for refused in ("", " ", "call of minji@example.com", "call from 010-1234-5678"):
        assert look_up(refused).context["form"].errors["reason"]
    assert not AuditEntry.objects.filter(kind="look_up").exists()
    assert look_up("Ticket 7QK2-X9ND").status_code == 200
    entry = newest(kind="look_up")
    assert entry.actor_id == editor.pk
    assert entry.details == {"found": 0, "reason": "Ticket 7QK2-X9ND"}
