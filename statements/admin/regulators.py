"""Proof for a regulator in the desk: every duty's clock, and the reports to authorities."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.admin import ReadOnlyAdmin
from accounts.admin_site import desk_path, require, staff_of
from foundations import documents
from incidents.models import Incident
from statements.admin import history
from statements.forms.duties import (
    ConfirmForm,
    FileForm,
    RegulatorReportForm,
    WithdrawForm,
    withdraw,
)
from statements.legal import deadlines, duties, laws
from statements.legal import regulator_reports as reports
from statements.models import DutyConfirmation, RegulatorReport

STEP = "admin/statements/regulators/step.html"
SEE = "statements.view_dutyconfirmation"
CONFIRM, WITHDRAW = "statements.add_dutyconfirmation", "statements.change_dutyconfirmation"
WRITE, FILE = "statements.add_regulatorreport", "statements.file_regulatorreport"


@admin.register(DutyConfirmation)
class DutyConfirmationAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    """The list holds what people confirmed and withdrew; each incident's clocks have a page."""

    list_display = ["incident", "duty_named", "verdict", "met_at", "confirmed_by", "confirmed_at"]
    list_display_links = ["duty_named"]
    list_filter = ["incident", "verdict"]
    list_select_related = ["incident", "confirmed_by"]
    readonly_fields = (
        *(
            "incident",
            "duty_named",
            "verdict",
            "met_at",
            "evidence",
            "confirmed_by",
            "confirmed_at",
        ),
        *("withdrawn_by", "withdrawn_at", "why_withdrawn"),
    )
    fields = readonly_fields
    actions = None

    @admin.display(description=gettext_lazy("Duty"), ordering="duty")
    def duty_named(self, obj: DutyConfirmation) -> str:
        return duties.named(obj.duty)

    @admin.display(description=gettext_lazy("reason for the withdrawal"))
    def why_withdrawn(self, obj: DutyConfirmation) -> str:
        return history.translate_withdrawal_reason(obj.withdrawn_reason) or "–"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [
            own("incident/<int:pk>/", self.clocks, "clocks"),
            own("incident/<int:pk>/<slug:duty>/confirm/", self.confirm, "confirm"),
            own("<int:pk>/withdraw/", self.withdraw, "withdraw"),
            *super().get_urls(),
        ]

    def clocks(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Every duty of the incident: when it is due, what met it, and the evidence."""
        require(request, SEE)
        incident = get_object_or_404(Incident, pk=pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Duties and their clocks: %(incident)s") % {"incident": incident.title},
            "opts": self.opts,
            "incident": incident,
            "clocks": deadlines.clocks_of(incident),
            "may_confirm": request.user.has_perm(CONFIRM),
            "may_withdraw": request.user.has_perm(WITHDRAW),
        }
        return TemplateResponse(request, "admin/statements/regulators/clocks.html", context)

    def confirm(self, request: HttpRequest, pk: int, duty: str) -> HttpResponse:
        """Asks a person how the duty stands, and for the evidence."""
        require(request, CONFIRM)
        incident, known = get_object_or_404(Incident, pk=pk), _duty(duty)
        form = ConfirmForm(
            request.POST or None, incident=incident, duty=known, by=staff_of(request)
        )
        if request.method == "POST" and (confirmation := form.confirm()):
            self.log_addition(request, confirmation, _("Confirmed."))
            messages.success(request, _("Recorded, with your name and the time."))
            return _clocks_of(incident)
        words = {
            "title": str(known.name),
            "explanation": f"{known.law}, {known.cited}. {known.hint}",
            "button": _("Confirm with my name"),
            "back": reverse("admin:statements_dutyconfirmation_clocks", args=[pk]),
        }
        return self._step(request, form, words)

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks why a confirmation does not hold any more."""
        require(request, WITHDRAW)
        confirmation = get_object_or_404(DutyConfirmation.objects.live(), pk=pk)
        form = WithdrawForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            withdraw(confirmation, reason=form.cleaned_data["reason"], by=staff_of(request))
            self.log_change(request, confirmation, _("Withdrawn."))
            messages.success(request, _("Withdrawn. Both stay on record."))
            return _clocks_of(confirmation.incident)
        words = {
            "title": _("Withdraw a confirmation"),
            "explanation": confirmation.evidence,
            "button": _("Withdraw"),
            "back": _clocks_of(confirmation.incident).url,
        }
        return self._step(request, form, words)

    def _step(self, request: HttpRequest, form: Any, words: dict[str, str]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **words,
            "form": form,
            "opts": self.opts,
        }
        return TemplateResponse(request, STEP, context)


@admin.register(RegulatorReport)
class RegulatorReportAdmin(admin.ModelAdmin):
    form = RegulatorReportForm
    change_form_template = "admin/statements/regulators/report.html"
    list_display = ["incident", "authority", "number", "state", "filed_at", "reference"]
    list_display_links = ["authority"]
    list_filter = ["state", "incident"]
    list_select_related = ["incident"]
    actions = None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not (obj and obj.is_filed) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not (obj and obj.is_filed) and super().has_delete_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: RegulatorReport | None = None) -> list[Any]:
        if obj is None:
            return ["incident", "duty", "form", "authority"]
        asked = ["incident", "duty_named", "form", "authority"]
        filed = ["filed_at", "reference", "filed_by"] if obj.is_filed else []
        return [*asked, "number", "supplements", "state", *filed, "text", "created_by"]

    def get_readonly_fields(
        self, request: HttpRequest, obj: RegulatorReport | None = None
    ) -> list[Any]:
        """The text was made for the form and the incident: those stay."""
        if obj is None:
            return []
        shown = ["incident", "duty", "duty_named", "form", "number", "supplements", "state"]
        return [*shown, "filed_at", "reference", "filed_by", "created_by"]

    @admin.display(description=gettext_lazy("Duty"), ordering="duty")
    def duty_named(self, obj: RegulatorReport) -> str:
        return duties.named(obj.duty)

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [
            own("<int:pk>/report.pdf", self.pdf, "pdf"),
            own("<int:pk>/file/", self.file, "file"),
            own("<int:pk>/supplement/", require_POST(self.supplement), "supplement"),
            *super().get_urls(),
        ]

    def save_model(
        self, request: HttpRequest, obj: RegulatorReport, form: Any, change: bool
    ) -> None:
        if not change:
            obj.created_by = staff_of(request)
            obj.text = reports.drafted(obj.incident, obj.form)
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: RegulatorReport, post_url_continue: str | None = None
    ) -> HttpResponse:
        """On to the draft's text, which is there now."""
        messages.success(request, _("Here is the draft from what is known. Read and correct it."))
        return _page_of(obj)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        may = {"may_file": request.user.has_perm(FILE), "may_write": request.user.has_perm(WRITE)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **may})

    def pdf(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The report as it stands, to print."""
        require(request, "statements.view_regulatorreport")
        report = get_object_or_404(RegulatorReport.objects.select_related("incident"), pk=pk)
        name = f"report-{report.incident.slug}-{report.pk}"
        return documents.pdf_response(reports.document(report), name)

    def file(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks when it was filed and under which number; then it stands."""
        require(request, FILE)
        report = get_object_or_404(RegulatorReport, pk=pk, state=RegulatorReport.State.DRAFT)
        form = FileForm(request.POST or None, report=report, by=staff_of(request))
        if request.method == "POST" and form.file():
            self.log_change(request, report, _("Recorded as filed."))
            messages.success(request, _("Recorded as filed. The text stands from here on."))
            return _page_of(report)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Record this report as filed"),
            "explanation": _explained_filing(report),
            "button": _("Record as filed"),
            "back": reverse("admin:statements_regulatorreport_change", args=[pk]),
            "form": form,
            "opts": self.opts,
        }
        return TemplateResponse(request, STEP, context)

    def supplement(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Opens a draft that adds to a filed report what is known by now."""
        require(request, WRITE)
        report = get_object_or_404(RegulatorReport, pk=pk, state=RegulatorReport.State.FILED)
        draft, is_new = reports.supplement(report, by=staff_of(request))
        if is_new:
            self.log_addition(request, draft, _("Supplement drafted."))
            done = _("Here is the draft from what is known. Read and correct it.")
            messages.success(request, done)
        else:
            messages.info(request, _("This supplement is drafted already."))
        return _page_of(draft)


def _explained_filing(report: RegulatorReport) -> str:
    """Which report it is, and that this cannot be taken back."""
    words = _("File it with the authority first. Nobody can change it afterwards.")
    return f"{report}\n{duties.named(report.duty)}\n{words}"


def _duty(identity: str) -> laws.Duty:
    for duty in laws.all_duties():
        if duty.id == identity:
            return duty
    raise Http404


def _clocks_of(incident: Incident) -> HttpResponseRedirect:
    return redirect("admin:statements_dutyconfirmation_clocks", incident.pk)


def _page_of(report: RegulatorReport) -> HttpResponse:
    return redirect("admin:statements_regulatorreport_change", report.pk)
