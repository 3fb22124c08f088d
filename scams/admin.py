"""Scam reports on the desk: staff read and dismiss them, or draft a warning from one."""

import logging
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, IntegerField, OuterRef, QuerySet
from django.db.models.functions import Greatest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from accounts.admin import ReadOnlyAdmin
from accounts.admin_site import desk_path, require, staff_of
from accounts.audit import acts
from accounts.desk_lists import LargeTableAdmin
from accounts.desk_tasks import TaskOverError
from accounts.models import AuditEntry
from incidents.encryption import EncryptionError
from notices.ledger_messages import translate_ledger_message
from scams import scam_reports
from scams.models import ScamReport

logger = logging.getLogger(__name__)
MOST_ALIKE = 999  # reports of the same that a list counts
HANDLE, DRAFT = "scams.change_scamreport", "statements.add_statementversion"


@admin.register(ScamReport)
class ScamReportAdmin(ReadOnlyAdmin, LargeTableAdmin):
    """The scam reports. Each is decrypted on its own page, and each view is recorded in the log."""

    change_form_template = "admin/scams/scamreport/change_form.html"
    list_display = ["reported_at", "channel", "state", "alike", "incident"]
    list_filter = ["state", "channel", "incident"]
    list_select_related = ["incident"]
    fields = ["incident", "reported_at", "channel", "state", "alike", "warning"]
    readonly_fields = ["alike"]
    page_key = ("-reported_at", "-pk")
    further_lookups = ("same__exact",)
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: ScamReport | None = None) -> bool:
        """Returns False: reports are deleted automatically after settings.SCAM_REPORT_DAYS."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Adds `number`: how many reports name the same link, address or number.

        It counts one more than MOST_ALIKE at most, because a wave may have a hundred thousand.
        """
        alike = ScamReport.objects.filter(incident=OuterRef("incident"), same=OuterRef("same"))
        found = ArraySubquery(alike.order_by().values("pk")[: MOST_ALIKE + 1])
        number = Greatest(Func(found, function="cardinality", output_field=IntegerField()), 1)
        rows: QuerySet[Any] = super().get_queryset(request).annotate(number=number)
        return rows.select_related("incident", "warning")

    @admin.display(description=gettext_lazy("reports of the same"))
    def alike(self, obj: Any) -> SafeString | str:
        """Returns the number of reports of the same, with a link to them if there are others."""
        if obj.same is None or obj.number == 1:
            return f"{obj.number:,}"
        url = reverse("admin:scams_scamreport_changelist")
        number = f"{MOST_ALIKE:,}+" if obj.number > MOST_ALIKE else f"{obj.number:,}"
        return format_html('<a href="{}?same__exact={}">{}</a>', url, obj.same, number)

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [
            own("<uuid:pk>/warn/", require_POST(self.warn), "warn"),
            own("<uuid:pk>/dismiss/", require_POST(self.dismiss), "dismiss"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Shows the decrypted report to a user who may view it."""
        report = self.get_object(request, object_id)
        context = {**(extra_context or {}), "may_handle": request.user.has_perm(HANDLE)}
        context["may_draft"] = request.user.has_perm(DRAFT)
        may_view = report and self.has_view_permission(request, report)
        if report and may_view and request.method == "GET":
            context |= self._decrypted(request, report)
        return super().change_view(request, object_id, form_url, context)

    def _decrypted(self, request: HttpRequest, report: ScamReport) -> dict[str, Any]:
        logger.info("user %s read scam report %s", request.user.pk, report.pk)
        incident = report.incident_id
        acts.record(AuditEntry.Kind.REVEAL, by=staff_of(request), about=report, incident=incident)
        if request.user.has_perm(HANDLE) and scam_reports.mark_seen(report):
            self.log_change(request, report, _("Looked at."))
        try:
            return {"told": report.decrypt_report()}
        except EncryptionError as error:
            return {"problem": translate_ledger_message(str(error))}

    def warn(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Drafts a warning from the report. A second person publishes it."""
        report = _report(request, pk)
        require(request, DRAFT)
        try:
            draft = scam_reports.draft_warning(report, by=staff_of(request))
        except EncryptionError as error:
            messages.error(request, translate_ledger_message(str(error)))
            return redirect("admin:scams_scamreport_change", pk)
        self.log_change(request, report, _("Drafted a warning."))
        text = _("Drafted. Take out what is about a person, then let another person publish it.")
        messages.success(request, text)
        return redirect("admin:statements_statementversion_change", draft.pk)

    def dismiss(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Dismisses the report and those that name the same."""
        report = _report(request, pk)
        if report.state in (ScamReport.State.DISMISSED, ScamReport.State.WARNED):
            raise TaskOverError(report, report.get_state_display())
        number = scam_reports.dismiss(report)
        self.log_change(request, report, _("Dismissed."))
        text = ngettext("Dismissed %(n)s report.", "Dismissed %(n)s reports.", number)
        messages.success(request, text % {"n": number})
        return redirect("admin:scams_scamreport_changelist")


def _report(request: HttpRequest, pk: str) -> ScamReport:
    """Returns a report for a user who may handle it. Raises PermissionDenied, or Http404."""
    require(request, HANDLE)
    return get_object_or_404(ScamReport.objects.select_related("incident"), pk=pk)
