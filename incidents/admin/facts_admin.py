"""The desk pages of public facts: once customers may have read them, a change takes two people."""

from copy import copy
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.admin_site import staff_of
from incidents import facts
from incidents.forms import FactsForm
from incidents.models import FactChange, Incident


class FactsAdmin(admin.ModelAdmin):
    """A desk page whose saved changes become a proposal, while `takes_two` of its row is true.

    The page validates and saves as always, but in a savepoint that is rolled back. The difference
    that the save made is the proposal. It therefore covers the rows that are edited with the page,
    and the database has checked it once.
    """

    form = FactsForm

    def takes_two(self, row: Any) -> bool:
        """Returns whether customers may have read the facts of the row. It may be unsaved."""
        raise NotImplementedError

    def incident_of(self, row: Any) -> Incident | None:
        """Returns the incident that the facts belong to; None if they belong to all."""
        raise NotImplementedError

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Returns False: what customers have read is corrected, and stays on record."""
        return False

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> "type[ModelForm[Any]]":
        """Requires a reason for a change that takes two people, and asks for none otherwise."""
        form = super().get_form(request, obj, change=change, **kwargs)
        reason = copy(form.base_fields.pop("reason"))
        if self._asks_for_reason(request, obj):
            reason.required = True
            form.base_fields["reason"] = reason
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Adds the reason for the second person to the page of a row whose change takes two."""
        fieldsets = super().get_fieldsets(request, obj)
        if not self._asks_for_reason(request, obj):
            return fieldsets
        note = _(
            "Customers have read this. What you save here is a proposal; another person confirms "
            "it, and until then nothing changes."
        )
        return [*fieldsets, (_("Two people"), {"description": note, "fields": ["reason"]})]

    def _asks_for_reason(self, request: HttpRequest, obj: Any) -> bool:
        """Returns whether the page is for a change that takes two. A reader is not asked."""
        return obj is not None and self.has_change_permission(request, obj) and self.takes_two(obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        stored = type(obj)._default_manager.filter(pk=obj.pk).first() if change else None
        if self.takes_two(stored or obj):
            form.facts_before = facts.facts_of(obj)
            form.savepoint = transaction.savepoint()
        super().save_model(request, obj, form, change)

    def save_related(
        self, request: HttpRequest, form: "ModelForm[Any]", formsets: Any, change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        if savepoint := getattr(form, "savepoint", None):
            after = facts.facts_of(form.instance)
            transaction.savepoint_rollback(savepoint)
            self._propose(request, form, after, is_new=not change)

    def _propose(
        self, request: HttpRequest, form: Any, after: facts.Facts, *, is_new: bool
    ) -> None:
        row, changes = form.instance, facts.difference(form.facts_before, after)
        row.proposal = None
        if changes:
            row.proposal = FactChange.objects.create(
                incident=self.incident_of(row),
                model=row._meta.label_lower,
                object_id=None if is_new else row.pk,
                title=f"{row._meta.verbose_name}: {row}"[:300],
                changes=changes,
                reason=form.cleaned_data.get("reason", ""),
                proposed_by=staff_of(request),
            )

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return self._log(request, obj, message, super().log_addition)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        return self._log(request, obj, message, super().log_change)

    def _log(self, request: HttpRequest, obj: Any, message: Any, as_usual: Any) -> Any:
        """Records a saved row as usual, and a proposal in the history of the proposal."""
        if not hasattr(obj, "proposal"):
            return as_usual(request, obj, message)
        if obj.proposal is None:
            return None
        return super().log_addition(request, obj.proposal, _("Proposed."))

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        answer = self._proposed(request, obj)
        return answer or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._proposed(request, obj) or super().response_change(request, obj)

    def _proposed(self, request: HttpRequest, obj: Any) -> HttpResponse | None:
        """Redirects to the proposal that was saved; returns None if the row itself was saved."""
        if not hasattr(obj, "proposal"):
            return None
        if obj.proposal is None:
            messages.warning(request, _("Nothing was changed."))
            opts = self.opts
            return redirect(f"admin:{opts.app_label}_{opts.model_name}_change", obj.pk)
        messages.success(request, _("Proposed. Now another person has to confirm it."))
        return redirect("admin:incidents_factchange_change", obj.proposal.pk)


def proposal_link(request: HttpRequest, row: Model | None) -> list[tuple[str, str]]:
    """Returns the link to the change of the row's facts that waits, for the page's tools."""
    waiting = FactChange.objects.waiting().of(row).first() if row else None
    if waiting is None or not request.user.has_perm("incidents.view_factchange"):
        return []
    url = reverse("admin:incidents_factchange_change", args=[waiting.pk])
    return [(url, _("A change that waits to be confirmed"))]
