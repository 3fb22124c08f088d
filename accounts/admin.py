"""Users, their contacts, second factors and roles on the response desk.

Verified addresses and numbers are read-only, because each gives access to the leaked data of its
owner. No list has a search, because a search writes addresses into URLs and so into the logs of
proxies.
"""

from functools import partial
from typing import Any

from allauth.account.admin import EmailAddressAdmin  # noqa: F401  # registers itself; unregistered below
from allauth.account.models import EmailAddress
from allauth.mfa.admin import AuthenticatorAdmin
from allauth.mfa.models import Authenticator
from allauth.usersessions.admin import UserSessionAdmin  # noqa: F401
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts import desk_look_ups, second_person
from accounts.admin_site import desk_path, role_name, staff_of, staff_with
from accounts.audit.admin import AuditEntryAdmin
from accounts.company_sign_on.admin import CompanyIdentityAdmin
from accounts.company_sign_on.identities import CompanyIdentity
from accounts.desk_api.admin import ApiTokenAdmin
from accounts.desk_api.tokens import ApiToken
from accounts.desk_lists import LargeTableAdmin
from accounts.desk_look_ups import ActReasonForm
from accounts.desk_tasks import require_done, require_waiting
from accounts.devices import sessions_of
from accounts.models import AuditEntry, Invitation, RightsGrant, User, VerifiedPhone
from accounts.second_factor import end_other_sessions
from accounts.team import matrix, roles
from accounts.team.admin import InvitationAdmin, require_superuser
from accounts.team.forms import EndStaffSessionForm, RolesField, UserForm
from accounts.team.matrix import ACTION_NAMES
from foundations.typed_numbers import number_of

admin.site.unregister([EmailAddress, Authenticator, Group, UserSession])
admin.site.register(AuditEntry, AuditEntryAdmin)
admin.site.register(Invitation, InvitationAdmin)
admin.site.register(ApiToken, ApiTokenAdmin)
admin.site.register(CompanyIdentity, CompanyIdentityAdmin)


class ReadOnlyAdmin:
    """A mixin for admins without adding and changing."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class _Unnamed:
    """Stands in the desk's log for a row whose name may hold what a customer typed."""

    def __init__(self, row: Any) -> None:
        self.pk, self._meta = row.pk, row._meta

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"


def _in_log(row: Any) -> Any:
    return row if isinstance(row, User) and row.is_staff else _Unnamed(row)


class EmailAddressInline(ReadOnlyAdmin, admin.TabularInline):
    model = EmailAddress
    fields = ["email", "verified", "primary"]
    can_delete = False
    extra = 0


class PhoneInline(ReadOnlyAdmin, admin.TabularInline):
    model = VerifiedPhone
    fields = ["number", "verified_at"]
    can_delete = False  # the page of the number asks for the reason
    extra = 0


def _may_change_user(request: HttpRequest, user: User | None) -> bool:
    """Returns whether the request's user may change or delete `user`.

    Only a superuser may change or delete a member of the response team.
    """
    is_staff = user is not None and (user.is_staff or user.is_superuser)
    return bool(request.user.is_superuser) or not is_staff


def _is_kept(request: HttpRequest, user: User) -> bool:
    return _may_change_user(request, user) and user.is_or_was_on_team()


def _after_the_reason(name: str) -> Any:
    """Returns Django's view of this name. A customer's page asks for a reason first.

    Each view of Django that shows one row has it.
    """

    def view(
        self: "OfAnAccount",
        request: HttpRequest,
        object_id: str | None = None,
        *args: Any,
        **more: Any,
    ) -> Any:
        if customer := self._customer_to_look_up(request, object_id):
            return desk_look_ups.ask_reason(request, self, customer)
        return getattr(LargeTableAdmin, name)(self, request, object_id, *args, **more)

    return view


def shown_account(user: User) -> str:
    """Returns how a list names an account: a customer by number, because a list gives no reason."""
    is_of_team = user.is_staff or user.is_superuser
    return str(user) if is_of_team else f"{user._meta.verbose_name} {user.pk}"


class OfAnAccount(LargeTableAdmin):
    """The list of accounts, or of their rows. The page of a customer's row asks for a reason first.

    The desk's log, which stays, has no address of a customer. `account_of` returns whose a row is.
    """

    changeform_view = _after_the_reason("changeform_view")
    history_view = _after_the_reason("history_view")

    delete_confirmation_template = "accounts/desk/delete.html"
    actions = None  # a list of chosen rows names customers, and asks for no reason

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Deletes the row after a reason, which the desk's log keeps."""
        if customer := self._customer_to_look_up(request, object_id):
            return desk_look_ups.ask_reason(request, self, customer)
        form = ActReasonForm(request.POST or None)
        if request.POST and not form.is_valid():
            # Django deletes after each POST with fields, and asks its question otherwise.
            request.POST = QueryDict()
        context = {**(extra_context or {}), "reason_form": form}
        return super().delete_view(request, object_id, context)

    def account_of(self, row: Any) -> User:
        user: User = row.user
        return user

    @admin.display(description=_("user"))
    def account(self, obj: Any) -> str:
        return shown_account(self.account_of(obj))

    def _customer_to_look_up(self, request: HttpRequest, object_id: str | None) -> User | None:
        """Returns the customer of the page if the user may see it and no look-up opened it.

        `object_id` is as the address has it: Django's pages unquote it, so this does, too.
        """
        row = self.get_object(request, unquote(object_id)) if object_id else None
        if row is None or not self.has_view_permission(request, row):
            return None
        user = self.account_of(row)
        return None if user.is_staff or desk_look_ups.is_open(request, user) else user

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return super().log_addition(request, _in_log(obj), message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return super().log_change(request, _in_log(obj), message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        rows: Any = [_in_log(row) for row in queryset]
        reason = request.POST.get("reason", "")
        return LogEntry.objects.log_actions(staff_of(request).pk, rows, DELETION, reason)


@admin.register(User)
class UserAdmin(OfAnAccount):
    form = UserForm
    change_form_template = "accounts/desk/user.html"
    list_display = ["account", "name", "is_staff", "is_active", "language", "last_login"]
    list_filter = ["is_staff", "is_active", "groups"]
    fields = ["email", "name", "language", "is_active", "is_staff", "is_superuser", "groups"]
    readonly_fields = ["last_login", "created_at", "same_person"]
    filter_horizontal = ["groups"]
    inlines = [EmailAddressInline, PhoneInline]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[User]":
        """Returns all users for a superuser, and the response team for others."""
        rows = super().get_queryset(request).prefetch_related("phones")
        return rows if request.user.is_superuser else rows.filter(is_staff=True)

    def account_of(self, row: User) -> User:
        return row

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **options: Any
    ) -> forms.ModelMultipleChoiceField | None:
        """Shows roles by their names in the active language."""
        if db_field.name == "groups":
            options["form_class"] = RolesField
        return super().formfield_for_manytomany(db_field, request, **options)

    def get_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return self.fields
        asked = ["reason"] if self.has_change_permission(request, obj) else []
        return [*self.fields, *asked, *self.readonly_fields]

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Returns the read-only fields.

        Only a superuser grants rights. The address of an existing user is read-only for all.
        """
        rights = [] if request.user.is_superuser else ["is_staff", "is_superuser", "groups"]
        return [*self.readonly_fields, *rights, *(["email"] if obj else [])]

    @admin.display(description=_("accounts that may be of the same person"))
    def same_person(self, obj: User) -> str:
        """Shows other accounts of the team with an address of the same mailbox."""
        found = second_person.same_person(obj) if obj.is_staff else []
        return ", ".join(map(str, found)) or "–"

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_change_user(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_change_user(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Protects who is or was on the response team: the desk's log and the audit trail stay."""
        *found, protected = super().get_deleted_objects(objs, request)
        reason = gettext("%(user)s: of the response team; to deactivate, never to delete")
        kept = [reason % {"user": user} for user in objs if _is_kept(request, user)]
        return *found, [*protected, *kept]

    def get_urls(self) -> list[URLPattern]:
        return [
            desk_path(self, "<int:pk>/sessions/", self.sessions, "sessions"),
            *super().get_urls(),
        ]

    def sessions(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Lists the sessions of a member of the team, and ends one or all of them.

        Raises PermissionDenied for all but superusers. A customer's sessions are not shown.
        """
        require_superuser(request)
        user = get_object_or_404(User, Q(is_staff=True) | Q(is_superuser=True), pk=pk)
        form = EndStaffSessionForm(request.POST or None, user=user)
        if form.is_valid():
            done = gettext("Signed out there.")
            form.save(request)
            self.log_change(request, user, f"{done} {form.cleaned_data['reason']}")
            messages.success(request, done)
            return redirect("admin:accounts_user_sessions", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Sessions of %(user)s") % {"user": user},
            "sessions": sessions_of(user),
            "original": user,
            "form": form,
        }
        return TemplateResponse(request, "accounts/desk/sessions.html", context)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)
        if reason := form.cleaned_data.get("reason"):
            self.log_change(request, obj, reason)
        if not obj.is_active:
            obj.look_up_keys.end()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Stores new rights for another superuser to confirm, and says so."""
        super().save_related(request, form, formsets, change)
        if form.asks_for_rights:
            form.ask_for_rights(staff_of(request))
            messages.warning(
                request, _("The new rights wait for another superuser, who confirms them.")
            )


@admin.register(RightsGrant)
class RightsGrantAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    """Rights that one superuser asks for and another confirms. The list is the record of all."""

    change_form_template = "accounts/desk/rights_grant.html"
    list_display = ["user", "asked_by", "asked_at", "confirmed_by", "confirmed_at", "withdrawn_at"]
    list_display_links = ["user"]
    list_select_related = ["user", "asked_by", "confirmed_by"]
    fields = [
        "user",
        "is_staff",
        "is_superuser",
        "groups",
        "asked_by",
        "asked_at",
        "confirmed_by",
        "confirmed_at",
        "withdrawn_at",
    ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [
            own("<int:pk>/confirm/", require_POST(self.confirm), "confirm"),
            own("<int:pk>/withdraw/", require_POST(self.withdraw), "withdraw"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Adds what the user may do."""
        number = number_of(object_id)
        grant = RightsGrant.objects.waiting().filter(pk=number).first()
        staff = staff_of(request)
        buttons = {
            "may_confirm": grant is not None and grant.may_be_confirmed_by(staff),
            "may_withdraw": grant is not None and staff.is_superuser,
        }
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **buttons}
        )

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Gives the rights. Raises PermissionDenied for all but another superuser."""
        grant, staff = get_object_or_404(RightsGrant, pk=pk), staff_of(request)
        if staff.is_superuser:
            require_waiting(grant)
        if not grant.may_be_confirmed_by(staff):
            raise PermissionDenied(_("Another superuser has to confirm these rights."))
        return self._report(request, grant, grant.confirm(staff), _("The user has the new rights."))

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Withdraws the request. Raises PermissionDenied for all but superusers."""
        grant = get_object_or_404(RightsGrant, pk=pk)
        if not staff_of(request).is_superuser:
            raise PermissionDenied
        return self._report(request, grant, grant.withdraw(), _("Withdrawn."))

    def _report(
        self, request: HttpRequest, grant: RightsGrant, is_done: bool, done: Any
    ) -> HttpResponse:
        require_done(grant, is_done)
        self.log_change(request, grant, str(done))
        messages.success(request, done)
        return redirect("admin:accounts_rightsgrant_change", grant.pk)


@admin.register(VerifiedPhone)
class VerifiedPhoneAdmin(ReadOnlyAdmin, OfAnAccount):
    """The numbers of customers, for superusers: members of the team have none."""

    list_display = ["account", "verified_at"]
    list_select_related = ["user"]

    def has_view_permission(self, request: HttpRequest, obj: VerifiedPhone | None = None) -> bool:
        return bool(request.user.is_superuser)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[VerifiedPhone]":
        return super().get_queryset(request).prefetch_related("user__phones")


@admin.register(Authenticator)
class SecondFactorAdmin(ReadOnlyAdmin, OfAnAccount, AuthenticatorAdmin):
    """The admin of second factors. Staff delete the rows of a user who lost the device.

    The user can then set up a new one.
    """

    # Columns of our own, because the library's field names are not translated. Never `data`: it
    # holds the secret.
    shown: Any = ("account", "kind", "set_up", "used")
    list_display = fields = readonly_fields = shown
    list_select_related = ("user",)
    list_filter = ()  # the library's filters have no index

    @admin.display(description=_("kind"), ordering="type")
    def kind(self, obj: Authenticator) -> str:
        return str(obj.get_type_display())

    @admin.display(description=_("created"), ordering="created_at")
    def set_up(self, obj: Authenticator) -> Any:
        return obj.created_at

    @admin.display(description=_("last used"), ordering="last_used_at")
    def used(self, obj: Authenticator) -> Any:
        return obj.last_used_at or self.get_empty_value_display()

    def has_delete_permission(self, request: HttpRequest, obj: Authenticator | None = None) -> bool:
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or _may_change_user(request, obj.user))

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        super().delete_model(request, obj)
        end_other_sessions(request, obj.user)


class RightsField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Permission) -> str:
        kind = obj.content_type
        action, _dash, model = obj.codename.partition("_")
        action_name = ACTION_NAMES.get(action) if model == kind.model else None
        return f"{kind.name}: {action_name or gettext(obj.name)}"


@admin.register(Group)
class RoleAdmin(GroupAdmin):
    """The admin of roles: their names in the active language, members and permissions."""

    list_display = ["role", "members"]
    search_fields = ()
    readonly_fields = ["members"]
    fieldsets = [
        (
            None,
            {
                "fields": ["name", "members", "permissions"],
                "description": _(
                    "manage.py make_roles sets anew what importer, editor, approver, support and "
                    "auditor may do: what is changed of them here goes when it runs next."
                ),
            },
        )
    ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Returns False: grants and invitations prove who was given a role, and name it."""
        return False

    def get_urls(self) -> list[URLPattern]:
        return [desk_path(self, "matrix/", self.matrix, "matrix"), *super().get_urls()]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Names the roles only: Django's names of what refers to them are in two languages."""
        _found, _counts, *more = super().get_deleted_objects(objs, request)
        found = [role_name(group.name) for group in objs]
        return found, {self.opts.verbose_name_plural: len(found)}, *more

    def matrix(self, request: HttpRequest) -> HttpResponse:
        """Shows each member of the response team who may do what."""
        columns = matrix.columns(staff_of(request))
        rows = matrix.rows(columns)
        own = [column.title for column in columns if column.is_own]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Who may do what"),
            "own_roles": own or [gettext("none yet: a superuser gives you one")],
            "columns": columns,
            "hand_changes": [(role_name(each.role), each) for each in roles.hand_changes()],
            "width": len(columns) + 1,
            "sections": [
                {"title": _("To do"), "rows": [row for row in rows if not row.is_seeing]},
                {"title": _("To look at"), "rows": [row for row in rows if row.is_seeing]},
            ],
        }
        return TemplateResponse(request, "accounts/desk/role_matrix.html", context)

    @admin.display(description=_("role"), ordering="name")
    def role(self, obj: Group) -> str:
        return role_name(obj.name)

    @admin.display(description=_("who has it"))
    def members(self, obj: Group) -> str:
        return ", ".join(staff_with(obj)) or "–"

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest | None = None, **options: Any
    ) -> Any:
        """Shows permissions in the active language. The database stores Django's English names."""
        options["form_class"] = RightsField
        return super().formfield_for_manytomany(db_field, request, **options)
