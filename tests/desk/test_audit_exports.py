"""Exports and refused attempts in the audit trail."""

import logging

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from accounts.audit import actors, refusals
from accounts.models import AuditEntry, User
from harness.sign_in import sign_in_to_desk, step_up
from notices.models import Notice
from tests.desk_pages import notice_url
from tests.notice_factory import work

pytest_plugins = ["tests.notice_fixtures"]
Kind = AuditEntry.Kind


@pytest.fixture
def closed(notice, server) -> Notice:
    return work(notice)


@pytest.fixture
def root(client) -> User:
    rights = {"is_staff": True, "is_superuser": True}
    user = User.objects.create_user("root@hanbit.example", **rights)
    sign_in_to_desk(client, user)
    step_up(client, user)
    return user


def export() -> AuditEntry:
    return AuditEntry.objects.get(kind=Kind.EXPORT)


# Exports


@pytest.mark.parametrize(
    ("page", "posted", "what", "opened"),
    [
        ("proof", {"format": "csv"}, "proof", False),
        ("proof", {"format": "jsonl", "is_opened": "on"}, "proof", True),
        ("not_reached", {"format": "csv", "whom": "in-doubt"}, "in-doubt", False),
        ("letters", {"file": "letters", "encoding": "utf-8-sig"}, "letters", True),
    ],
)
def test_an_export_on_the_desk_is_recorded(client, closed, root, page, posted, what, opened):
    address = notice_url(page, closed)
    if page == "letters":
        form = client.get(address).context["form"]
        posted = {"file": "letters", "encoding": form.fields["encoding"].choices[0][0]}
    response = client.post(address, posted)
    assert response.headers["Content-Disposition"].startswith("attachment")
    entry = export()
    assert (entry.actor_id, entry.object_type) == (root.pk, "notices_notice")
    assert (entry.object_id, entry.incident_id) == (str(closed.pk), closed.incident_id)
    assert (entry.details["what"], entry.details["opened"]) == (what, opened)


@pytest.mark.parametrize(
    ("command", "options", "what", "opened"),
    [
        ("export_proof", {}, "proof", False),
        ("export_proof", {"open": True, "not_reached": True}, "not-reached", True),
        ("export_letters", {}, "letters", True),
        ("export_letters", {"not_printable": True}, "not-printable", True),
    ],
)
def test_a_command_that_exports_is_recorded_with_the_account_of_the_system(
    closed, capfdbinary, command, options, what, opened
):
    who = actors.command_actor(command)
    with connection.cursor() as cursor:  # as manage.py does for its process
        cursor.execute("SELECT set_config('breachportal.actor', %s, true)", [f":{who}"])
    call_command(command, closed.pk, **options)
    entry = export()
    assert entry.actor == who
    assert (entry.object_id, entry.incident_id) == (str(closed.pk), closed.incident_id)
    assert (entry.details["what"], entry.details["opened"]) == (what, opened)


# Refused attempts


def test_refused_attempts_are_recorded_so_many_in_an_hour(client, db, monkeypatch, caplog):
    monkeypatch.setattr(refusals, "MOST", 3)
    user = User.objects.create_user("support@hanbit.example", is_staff=True)
    sign_in_to_desk(client, user)
    page = reverse("admin:accounts_auditentry_changelist")
    with caplog.at_level(logging.WARNING, refusals.__name__):
        for _each in range(6):
            assert client.get(page).status_code == 403
    found = AuditEntry.objects.filter(kind=Kind.REFUSED, actor_id=user.pk).order_by("id")
    assert [entry.details["page"] for entry in found] == [page] * 3
    assert ["further" in entry.details for entry in found] == [False, False, True]
    assert len([each for each in caplog.records if each.name == refusals.__name__]) == 3


def test_the_bound_counts_one_person_and_one_hour(db, monkeypatch):
    monkeypatch.setattr(refusals, "MOST", 1)
    one, other = (User.objects.create_user(f"{n}@hanbit.example", is_staff=True) for n in "ab")
    refusals.record(one, reason="x")
    refusals.record(one, reason="x")
    refusals.record(other, reason="x")
    refused = AuditEntry.objects.filter(kind=Kind.REFUSED)
    assert list(refused.order_by("id").values_list("actor_id", flat=True)) == [one.pk, other.pk]
    monkeypatch.setattr(refusals, "PERIOD", refusals.PERIOD * 0)
    refusals.record(one, reason="x")
    assert refused.filter(actor_id=one.pk).count() == 2
