"""The groups of the response team: each may do its own work only."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.urls import reverse

from accounts.models import User
from breachportal.management.commands.make_roles import ROLES
from harness.exposure_factory import class_id
from harness.sign_in import sign_in_to_desk
from incidents.models import Incident
from tests.incidents.test_incident_admin import NEW_INCIDENT

pytest_plugins = ["tests.notice_fixtures"]


@pytest.mark.parametrize(
    ("right", "roles"),
    [
        ("notices.approve_notice", {"approver"}),
        ("statements.publish_statementversion", {"approver"}),
        ("notices.add_notice", {"editor"}),
        ("statements.change_statementversion", {"editor"}),
        ("incidents.change_exposurebatch", {"importer"}),
        ("incidents.view_affectedperson", {"support", "auditor"}),
        ("incidents.add_personmark", {"support"}),
        ("incidents.view_rowproof", {"auditor"}),
        ("incidents.open_sharedcontact", {"importer"}),
        ("notices.view_delivery", {"support", "auditor"}),
        ("notices.view_notice", set(ROLES)),
        ("incidents.add_upload", {"importer"}),
        ("incidents.change_upload", {"importer"}),
        ("incidents.view_uploadpiece", {"auditor"}),
        ("incidents.change_incident", {"importer", "editor"}),
        ("incidents.confirm_factchange", {"approver"}),
        ("scams.view_scamreport", {"editor", "support", "auditor"}),
        ("scams.change_scamreport", {"editor"}),
        ("notices.add_suppression", {"support"}),
        ("notices.change_suppression", {"approver"}),
        ("statements.add_regulatorreport", {"editor"}),
        ("statements.file_regulatorreport", {"approver"}),
        ("statements.add_dutyconfirmation", {"approver"}),
        ("notices.export_proof", {"approver", "auditor"}),
        ("notices.open_contacts", {"approver"}),
        ("accounts.change_user", set()),
    ],
)
def test_only_these_roles_hold_the_right(team, right, roles):
    assert {role for role, user in team.items() if user.has_perm(right)} == roles


def test_running_it_again_removes_manually_added_permissions(team):
    editor = Group.objects.get(name="editor")
    before = set(editor.permissions.all())
    editor.permissions.set(Group.objects.get(name="approver").permissions.all())
    call_command("make_roles")
    assert set(editor.permissions.all()) == before


@pytest.mark.parametrize("role", ROLES)
def test_every_role_can_open_the_desk(client, team, role):
    sign_in_to_desk(client, team[role])
    assert client.get(reverse("admin:index")).status_code == 200
    assert client.get(reverse("admin:notices_notice_changelist")).status_code == 200


def test_an_importer_makes_an_incident_and_states_its_classes_and_laws(client, team):
    sign_in_to_desk(client, team["importer"])
    form = NEW_INCIDENT | {"class_states-0-data_class": class_id("names")}
    assert client.post(reverse("admin:incidents_incident_add"), form).status_code == 302
    incident = Incident.objects.get(slug=form["slug"])
    assert [each.data_class.slug for each in incident.class_states.all()] == ["names"]
    assert [each.jurisdiction for each in incident.jurisdictions.all()] == ["KR"]


def test_an_editor_cannot_look_people_up(client, team):
    sign_in_to_desk(client, team["editor"])
    assert client.get(reverse("admin:incidents_affectedperson_changelist")).status_code == 403


def refused(response) -> str:
    assert response.status_code == 403
    return " ".join(response.content.decode().split())


@pytest.mark.parametrize("role", [role for role in ROLES if role != "approver"])
def test_a_refusal_names_the_roles_with_the_permission_and_changes_nothing(
    client, team, draft, role
):
    sign_in_to_desk(client, team[role])
    address = reverse("admin:notices_notice_approve", args=[draft.pk])
    shown = refused(client.get(address))
    assert "Your roles do not include this." in shown
    assert f"<td>{role}</td>" in shown
    assert "<div>approver: approver@hanbit.example</div>" in shown
    assert "Nothing was changed." not in shown
    assert reverse("admin:index") in shown
    assert "Nothing was changed." in refused(client.post(address, {"people": "1"}))


def test_a_refusal_of_djangos_pages_names_the_roles(client, team):
    sign_in_to_desk(client, team["approver"])
    shown = refused(client.get(reverse("admin:notices_notice_add")))
    assert "<div>editor: editor@hanbit.example</div>" in shown
    users = reverse("admin:accounts_user_changelist")
    assert "<div>auditor: auditor@hanbit.example</div>" in refused(client.get(users))


def test_staff_without_a_role_read_whom_to_ask(client, db):
    sign_in_to_desk(client, User.objects.create_user("new@hanbit.example", is_staff=True))
    shown = refused(client.get(reverse("admin:notices_notice_changelist")))
    assert "none yet: a superuser gives you one" in shown


def test_the_refusal_names_roles_in_korean(client, team, draft):
    sign_in_to_desk(client, team["importer"])
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"
    shown = refused(client.get(reverse("admin:notices_notice_approve", args=[draft.pk])))
    assert "승인 담당 (approver): approver@" in shown
    assert "자료 담당 (importer)" in shown


def test_a_refusal_explains_that_no_role_has_the_permission(client, team, incident):
    sign_in_to_desk(client, team["approver"])
    shown = refused(client.get(reverse("admin:incidents_incident_shred", args=[incident.pk])))
    assert "Only a superuser shreds data." in shown


def test_a_role_says_in_korean_who_has_it_and_what_it_may_do(client, team, editor):
    sign_in_to_desk(client, editor)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "ko"
    approver = Group.objects.get(name="approver")
    listed = client.get(reverse("admin:auth_group_changelist")).text
    assert "승인 담당 (approver)" in listed
    assert "approver@hanbit.example" in listed
    shown = client.get(reverse("admin:auth_group_change", args=[approver.pk])).text
    assert "정보주체: 보기</option>" in shown
    assert "통지: 통지 승인, 일시 중지, 취소 가능</option>" in shown
    assert ">Can " not in shown
    assert ": Can " not in shown
    user = client.get(reverse("admin:accounts_user_change", args=[team["support"].pk])).text
    assert "상담 담당 (support)</option>" in user


def rights_the_desk_asks_for() -> set[str]:
    """Returns the permissions in the code, and those that models add to Django's."""
    named = re.compile(r'"((?:accounts|incidents|statements|notices)\.(?!\w*admin)[a-z]+_[a-z]+)"')
    root = Path(__file__).parents[2]
    sources = [
        path.read_text(encoding="utf-8")
        for app in ("accounts", "incidents", "statements", "notices")
        for path in (root / app).rglob("*.py")
        if "migrations" not in path.relative_to(root).parts
    ]
    added = {
        f"{model._meta.app_label}.{codename}"
        for model in apps.get_models()
        for codename, _ in model._meta.permissions
    }
    return {right for source in sources for right in named.findall(source)} | added


def test_every_permission_of_the_desk_belongs_to_a_role(team):
    asked = rights_the_desk_asks_for()
    assert {"notices.approve_notice", "incidents.change_upload", "notices.open_contacts"} <= asked
    held = {right for user in team.values() for right in user.get_all_permissions()}
    assert asked - held == set()
