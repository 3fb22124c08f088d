"""The response desk: Django admin for staff who showed a second factor in this session."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar, cast

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from accounts import second_factor
from accounts.models import User
from accounts.step_up import View

V = TypeVar("V", bound=View)
# Django's words, whose own Korean is broken; locale/ has better.
BETTER_IN_KOREAN = (
    gettext_noop("Select %s to view"),
    gettext_noop("View %s"),
    gettext_noop(" By %(filter_title)s "),
    gettext_noop("You don’t have permission to view or edit anything."),
    gettext_noop("None available"),
    gettext_noop("Start typing to filter…"),
    gettext_noop("Save and add another"),
    gettext_noop("Save and continue editing"),
    gettext_noop("Save and view"),
)
DESK_ORDER = ("incidents", "statements", "notices", "scams", "accounts")
# The roles' names in the reader's language; see manage.py make_roles.
ROLE_NAMES = {
    "importer": _("importer"),
    "editor": _("editor"),
    "approver": _("approver"),
    "support": _("support"),
    "auditor": _("auditor"),
}
# Which right Django asks for on its own page of a model.
RIGHT_FOR = {"add": "add", "changelist": "view", "change": "view", "history": "view"}


class RightMissingError(PermissionDenied):
    """Somebody lacks a right ("app.codename") that others hold."""

    def __init__(self, right: str) -> None:
        super().__init__()
        self.right = right


class DeskSite(admin.AdminSite):
    """Django admin, stock look. It has no password of its own and no sign-in form."""

    site_title = _("response desk")
    site_header = _("Response desk")
    index_title = _("Response desk")

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, active, and with the second factor shown in this session."""
        return super().has_permission(request) and second_factor.was_shown(request)

    def admin_view(self, view: V, cacheable: bool = False) -> V:
        """As Django's; a customer learns nothing from it, not even where it is.

        Staff who may not do something read why, and who may.
        """
        guarded = super().admin_view(view, cacheable)

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            _hide_from_customers(request)
            try:
                return guarded(request, *args, **kwargs)
            except PermissionDenied as refusal:
                return self._refused(request, refusal)

        return cast("V", update_wrapper(inner, guarded))

    def _refused(self, request: HttpRequest, refusal: PermissionDenied) -> HttpResponse:
        right = refusal.right if isinstance(refusal, RightMissingError) else _right_for(request)
        is_lacking = right and not request.user.has_perm(right)
        context = {
            **self.each_context(request),
            "title": _("You may not do this"),
            "reason": str(refusal),
            "own_roles": [role_name(group.name) for group in staff_of(request).groups.all()],
            "holders": _holders_of(right) if is_lacking else [],
        }
        return TemplateResponse(request, "admin/403.html", context, status=403)

    def login(
        self,
        request: HttpRequest,
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Where Django sends everyone who may not enter: on to the step they lack."""
        _hide_from_customers(request)
        index = reverse("admin:index", current_app=self.name)
        if self.has_permission(request):
            return redirect(index)
        if not request.user.is_authenticated:
            missing = "account_login"
        elif second_factor.is_set_up(request.user):
            missing = "mfa_reauthenticate"
        else:
            missing = "mfa_activate_totp"
        next_url = request.GET.get(REDIRECT_FIELD_NAME) or index
        return redirect_to_login(next_url, login_url=reverse(missing))

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """In the order of a response: what happened, what is said of it, who works here."""
        listed = {app["app_label"]: app for app in super().get_app_list(request, app_label)}
        first = [listed.pop(label) for label in DESK_ORDER if label in listed]
        return [*first, *listed.values()]

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Django's, without the pages for changing a password: nobody has one."""
        gone = ("password_change", "password_change_done")
        return [url for url in super().get_urls() if getattr(url, "name", None) not in gone]


def desk_path(
    model_admin: "admin.ModelAdmin[Any]", address: str, view: View, name: str
) -> URLPattern:
    """A page of ours beside Django's for a model; its name is `admin:<app>_<model>_<name>`."""
    opts, view = model_admin.opts, model_admin.admin_site.admin_view(view)
    return path(address, view, name=f"{opts.app_label}_{opts.model_name}_{name}")


def number_column(model: type[Model], name: str) -> Callable[[Any], str]:
    """A column, or a field that is only shown, for a number of the model: "1,234,567"."""
    heading = getattr(model._meta.get_field(name), "verbose_name", name)

    @admin.display(description=heading, ordering=name)
    def column(row: Any) -> str:
        number = getattr(row, name)
        return "–" if number is None else f"{number:,}"

    column.__name__ = name
    return column


def staff_of(request: HttpRequest) -> User:
    """Who works at the desk. Raises PermissionDenied."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def require(request: HttpRequest, right: str) -> None:
    """Raises RightMissingError for those who do not hold it."""
    if not request.user.has_perm(right):
        raise RightMissingError(right)


def role_name(name: str) -> str:
    """A group's name; that of our roles in the reader's language as well."""
    words = str(ROLE_NAMES.get(name, name))
    return words if words == name else f"{words} ({name})"


def staff_with(role: Group) -> list[str]:
    """The addresses of the active staff who have a role."""
    staff = User.objects.filter(groups=role, is_staff=True, is_active=True)
    return list(staff.order_by("email").values_list("email", flat=True))


def _holders_of(right: str) -> list[tuple[str, list[str]]]:
    """The roles that hold it, and the addresses of who has them: somebody to call at night."""
    app, codename = right.split(".")
    roles = Group.objects.filter(
        permissions__content_type__app_label=app, permissions__codename=codename
    )
    return [(role_name(role.name), staff_with(role)) for role in roles.order_by("name")]


def _right_for(request: HttpRequest) -> str:
    """What Django's own page asked for; "" where that cannot be told from its name."""
    match = request.resolver_match
    app, _dash, rest = ((match and match.url_name) or "").partition("_")
    model, _dash, action = rest.rpartition("_")
    asked = "change" if request.method == "POST" and action == "change" else RIGHT_FOR.get(action)
    return f"{app}.{asked}_{model}" if asked else ""


def _hide_from_customers(request: HttpRequest) -> None:
    if request.user.is_authenticated and not request.user.is_staff:
        raise Http404
