"""The permissions of the roles, as migrations and `manage.py make_roles` set them.

Each migration sets them again, so that an upgrade brings its new permissions. A role that the
company changed or deleted by hand stays as it is: RoleRights store what the portal set last.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission

from accounts.models import RoleRights

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class HandChange:
    """What the company changed of a role by hand: permissions as "app.codename"."""

    role: str
    added: list[str]
    removed: list[str]


def set_roles(definitions: Mapping[str, Iterable[str]]) -> None:
    """Sets each role to its definition ("app.codename"), also one that was changed by hand."""
    for role, rights in definitions.items():
        _set(role, set(rights))


def update_roles(definitions: Mapping[str, Iterable[str]]) -> None:
    """Sets the roles that were not changed by hand to their definitions, and makes missing ones."""
    stored = _stored_rights()
    for role, rights in definitions.items():
        current = _rights_of(role)
        if current in (stored.get(role), set(rights)) or (role not in stored and current is None):
            _set(role, set(rights))
        else:
            logger.warning("role %s was changed by hand and stays; see manage.py make_roles", role)


def hand_changes() -> list[HandChange]:
    """Returns the roles with other permissions than the portal set last."""
    found = []
    for role, rights in _stored_rights().items():
        current = _rights_of(role) or set()
        if current != rights:
            found.append(HandChange(role, sorted(current - rights), sorted(rights - current)))
    return found


def _set(role: str, rights: set[str]) -> None:
    group, _ = Group.objects.get_or_create(name=role)
    group.permissions.set(_permissions(rights))
    RoleRights.objects.update_or_create(name=role, defaults={"rights": sorted(rights)})


def _stored_rights() -> dict[str, set[str]]:
    """Returns what the portal set last, by role, without permissions that exist no more."""
    pairs = Permission.objects.values_list("content_type__app_label", "codename")
    known = {f"{app}.{codename}" for app, codename in pairs}
    return {each.name: set(each.rights) & known for each in RoleRights.objects.order_by("name")}


def _rights_of(role: str) -> set[str] | None:
    """Returns the permissions of the role; None if there is no such group."""
    group = Group.objects.filter(name=role).first()
    if group is None:
        return None
    pairs = group.permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in pairs}


def _permissions(rights: set[str]) -> list[Permission]:
    apps = {right.partition(".")[0] for right in rights}
    known = Permission.objects.filter(content_type__app_label__in=apps)
    return [
        each
        for each in known.select_related("content_type")
        if f"{each.content_type.app_label}.{each.codename}" in rights
    ]
