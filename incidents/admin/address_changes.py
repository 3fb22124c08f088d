"""New addresses of affected people on the desk: support proposes, a second person confirms."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import desk_look_ups
from accounts.admin_site import RightMissingError, desk_path, staff_of
from accounts.desk_lists import OnlyFiltersAdmin
from accounts.desk_tasks import TaskOverError
from accounts.models import User
from incidents.address_mails import contact_to_tell, email_came_back
from incidents.admin.person_forms import STRANGERS, EndAddressChangeForm
from incidents.admin.proposals import ConfirmationRefusedError, ProposalAdmin
from incidents.encryption import EncryptionError
from incidents.importing.refusals import translate_refusal
from incidents.masking import mask
from incidents.models import AddressChange, AffectedPerson, DataClass, FurtherContact
from incidents.own_rows import Kind, is_strangers

CONFIRM, ADD = "incidents.confirm_addresschange", "incidents.add_addresschange"
_MASKING = {
    FurtherContact.Kind.EMAIL: DataClass.Masking.EMAIL,
    FurtherContact.Kind.PHONE: DataClass.Masking.PHONE,
}


@admin.register(AddressChange)
class AddressChangeAdmin(ProposalAdmin, OnlyFiltersAdmin):
    """The changes of address. The page of a person makes the proposals; the list is the record."""

    confirm_right = CONFIRM
    confirmed_text = gettext_lazy("Confirmed: the person can sign in with it.")
    change_form_template = "incidents/desk/address_change.html"
    list_display = [
        *("__str__", "kind", "proposed_at", "proposed_by", "claim_fact", "confirmed_by"),
        *("withdrawn_at", "ended_at"),
    ]
    list_filter = ["incident"]
    list_select_related = ["proposed_by", "confirmed_by"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [own("<int:pk>/end/", self.end, "end"), *super().get_urls()]

    def details(self, proposal: AddressChange) -> dict[str, Any]:
        """Returns the address with most of it hidden, and what the second person has to know."""
        return {
            "masked": masked_address(proposal),
            "others": _others_in_data(proposal),
            "telling": ""
            if proposal.told_at or proposal.withdrawn_at
            else how_it_is_told(proposal.person, proposal),
        }

    def confirm_by(self, proposal: AddressChange, by: User) -> bool:
        """Confirms the change. Refuses an address that support marked as another person's.

        Raises ConfirmationRefusedError, also if the address cannot be decrypted.
        """
        try:
            kind = FurtherContact.Kind(proposal.kind)
            if is_strangers(proposal.incident, kind, proposal.contact()):
                raise ConfirmationRefusedError(STRANGERS)
        except EncryptionError as error:
            raise ConfirmationRefusedError(translate_refusal(str(error))) from error
        return super().confirm_by(proposal, by)

    def may_take_back(self, request: HttpRequest, proposal: AddressChange) -> bool:
        """Also lets those who propose changes withdraw a customer's claim: that opens nothing."""
        return super().may_take_back(request, proposal) or (proposal.is_claim and _may_end(request))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Adds whether the user may end the change. Asks for a reason if no look-up led here."""
        change = self.get_object(request, object_id)
        is_open = change is None or desk_look_ups.is_open(request, change.person)
        if change and not is_open and self.has_view_permission(request, change):
            return desk_look_ups.ask_reason(request, self, change.person)
        may_end = {"may_end": _may_end(request)}
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **may_end}
        )

    def end(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks for a reason, then ends a confirmed change. One person may: it opens nothing.

        Raises RightMissingError for all who neither propose nor confirm such changes.
        """
        if not _may_end(request):
            raise RightMissingError(CONFIRM)
        change = get_object_or_404(AddressChange, pk=pk)
        if change.ended_at:
            raise TaskOverError(change, _("Ended already"), by=change.ended_by, at=change.ended_at)
        if not change.is_counting:
            raise TaskOverError(change, _("This change of address is not confirmed"))
        form = EndAddressChangeForm(request.POST or None, change=change, by=staff_of(request))
        if request.method == "POST" and form.is_valid() and form.act():
            done = _("Ended: the address no longer finds the person.")
            self.log_change(request, change, done)
            messages.success(request, done)
            return redirect("admin:incidents_addresschange_change", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("End this change of address"),
            "explanation": _(
                "The address no longer finds the person. The address in the data stays as it is."
            ),
            "button": _("End it"),
            "opts": self.opts,
            "form": form,
            "original": change,
        }
        return TemplateResponse(request, "incidents/desk/confirm.html", context)


def masked_address(change: AddressChange) -> str:
    """Returns the address with most of it hidden, or a dash if it cannot be decrypted."""
    try:
        return mask(change.contact(), _MASKING[FurtherContact.Kind(change.kind)])
    except EncryptionError:
        return "–"


def how_it_is_told(person: AffectedPerson, change: AddressChange | None = None) -> str:
    """Returns whether and how the contact in the data is told of a new address, in words."""
    try:
        found = contact_to_tell(person, change)
        came_back = email_came_back(person)
    except EncryptionError:
        return _("The contact in the data cannot be read now, so it is told later.")
    before = (
        _("Mails to the address in the data came back or were called spam.") if came_back else ""
    )
    return f"{before} {_telling(person, found, is_claim=bool(change and change.is_claim))}".strip()


def _telling(person: AffectedPerson, found: tuple[Kind, str] | None, *, is_claim: bool) -> str:
    if not person.incident.is_public:
        return _("The contact in the data is told once the incident is public.")
    if found is None:
        return _(
            "No contact in the data can be told: each is missing, unusable, shared or refused."
        )
    if is_claim:
        return _("It is told within minutes, by mail or by text message.")
    if found[0] is Kind.PHONE:
        return _("The number in the data is told by text message after the confirmation.")
    return _("The address in the data is told by mail after the confirmation.")


def _may_end(request: HttpRequest) -> bool:
    return request.user.has_perm(ADD) or request.user.has_perm(CONFIRM)


def _others_in_data(change: AddressChange) -> int:
    """Returns the number of other people of the incident with this address, about 20 at most."""
    is_email = change.kind == FurtherContact.Kind.EMAIL
    column = "email_index" if is_email else "phone_index"
    people = AffectedPerson.objects.filter(**{column: change.contact_index})
    further = FurtherContact.objects.filter(contact_index=change.contact_index)
    keys = {*people.values_list("pk", flat=True)[:20]}
    keys |= {*further.values_list("person_id", flat=True)[:20]}
    return len(keys - {change.person_id})
