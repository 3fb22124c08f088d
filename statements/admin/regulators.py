"""The desk's pages for regulators: the clocks of duties, their confirmations, and the reports."""

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
from accounts.admin_site import desk_path, person_column, require, staff_of
from accounts.desk_tasks import TaskOverError
from foundations import documents
from foundations.languages import SOURCE_LANGUAGE
from incidents.models import Incident
from statements import withdrawal_reasons
from statements.forms.duties import (
    ConditionsForm,
    ConfirmDutyForm,
    FileReportForm,
    RegulatorReportForm,
    WithdrawConfirmationForm,
    final_confirmation,
    withdraw_confirmation,
)
from statements.legal import deadlines, duties, laws
from statements.legal import regulator_reports as reports
from statements.legal.own_laws import without_law
from statements.legal.uncovered_states import uncovered_states
from statements.models import DutyConfirmation, RegulatorReport

STEP = "admin/statements/regulators/step.html"
SEE = "statements.view_dutyconfirmation"
CONFIRM, WITHDRAW = "statements.add_dutyconfirmation", "statements.change_dutyconfirmation"
WRITE, FILE = "statements.add_regulatorreport", "statements.file_regulatorreport"


@admin.register(DutyConfirmation)
class DutyConfirmationAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    """The list of confirmations and withdrawals, and a page with the clocks of each incident."""

    list_display = ["incident", "duty_named", "verdict", "met_at", "confirmed_by", "confirmed_at"]
    list_display_links = ["duty_named"]
    list_filter = ["incident", "verdict"]
    list_select_related = ["incident", "confirmed_by"]
    shown: Any = (
        *("incident", "duty_named", "verdict", "met_at", "evidence"),
        *(person_column(DutyConfirmation, "confirmed_by"), "confirmed_at"),
        *(person_column(DutyConfirmation, "withdrawn_by"), "withdrawn_at", "why_withdrawn"),
    )
    fields = readonly_fields = shown
    actions = None

    @admin.display(description=gettext_lazy("Duty"), ordering="duty")
    def duty_named(self, obj: DutyConfirmation) -> str:
        return duties.duty_title(obj.duty)

    @admin.display(description=gettext_lazy("reason for the withdrawal"))
    def why_withdrawn(self, obj: DutyConfirmation) -> str:
        return withdrawal_reasons.translate_withdrawal_reason(obj.withdrawn_reason) or "–"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [
            own("incident/<int:pk>/", self.clocks, "clocks"),
            own("incident/<int:pk>/conditions/", self.conditions, "conditions"),
            own("incident/<int:pk>/<slug:duty>/confirm/", self.confirm, "confirm"),
            own("<int:pk>/withdraw/", self.withdraw, "withdraw"),
            *super().get_urls(),
        ]

    def clocks(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows every duty of the incident: when it is due, its status and the evidence."""
        require(request, SEE)
        incident = get_object_or_404(Incident, pk=pk)
        clocks = deadlines.clocks_of(incident)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Duties and their clocks: %(incident)s") % {"incident": incident.title},
            "opts": self.opts,
            "incident": incident,
            "clocks": clocks,
            "has_questions": any(clock.is_asked for clock in clocks),
            "without_law": ", ".join(without_law(incident)),
            "statute_language": SOURCE_LANGUAGE,
            "uncovered": uncovered_states(
                list(incident.jurisdictions.values_list("jurisdiction", flat=True))
            ),
            "may_confirm": request.user.has_perm(CONFIRM),
            "may_withdraw": request.user.has_perm(WITHDRAW),
        }
        return TemplateResponse(request, "admin/statements/regulators/clocks.html", context)

    def conditions(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks on one page about all duties whose condition only a person knows."""
        require(request, CONFIRM)
        incident = get_object_or_404(Incident, pk=pk)
        clocks = deadlines.clocks_of(incident)
        asked = [each.duty for each in clocks if each.is_asked and each.confirmation is None]
        form = ConditionsForm(
            request.POST or None, incident=incident, asked=asked, by=staff_of(request)
        )
        if named := _answered_meanwhile(request, clocks):
            text = _("Answered meanwhile, so that your answer is not recorded: %(duties)s")
            messages.warning(request, text % {"duties": ", ".join(named)})
        if request.method == "POST" and (made := form.confirm()):
            for confirmation in made:
                self.log_addition(request, confirmation, _("Confirmed."))
            messages.success(request, _("Recorded, with your name and the time."))
            return _clocks_of(incident)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Which duties apply"),
            "opts": self.opts,
            "incident": incident,
            "form": form,
        }
        return TemplateResponse(request, "admin/statements/regulators/conditions.html", context)

    def confirm(self, request: HttpRequest, pk: int, duty: str) -> HttpResponse:
        """Asks a person whether the duty is met or applies, and for the evidence."""
        require(request, CONFIRM)
        incident, known = get_object_or_404(Incident, pk=pk), _duty(duty)
        if request.method == "GET" and (last := final_confirmation(incident, known)):
            raise TaskOverError(
                last, _("Confirmed already"), by=last.confirmed_by, at=last.confirmed_at
            )
        form = ConfirmDutyForm(
            request.POST or None, incident=incident, duty=known, by=staff_of(request)
        )
        if request.method == "POST" and (confirmation := form.confirm()):
            self.log_addition(request, confirmation, _("Confirmed."))
            messages.success(request, _("Recorded, with your name and the time."))
            return _clocks_of(incident)
        texts = {
            "title": str(known.name),
            "explanation": f"{known.law}, {known.cited}. {known.hint}",
            "button": _("Confirm with my name"),
            "back": reverse("admin:statements_dutyconfirmation_clocks", args=[pk]),
        }
        return self._step(request, form, texts)

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks for the reason to withdraw a confirmation."""
        require(request, WITHDRAW)
        confirmation = get_object_or_404(DutyConfirmation, pk=pk)
        if at := confirmation.withdrawn_at:
            what = _("Withdrawn already")
            raise TaskOverError(confirmation, what, by=confirmation.withdrawn_by, at=at)
        form = WithdrawConfirmationForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            withdraw_confirmation(confirmation, reason=reason, by=staff_of(request))
            self.log_change(request, confirmation, _("Withdrawn."))
            messages.success(request, _("Withdrawn. Both stay on record."))
            return _clocks_of(confirmation.incident)
        texts = {
            "title": _("Withdraw a confirmation"),
            "explanation": confirmation.evidence,
            "button": _("Withdraw"),
            "back": _clocks_of(confirmation.incident).url,
        }
        return self._step(request, form, texts)

    def _step(self, request: HttpRequest, form: Any, texts: dict[str, str]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            **texts,
            "form": form,
            "opts": self.opts,
        }
        return TemplateResponse(request, STEP, context)


FILED_BY, CREATED_BY = (person_column(RegulatorReport, name) for name in ("filed_by", "created_by"))


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
        filed = ["filed_at", "reference", FILED_BY] if obj.is_filed else []
        return [*asked, "number", "supplements", "state", *filed, "text", CREATED_BY]

    def get_readonly_fields(
        self, request: HttpRequest, obj: RegulatorReport | None = None
    ) -> list[Any]:
        """Returns the read-only fields of an existing report.

        Form and incident are among them, because the text was drafted for them.
        """
        if obj is None:
            return []
        shown = ["incident", "duty", "duty_named", "form", "number", "supplements", "state"]
        return [*shown, "filed_at", "reference", FILED_BY, CREATED_BY]

    @admin.display(description=gettext_lazy("Duty"), ordering="duty")
    def duty_named(self, obj: RegulatorReport) -> str:
        return duties.duty_title(obj.duty)

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
        """Redirects to the report's page, which now has the drafted text to correct."""
        messages.success(request, _("Here is the draft from what is known. Read and correct it."))
        return _page_of(obj)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        report = self.get_object(request, object_id)
        if report and request.method == "POST" and super().has_change_permission(request):
            _require_draft(report)  # filed while an editor wrote
        may = {"may_file": request.user.has_perm(FILE), "may_write": request.user.has_perm(WRITE)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **may})

    def response_post_save_change(
        self, request: HttpRequest, obj: RegulatorReport
    ) -> HttpResponseRedirect:
        """Leads to the page of the incident after “Save”: it has the next step."""
        return redirect("admin:incidents_incident_page", obj.incident_id)

    def pdf(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Returns the report with its current text as a PDF."""
        require(request, "statements.view_regulatorreport")
        report = get_object_or_404(RegulatorReport.objects.select_related("incident"), pk=pk)
        name = f"report-{report.incident.slug}-{report.pk}"
        return documents.pdf_response(reports.document(report), name)

    def file(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks when the report was filed and its number. After that the report is immutable."""
        require(request, FILE)
        report = get_object_or_404(RegulatorReport, pk=pk)
        _require_draft(report)
        form = FileReportForm(request.POST or None, report=report, by=staff_of(request))
        if request.method == "POST" and form.file():
            self.log_change(request, report, _("Recorded as filed."))
            messages.success(request, _("Recorded as filed. The text stands from here on."))
            return _page_of(report)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Record this report as filed"),
            "explanation": _filing_explanation(report),
            "text": report.text,
            "text_language": report.language,
            "button": _("Record as filed"),
            "back": reverse("admin:statements_regulatorreport_change", args=[pk]),
            "form": form,
            "opts": self.opts,
        }
        return TemplateResponse(request, STEP, context)

    def supplement(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Opens the draft that supplements a filed report with the current facts."""
        require(request, WRITE)
        report = get_object_or_404(RegulatorReport, pk=pk)
        if not report.is_filed:
            raise TaskOverError(report, _("This report is not filed yet"))
        draft, is_new = reports.draft_supplement(report, by=staff_of(request))
        if is_new:
            self.log_addition(request, draft, _("Supplement drafted."))
            text = _("Here is the draft from what is known. Read and correct it.")
            messages.success(request, text)
        else:
            messages.info(request, _("This supplement is drafted already."))
        return _page_of(draft)


def _require_draft(report: RegulatorReport) -> None:
    """Raises TaskOverError if the report is filed."""
    if report.is_filed:
        raise TaskOverError(report, _("Filed already"), by=report.filed_by, at=report.filed_at)


def _filing_explanation(report: RegulatorReport) -> str:
    """Returns the report and its duty, and the warning that the filing cannot be undone."""
    warning = _("File it with the authority first. Nobody can change it afterwards.")
    return f"{report}\n{duties.duty_title(report.duty)}\n{warning}"


def _answered_meanwhile(request: HttpRequest, clocks: list[deadlines.DutyClock]) -> list[str]:
    """Returns the names of the duties with a posted verdict that have one already, of another
    person or another one.
    """
    named = []
    for clock in clocks:
        posted, made = request.POST.get(f"verdict-{clock.duty.id}"), clock.confirmation
        is_same = made and (made.verdict, made.confirmed_by) == (posted, request.user)
        if posted and made and not is_same:
            named.append(duties.duty_title(clock.duty.id))
    return named


def _duty(duty_id: str) -> laws.Duty:
    for duty in laws.all_duties():
        if duty.id == duty_id:
            return duty
    raise Http404


def _clocks_of(incident: Incident) -> HttpResponseRedirect:
    return redirect("admin:statements_dutyconfirmation_clocks", incident.pk)


def _page_of(report: RegulatorReport) -> HttpResponse:
    return redirect("admin:statements_regulatorreport_change", report.pk)
