"""What retention contributes to an incident's page: decisions that wait, and deletions to come."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from incidents.desk_page import DeskTask
from incidents.models import DataDeletion, Incident, MessageKind, RetentionDecision
from incidents.retention import plans
from incidents.retention.plans import PlannedStep

CONFIRM = "incidents.confirm_retentiondecision"
WARNED_DAYS = (1, 7, 30)  # before a deletion


def retention_tasks(incident: Incident) -> Iterator[DeskTask]:
    """Yields the decision that waits, and a warning of the next deletion or of an overdue one."""
    if decision := plans.waiting_decision(incident):
        yield _decision_task(decision)
    if not incident.shredded_at:
        undone = [each for each in plans.steps_of(incident) if not each.is_done]
        if task := _warning(incident, undone[0]) if undone else None:
            yield task


def _decision_task(decision: RetentionDecision) -> DeskTask:
    return DeskTask(
        key=f"retention-{decision.pk}",
        words=_("Decide about the proposal: %(kind)s") % {"kind": decision.get_kind_display()},
        url=reverse("admin:incidents_retentiondecision_change", args=[decision.pk]),
        right=CONFIRM,
        not_by=frozenset([decision.proposed_by_id]),
        message_kind=MessageKind.WAITING,
        message=_("A decision about the retention of data waits to be confirmed."),
    )


def _warning(incident: Incident, planned: PlannedStep) -> DeskTask | None:
    """Returns the task to look at the next deletion; None if it is more than 30 days away.

    Its key has the stage and the day, so that people are informed once of each.
    """
    left = planned.days_left(plans.today_of(incident))
    stage = next((str(days) for days in WARNED_DAYS if left <= days), None)
    if stage is None:
        return None
    reasons = plans.objections(incident)
    if left < 0:
        stage = "overdue"
    return DeskTask(
        key=f"deletion-{incident.pk}-{planned.step}-{stage}-{planned.on:%Y-%m-%d}",
        words=" ".join([_sentence(planned, is_overdue=left < 0), *reasons]),
        url=reverse("admin:incidents_incident_retention", args=[incident.pk]),
        right=CONFIRM,
        message_kind=MessageKind.RETENTION,
    )


def _sentence(planned: PlannedStep, *, is_overdue: bool) -> str:
    is_of_values = planned.step == DataDeletion.Step.VALUES
    if is_overdue:
        text = (
            _("The deletion of the values is overdue since %(day)s.")
            if is_of_values
            else _("The deletion of the contacts is overdue since %(day)s.")
        )
    else:
        text = (
            _("The leaked values are deleted on %(day)s.")
            if is_of_values
            else _("The contacts are deleted on %(day)s.")
        )
    return text % {"day": date_format(planned.on)}
