from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand

OUR_APPS = ("accounts", "incidents", "statements", "notices", "tickets", "scams")
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
    + ["incidents.open_sharedcontact"],
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
    + [f"tickets.{may}_answertemplate" for may in ("add", "change", "delete")],
    "approver": ["statements.publish_statementversion", "notices.approve_notice"]
    + ["incidents.confirm_factchange", "incidents.confirm_writeoff"]
    + ["incidents.confirm_batchwithdrawal"]
    + ["incidents.add_retentiondecision", "incidents.confirm_retentiondecision"]
    + ["statements.add_dutyconfirmation", "statements.change_dutyconfirmation"]
    + ["statements.file_regulatorreport", "notices.change_suppression"]
    + ["notices.export_proof", "notices.open_contacts"],
    "support": ["incidents.view_affectedperson", "notices.view_delivery"]
    + ["incidents.add_personmark", "incidents.change_personmark", "incidents.view_personmark"]
    + ["notices.add_suppression", "scams.view_scamreport"]
    + ["tickets.view_ticket", "tickets.answer_ticket"],
    "auditor": ["notices.export_proof"],
}
# These permissions show data of affected people. Only roles that need them in their work have them.
ABOUT_PEOPLE = (
    "incidents.view_affectedperson",
    "incidents.view_exposure",
    "incidents.view_reveal",
    "incidents.view_personmark",
    "incidents.view_rowproof",
    "incidents.view_wronganswer",
    "incidents.view_uploadpiece",
    "notices.view_delivery",
    "notices.view_alertsubscription",
    "scams.view_scamreport",
    "tickets.view_ticket",
)


class Command(BaseCommand):
    """The command that defines the roles of the response team."""

    help = "Makes or mends the groups importer, editor, approver, support and auditor."

    def handle(self, **options: Any) -> None:
        """Sets each group's permissions to those of its role. A second run changes nothing.

        The auditor may view everything; the other roles may not view data of people and accounts
        unless ROLES lists it.
        """
        known = {f"{right.content_type.app_label}.{right.codename}": right for right in _rights()}
        views = {name for name in known if ".view_" in name}
        for role, rights in ROLES.items():
            viewable = views if role == "auditor" else _without_people(views)
            group, _ = Group.objects.get_or_create(name=role)
            group.permissions.set(known[name] for name in viewable | {*rights, *OF_ALL})
            self.stdout.write(f"{role}: {len(viewable)} to look at, {len(rights)} to do")


def _without_people(names: set[str]) -> set[str]:
    return {name for name in names if name not in ABOUT_PEOPLE and not name.startswith("accounts.")}


def _rights() -> list[Permission]:
    labels = [apps.get_app_config(name).label for name in OUR_APPS]
    ours = Permission.objects.filter(content_type__app_label__in=labels)
    return list(ours.select_related("content_type"))
