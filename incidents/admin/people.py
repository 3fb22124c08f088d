"""The look-up of affected people, and their marks, for support."""

import logging
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _

from accounts import desk_look_ups
from accounts.admin import ReadOnlyAdmin
from accounts.admin_site import desk_path, require, staff_of
from accounts.desk_tasks import TaskOverError
from incidents.admin.address_changes import ADD, how_it_is_told, masked_address
from incidents.admin.person_forms import LiftMarkForm, MarkPersonForm, NewAddressForm
from incidents.desk_look_ups import PersonLookUpForm
from incidents.leaks import batches_of, leaked_classes_of
from incidents.models import AddressChange, AffectedPerson, DataClass, PersonMark

MOST_REVEALS = 50  # on the page of a person, the newest

logger = logging.getLogger(__name__)


@admin.register(AffectedPerson)
class AffectedPersonAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    """The look-up of a customer. The desk has no list of all affected people."""

    actions = None

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [
            own("", self.look_up, "changelist"),
            own("<uuid:pk>/", self.person_page, "change"),
            own("<uuid:pk>/marks/<int:mark>/lift/", self.lift, "lift"),
            own("<uuid:pk>/address/", self.new_address, "address"),
        ]

    def person_page(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Shows the marks of a person and who opened the row, and sets a mark. It shows no values.

        Asks for the reason if no look-up led here. Raises RightMissingError.
        """
        require(request, "incidents.view_affectedperson")
        person = get_object_or_404(AffectedPerson.objects.select_related("incident"), pk=pk)
        if not desk_look_ups.is_open(request, person):
            return desk_look_ups.ask_reason(request, self, person)
        form = None
        if request.user.has_perm("incidents.add_personmark"):
            form = MarkPersonForm(request.POST or None, person=person, by=staff_of(request))
        if form and request.method == "POST" and form.is_valid():
            mark = form.save()
            self._record(request, person, _("Marked: {mark}.").format(mark=mark.get_kind_display()))
            return redirect("admin:incidents_affectedperson_change", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Affected person"),
            "opts": self.opts,
            "person": person,
            "marks": person.marks.select_related("marked_by", "lifted_by"),
            "address_changes": self._address_changes(person),
            "may_add_address": request.user.has_perm(ADD),
            "proofs": person.proofs.order_by("at"),
            "reveals": person.reveals.order_by("-at")[:MOST_REVEALS],
            "wrong_answers": person.wrong_answers.count(),
            "may_lift": request.user.has_perm("incidents.change_personmark"),
            "form": form,
        }
        return TemplateResponse(request, "incidents/desk/person.html", context)

    def lift(self, request: HttpRequest, pk: UUID, mark: int) -> HttpResponse:
        """Asks for a reason, then lifts a mark. Raises RightMissingError."""
        require(request, "incidents.change_personmark")
        found = get_object_or_404(PersonMark.objects.select_related("person"), pk=mark, person=pk)
        if not desk_look_ups.is_open(request, found.person):
            return redirect("admin:incidents_affectedperson_change", pk)
        if at := found.lifted_at:
            raise TaskOverError(found.person, _("Lifted already"), by=found.lifted_by, at=at)
        form = LiftMarkForm(request.POST or None, mark=found, by=staff_of(request))
        if request.method == "POST" and form.is_valid() and form.act():
            done = _("Lifted: {mark}.").format(mark=found.get_kind_display())
            self._record(request, found.person, done)
            return redirect("admin:incidents_affectedperson_change", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Lift this mark"),
            "explanation": f"{found.get_kind_display()}: {found.reason}",
            "button": _("Lift"),
            "opts": self.opts,
            "form": form,
            "original": found.person,
        }
        return TemplateResponse(request, "incidents/desk/confirm.html", context)

    def new_address(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Asks for a new address and the proof, then proposes it. Raises RightMissingError."""
        require(request, ADD)
        person = get_object_or_404(AffectedPerson.objects.select_related("incident"), pk=pk)
        if not desk_look_ups.is_open(request, person):
            return redirect("admin:incidents_affectedperson_change", pk)
        form = NewAddressForm(request.POST or None, person=person, by=staff_of(request))
        if form.is_valid() and (change := form.save()):
            self.log_change(request, person, _("A new address was proposed."))
            messages.success(request, _("Proposed. Now another person has to confirm it."))
            return redirect("admin:incidents_addresschange_change", change.pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Record a new address"),
            "explanation": "{}\n{}".format(
                _(
                    "Another person confirms it. The new one opens nothing before a code that we "
                    "send to it, and a second fact."
                ),
                how_it_is_told(person),
            ),
            "button": _("Propose"),
            "opts": self.opts,
            "form": form,
            "original": person,
        }
        return TemplateResponse(request, "incidents/desk/confirm.html", context)

    def _address_changes(self, person: AffectedPerson) -> list[tuple[AddressChange, str]]:
        """Returns the changes of address of a person, the newest first, each with its address."""
        changes = person.address_changes.select_related("incident", "proposed_by", "confirmed_by")
        return [(change, masked_address(change)) for change in changes]

    def _record(self, request: HttpRequest, person: AffectedPerson, done: str) -> None:
        """Shows `done`, and records it in the history of the person and in the log."""
        logger.info("user %s changed a mark of person %s", request.user.pk, person.pk)
        self.log_change(request, person, done)
        messages.success(request, done)

    def look_up(self, request: HttpRequest) -> HttpResponse:
        """Shows the rows of a customer, and the names of the data classes that leaked.

        It shows no values. The form uses POST, because URLs are logged. Raises RightMissingError.
        """
        require(request, "incidents.view_affectedperson")
        form = PersonLookUpForm(request.POST or None)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Look up an affected person"),
            "opts": self.opts,
            "form": form,
        }
        if form.is_valid():
            context["found"] = self._found_rows(request, form)
        return TemplateResponse(request, "incidents/desk/look_up.html", context)

    def _found_rows(self, request: HttpRequest, form: PersonLookUpForm) -> list[dict[str, Any]]:
        """Returns what the page shows of each row, and records the look-up of each person."""
        people = form.cleaned_data["people"]
        ids = [person.pk for person in people]
        logger.info("user %s looked up people %s", request.user.pk, [str(pk) for pk in ids])
        desk_look_ups.record(form, by=staff_of(request), about=AffectedPerson, found=len(ids))
        desk_look_ups.open_pages(request, people)
        for person in people:
            self.log_change(request, person, _("Looked up."))
        classes, batches = leaked_classes_of(ids), batches_of(ids)
        marks = PersonMark.objects.live().filter(person__in=ids)
        catalogue = DataClass.objects.in_bulk()
        return [
            {
                "person": person,
                "batches": batches.get(person.pk, []),
                "marks": [mark for mark in marks if mark.person_id == person.pk],
                "classes": [catalogue[pk].name for pk in classes.get(person.pk, ())],
            }
            for person in people
        ]
