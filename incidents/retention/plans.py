"""Retention plans and legal holds: what is in force, which step is due, and what prevents it.

A step that destroys data runs on its day or later, if two people confirmed the plan, no decision
waits, no legal hold is in force, and no work on the incident is unfinished.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from incidents.models import (
    BatchChange,
    DataDeletion,
    ExposureBatch,
    Incident,
    Reencryption,
    RetentionDecision,
    Upload,
)

Kind, Step = RetentionDecision.Kind, DataDeletion.Step

# Functions that yield reasons, in the active language, why no data of the incident may be deleted
# now. Upper apps add theirs in AppConfig.ready().
BLOCKERS: list[Callable[[Incident], Iterator[str]]] = []


WAITS = gettext_lazy("A decision about the retention waits for a second person.")


class RetentionRefusedError(Exception):
    """A decision or a deletion is refused. The message is in the active language."""


class PlanDates(NamedTuple):
    """The days of a retention plan; `proof_until` is None if the proof is kept without an end."""

    values_on: date
    contacts_on: date
    proof_until: date | None


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """One step of the plan in force, and the record of it if it has begun."""

    step: DataDeletion.Step
    on: date
    record: DataDeletion | None
    is_done: bool

    def days_left(self, today: date) -> int:
        """Returns the days until the step; negative if its day has passed."""
        return (self.on - today).days


def today_of(incident: Incident) -> date:
    """Returns the present day in the incident's time zone."""
    return timezone.localtime(timezone=incident.zone).date()


def plan_of(incident: Incident) -> RetentionDecision | None:
    """Returns the retention plan in force: the newest confirmed one."""
    return incident.retention_decisions.confirmed().plans().first()


def hold_of(incident: Incident) -> RetentionDecision | None:
    """Returns the legal hold in force, or None."""
    newest = incident.retention_decisions.confirmed().of_holds().first()
    return newest if newest and newest.kind == Kind.HOLD else None


def held_incidents() -> list[int]:
    """Returns the ids of the incidents with a legal hold in force."""
    decided = RetentionDecision.objects.confirmed().of_holds()
    newest = decided.order_by("incident", "-confirmed_at", "-pk").distinct("incident")
    return [each.incident_id for each in newest if each.kind == Kind.HOLD]


def waiting_decision(incident: Incident) -> RetentionDecision | None:
    """Returns the decision that waits for a second person, or None."""
    return incident.retention_decisions.waiting().select_related("proposed_by").first()


def steps_of(incident: Incident) -> list[PlannedStep]:
    """Returns the steps of the plan in force. A shredding also destroys the values."""
    plan = plan_of(incident)
    if plan is None or plan.values_on is None or plan.contacts_on is None:
        return []
    records = {record.step: record for record in incident.deletions.select_related("started_by")}
    days = {Step.VALUES: plan.values_on, Step.CONTACTS: plan.contacts_on}
    is_shredded = incident.shredded_at is not None
    return [
        PlannedStep(
            step=step,
            on=on,
            record=records.get(step),
            is_done=is_shredded or bool((found := records.get(step)) and found.done_at),
        )
        for step, on in days.items()
    ]


def due_step(incident: Incident) -> PlannedStep | None:
    """Returns the last step with a day that has come, if it is not done; else None.

    If both days have come, it is the contacts: their deletion destroys the values as well.
    """
    today = today_of(incident)
    due = [each for each in steps_of(incident) if each.on <= today]
    return due[-1] if due and not due[-1].is_done else None


# ---------------------------------------------------------------- what prevents a deletion


def objections(incident: Incident) -> list[str]:
    """Returns the reasons, in the active language, why nothing may be deleted now."""
    return [*_undecided(incident), *_unfinished(incident)] + [
        reason for blocker in BLOCKERS for reason in blocker(incident)
    ]


def is_stopped(incident: Incident) -> bool:
    """Returns whether a legal hold or a waiting decision stops a deletion, also one that runs."""
    return hold_of(incident) is not None or waiting_decision(incident) is not None


def _undecided(incident: Incident) -> Iterator[str]:
    if hold_of(incident):
        yield _("A legal hold is in force.")
    if waiting_decision(incident):
        yield str(WAITS)


def _unfinished(incident: Incident) -> Iterator[str]:
    if incident.batches.filter(state=ExposureBatch.State.OPEN).exists():
        yield _("A scope version is open.")
    if BatchChange.objects.unfinished().filter(batch__incident=incident).exists():
        yield _("A scope version is being closed or withdrawn.")
    state = Upload.State
    ended = (state.IMPORTED, state.REFUSED, state.DISCARDED)
    if incident.uploads.exclude(state__in=ended).exists():
        yield _("An uploaded file is not settled.")
    if _is_reencrypted(incident):
        yield _("The data is being encrypted again under a new key.")


def _is_reencrypted(incident: Incident) -> bool:
    """Returns whether a re-encryption runs that is not part of a deletion."""
    unfinished = incident.reencryptions.exclude(state=Reencryption.State.DONE).first()
    if unfinished is None:
        return False
    own = incident.deletions.filter(step=Step.VALUES, done_at=None).first()
    return own is None or unfinished.started_at < own.started_at


# ---------------------------------------------------------------- decisions


def propose(
    incident: Incident, kind: str, *, by: User, reason: str, dates: PlanDates | None = None
) -> RetentionDecision:
    """Records a proposal for a second person, and returns it. `dates` belongs to a plan only.

    Raises RetentionRefusedError if another decision waits, or if it would change nothing.
    """
    if why := objection_to(incident, kind, dates):
        raise RetentionRefusedError(why)
    days = dates._asdict() if dates else {}
    try:
        with transaction.atomic():
            # A deletion that begins at the same time reads the decisions under the same lock.
            Incident.objects.select_for_update(no_key=True).get(pk=incident.pk)
            return RetentionDecision.objects.create(
                incident=incident, kind=kind, proposed_by=by, reason=reason, **days
            )
    except IntegrityError:
        why = _("Another decision about the retention waits to be confirmed. Decide it first.")
        raise RetentionRefusedError(why) from None


def confirm(decision: RetentionDecision, *, by: User) -> bool:
    """Records `by` as the second person, and puts the decision in force.

    Returns False, and changes nothing, if it no longer waits or `by` made it. Raises
    RetentionRefusedError if the decision is outdated.
    """
    with transaction.atomic():
        incident = Incident.objects.select_for_update(no_key=True).get(pk=decision.incident_id)
        if why := objection_to(incident, decision.kind, dates_of(decision)):
            raise RetentionRefusedError(why)
        is_done = decision.confirm(by)
        if is_done:
            _show_customers(incident)
    return is_done


def dates_of(decision: RetentionDecision) -> PlanDates | None:
    """Returns the days of a plan; None for a legal hold or its release."""
    if decision.values_on is None or decision.contacts_on is None:
        return None
    return PlanDates(decision.values_on, decision.contacts_on, decision.proof_until)


def objection_to(incident: Incident, kind: str, dates: PlanDates | None) -> str:
    """Returns why the decision makes no sense, in the active language, or ""."""
    hold = hold_of(incident)
    if incident.shredded_at:
        return _("The data of this incident is shredded already.")
    if kind == Kind.HOLD and hold:
        return _("A legal hold is in force already.")
    if kind == Kind.RELEASE and not hold:
        return _("No legal hold is in force.")
    return _objection_to_dates(incident, dates) if dates else ""


def _objection_to_dates(incident: Incident, dates: PlanDates) -> str:
    plan = plan_of(incident)
    is_begun = incident.values_deleted_at is not None and plan is not None
    if is_begun and plan and dates.values_on != plan.values_on:
        return _("The deletion of the values has begun: their day stays.")
    if dates.contacts_on < dates.values_on:
        return _("Contacts are deleted on the day of the values or later.")
    if dates.proof_until and dates.proof_until < dates.contacts_on:
        return _("The proof is kept at least until the contacts are deleted.")
    first = dates.contacts_on if is_begun else dates.values_on
    return "" if first > today_of(incident) else _("Choose a day after today.")


def _show_customers(incident: Incident) -> None:
    """Stores the day until which customers read that their data is kept."""
    plan = None if hold_of(incident) else plan_of(incident)
    incident.kept_until = plan.values_on if plan else None
    incident.save(update_fields=["kept_until"])
