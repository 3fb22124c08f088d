"""What this app contributes to an incident's page: statement, posting, reports and clocks."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from foundations.formatting import moment
from incidents.desk_page import DeskClock, DeskTask, PageParts, StageState, WorkStage
from incidents.models import Incident, MessageKind
from statements.legal.deadlines import DutyClock, DutyStatus, timed_clocks_of
from statements.legal.own_laws import without_law
from statements.models import RegulatorReport, Statement, StatementVersion
from statements.publishing import draft_findings

PUBLISH, WRITE = "statements.publish_statementversion", "statements.change_statementversion"
ADD = "statements.add_statement"
ADD_REPORT, FILE_REPORT = "statements.add_regulatorreport", "statements.file_regulatorreport"
ADD_CONFIRMATION = "statements.add_dutyconfirmation"
PENDING = (DutyStatus.OVERDUE, DutyStatus.OPEN)


def statement_parts(incident: Incident) -> PageParts:
    """Returns the stages of the statement, the posting and the reports, and the clocks."""
    versions = _versions(incident)
    notices = [each for each in versions if each.statement.kind == Statement.Kind.NOTICE]
    timed = timed_clocks_of(incident)
    clocks = [clock for clock in timed if not clock.is_asked]
    asked = [clock for clock in timed if clock.is_asked and clock.where in PENDING]
    reports = [clock for clock in clocks if clock.duty.kind == "report"]
    return PageParts(
        stages=[
            _statement_stage(incident, notices),
            _posted_stage(incident, notices),
            _reported_stage(incident, reports),
        ],
        tasks=[*_drafts(versions), *_questions(incident, asked)],
        clocks=list(_shown_clocks(incident, clocks)),
        blocks=list(_blocks(incident, notices)),
    )


def _versions(incident: Incident) -> list[StatementVersion]:
    """Returns the newest version of each statement, and the newest published one."""
    found = StatementVersion.objects.filter(statement__incident=incident)
    newest = found.order_by("statement_id", "state", "-number").distinct("statement_id", "state")
    return list(
        newest.select_related("statement__incident").prefetch_related("sections", "editors")
    )


def _newest(versions: list[StatementVersion], state: str) -> StatementVersion | None:
    return next((each for each in versions if each.state == state), None)


def _statement_stage(incident: Incident, versions: list[StatementVersion]) -> WorkStage:
    draft = _newest(versions, StatementVersion.State.DRAFT)
    published = _newest(versions, StatementVersion.State.PUBLISHED)
    shown = draft or published
    return WorkStage(
        order=20,
        name=_("Statement"),
        state=_statement_state(draft, published),
        words=_statement_words(draft, published),
        url=reverse("admin:statements_statementversion_change", args=[shown.pk]) if shown else "",
        task=_draft_task(draft) if draft else None if published else _write_task(incident),
    )


def _statement_state(
    draft: StatementVersion | None, published: StatementVersion | None
) -> StageState:
    if published:
        return StageState.DONE
    return StageState.MOVING if draft else StageState.OPEN


def _statement_words(draft: StatementVersion | None, published: StatementVersion | None) -> str:
    if published and published.published_at:
        return _("Version %(number)s is published since %(time)s.") % {
            "number": published.number,
            "time": moment(published.published_at),
        }
    if draft:
        return _("Version %(number)s is a draft.") % {"number": draft.number}
    return _("No notice is written.")


def _write_task(incident: Incident) -> DeskTask:
    query = urlencode({"incident": incident.pk, "kind": Statement.Kind.NOTICE, "slug": "notice"})
    return DeskTask(
        key=f"write-{incident.pk}",
        words=_("Write the notice"),
        url=f"{reverse('admin:statements_statement_add')}?{query}",
        right=ADD,
    )


def _draft_task(draft: StatementVersion) -> DeskTask:
    """Returns the task to complete the draft, or to publish it if nothing in it prevents that."""
    if _is_incomplete(draft):
        return DeskTask(
            key=f"complete-{draft.pk}",
            words=_("Complete the draft of “%(title)s”") % {"title": draft},
            url=reverse("admin:statements_statementversion_change", args=[draft.pk]),
            right=WRITE,
        )
    return DeskTask(
        key=f"publish-{draft.pk}",
        words=_("Read and publish “%(title)s”") % {"title": draft},
        url=reverse("admin:statements_statementversion_publish", args=[draft.pk]),
        right=PUBLISH,
        not_by=frozenset([draft.created_by_id, *(user.pk for user in draft.editors.all())]),
        message_kind=MessageKind.WAITING,
    )


def _is_incomplete(draft: StatementVersion) -> bool:
    """Returns whether the draft lacks a text, or a finding about it prevents publishing."""
    languages = draft.statement.incident.languages
    texts = [draft.title, *(section.body for section in draft.sections.all())]
    if any(text.missing(languages) for text in texts):
        return True  # the findings would say so too, after many queries
    return any(finding.blocks for finding in draft_findings(draft))


def _drafts(versions: list[StatementVersion]) -> Iterator[DeskTask]:
    for version in versions:
        if version.state == StatementVersion.State.DRAFT:
            yield _draft_task(version)


def _posted_stage(incident: Incident, versions: list[StatementVersion]) -> WorkStage:
    published = _newest(versions, StatementVersion.State.PUBLISHED)
    state, words, task = StageState.OPEN, _("Visitors cannot read it yet."), None
    if published and incident.is_public:
        is_over = published.display_until < timezone.localdate(timezone=incident.zone)
        state = StageState.DONE if is_over else StageState.MOVING
        words = _("Visitors can read it at least until %(day)s.") % {
            "day": date_format(published.display_until)
        }
    elif published:
        task = DeskTask(
            key=f"public-{incident.pk}",
            words=_("Make the incident public"),
            url=reverse("admin:incidents_incident_change", args=[incident.pk]) + "#id_is_public",
            right="incidents.change_incident",
        )
    url = published.get_absolute_url() if published and incident.is_public else ""
    return WorkStage(order=50, name=_("Posting"), state=state, words=words, url=url, task=task)


def _reported_stage(incident: Incident, clocks: list[DutyClock]) -> WorkStage:
    pending = [clock for clock in clocks if clock.where in PENDING]
    due = [clock for clock in clocks if clock.where != DutyStatus.NOT_APPLICABLE]
    drafts = incident.reports.filter(state=RegulatorReport.State.DRAFT) if pending else []
    by_duty = {report.duty: report for report in drafts}
    words = _("No report to an authority is due.")
    if due:
        words = _("%(done)s of %(all)s reports to authorities are filed.") % {
            "done": len(due) - len(pending),
            "all": len(due),
        }
    first = pending[0] if pending else None
    return WorkStage(
        order=60,
        name=_("Reports"),
        state=_reported_state(due, pending),
        words=words,
        url=f"{reverse('admin:statements_regulatorreport_changelist')}?incident__id__exact={incident.pk}",
        task=_report_task(incident, first, by_duty.get(first.duty.id)) if first else None,
    )


def _reported_state(due: list[DutyClock], pending: list[DutyClock]) -> StageState:
    if not pending:
        return StageState.DONE
    return StageState.MOVING if len(pending) < len(due) else StageState.OPEN


def _report_task(incident: Incident, clock: DutyClock, draft: RegulatorReport | None) -> DeskTask:
    if draft:
        return DeskTask(
            key=f"file-{draft.pk}",
            words=_("File the report to %(authority)s") % {"authority": draft.authority},
            url=reverse("admin:statements_regulatorreport_file", args=[draft.pk]),
            right=FILE_REPORT,
        )
    query = urlencode({"incident": incident.pk, "duty": clock.duty.id})
    return DeskTask(
        key=f"report-{incident.pk}-{clock.duty.id}",
        words=_("Draft the report: %(duty)s") % {"duty": clock.duty.name},
        url=f"{reverse('admin:statements_regulatorreport_add')}?{query}",
        right=ADD_REPORT,
    )


def _questions(incident: Incident, asked: list[DutyClock]) -> Iterator[DeskTask]:
    if asked:
        yield DeskTask(
            key=f"duties-{incident.pk}",
            words=_("Say which duties apply: their conditions are not known"),
            url=reverse("admin:statements_dutyconfirmation_conditions", args=[incident.pk]),
            right=ADD_CONFIRMATION,
        )


def _shown_clocks(incident: Incident, clocks: list[DutyClock]) -> Iterator[DeskClock]:
    url = reverse("admin:statements_dutyconfirmation_clocks", args=[incident.pk])
    for clock in clocks:
        if clock.due_at and clock.where != DutyStatus.NOT_APPLICABLE:
            yield DeskClock(
                key=clock.duty.id,
                name=str(clock.duty.name),
                cited=str(clock.duty.cited),
                due_at=clock.due_at,
                is_met=clock.where not in PENDING,
                url=url,
            )


def _blocks(incident: Incident, versions: list[StatementVersion]) -> Iterator[DeskTask]:
    page = reverse("admin:incidents_incident_change", args=[incident.pk])
    if not incident.jurisdictions.exists():
        yield DeskTask(
            key=f"no-law-{incident.pk}",
            words=_("No jurisdiction is named, so no duty and no clock is known."),
            url=page,
            right="incidents.change_incident",
        )
    if names := without_law(incident):
        yield DeskTask(
            key=f"law-file-{incident.pk}",
            words=_("No law is on file for %(names)s: its duties and clocks are not known.")
            % {"names": ", ".join(names)},
            url=page,
            right="incidents.change_incident",
        )
    if _newest(versions, StatementVersion.State.PUBLISHED) and not incident.is_public:
        yield DeskTask(
            key=f"hidden-{incident.pk}",
            words=_("The incident is not public. A notice to people is refused until it is."),
            url=page,
            right="incidents.change_incident",
        )
