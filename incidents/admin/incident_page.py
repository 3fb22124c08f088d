"""The desk's page of an incident, and the boards of incidents on the desk's first page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.admin_site import require, role_names_with, staff_of
from accounts.audit.forms import object_names
from accounts.models import AuditEntry, User
from incidents import desk_page, desk_parts, figure_points
from incidents.desk_page import SUPERUSER, DeskTask, IncidentBoard, board_of
from incidents.models import Incident

VIEW, ADD = "incidents.view_incident", "incidents.add_incident"
SHOWN_ACTS, READ_ACTS = 8, 80
SAME_ACT = timedelta(minutes=2)  # rows of one person about one kind of object belong together
MOST_BOARDS = 10  # incidents on the desk's first page


@dataclass(frozen=True)
class RecentAct:
    """What one person did to one kind of object: some entries of the audit trail together."""

    who: str
    did: str
    what: str
    at: datetime
    url: str


def page(desk: "ModelAdmin[Incident]", request: HttpRequest, pk: int) -> HttpResponse:
    """Shows the incident's page. Raises RightMissingError."""
    require(request, VIEW)
    incident = get_object_or_404(Incident, pk=pk)
    context = {
        **desk.admin_site.each_context(request),
        "title": str(incident),
        "opts": desk.opts,
        **board_context(staff_of(request), board_of(incident)),
    }
    return TemplateResponse(request, "incidents/desk/page.html", context)


def board_context(user: User, board: IncidentBoard) -> dict[str, Any]:
    """Returns what the template of one incident's board shows to this user."""
    blocking = {block.key for block in board.blocks}
    return _line_context(user, board) | {
        "waiting": [task for task in board.waiting_for(user) if task.key not in blocking],
        "figures": [
            (course, not course.figure.right or user.has_perm(course.figure.right))
            for course in figure_points.courses(board.incident, board.figures)
        ],
        "acts": list(recent_acts(board.incident, user)),
    }


def _line_context(user: User, board: IncidentBoard) -> dict[str, Any]:
    """Returns what one of several incidents shows on the desk's first page."""
    step = board.next_task
    return {
        "board": board,
        "incident": board.incident,
        "may_step": step is not None and step.may(user),
        "who_may": "" if step is None or step.may(user) else _who_may(step),
        "blocks": [(block, block.may(user)) for block in board.blocks],
    }


def index_context(user: User) -> dict[str, Any]:
    """Returns what the desk's first page shows: the board of one incident, or a line for each."""
    if not user.has_perm(VIEW):
        return {}
    incidents = list(Incident.objects.order_by("-aware_at", "-pk")[: MOST_BOARDS + 1])
    boards = [board_of(incident) for incident in incidents[:MOST_BOARDS]]
    general = [task for task in desk_parts.general_tasks() if task.may(user)]
    context = {
        "has_page": True,
        "may_add": user.has_perm(ADD),
        "general": general,
        "are_more": len(incidents) > MOST_BOARDS,
    }
    if len(boards) == 1:
        return context | board_context(user, boards[0])
    own = [
        desk_page.named(task, board.incident)
        for board in boards
        for task in board.waiting_for(user)
    ]
    lines = [_line_context(user, board) for board in boards]
    return context | {"lines": lines, "general": general + own}


def _who_may(task: DeskTask) -> str:
    """Returns the roles that may do the task, in words: "approver"."""
    if task.right == SUPERUSER:
        return _("a superuser")
    return ", ".join(role_names_with(task.right)) or _("a superuser")


def recent_acts(incident: Incident, user: User) -> Iterator[RecentAct]:
    """Yields what people did last with the incident, from the audit trail, the newest first."""
    entries = AuditEntry.objects.filter(incident_id=incident.pk, actor_id__isnull=False)
    acts = _grouped(entries.exclude(kind=AuditEntry.Kind.REFUSED).order_by("-id")[:READ_ACTS])
    for _number, act in zip(range(SHOWN_ACTS), acts, strict=False):
        yield _recent_act(act, user)


def _grouped(entries: Iterable[AuditEntry]) -> Iterator[AuditEntry]:
    """Yields the newest entry of each run of one person's entries about one kind of object."""
    last: AuditEntry | None = None
    for entry in entries:
        is_same = (
            last is not None
            and (last.actor_id, last.object_type) == (entry.actor_id, entry.object_type)
            and last.at - entry.at <= SAME_ACT
        )
        if not is_same:
            yield entry
        last = entry


def _recent_act(entry: AuditEntry, user: User) -> RecentAct:
    tables = {model._meta.db_table: model for model in apps.get_models()}
    model = tables.get(entry.object_type)
    what = object_names().get(entry.object_type, entry.object_type)
    url = ""
    if model and user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}"):
        try:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
            url = reverse(name, args=[entry.object_id])
        except NoReverseMatch:
            pass  # the desk has no page of it
    kind = AuditEntry.Kind(entry.kind).label if entry.kind in AuditEntry.Kind.values else entry.kind
    return RecentAct(entry.actor, str(kind), what, timezone.localtime(entry.at), url)
