"""The notices in the desk's API: how far each send is."""

from django.http import HttpRequest

from accounts.desk_api.answers import Record, api_view, check_parameters, page_size
from incidents.desk_api import incident_of
from notices.models import Notice
from notices.models.notice import CountedNotice


@api_view()
def notices(request: HttpRequest, slug: str) -> Record:
    """Returns the newest notices of an incident with their current counts, without tests."""
    check_parameters(request, "limit")
    incident = incident_of(slug)
    found = Notice.objects.counted(incident, most=page_size(request))
    return {"notices": [_record(each) for each in found]}


def _record(counted: CountedNotice) -> Record:
    notice = counted.notice
    return {
        "id": notice.pk,
        "title": str(notice),
        "kind": notice.kind,
        "channel": notice.channel,
        "state": notice.state,
        "paused_for": notice.paused_for,
        "created_at": notice.created_at,
        "approved_at": notice.approved_at,
        "begins_at": notice.begins_at,
        "deadline_at": notice.deadline_at,
        "closed_at": notice.closed_at,
        "planned": counted.planned,
        "ended": counted.ended,
        "counts": counted.counts,
    }
