"""The auditor's page: who may read the trail, and what searches, pages and exports show."""

import csv
import html
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.audit import acts, chain, search
from accounts.audit.forms import TrailSearchForm
from accounts.models import AuditEntry, User
from breachportal.management.commands.make_roles import ROLES
from harness.sign_in import sign_in_to_desk
from incidents.models import Incident
from tests.audit_trails import as_owner

pytestmark = pytest.mark.django_db
Kind = AuditEntry.Kind


@pytest.fixture(autouse=True)
def _begin_without_entries(empty_trail):
    """Empties the trail before any other fixture, which may act as another account."""


LIST, EXPORT = "/admin/accounts/auditentry/", "/admin/accounts/auditentry/export/"


@pytest.fixture
def auditor(client) -> User:
    user = User.objects.create_user("auditor@hanbit.example", is_staff=True)
    user.groups.add(Group.objects.get(name="auditor"))
    sign_in_to_desk(client, user)
    return user


@pytest.fixture
def editor(db) -> User:
    return User.objects.create_user("editor@hanbit.example", is_staff=True)


def add(number: int = 1, *, kind=Kind.LOOK_UP, by: User | None = None, **details) -> None:
    for _each in range(number):
        acts.record(kind, by=by, about=Incident, **details)


def found(client, **query) -> list[AuditEntry]:
    response = client.get(LIST, query)
    assert response.status_code == 200
    assert not response.context["form"].errors, response.context["form"].errors
    return [entry for entry, *_shown in response.context["rows"]]


def exported(client, file_format: str, **query) -> str:
    response = client.post(EXPORT, {"format": file_format, **query})
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


# Who may read it


@pytest.mark.parametrize("role", [role for role in ROLES if role != "auditor"])
def test_other_roles_can_neither_read_nor_export_the_trail(client, role):
    user = User.objects.create_user(f"{role}@hanbit.example", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    sign_in_to_desk(client, user)
    entry = AuditEntry.objects.earliest("id")
    assert client.get(LIST).status_code == 403
    assert (
        client.get(reverse("admin:accounts_auditentry_change", args=[entry.pk])).status_code == 403
    )
    assert client.post(EXPORT, {"format": "csv"}).status_code == 403
    assert not AuditEntry.objects.filter(kind=Kind.EXPORT).exists()
    assert LIST not in client.get(reverse("admin:index")).content.decode()


def test_a_customer_does_not_learn_that_the_page_exists(client):
    client.force_login(User.objects.create_user("minji@customer.example"))
    assert client.get(LIST).status_code == 404
    assert client.post(EXPORT, {"format": "csv"}).status_code == 404


def test_the_auditor_reads_and_exports(client, auditor):
    add()
    assert found(client)
    assert exported(client, "csv")
    assert LIST in client.get(reverse("admin:index")).content.decode()


def test_a_superuser_reads_and_changes_nothing(client):
    sign_in_to_desk(
        client, User.objects.create_user("root@hanbit.example", is_staff=True, is_superuser=True)
    )
    add()
    entry = found(client)[0]
    page = reverse("admin:accounts_auditentry_change", args=[entry.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {"actor": "x"}).status_code == 405
    assert client.post(LIST, {"action": "delete_selected"}).status_code == 405
    for action in ("delete", "history"):
        assert client.get(f"{LIST}{entry.pk}/{action}/").status_code == 404
    assert client.get(f"{LIST}add/").status_code == 404
    assert client.get(EXPORT).status_code == 405


# Search


def test_the_search_finds_by_person_kind_object_incident_and_day(client, auditor, editor, incident):
    add(by=editor)
    Incident.objects.filter(pk=incident.pk).update(contact_phone="1577-1111")
    assert {entry.actor_id for entry in found(client, who="Editor@hanbit.example ")} == {editor.pk}
    assert {entry.kind for entry in found(client, kind="look_up")} == {"look_up"}
    about = {"object_type": "incidents_incident", "object_id": str(incident.pk)}
    assert {entry.object_id for entry in found(client, **about)} == {str(incident.pk)}
    assert {entry.incident_id for entry in found(client, incident=incident.pk)} == {incident.pk}
    today = timezone.localdate()
    assert found(client, since=today, until=today)
    assert not found(client, since=today + timedelta(days=1))
    assert not found(client, until=today - timedelta(days=1))
    assert not found(client, kind="look_up", incident=incident.pk)


def test_a_part_of_the_name_finds_commands_and_workers(client, auditor):
    acts.record(Kind.COMMAND, by=None, command="x")
    as_owner(
        "UPDATE accounts_auditentry SET actor = 'command: root export_proof' WHERE kind = 'command'"
    )
    assert [entry.kind for entry in found(client, who="export_PROOF")] == ["command"]
    assert not found(client, who="%")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"since": "2026-02-30"}, "since"),
        ({"since": "0001-01-01"}, "since"),
        ({"until": "9999-12-31"}, "until"),
        ({"since": "2026-02-03", "until": "2026-02-02"}, "until"),
        ({"kind": "read"}, "kind"),
        ({"object_type": "pg_class"}, "object_type"),
        ({"object_id": "3"}, "object_type"),
        ({"incident": "99999999999999999999"}, "incident"),
        ({"before": "x"}, "before"),
        ({"who": "a\0b"}, "who"),
    ],
)
def test_a_search_that_cannot_be_is_refused_and_not_ignored(client, auditor, query, field):
    add()
    response = client.get(LIST, query)
    assert response.status_code == 200
    assert field in response.context["form"].errors
    assert response.context["rows"] == []
    before = AuditEntry.objects.count()
    assert client.post(EXPORT, {"format": "csv", **query}).status_code == 400
    assert AuditEntry.objects.count() == before


def test_the_search_offers_the_objects_that_entries_are_about(client, auditor):
    field: Any = TrailSearchForm().fields["object_type"]
    offered = {table for table, _name in field.choices}
    assert {"notices_destination", "accounts_user_groups", "incidents_affectedperson"} <= offered
    assert offered.isdisjoint({"notices_chunk", "django_session", "notices_sendingpace"})


# Pages


def test_the_pages_show_each_entry_once_newest_first(client, auditor, editor, monkeypatch):
    monkeypatch.setattr(search, "PAGE", 3)
    monkeypatch.setattr(search.page, "__kwdefaults__", {"before": None, "size": 3})
    add(8, by=editor)
    keys, query = [], {"who": editor.email}
    while True:
        response = client.get(LIST, query)
        keys += [entry.pk for entry, *_shown in response.context["rows"]]
        older = response.context["found"].older
        if older is None:
            break
        assert f"before={older}" in html.unescape(response.content.decode())
        query["before"] = older
    wanted = AuditEntry.objects.filter(actor_id=editor.pk).order_by("-id")
    assert keys == list(wanted.values_list("id", flat=True))


def test_a_search_that_stops_says_so_and_goes_on(client, auditor, editor, monkeypatch):
    monkeypatch.setattr(search, "WINDOW", 4)
    add(2, by=editor, reason="the first")
    add(9)
    first = search.page(search.TrailSearch(actor="editor"))
    assert (first.entries, first.is_cut) == ([], True)
    assert len(list(search.all_entries(search.TrailSearch(actor="editor", kind="look_up")))) == 2
    assert "stopped" in client.get(LIST, {"who": "editor"}).content.decode()


def test_a_page_counts_and_skips_nothing(client, auditor):
    add(3)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found(client, kind="look_up", who="x", since="2026-01-01")
    asked = [each["sql"] for each in queries if "accounts_auditentry" in each["sql"]]
    assert asked
    assert not [sql for sql in asked if "COUNT(" in sql.upper() or "OFFSET" in sql.upper()]


# The page of an entry


def test_an_entry_shows_old_and_new_values(client, auditor, incident):
    Incident.objects.filter(pk=incident.pk).update(contact_phone="1577-<1>")
    Incident.objects.filter(pk=incident.pk).update(contact_phone="1577-2", data_keyset=b"other")
    entry = found(client, incident=incident.pk)[0]
    chain.link()
    page = client.get(reverse("admin:accounts_auditentry_change", args=[entry.pk]))
    text = page.content.decode()
    assert "1577-&lt;1&gt;" in text
    assert "1577-2" in text
    assert "the value is not recorded" in text
    entry.refresh_from_db()
    assert bytes(entry.hash or b"").hex() in text
    assert client.get(f"{LIST}999999999/change/").status_code == 404


@pytest.mark.parametrize(
    ("kind", "details", "korean"),
    [
        (Kind.SIGN_IN, {"step": "signed in"}, "로그인 단계: 로그인"),
        (Kind.SIGN_IN, {"step": "second factor"}, "로그인 단계: 2단계 인증 수단"),
        (Kind.EXPORT, {"what": "not-reached", "opened": True}, "내용: 통지가 닿지 않은 사람"),
        (Kind.EXPORT, {"what": "proof", "opened": False}, "이름과 주소 포함: 아니요"),
        (Kind.EXPORT, {"what": "letters posted on 2026-03-02"}, "letters posted on 2026-03-02"),
    ],
)
def test_the_facts_of_an_act_are_in_the_language_of_the_page(
    client, auditor, kind, details, korean
):
    add(kind=kind, **details)
    client.cookies["language"] = "ko"
    text = client.get(LIST).text
    assert korean in text
    assert str(next(iter(details.values()))) not in text or korean in details.values()


# Export


def test_an_export_is_recorded_without_the_text_that_was_typed(client, auditor):
    exported(client, "jsonl", who="seojun@customer.example", kind="look_up")
    entry = AuditEntry.objects.filter(kind=Kind.EXPORT).get()
    assert (entry.actor_id, entry.object_type) == (auditor.pk, "accounts_auditentry")
    assert entry.details["format"] == "jsonl"
    assert entry.details["search"]["kind"] == "look_up"
    assert "seojun" not in json.dumps(entry.details)


def test_both_formats_hold_every_entry_that_matches(client, auditor, editor, monkeypatch):
    monkeypatch.setattr(search, "EXPORTED_AT_ONCE", 2)
    add(5, by=editor, reason="=cmd|' /C calc'!A0")
    chain.link()
    lines = [json.loads(line) for line in exported(client, "jsonl", who=editor.email).splitlines()]
    rows = list(csv.DictReader(io.StringIO(exported(client, "csv", who=editor.email))))
    wanted = list(AuditEntry.objects.filter(actor_id=editor.pk).order_by("-id"))
    assert (
        [line["id"] for line in lines]
        == [int(row["id"]) for row in rows]
        == [each.pk for each in wanted]
    )
    assert [line["hash"] for line in lines] == [bytes(each.hash or b"").hex() for each in wanted]
    assert json.loads(rows[0]["details"]) == wanted[0].details == lines[0]["details"]


def test_no_cell_of_the_table_runs_as_a_formula(client, auditor):
    acts.record(Kind.COMMAND, by=None)
    as_owner("UPDATE accounts_auditentry SET actor = '=HYPERLINK(1)' WHERE kind = 'command'")
    rows = list(csv.DictReader(io.StringIO(exported(client, "csv", kind="command"))))
    assert rows[0]["actor"] == "'=HYPERLINK(1)"
