"""The desk pages of proposals, which one person makes and another one confirms."""

from functools import partial
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import second_person
from accounts.admin_site import desk_path, require, staff_of
from accounts.desk_tasks import require_done, require_waiting
from accounts.models import User


class ConfirmationRefusedError(Exception):
    """A proposal cannot be confirmed. The message is shown on the desk."""


class ProposalAdmin(admin.ModelAdmin):
    """The pages of one kind of proposal. The list is the record of all."""

    confirm_right: ClassVar[str]  # such as "incidents.confirm_writeoff"
    confirmed_text: ClassVar[Any]  # shown and recorded once a second person has confirmed

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Returns no field: the template shows the proposal."""
        return []

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

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
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Adds what is proposed, and what the user may do."""
        proposal, context = self.get_object(request, object_id), extra_context or {}
        if proposal:
            staff, may_confirm = staff_of(request), request.user.has_perm(self.confirm_right)
            is_own = proposal.proposer == staff
            asks = proposal.is_waiting and may_confirm and not is_own
            objection = asks and second_person.objection(staff, first=_first(proposal))
            context = {
                **context,
                **self.details(proposal),
                "incident_id": self.incident_of(proposal),
                "may_confirm": asks and not objection,
                "objection": objection,
                "waits_for_another": proposal.is_waiting and is_own,
                "may_withdraw": proposal.is_waiting and self.may_take_back(request, proposal),
            }
        return super().change_view(request, object_id, form_url, context)

    def incident_of(self, proposal: Any) -> int | None:
        """Returns the number of the incident of a proposal, whose page has the next step."""
        number: int | None = proposal.incident_id
        return number

    def details(self, proposal: Any) -> dict[str, Any]:
        """Returns what the template shows of a proposal besides its own fields."""
        return {}

    def confirm_by(self, proposal: Any, by: User) -> bool:
        """Confirms the proposal. Returns False if it waits no more.

        Raises ConfirmationRefusedError, and changes nothing, if it cannot be confirmed.
        """
        return bool(proposal.confirm(by))

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirms the proposal. Raises PermissionDenied for the person who made it."""
        proposal: Any = get_object_or_404(self.model, pk=pk)
        require(request, self.confirm_right)
        require_waiting(proposal)
        staff = staff_of(request)
        if proposal.proposer == staff:
            raise PermissionDenied(_("You proposed this; another person has to confirm it."))
        if reason := second_person.objection(staff, first=_first(proposal)):
            raise PermissionDenied(reason)
        try:
            is_done = self.confirm_by(proposal, staff)
        except ConfirmationRefusedError as refusal:
            messages.error(request, str(refusal))
            return self._page_of(proposal)
        return self._done(request, proposal, is_done, str(self.confirmed_text))

    def may_take_back(self, request: HttpRequest, proposal: Any) -> bool:
        """Returns whether the user may withdraw the proposal."""
        is_own: bool = proposal.proposer == request.user
        return is_own or request.user.has_perm(self.confirm_right)

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Withdraws the proposal.

        Raises PermissionDenied for a user who neither made it nor may confirm it.
        """
        proposal: Any = get_object_or_404(self.model, pk=pk)
        if not self.may_take_back(request, proposal):
            raise PermissionDenied(_("Only who proposed this, or may confirm it, takes it back."))
        return self._done(request, proposal, proposal.withdraw(), _("Withdrawn."))

    def _done(self, request: HttpRequest, proposal: Any, is_done: bool, done: str) -> HttpResponse:
        """Shows and records `done`. Raises what require_done raises."""
        require_done(proposal, is_done)
        self.log_change(request, proposal, done)
        messages.success(request, done)
        return self._page_of(proposal)

    def _page_of(self, proposal: Any) -> HttpResponse:
        opts = self.model._meta
        return redirect(f"admin:{opts.app_label}_{opts.model_name}_change", proposal.pk)


def _first(proposal: Any) -> list[User]:
    return [proposal.proposer] if proposal.proposer else []
