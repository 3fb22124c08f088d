"""Migrations make the roles and bring new permissions; what the company changed by hand stays."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client

from accounts.models import RoleRights
from accounts.team import roles
from breachportal.management.commands import make_roles
from breachportal.management.commands.make_roles import ROLES
from harness.sign_in import sign_in_to_desk
from tests.desk_pages import desk_url, page_text

pytestmark = pytest.mark.django_db


def migrate() -> None:
    call_command("migrate", verbosity=0)


def rights_of(role: str) -> set[str]:
    return roles._rights_of(role) or set()


def test_the_roles_exist_after_the_migration():
    assert set(Group.objects.values_list("name", flat=True)) >= set(ROLES)
    assert {role: rights_of(role) for role in ROLES} == make_roles.definitions()


def test_an_upgrade_brings_new_permissions(monkeypatch):
    monkeypatch.setitem(ROLES, "support", [*ROLES["support"], "notices.export_proof"])
    migrate()
    assert "notices.export_proof" in rights_of("support")


def test_a_role_that_was_changed_by_hand_stays_and_the_matrix_says_so(monkeypatch, editor):
    group = Group.objects.get(name="support")
    added = Permission.objects.get(codename="approve_notice")
    group.permissions.add(added)
    group.permissions.remove(Permission.objects.get(codename="answer_ticket"))
    monkeypatch.setitem(ROLES, "support", [*ROLES["support"], "notices.export_proof"])
    migrate()
    assert "notices.approve_notice" in rights_of("support")
    assert "notices.export_proof" not in rights_of("support")

    client = Client()
    sign_in_to_desk(client, editor)
    client.cookies["language"] = "en"
    shown = page_text(client.get(desk_url("auth_group_matrix")))
    assert "Roles that were changed by hand" in shown
    assert "Further permissions: notices.approve_notice" in shown
    assert "Missing permissions: tickets.answer_ticket" in shown

    call_command("make_roles", verbosity=0)
    assert "notices.approve_notice" not in rights_of("support")
    assert "notices.export_proof" in rights_of("support")
    assert "changed by hand" not in page_text(client.get(desk_url("auth_group_matrix")))


def test_a_role_that_was_deleted_stays_deleted():
    Group.objects.get(name="importer").delete()
    migrate()
    assert not Group.objects.filter(name="importer").exists()
    call_command("make_roles", verbosity=0)
    assert Group.objects.filter(name="importer").exists()


def test_a_permission_that_an_upgrade_removes_is_no_change_by_hand():
    stored = RoleRights.objects.get(name="editor")
    stored.rights = sorted([*stored.rights, "notices.gone"])
    stored.save()
    migrate()
    assert "notices.gone" not in RoleRights.objects.get(name="editor").rights
