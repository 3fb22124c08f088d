"""Defines the roles of the response team."""

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection

from accounts.models import RoleRights
from accounts.team import roles
from foundations.commands import PortalCommand

OUR_APPS = ("accounts", "incidents", "statements", "notices", "offers", "tickets", "scams")
# The permissions of all roles besides viewing: each person may stop a send.
OF_ALL = ("notices.pause_notice",)
# The permissions of each role besides viewing. All roles may view incidents and statements.
ROLES = {
    "importer": ["incidents.add_incident", "incidents.change_incident"]
    + [
        f"incidents.{may}_{what}"
        for what in ("incidentdataclass", "incidentjurisdiction")
        for may in ("add", "change", "delete")
    ]
    + ["incidents.change_exposurebatch", "incidents.add_dataclass", "incidents.change_dataclass"]
    + ["incidents.add_upload", "incidents.change_upload", "incidents.add_writeoff"]
    + [f"incidents.{may}_savedmapping" for may in ("add", "change", "delete")]
    + ["incidents.open_sharedcontact", "offers.import_codes"],
    "editor": ["incidents.change_incident", "incidents.add_retentiondecision"]
    + [f"incidents.{may}_incidentjurisdiction" for may in ("add", "change", "delete")]
    + [f"incidents.{may}_incidentdataclass" for may in ("add", "change", "delete")]
    + ["statements.add_statement", "statements.change_statement"]
    + ["statements.add_statementversion", "statements.change_statementversion"]
    + ["statements.add_section", "statements.change_section", "statements.delete_section"]
    + ["statements.add_advisory", "statements.change_advisory"]
    + ["statements.add_timelineentry", "statements.change_timelineentry", "notices.add_notice"]
    + ["scams.view_scamreport", "scams.change_scamreport"]
    + ["statements.add_regulatorreport", "statements.change_regulatorreport"]
    + [f"tickets.{may}_answertemplate" for may in ("add", "change", "delete")]
    + ["offers.add_offer", "offers.change_offer"]
    + [f"offers.{may}_offerclass" for may in ("add", "change", "delete")],
    "approver": ["statements.publish_statementversion", "notices.approve_notice"]
    + ["incidents.confirm_factchange", "incidents.confirm_writeoff"]
    + ["incidents.confirm_batchwithdrawal", "incidents.confirm_upload"]
    + ["incidents.confirm_addresschange", "incidents.view_addresschange"]
    + ["incidents.add_retentiondecision", "incidents.confirm_retentiondecision"]
    + ["statements.add_dutyconfirmation", "statements.change_dutyconfirmation"]
    + ["statements.file_regulatorreport", "notices.change_suppression"]
    + ["notices.export_proof", "notices.open_contacts"],
    "support": ["incidents.view_affectedperson", "notices.view_delivery"]
    + ["incidents.add_personmark", "incidents.change_personmark", "incidents.view_personmark"]
    + ["incidents.add_addresschange", "incidents.view_addresschange"]
    + ["notices.add_suppression", "notices.add_resend", "scams.view_scamreport"]
    + ["tickets.view_ticket", "tickets.answer_ticket"],
    "auditor": ["notices.export_proof"],
}
# These permissions show data of affected people. Only roles that need them in their work have them.
ABOUT_PEOPLE = (
    "incidents.view_affectedperson",
    "incidents.view_exposure",
    "incidents.view_reveal",
    "incidents.view_personmark",
    "incidents.view_addresschange",
    "incidents.view_rowproof",
    "incidents.view_wronganswer",
    "incidents.view_uploadpiece",
    "notices.view_delivery",
    "notices.view_alertsubscription",
    "scams.view_scamreport",
    "tickets.view_ticket",
)


class Command(PortalCommand):
    """The command that sets the roles of the response team again."""

    help = (
        "Sets the groups importer, editor, approver, support and auditor again, also if they were "
        "changed by hand. Each migration makes and updates those that were not."
    )
    exit_codes = {0: "each role has its rights"}
    prints_json = True

    def handle(self, **options: Any) -> None:
        """Sets each group's permissions to those of its role. A second run changes nothing."""
        found = definitions()
        roles.set_roles(found)
        for role, rights in found.items():
            self.tell(f"{role}: {len(rights)} permissions")
        self.result(roles={role: len(rights) for role, rights in found.items()})


def definitions() -> dict[str, set[str]]:
    """Returns the permissions of each role ("app.codename").

    The auditor may view everything; the other roles may not view data of people and accounts
    unless ROLES lists it. Permissions that the database does not have are left out.
    """
    known = {f"{right.content_type.app_label}.{right.codename}" for right in _rights()}
    views = {name for name in known if ".view_" in name}
    return {
        role: known
        & ((views if role == "auditor" else _without_people(views)) | {*rights, *OF_ALL})
        for role, rights in ROLES.items()
    }


def update_roles_after_migration(**_options: Any) -> None:
    """Makes and updates the roles, once all tables of the portal exist."""
    expected = {right for rights in ROLES.values() for right in rights}
    tables = connection.introspection.table_names()
    if RoleRights._meta.db_table not in tables or Group._meta.db_table not in tables:
        return
    found = definitions()
    if expected <= set().union(*found.values()):
        roles.update_roles(found)


def _without_people(names: set[str]) -> set[str]:
    return {name for name in names if name not in ABOUT_PEOPLE and not name.startswith("accounts.")}


def _rights() -> list[Permission]:
    labels = [apps.get_app_config(name).label for name in OUR_APPS]
    ours = Permission.objects.filter(content_type__app_label__in=labels)
    return list(ours.select_related("content_type"))
