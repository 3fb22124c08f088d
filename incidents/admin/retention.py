"""The desk's pages of an incident's retention: the plan, legal holds, and what was deleted."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_site import require, staff_of
from accounts.desk_tasks import link_to
from accounts.models import User
from foundations.formatting import number
from incidents.admin.confirmation import call_worker
from incidents.admin.proposals import ConfirmationRefusedError, ProposalAdmin
from incidents.models import DataDeletion, Incident, RetentionDecision, Shredding
from incidents.retention import deletion, plans
from incidents.retention.forms import form_for
from incidents.retention.plans import RetentionRefusedError
from incidents.scope_counts import counts_of
from incidents.tasks import work_deletion

VIEW, ADD = "incidents.view_retentiondecision", "incidents.add_retentiondecision"
CONFIRM = "incidents.confirm_retentiondecision"
Kind, Step = RetentionDecision.Kind, DataDeletion.Step


@admin.register(RetentionDecision)
class RetentionDecisionAdmin(ProposalAdmin):
    """Decisions that one person proposes and another confirms. The list is the record of all.

    The page of an incident's retention makes the proposals.
    """

    confirm_right = CONFIRM
    confirmed_text = gettext_lazy("Confirmed: the decision is in force.")
    change_form_template = "incidents/desk/retention_decision.html"
    list_display = [
        "incident",
        "kind",
        "proposed_at",
        "proposed_by",
        "confirmed_by",
        "withdrawn_at",
    ]
    list_filter = ["kind"]
    list_select_related = ["incident", "proposed_by", "confirmed_by"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def details(self, proposal: RetentionDecision) -> dict[str, Any]:
        """Returns the days before and after a waiting plan, and what it deletes."""
        is_plan = proposal.kind == Kind.PLAN
        if not (is_plan and proposal.is_waiting):
            return {"is_plan": is_plan}
        return {
            "is_plan": is_plan,
            "differences": differences(proposal),
            "amounts": amounts(proposal.incident),
        }

    def confirm_by(self, proposal: RetentionDecision, by: User) -> bool:
        """Confirms the decision. Returns False if it waits no more.

        Raises ConfirmationRefusedError if it is outdated.
        """
        try:
            return plans.confirm(proposal, by=by)
        except RetentionRefusedError as refusal:
            raise ConfirmationRefusedError(str(refusal)) from None


def differences(decision: RetentionDecision) -> list[tuple[str, str, str]]:
    """Returns the name of each day of a plan, the day in force now, and the proposed one."""
    plan = plans.plan_of(decision.incident)
    without = _("without an end")

    def day(of: RetentionDecision | None, name: str, otherwise: str) -> str:
        value = of and getattr(of, name)
        return date_format(value) if value else otherwise if of else ""

    names = ("values_on", "contacts_on", "proof_until")
    labels = (_("Values are deleted"), _("Contacts are deleted"), _("Proof is kept until"))
    return [
        (label, day(plan, name, without), day(decision, name, without))
        for name, label in zip(names, labels, strict=True)
    ]


def amounts(incident: Incident) -> dict[str, str]:
    """Returns what a deletion concerns, from stored counts: people and rows."""
    total = counts_of(incident).total
    rows = sum(incident.batches.values_list("files__rows_taken", flat=True).exclude(files=None))
    return {"people": number(total.people) if total else "–", "rows": number(rows)}


# ---------------------------------------------------------------- the incident's retention


def page(desk: "ModelAdmin[Incident]", request: HttpRequest, pk: int) -> HttpResponse:
    """Shows the plan in force, what it deletes, what prevents it, and what was deleted."""
    require(request, VIEW)
    incident = get_object_or_404(Incident, pk=pk)
    due, hold = plans.due_step(incident), plans.hold_of(incident)
    reasons = [] if incident.shredded_at else plans.objections(incident)
    waiting = plans.waiting_decision(incident)
    context = {
        **_base(desk, request, incident, _("Retention")),
        "plan": plans.plan_of(incident),
        "hold": hold,
        "waiting": waiting,
        "steps": plans.steps_of(incident),
        "amounts": amounts(incident),
        "reasons": [_linked(reason, waiting) for reason in reasons],
        "records": incident.deletions.select_related("started_by", "plan__confirmed_by"),
        "purge": Shredding.objects.filter(incident=incident, done_at__isnull=False).first(),
        "may_propose": not incident.shredded_at and request.user.has_perm(ADD),
        "may_start": bool(due) and not reasons and request.user.has_perm(CONFIRM),
    }
    return TemplateResponse(request, "incidents/desk/retention.html", context)


def _linked(reason: str, waiting: RetentionDecision | None) -> str:
    """Returns the reason; that a decision waits is a link to the decision."""
    return link_to(waiting, reason) if waiting and reason == str(plans.WAITS) else reason


def propose(desk: "ModelAdmin[Incident]", request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """Proposes a plan, a legal hold, or its release."""
    require(request, ADD)
    incident = get_object_or_404(Incident, pk=pk)
    if kind not in Kind.values:
        raise Http404
    plan = plans.plan_of(incident)
    days = plans.dates_of(plan) if plan else None
    form = form_for(kind)(
        request.POST or None,
        incident=incident,
        kind=kind,
        by=staff_of(request),
        initial=days._asdict() if days else None,
    )
    if form.is_valid() and (decision := form.propose()):
        messages.success(request, _("Proposed. Another person has to confirm it."))
        return redirect("admin:incidents_retentiondecision_change", decision.pk)
    context = {
        **_base(desk, request, incident, str(Kind(kind).label)),
        "form": form,
        "kind": kind,
        "amounts": amounts(incident),
    }
    return TemplateResponse(request, "incidents/desk/retention_propose.html", context)


def start(desk: "ModelAdmin[Incident]", request: HttpRequest, pk: int) -> HttpResponse:
    """Begins the deletion that is due; a worker does it."""
    require(request, CONFIRM)
    incident = get_object_or_404(Incident, pk=pk)
    try:
        record = deletion.start(incident, by=staff_of(request))
    except RetentionRefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        call_worker(work_deletion, incident.pk)
        done = _("The deletion begins: %(step)s.") % {"step": record.get_step_display()}
        desk.log_change(request, incident, done)
        messages.success(request, done)
    return redirect("admin:incidents_incident_retention", pk)


def _base(
    desk: "ModelAdmin[Incident]", request: HttpRequest, incident: Incident, title: str
) -> dict[str, Any]:
    return {
        **desk.admin_site.each_context(request),
        "title": title,
        "opts": desk.opts,
        "incident": incident,
    }
