"""What this app contributes to an incident's page: the approval, the send, and its figures."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from foundations.formatting import moment, number
from incidents.desk_page import DeskFigure, DeskTask, PageParts, StageState, WorkStage
from incidents.models import Incident, MessageKind
from notices.engine import ramp
from notices.engine.audiences import NOT_REACHED
from notices.message_codes import delivery_of_code
from notices.models import Delivery, Letter, Notice
from notices.models.notice import CountedNotice
from statements.models import Statement, StatementVersion

APPROVE, ADD, OPEN = "notices.approve_notice", "notices.add_notice", "notices.open_contacts"
State = Notice.State
RUNNING = (State.PLANNING, State.SENDING, State.PAUSED)
RETURNED_FOR = timedelta(days=30)  # after it was drafted, a returned draft is a task
MOST_NAMES = 3  # of stopped destinations, in a task
MOST = 50  # the newest notices of an incident, of which the page speaks


def notice_parts(incident: Incident) -> PageParts:
    """Returns the stages of approval and sending, what waits, and the counts of messages."""
    counted = Notice.objects.counted(incident, most=MOST)
    mandatory = [each for each in counted if each.notice.is_mandatory]
    return PageParts(
        stages=[_approval_stage(incident, mandatory), _sending_stage(incident, mandatory)],
        tasks=[
            *(task for each in counted for task in _tasks(each)),
            *_returned(counted),
            *_correction_tasks(mandatory),
        ],
        figures=_figures(incident, mandatory),
        blocks=[task for each in counted for task in (*_pauses(each), *_stops(each.notice))],
    )


def retention_blockers(incident: Incident) -> Iterator[str]:
    """Yields why no data may be deleted now, if a notice is being sent or is paused."""
    for notice in Notice.objects.filter(incident=incident, state__in=RUNNING).order_by("pk")[:MOST]:
        yield _("The notice “%(notice)s” is being sent or is paused.") % {"notice": notice}


def _approval_stage(incident: Incident, counted: list[CountedNotice]) -> WorkStage:
    drafts = [each.notice for each in counted if each.notice.state == State.DRAFT]
    approved = [
        each.notice
        for each in counted
        if each.notice.approved_at and each.notice.state != State.CANCELLED
    ]
    state, words = StageState.OPEN, _("No notice is drafted.")
    if approved and approved[-1].approved_at:
        state = StageState.DONE
        words = _("Approved by %(user)s on %(time)s.") % {
            "user": approved[-1].approved_by,
            "time": moment(approved[-1].approved_at),
        }
    elif drafts:
        state, words = StageState.MOVING, _("A draft waits for a second person.")
    task = None if approved else _approval_task(incident, drafts)
    return WorkStage(
        order=30, name=_("Approval"), state=state, words=words, url=_list_of(incident), task=task
    )


def _approval_task(incident: Incident, drafts: list[Notice]) -> DeskTask | None:
    """Returns the next step before an approval; None while the incident is not public.

    Approving is refused then, and drafting needs a published version.
    """
    if drafts:
        return _draft_task(drafts[0]) if incident.is_public else None
    published = StatementVersion.objects.public().filter(
        statement__incident=incident, statement__kind=Statement.Kind.NOTICE
    )
    version = published.order_by("-number").first()
    if version is None:
        return None
    query = urlencode({"version": version.pk, "kind": Notice.Kind.MANDATORY})
    return DeskTask(
        key=f"draft-notice-{incident.pk}",
        words=_("Draft the notice to all affected people"),
        url=f"{reverse('admin:notices_notice_add')}?{query}",
        right=ADD,
    )


def _correction_tasks(counted: list[CountedNotice]) -> Iterator[DeskTask]:
    """Yields the notices of corrections that did not begin: people have an earlier version."""
    begun = {each.notice.version_id for each in counted if each.notice.state != State.CANCELLED}
    sent = {each.notice.version.statement_id for each in counted if each.counts["accepted"]}
    published = StatementVersion.objects.public().filter(statement__in=sent)
    newest = published.order_by("statement_id", "-number").distinct("statement_id")
    for version in newest.select_related("statement") if sent else []:
        if version.pk not in begun:
            yield DeskTask(
                key=f"correction-{version.pk}",
                words=_("Tell those who received an earlier version"),
                url=reverse("admin:statements_statementversion_change", args=[version.pk]),
                right=ADD,
            )


def _draft_task(notice: Notice) -> DeskTask:
    return DeskTask(
        key=f"approve-{notice.pk}",
        words=_("Read and approve “%(notice)s”") % {"notice": notice},
        url=reverse("admin:notices_notice_approve", args=[notice.pk]),
        right=APPROVE,
        not_by=frozenset([notice.created_by_id]),
        message_kind=MessageKind.WAITING,
    )


def _sending_stage(incident: Incident, counted: list[CountedNotice]) -> WorkStage:
    sent = [
        each
        for each in counted
        if each.notice.approved_at
        and (each.notice.state != State.CANCELLED or each.counts["accepted"])
    ]
    running = [each for each in sent if each.notice.state in RUNNING]
    state, words = StageState.OPEN, _("Nothing is sent yet.")
    if sent:
        planned, ended = sum(each.planned for each in sent), sum(each.ended for each in sent)
        state = StageState.MOVING if running else StageState.DONE
        words = _("%(ended)s of %(planned)s deliveries have ended.") % {
            "ended": number(ended),
            "planned": number(planned),
        }
    waiting = [each.notice for each in running if each.notice.state == State.PLANNING]
    if not any(each.planned for each in sent) and waiting and waiting[0].waits_until:
        words = _("It begins on %(time)s.") % {"time": moment(waiting[0].waits_until)}
    task = next((task for each in running for task in (*_pauses(each), *_doubts(each))), None)
    return WorkStage(
        order=40, name=_("Sending"), state=state, words=words, url=_list_of(incident), task=task
    )


def _tasks(counted: CountedNotice) -> Iterator[DeskTask]:
    notice = counted.notice
    if notice.state == State.DRAFT:
        yield _draft_task(notice)
    yield from _pauses(counted)
    yield from _steps(notice)
    yield from _stops(notice)
    yield from _doubts(counted)
    yield from _letters(counted)


def _pauses(counted: CountedNotice) -> Iterator[DeskTask]:
    notice = counted.notice
    if notice.state == State.PAUSED:
        reason = str(notice.get_paused_for_display()) if notice.paused_for else _("It is paused.")
        yield DeskTask(
            key=f"paused-{notice.pk}-{notice.paused_for}",
            words=_("Resume or cancel “%(notice)s”. %(reason)s")
            % {"notice": notice, "reason": reason},
            url=reverse("admin:notices_notice_change", args=[notice.pk]),
            right=APPROVE,
            message_kind=MessageKind.PAUSED,
        )


def _steps(notice: Notice) -> Iterator[DeskTask]:
    """Yields the step of a ramp that is done, if a person has to let the next one go."""
    step = ramp.step_of(notice) if _goes_by_person(notice) else None
    if step and step.is_done:
        yield DeskTask(
            key=f"step-{notice.pk}-{step.number}",
            words=_("Let the next step of “%(notice)s” go: %(percent)s %% of the people are done")
            % {"notice": notice, "percent": step.percent},
            url=reverse("admin:notices_notice_change", args=[notice.pk]),
            right=APPROVE,
            message_kind=MessageKind.WAITING,
        )


def _goes_by_person(notice: Notice) -> bool:
    return notice.state == State.SENDING and notice.ramp == Notice.Ramp.PERSON


def _stops(notice: Notice) -> Iterator[DeskTask]:
    """Yields the destinations to which nothing is sent until a person lets them go on."""
    if notice.state not in RUNNING:
        return
    stopped = notice.destinations.filter(stopped_at__isnull=False).order_by("-stopped_at", "name")
    if found := list(stopped):
        names = ", ".join(one.name for one in found[:MOST_NAMES])
        yield DeskTask(
            key=f"stopped-{notice.pk}-{found[0].stopped_at_text}",
            words=_("Nothing of “%(notice)s” is sent to %(names)s. Read why, and let it go on")
            % {"notice": notice, "names": names + (" …" if len(found) > MOST_NAMES else "")},
            url=reverse("admin:notices_notice_change", args=[notice.pk]),
            right=APPROVE,
            message_kind=MessageKind.PAUSED,
        )


def _returned(counted: list[CountedNotice]) -> Iterator[DeskTask]:
    """Yields the drafts that were returned with a comment, while no later notice replaces them."""
    newest = {each.notice.version.statement_id: each.notice for each in reversed(counted)}
    since = timezone.now() - RETURNED_FOR
    for notice in newest.values():
        if notice.returned_because and notice.created_at > since:
            yield DeskTask(
                key=f"returned-{notice.pk}",
                words=_("Read why “%(notice)s” was returned, and draft it again")
                % {"notice": notice},
                url=reverse("admin:notices_notice_change", args=[notice.pk]),
                right=ADD,
                message_kind=MessageKind.WAITING,
            )


def _doubts(counted: CountedNotice) -> Iterator[DeskTask]:
    notice, doubts = counted.notice, counted.counts["in_doubt"]
    if doubts and notice.state in RUNNING:
        yield DeskTask(
            key=f"doubts-{notice.pk}",
            words=_("Decide about %(number)s deliveries in doubt") % {"number": number(doubts)},
            url=reverse("admin:notices_notice_in_doubt", args=[notice.pk]),
            right=APPROVE,
        )


def _letters(counted: CountedNotice) -> Iterator[DeskTask]:
    """Yields the letters to print after a notice to all, if none is exported yet."""
    notice = counted.notice
    missed = sum(counted.counts[state.value] for state in NOT_REACHED)
    is_first = notice.is_mandatory and notice.audience == Notice.Audience.EVERYBODY
    if not (is_first and notice.state == State.CLOSED and missed):
        return
    if notice.incident.shredded_at or Letter.objects.filter(notice=notice).exists():
        return
    yield DeskTask(
        key=f"letters-{notice.pk}",
        words=_("Print letters to those of %(number)s people whom no message reached")
        % {"number": number(missed)},
        url=reverse("admin:notices_notice_letters", args=[notice.pk]),
        right=OPEN,
    )


def _figures(incident: Incident, counted: list[CountedNotice]) -> list[DeskFigure]:
    names = {
        "accepted": _("messages accepted"),
        "bounced": _("messages bounced"),
        "in_doubt": _("messages in doubt"),
    }
    return [
        DeskFigure(
            key=key,
            order=order,
            name=name,
            value=sum(each.counts[key] for each in counted),
            url=_list_of(incident),
            right="notices.view_notice",
        )
        for order, (key, name) in enumerate(names.items(), 20)
    ]


def _list_of(incident: Incident) -> str:
    return f"{reverse('admin:notices_notice_changelist')}?incident__id__exact={incident.pk}"


def people_of_code(code: str) -> list[UUID] | None:
    """Returns the key of the person who got the message with this code; None if it is no code."""
    delivery_id = delivery_of_code(code)
    if delivery_id is None:
        return None
    people = Delivery.objects.filter(pk=delivery_id, person__isnull=False)
    return list(people.values_list("person_id", flat=True))
