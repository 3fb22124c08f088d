"""The table of who may do what on the desk: each role and each act, as the desk decides it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.admin_site import DESK_ORDER, ROLE_NAMES, role_name
from accounts.models import User
from accounts.team.superuser_acts import SUPERUSER_ACTS

# The acts for which Django makes a permission for each model. Seeing is listed apart.
ACTION_NAMES = {"add": _("add"), "change": _("change"), "delete": _("delete"), "view": _("view")}

# An app, an act, whether it is seeing, and the test whether a user may do it.
Act = tuple[str, str, bool, Callable[[User], bool]]


@dataclass(frozen=True)
class MatrixColumn:
    """A role, or the superusers if `name` is "". `holder` is an unsaved user with its rights."""

    name: str
    title: str
    holder: User
    is_own: bool


@dataclass(frozen=True)
class MatrixCell:
    """Whether a column may do an act, and whether the column is one of the reader's."""

    is_allowed: bool
    is_own: bool


@dataclass(frozen=True)
class MatrixRow:
    """One act of one app; `is_seeing` if it changes nothing."""

    app: str
    act: str
    is_seeing: bool
    cells: tuple[MatrixCell, ...]


def columns(reader: User) -> list[MatrixColumn]:
    """Returns a column for each role, in the order of ROLE_NAMES, and one for superusers."""
    order = list(ROLE_NAMES)
    own = set(reader.groups.values_list("pk", flat=True))
    groups = sorted(
        Group.objects.prefetch_related("permissions__content_type"),
        key=lambda group: (order.index(group.name) if group.name in order else 99, group.name),
    )
    roles = [
        MatrixColumn(group.name, role_name(group.name), _holder_of(group), group.pk in own)
        for group in groups
    ]
    superuser = User(is_staff=True, is_superuser=True)
    return [*roles, MatrixColumn("", str(_("superuser")), superuser, reader.is_superuser)]


def rows(of: Sequence[MatrixColumn]) -> list[MatrixRow]:
    """Returns the acts that at least one column may do, in the order of the desk's apps."""
    found = [
        MatrixRow(
            app, act, is_seeing, tuple(MatrixCell(allows(each.holder), each.is_own) for each in of)
        )
        for app, act, is_seeing, allows in _acts(of)
    ]
    return [row for row in found if any(cell.is_allowed for cell in row.cells)]


def _holder_of(role: Group) -> User:
    rights = {f"{each.content_type.app_label}.{each.codename}" for each in role.permissions.all()}
    holder = User(is_staff=True)
    holder.has_perm = (  # type: ignore[method-assign]
        lambda perm, obj=None: perm in rights  # noqa: ARG005
    )
    return holder


def _acts(of: Sequence[MatrixColumn]) -> Iterator[Act]:
    """Yields the acts on each model, and those of superusers."""
    for model in sorted(apps.get_models(), key=_place):
        app = str(apps.get_app_config(model._meta.app_label).verbose_name)
        named = capfirst(str(model._meta.verbose_name_plural))
        for action, word in ACTION_NAMES.items():
            if allows := _test_of(model, action, of):
                yield app, f"{named}: {word}", action == "view", allows
        for codename, words in model._meta.permissions:
            yield app, str(words), False, partial(_holds, f"{model._meta.app_label}.{codename}")
    for act in SUPERUSER_ACTS:
        yield str(_("Superusers")), str(act), False, _is_superuser


def _test_of(
    model: type[Model], action: str, of: Sequence[MatrixColumn]
) -> Callable[[User], bool] | None:
    """Returns the test whether a user may do the action; None if the desk does not offer it.

    Django's own pages decide if they offer it to a superuser. Else the permission decides, if a
    role has it: pages of our own check it, such as the one that closes a scope version. What every
    role may see as a part of another page has no row.
    """
    desk = partial(_desk_allows, model, action)
    if admin.site.is_registered(model) and desk(User(is_staff=True, is_superuser=True)):
        return desk
    right = f"{model._meta.app_label}.{action}_{model._meta.model_name}"
    held = [each.holder.has_perm(right) for each in of if each.name]
    is_told_apart = any(held) and (action != "view" or not all(held))
    return partial(_holds, right) if is_told_apart else None


def _desk_allows(model: type[Model], action: str, holder: User) -> bool:
    """Returns whether the desk's pages of the model allow the action to the user."""
    request = HttpRequest()
    request.user = holder
    return bool(getattr(admin.site.get_model_admin(model), f"has_{action}_permission")(request))


def _holds(right: str, holder: User) -> bool:
    return holder.has_perm(right)


def _is_superuser(holder: User) -> bool:
    return holder.is_superuser


def _place(model: type[Model]) -> tuple[int, str, str]:
    app = model._meta.app_label
    place = DESK_ORDER.index(app) if app in DESK_ORDER else len(DESK_ORDER)
    return place, app, str(model._meta.verbose_name_plural)
