"""The response desk: Django admin for staff with a second factor verified in this session."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import update_wrapper
from typing import Any, TypeVar, cast

from django.contrib import admin, messages
from django.contrib.admin.templatetags import admin_list
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from accounts import code_limits, code_states, page_budgets, second_factor
from accounts.audit import actors, refusals
from accounts.desk_tasks import TaskOverError
from accounts.ended_sessions import View
from accounts.models import User
from accounts.team import desk_sessions
from foundations.visitor_address import proxy_problem

V = TypeVar("V", bound=View)
# Strings of Django with a wrong Korean translation in Django; locale/ has a better one.
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
CODE_ALARM = _(
    "Code mails are being refused: more are requested than CODE_MAILS_PER_MINUTE allows."
)
REDIS_ALARM = _(
    "Redis does not answer, or its memory is full. People sign in with a quarter of the limits, "
    "which the database counts; the send is slower, and uploads wait."
)
DESK_ORDER = ("incidents", "statements", "notices", "offers", "tickets", "scams", "accounts")
# The translated names of the roles; see manage.py make_roles.
ROLE_NAMES = {
    "importer": _("importer"),
    "editor": _("editor"),
    "approver": _("approver"),
    "support": _("support"),
    "auditor": _("auditor"),
}
# The permission that Django requires for its own page of a model, by the action in the URL name.
RIGHT_FOR = {"add": "add", "changelist": "view", "change": "view", "history": "view"}


def _boolean_icon(value: bool | None) -> SafeString:
    """Returns the picture of a boolean, with its meaning in the active language."""
    name, words = {
        True: ("yes", gettext("Yes")),
        False: ("no", gettext("No")),
        None: ("unknown", gettext("Unknown")),
    }[value]
    return format_html('<img src="{}" alt="{}">', static(f"admin/img/icon-{name}.svg"), words)


# Django's own says "True" in each language, on each list and page that shows a boolean.
admin_list._boolean_icon = _boolean_icon  # type: ignore[attr-defined]


class RightMissingError(PermissionDenied):
    """The user lacks the permission `right` ("app.codename")."""

    def __init__(self, right: str) -> None:
        super().__init__()
        self.right = right


class TooOftenError(PermissionDenied):
    """The user did what the work needs, but too often. `reason` is for the audit trail."""

    def __init__(self, words: str, *, reason: str) -> None:
        super().__init__(words)
        self.reason = reason


class DeskSite(admin.AdminSite):
    """Django admin with its own look, but without passwords and without a sign-in form."""

    site_title = _("response desk")
    site_header = _("Response desk")
    index_title = _("Response desk")

    def has_permission(self, request: HttpRequest) -> bool:
        """Returns whether the user is active staff and verified a second factor in this session."""
        return super().has_permission(request) and second_factor.is_second_factor_verified(request)

    def admin_view(self, view: V, cacheable: bool = False) -> V:
        """Returns the guarded view, as Django does, with other answers to a refusal.

        A customer gets 404, so that customers cannot find out where the desk is. A member of the
        staff without the permission gets a page with the reason and the people who have it. A page
        whose task is over leads to its object (accounts.desk_tasks). A session without work for
        a time ends. What the view writes is recorded in the audit trail with the signed-in person.
        A member who used up the budget for pages gets 429 (accounts.page_budgets).
        """
        guarded = super().admin_view(view, cacheable)

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            _hide_from_customers(request)
            if answer := desk_sessions.answer_if_ended(request):
                return answer
            if self.has_permission(request) and (answer := self._answer_before_page(request)):
                return answer
            try:
                with _acting(request):
                    return guarded(request, *args, **kwargs)
            except PermissionDenied as refusal:
                return self._refusal_page(request, refusal)
            except TaskOverError as over:
                return over.answer(request)
            # Django's redirect to a row with a malformed key, and its look-up by `?_to_field=`
            except (ValidationError, FieldDoesNotExist) as error:
                raise Http404 from error

        return cast("V", update_wrapper(inner, guarded))

    def _answer_before_page(self, request: HttpRequest) -> HttpResponse | None:
        """Returns what is shown to a member at work in place of the page, else None."""
        if refusal := page_budgets.refusal_of_desk_page(request):
            return refusal
        desk_sessions.note_work(request)
        kept = desk_sessions.kept_form(request)
        return self._kept_form_page(request, kept) if kept else None

    def _kept_form_page(self, request: HttpRequest, kept: dict[str, Any]) -> HttpResponse:
        context = {**self.each_context(request), **kept, "title": _("What you typed is kept")}
        return TemplateResponse(request, "accounts/desk/kept_form.html", context)

    def _refusal_page(self, request: HttpRequest, refusal: PermissionDenied) -> HttpResponse:
        right = refusal.right if isinstance(refusal, RightMissingError) else _right_for(request)
        is_lacking = right and not request.user.has_perm(right)
        details: dict[str, Any] = {}
        if isinstance(refusal, TooOftenError):
            details["reason"] = refusal.reason
        refusals.record(staff_of(request), page=request.path, right=right, **details)
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
        """Redirects a user who may not enter the desk to the step that is missing.

        The step is the sign-in, the second factor, or its set-up. Django redirects here.
        """
        _hide_from_customers(request)
        index = reverse("admin:index", current_app=self.name)
        if self.has_permission(request):
            return redirect(index)
        if not request.user.is_authenticated:
            missing = "account_login"
        elif second_factor.has_second_factor(request.user):
            missing = "mfa_reauthenticate"
        else:
            missing = "mfa_activate_totp"
        next_url = request.GET.get(REDIRECT_FIELD_NAME) or index
        return redirect_to_login(next_url, login_url=reverse(missing))

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Shows the desk's first page, with warnings about proxies, code mails and Redis."""
        if problem := proxy_problem(request):
            messages.warning(request, problem)
        if code_limits.has_alarm():
            messages.error(request, CODE_ALARM)
        if text_alarm := code_limits.text_alarm():
            messages.error(request, text_alarm)
        if code_states.has_alarm():
            messages.error(request, REDIS_ALARM)
        return super().index(request, extra_context)

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """Returns the apps in the order of DESK_ORDER, the order of the work on an incident."""
        listed = {app["app_label"]: app for app in super().get_app_list(request, app_label)}
        first = [listed.pop(label) for label in DESK_ORDER if label in listed]
        return [*first, *listed.values()]

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Returns Django's URLs without those to change a password, because users have none."""
        removed = ("password_change", "password_change_done")
        return [url for url in super().get_urls() if getattr(url, "name", None) not in removed]


def desk_path(
    model_admin: "admin.ModelAdmin[Any]", address: str, view: View, name: str
) -> URLPattern:
    """Returns the URL pattern of an additional desk page for the model of `model_admin`.

    The URL's name is `admin:<app>_<model>_<name>`. The page is guarded as Django's own pages.
    """
    opts, view = model_admin.opts, model_admin.admin_site.admin_view(view)
    return path(address, view, name=f"{opts.app_label}_{opts.model_name}_{name}")


def number_column(model: type[Model], name: str) -> Callable[[Any], str]:
    """Returns a column or read-only field that shows a number of the model as "1,234,567"."""
    heading = getattr(model._meta.get_field(name), "verbose_name", name)

    @admin.display(description=heading, ordering=name)
    def column(row: Any) -> str:
        number = getattr(row, name)
        return "–" if number is None else f"{number:,}"

    column.__name__ = name
    return column


def person_column(model: type[Model], name: str) -> Callable[[Any], str]:
    """Returns a column or read-only field that names a member of the team, without a link.

    Django links a read-only reference also for roles that may not open the page of an account. A
    press on such a link is a refused attempt in the audit trail.
    """
    heading = getattr(model._meta.get_field(name), "verbose_name", name)

    @admin.display(description=heading, ordering=name)
    def column(row: Any) -> str:
        return str(getattr(row, name) or "–")

    column.__name__ = name
    return column


def staff_of(request: HttpRequest) -> User:
    """Returns the signed-in user. Raises PermissionDenied if there is none."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def require(request: HttpRequest, right: str) -> None:
    """Raises RightMissingError if the user lacks the permission `right` ("app.codename")."""
    if not request.user.has_perm(right):
        raise RightMissingError(right)


def role_name(name: str) -> str:
    """Returns a group's name, for a role with its translation: "작성 담당 (editor)"."""
    translated = str(ROLE_NAMES.get(name, name))
    return translated if translated == name else f"{translated} ({name})"


def staff_with(role: Group) -> list[str]:
    """Returns the e-mail addresses of the active staff with this role."""
    staff = User.objects.filter(groups=role, is_staff=True, is_active=True)
    return [email for email in staff.order_by("email").values_list("email", flat=True) if email]


def role_names_with(right: str) -> list[str]:
    """Returns the translated names of the roles with the permission `right` ("app.codename")."""
    app, codename = right.split(".")
    roles = Group.objects.filter(
        permissions__content_type__app_label=app, permissions__codename=codename
    )
    return [role_name(name) for name in roles.order_by("name").values_list("name", flat=True)]


def _holders_of(right: str) -> list[tuple[str, list[str]]]:
    """Returns the roles with the permission `right`, each with the addresses of its members.

    The refusal page shows them, so that the reader can call a colleague.
    """
    app, codename = right.split(".")
    roles = Group.objects.filter(
        permissions__content_type__app_label=app, permissions__codename=codename
    )
    return [(role_name(role.name), staff_with(role)) for role in roles.order_by("name")]


def _right_for(request: HttpRequest) -> str:
    """Returns the permission that Django requires for the requested page of its own.

    Returns "" if the URL's name does not show which one.
    """
    match = request.resolver_match
    app, _dash, rest = ((match and match.url_name) or "").partition("_")
    model, _dash, action = rest.rpartition("_")
    verb = "change" if request.method == "POST" and action == "change" else RIGHT_FOR.get(action)
    return f"{app}.{verb}_{model}" if verb else ""


def _acting(request: HttpRequest) -> AbstractContextManager[None]:
    return actors.acting(request.user) if isinstance(request.user, User) else nullcontext()


def _hide_from_customers(request: HttpRequest) -> None:
    if request.user.is_authenticated and not request.user.is_staff:
        raise Http404
