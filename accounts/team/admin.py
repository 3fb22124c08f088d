"""The desk's pages of invitations, and of the sessions of another member of the team."""

from functools import partial
from smtplib import SMTPException
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts import second_person
from accounts.admin_site import desk_path, role_name, staff_of
from accounts.desk_tasks import TaskOverError
from accounts.models import Invitation
from accounts.team import invitations
from accounts.team.forms import InvitationForm
from foundations.typed_numbers import number_of


def require_superuser(request: HttpRequest) -> None:
    """Raises PermissionDenied unless the user is a superuser."""
    if not request.user.is_superuser:
        raise PermissionDenied(_("Only a superuser changes the accounts of the team."))


class InvitationAdmin(admin.ModelAdmin):
    """Invitations: a superuser invites, another confirms, and the mail leaves."""

    change_form_template = "accounts/desk/invitation.html"
    form = InvitationForm
    actions = None
    list_display = ["email", "roles", "state_in_words", "asked_by", "confirmed_by", "expires_at"]
    list_select_related = ["asked_by", "confirmed_by"]
    shown = (
        "email",
        "roles",
        "language",
        "state_in_words",
        "same_person",
        "asked_by",
        "asked_at",
        "confirmed_by",
        "confirmed_at",
        "sent_at",
        "expires_at",
        "user",
        "accepted_at",
        "withdrawn_at",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        return self.shown if obj else InvitationForm.Meta.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Invitation | None = None) -> Any:
        return self.shown if obj else ()

    @admin.display(description=_("roles"))
    def roles(self, obj: Invitation) -> str:
        return ", ".join(role_name(group.name) for group in obj.groups.order_by("name"))

    @admin.display(description=_("state"))
    def state_in_words(self, obj: Invitation) -> str:
        return str(obj.state.label)

    @admin.display(description=_("accounts that may be of the same person"))
    def same_person(self, obj: Invitation) -> str:
        """Shows accounts of the team with an address of the same mailbox."""
        found = second_person.team_with_mailbox(obj.email)
        return ", ".join(str(user) for user in found if user.pk != obj.user_id) or "–"

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [
            own("<int:pk>/confirm/", require_POST(self.confirm), "confirm"),
            own("<int:pk>/send/", require_POST(self.send_again), "send"),
            own("<int:pk>/withdraw/", require_POST(self.withdraw), "withdraw"),
            *super().get_urls(),
        ]

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        obj.asked_by = staff_of(request)
        super().save_model(request, obj, form, change)
        messages.warning(
            request, _("The invitation is sent when another superuser has confirmed it.")
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Adds what the user may do."""
        number = number_of(object_id)
        invitation = Invitation.objects.pending().filter(pk=number).first()
        staff = staff_of(request)
        is_open = invitation is not None and staff.is_superuser
        buttons = {
            "may_confirm": invitation is not None
            and invitation.confirmed_at is None
            and invitation.may_be_confirmed_by(staff),
            "may_send": is_open and invitation is not None and invitation.confirmed_at is not None,
            "may_withdraw": is_open,
        }
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **buttons}
        )

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Records the second person and sends the mail. Raises PermissionDenied for others."""
        invitation, staff = get_object_or_404(Invitation, pk=pk), staff_of(request)
        if staff.is_superuser and not Invitation.objects.waiting().filter(pk=pk).exists():
            raise _over(invitation)
        if not invitation.may_be_confirmed_by(staff):
            raise PermissionDenied(_("Another superuser has to confirm this invitation."))
        if not invitations.confirm(invitation, staff):
            raise _over(invitation)
        self.log_change(request, invitation, str(_("Confirmed the invitation.")))
        return self._send(request, invitation)

    def send_again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Sends a new link. Raises PermissionDenied for all but superusers."""
        require_superuser(request)
        return self._send(request, get_object_or_404(Invitation, pk=pk))

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Withdraws the invitation. Raises PermissionDenied for all but superusers."""
        require_superuser(request)
        invitation = get_object_or_404(Invitation, pk=pk)
        if not invitations.withdraw(invitation):
            raise _over(invitation)
        return self._done(request, invitation, _("Withdrawn."))

    def _send(self, request: HttpRequest, invitation: Invitation) -> HttpResponse:
        try:
            is_sent = invitations.send(invitation)
        except (OSError, SMTPException):
            text = _("The mail server did not take the mail. Send it again later.")
            messages.error(request, text)
            return redirect("admin:accounts_invitation_change", invitation.pk)
        if not is_sent:
            raise _over(invitation)
        return self._done(request, invitation, _("The invitation is sent."))

    def _done(self, request: HttpRequest, invitation: Invitation, done: Any) -> HttpResponse:
        self.log_change(request, invitation, str(done))
        messages.success(request, done)
        return redirect("admin:accounts_invitation_change", invitation.pk)


def _over(invitation: Invitation) -> TaskOverError:
    """Returns what the desk says of an act that the state of the invitation does not allow."""
    invitation.refresh_from_db()
    state = invitation.state.label
    if invitation.accepted_at or invitation.withdrawn_at or not invitation.confirmed_at:
        if at := invitation.withdrawn_at:
            return TaskOverError(invitation, state, at=at, act="Withdrawn.")
        return TaskOverError(invitation, state, at=invitation.accepted_at)
    by, at = invitation.confirmed_by, invitation.confirmed_at
    return TaskOverError(invitation, _("Confirmed already"), by=by, at=at)
