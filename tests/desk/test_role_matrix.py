"""The page "Who may do what" says what the desk does."""

import re

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.utils.translation import override

from accounts.models import User
from accounts.team import matrix
from breachportal.management.commands.make_roles import OF_ALL, ROLES
from harness.sign_in import sign_in_to_desk
from tests.desk_pages import desk_url, page_text

pytestmark = pytest.mark.django_db
PAGE = "auth_group_matrix"


def table(reader: User) -> dict[str, dict[str, bool]]:
    """Returns {act: {role, or "" for superusers: whether it may}}."""
    with override("en"):
        columns = matrix.columns(reader)
        return {
            row.act: {
                column.name: cell.is_allowed
                for column, cell in zip(columns, row.cells, strict=True)
            }
            for row in matrix.rows(columns)
        }


@pytest.mark.parametrize("role", ROLES)
def test_each_member_reads_the_page_with_the_own_role_marked(client, team, role):
    sign_in_to_desk(client, team[role])
    shown = page_text(client.get(desk_url(PAGE)))
    assert desk_url(PAGE) in page_text(client.get(desk_url("index")))
    marked = re.findall(r'<th scope="col" class="own-role">(\w+)', shown)
    assert marked == [role] * 2
    assert f"Your roles: {role}." in shown


def test_a_customer_does_not_find_the_page(client, minji):
    client.force_login(minji)
    assert client.get(desk_url(PAGE)).status_code == 404


def test_a_member_without_a_role_reads_whom_to_ask(client, team):
    new = User.objects.create_user("new@hanbit.example", is_staff=True)
    sign_in_to_desk(client, new)
    assert "a superuser gives you one" in page_text(client.get(desk_url(PAGE)))


@pytest.mark.parametrize(
    ("act", "who"),
    [
        ("Can approve, pause and cancel notices", {"approver", ""}),
        ("Incidents: add", {"importer", ""}),
        ("Scope versions: change", {"importer", ""}),
        ("Scam reports: change", {"editor", ""}),
        ("Suppressed addresses: change", {"approver", ""}),
        ("Audit trail: view", {"auditor", ""}),
        ("Can pause notices", {*ROLES, ""}),
        ("Users: change", {""}),
        ("Invitations: add", {""}),
        ("Shred the data of an incident, together with another superuser", {""}),
    ],
)
def test_an_act_is_of_these_roles(team, act, who):
    allowed = table(team["editor"])[act]
    assert {role for role, is_allowed in allowed.items() if is_allowed} == who


def test_each_permission_of_a_role_has_a_row_that_allows_it(team):
    """The rows are built from the desk's pages; a role's rights must not be missing among them."""
    found = table(team["editor"])
    missing = []
    for role, rights in ROLES.items():
        for right in [*rights, *OF_ALL]:
            app, codename = right.split(".")
            permission = Permission.objects.get(content_type__app_label=app, codename=codename)
            model = apps.get_model(app, permission.content_type.model)
            own = dict(model._meta.permissions)
            action = codename.partition("_")[0]
            with override("en"):
                plural = str(model._meta.verbose_name_plural)
                words = str(own.get(codename, f"{plural[:1].upper()}{plural[1:]}: {action}"))
            if not found.get(words, {}).get(role):
                missing.append((role, right, words))
    assert missing == []


def test_a_role_that_was_changed_or_added_shows_at_once(client, team):
    night = Group.objects.create(name="night shift")
    night.permissions.add(Permission.objects.get(codename="pause_notice"))
    Group.objects.get(name="support").permissions.clear()
    found = table(team["editor"])
    assert found["Can pause notices"]["night shift"]
    assert not any(row["support"] for row in found.values())
    assert not found["Incidents: add"]["night shift"]


def test_the_page_is_in_korean(client, team):
    sign_in_to_desk(client, team["support"])
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"
    shown = page_text(client.get(desk_url(PAGE)))
    assert "상담 담당 (support)" in shown
    assert "통지 승인, 일시 중지, 취소 가능" in shown
