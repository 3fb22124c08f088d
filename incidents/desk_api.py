"""The incidents in the desk's API: what the desk's page of an incident shows, as records."""

from django.http import HttpRequest
from django.utils import timezone

from accounts.desk_api.answers import ApiError, Record, api_view, check_parameters
from incidents.desk_page import DeskClock, DeskTask, WorkStage, board_of
from incidents.models import Incident

MOST_INCIDENTS = 1_000


@api_view()
def incidents(request: HttpRequest) -> Record:
    """Returns all incidents, the one that the company became aware of last first."""
    check_parameters(request)
    newest = Incident.objects.order_by("-aware_at", "-pk")[:MOST_INCIDENTS]
    found = newest.prefetch_related("jurisdictions")
    return {"incidents": [_facts(incident) for incident in found]}


@api_view()
def incident(request: HttpRequest, slug: str) -> Record:
    """Returns one incident with its stages, clocks, figures and what waits for people."""
    check_parameters(request)
    found = incident_of(slug)
    board = board_of(found)
    return {
        **_facts(found),
        "stages": [_stage(stage) for stage in board.stages],
        "next_task": _task(board.next_task) if board.next_task else None,
        "tasks": [_task(task) for task in board.tasks],
        "blocks": [_task(task) for task in board.blocks],
        "clocks": [_clock(clock) for clock in board.clocks],
        "figures": [
            {"key": one.key, "name": one.name, "value": one.value, "counted_up_to": one.limit}
            for one in board.figures
        ],
    }


def incident_of(slug: str) -> Incident:
    """Returns the incident with this slug. Raises ApiError."""
    found = Incident.objects.filter(slug=slug).first()
    if found is None:
        raise ApiError(404, "No incident has this name.")
    return found


def _facts(incident: Incident) -> Record:
    return {
        "id": incident.pk,
        "slug": incident.slug,
        "title": str(incident.title),
        "is_public": incident.is_public,
        "aware_at": incident.aware_at,
        "first_public_at": incident.first_public_at,
        "shredded_at": incident.shredded_at,
        "languages": list(incident.languages),
        "jurisdictions": [one.jurisdiction for one in incident.jurisdictions.all()],
        "reported_count": incident.reported_count,
    }


def _stage(stage: WorkStage) -> Record:
    return {
        "order": stage.order,
        "name": stage.name,
        "state": stage.state.value,
        "words": stage.words,
    }


def _task(task: DeskTask) -> Record:
    return {"key": task.key, "words": task.words, "right": task.right, "path": task.url}


def _clock(clock: DeskClock) -> Record:
    now = timezone.now()
    return {
        "key": clock.key,
        "name": clock.name,
        "cited": clock.cited,
        "due_at": clock.due_at,
        "seconds_left": int(clock.left(now).total_seconds()),
        "is_met": clock.is_met,
        "is_late": clock.is_late(now),
    }
