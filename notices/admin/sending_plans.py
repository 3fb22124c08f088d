"""What the desk shows of a notice's sending plan: each provider group's pace, and the end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from foundations.formatting import hours_in_words, moment
from notices import decisions
from notices.admin.history import HistoryMessages
from notices.engine import group_counts
from notices.engine.audiences import DryRun
from notices.engine.pacing import GroupPace, group_paces
from notices.engine.sending_plans import SendingPlan, chosen_plan, plan_of, plans
from notices.forms.notices import PlanForm, plan_choices
from notices.models import Notice
from notices.provider_groups import OTHER
from statements.legal.deadlines import DutyClock, DutyStatus, clocks_of

if TYPE_CHECKING:
    from notices.admin.notices import NoticeAdmin


@dataclass(frozen=True)
class GroupRow:
    """One line of the table; times are None if the group has no limit or nothing left."""

    name: str
    pace: GroupPace
    next_at: datetime | None
    ends_at: datetime | None


def plan_name(plan_id: str) -> str:
    """Returns the plan's name in the active language; its id if the file lost it."""
    entry = plans().get(plan_id)
    return str(entry.name) if entry else plan_id


def choice_name(chosen: str) -> str:
    """Returns what the form calls the choice of a plan."""
    return dict(plan_choices()).get(chosen, chosen)


def group_rows(
    plan: SendingPlan, people: dict[str, int], tried: dict[str, int], *, start: datetime
) -> list[GroupRow]:
    """Returns the lines for that many people by group, of whom `tried` were tried.

    `start` is when they go on: now, or when the notice begins.
    """
    return [
        GroupRow(
            _("other destinations") if pace.group == OTHER else pace.group,
            pace,
            start + pace.next_in if pace.number else None,
            start + pace.ends_in if pace.ends_in else None,
        )
        for pace in group_paces(plan, people, tried)
    ]


def progress_context(notice: Notice) -> dict[str, Any]:
    """Returns the context of a notice's page: the plan and its groups; {} without a plan."""
    plan = plan_of(notice)
    if plan is None or notice.closed_at:
        return {}
    groups = list(notice.groups.order_by("-people", "group"))
    rows = group_rows(
        plan,
        {each.group: each.people for each in groups},
        {each.group: each.tried for each in groups},
        start=notice.waits_until or timezone.now(),
    )
    return {"plan_name": plan_name(plan.id), "plan_rows": rows}


def approval_context(notice: Notice, run: DryRun | None) -> dict[str, Any]:
    """Returns the context of the approval page: the plan, its groups and its end against the legal
    deadline; {} without a plan.
    """
    plan = chosen_plan(notice)
    if plan is None:
        return {}
    context: dict[str, Any] = {"plan_name": plan_name(plan.id)}
    if run is None:
        return context
    now = timezone.now()
    start = notice.waits_until or now
    counts = group_counts.count_groups(notice, people=run.reachable)
    rows = group_rows(plan, counts, {}, start=start)
    ends_at = start + max((row.pace.ends_in for row in rows), default=timedelta(0))
    return context | {
        "plan_rows": rows,
        "plan_is_estimate": run.reachable > group_counts.SAMPLE,
        "plan_end": _(
            "With this plan the last people get the message %(hours)s after the "
            "approval, about %(end)s, if no provider slows it down."
        )
        % {"hours": _hours(ends_at - now), "end": moment(ends_at)},
        "plan_objection": _late(notice, ends_at),
    }


def change(admin: "NoticeAdmin", request: HttpRequest, notice: Notice) -> HttpResponse:
    """Shows and stores the sending plan of a notice that is being sent."""
    form = PlanForm(request.POST or None, initial={"sending_plan": notice.sending_plan})
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data["sending_plan"]
        if decisions.change_plan(notice, chosen):
            admin.log_change(request, notice, HistoryMessages.PLAN.stored(plan=chosen or "–"))
            messages.success(request, _("Saved. The senders use the new plan within a minute."))
        else:
            messages.warning(request, _("Nothing was done: the notice is in another state now."))
        return redirect("admin:notices_notice_change", notice.pk)
    context = admin.page_context(request, notice, _("Sending plan"))
    return TemplateResponse(
        request, "admin/notices/notice/change_plan.html", context | {"form": form}
    )


def late_start(notice: Notice) -> str:
    """Returns that the notice begins after the first legal deadline, in words; else ""."""
    begins_at = notice.begins_at
    clock = _first_deadline(notice) if begins_at and notice.is_mandatory else None
    if begins_at is None or clock is None or clock.due_at is None or begins_at <= clock.due_at:
        return ""
    text = _("It begins after the legal deadline, %(due)s (%(duty)s).")
    return text % {"due": moment(clock.due_at), "duty": clock.duty.name}


def _late(notice: Notice, ends_at: datetime) -> str:
    """Returns by how much the plan misses the first legal deadline, in words; "" if it does not."""
    if not notice.is_mandatory:
        return ""
    clock = _first_deadline(notice)
    if clock is None or clock.due_at is None or ends_at <= clock.due_at:
        return ""
    text = _(
        "This is %(hours)s after the legal deadline, %(due)s (%(duty)s). A faster plan, or "
        "several channels, can meet it."
    )
    late = _hours(ends_at - clock.due_at)
    return text % {"hours": late, "due": moment(clock.due_at), "duty": clock.duty.name}


def _first_deadline(notice: Notice) -> DutyClock | None:
    open_states = (DutyStatus.OPEN, DutyStatus.OVERDUE)
    clocks = [
        clock
        for clock in clocks_of(notice.incident)
        if clock.duty.by_notice and clock.where in open_states and clock.due_at
    ]
    return next(iter(clocks), None)  # by status and due time


def _hours(span: timedelta) -> str:
    return hours_in_words(max(round(span.total_seconds() / 3600), 0))
