"""The suppression list and the counts of returned mail on the desk."""

import logging
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import desk_look_ups
from accounts.admin import ReadOnlyAdmin
from accounts.admin_site import desk_path, number_column, person_column, require, staff_of
from accounts.desk_lists import LargeTableAdmin
from accounts.desk_tasks import TaskOverError
from incidents.encryption import EncryptionError
from notices.forms.suppression import AddressLookUpForm, LiftSuppressionForm, SuppressionForm
from notices.ledger_messages import translate_ledger_message
from notices.message_codes import message_code
from notices.models import LateReport, Notice, ReturnedMail, Suppression
from notices.returned_mail import suppression_list

logger = logging.getLogger(__name__)
Channel = Notice.Channel


ADDED_BY, LIFTED_BY = (person_column(Suppression, name) for name in ("added_by", "lifted_by"))


@admin.register(Suppression)
class SuppressionAdmin(LargeTableAdmin):
    """The suppression list. It shows no addresses, because it stores only blind indexes.

    Staff can look up an address that they know.
    """

    form = SuppressionForm
    change_list_template = "admin/notices/suppression/change_list.html"
    list_display = ["id", "channel", "holds_for", "source", "added_at", "applies_until"]
    list_display += ["added_by", "lifted_at"]
    list_filter = ["source", "channel", "incident"]
    list_select_related = ["incident", "added_by"]
    actions = None

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        """Returns False: an entry is lifted, not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        """Returns False: it must stay visible why a person was not notified."""
        return False

    def get_fields(self, request: HttpRequest, obj: Suppression | None = None) -> list[Any]:
        if obj is None:
            return ["address", "incident", "source", "reason"]
        shown = ["channel", "holds_for", "source", "reason", ADDED_BY, "added_at"]
        return [*shown, "applies_until", LIFTED_BY, "lifted_at", "why_lifted"]

    @admin.display(description=gettext_lazy("incident"))
    def holds_for(self, obj: Suppression) -> str:
        """Returns the incident to which the entry applies, or "all incidents"."""
        return str(obj.incident or _("all incidents"))

    @admin.display(description=gettext_lazy("why it was lifted"))
    def why_lifted(self, obj: Suppression) -> str:
        """Returns the reason of the person who lifted the entry, or the portal's own."""
        return translate_ledger_message(obj.lifted_reason)

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        obj.added_by = staff_of(request)
        form.known().update(
            lifted_at=Now(), lifted_by=obj.added_by, lifted_reason=form.cleaned_data["reason"]
        )
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [
            own("look-up/", self.look_up, "look_up"),
            own("<int:pk>/lift/", self.lift, "lift"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        may_lift = request.user.has_perm("notices.change_suppression")
        context = {**(extra_context or {}), "may_lift": may_lift}
        return super().change_view(request, object_id, form_url, context)

    def look_up(self, request: HttpRequest) -> HttpResponse:
        """Shows the entries of an address. Uses POST, because URLs are logged."""
        require(request, "notices.view_suppression")
        form = AddressLookUpForm(request.POST or None)
        found: list[Suppression] = []
        if form.is_valid():
            found = _found(form)
            keys = [entry.pk for entry in found]
            logger.info("user %s looked up suppressions %s", request.user.pk, keys)
            desk_look_ups.record(form, by=staff_of(request), about=Suppression, found=len(keys))
        context = self._context(request, _("Look up an address")) | {"form": form, "found": found}
        return TemplateResponse(request, "admin/notices/suppression/look_up.html", context)

    def lift(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks for a reason, then lifts the entry, so that notices reach the address again."""
        require(request, "notices.change_suppression")
        entry = get_object_or_404(Suppression, pk=pk)
        if at := entry.lifted_at:
            raise TaskOverError(entry, _("Lifted already"), by=entry.lifted_by, at=at)
        form = LiftSuppressionForm(request.POST or None, entry=entry, by=staff_of(request))
        if request.method == "POST" and form.lift():
            self.log_change(request, entry, " ".join([_("Lifted."), form.cleaned_data["reason"]]))
            messages.success(request, _("Lifted."))
            return redirect("admin:notices_suppression_change", pk)
        explanation = _("The address can be written to again, from the next message on.")
        if entry.source == Suppression.Source.STRANGER:
            belongs = _(
                "It stands here because it belongs to another person, whom notices reach then."
            )
            explanation = f"{explanation}\n{belongs}"
        context = self._context(request, _("Lift this entry")) | {
            "explanation": explanation,
            "button": _("Lift"),
            "form": form,
            "original": entry,
        }
        return TemplateResponse(request, "incidents/desk/confirm.html", context)

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title, "opts": self.opts}


def _found(form: AddressLookUpForm) -> list[Suppression]:
    """Returns the entries of the form's address; none, with an error in the form, without keys."""
    try:
        entries = suppression_list.entries_of(form.channel, form.cleaned_data["address"])
        return list(entries.select_related("incident", "added_by"))
    except EncryptionError as error:
        form.add_error(None, translate_ledger_message(str(error)))
        return []


@admin.register(ReturnedMail)
class ReturnedMailAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    """The counts of returned mail by day.

    Many mails to unknown addresses show an attack or a wrong configuration.
    """

    list_display = ["day", "outcome", number_column(ReturnedMail, "number")]
    list_display_links = None
    list_filter = ["outcome"]
    show_full_result_count = False
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: ReturnedMail | None = None) -> bool:
        return False


@admin.register(LateReport)
class LateReportAdmin(ReadOnlyAdmin, LargeTableAdmin):
    """Reports that changed no delivery: of closed notices, and those that a person must read.

    The words of an unclear report decide whether support adds the address to the suppression list.
    """

    list_display = ["at", "kind", "message", "notice", "server_reply"]
    list_display_links = None
    list_filter = ["kind", "notice"]
    list_select_related = ["notice__version__statement__incident"]
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: LateReport | None = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("message"))
    def message(self, report: LateReport) -> str:
        """Returns the code of the message that the report is about."""
        return message_code(report.delivery_id)
