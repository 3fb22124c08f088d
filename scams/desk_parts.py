"""What this app contributes to an incident's page: the number of scam reports, and their queue."""

from django.urls import reverse
from django.utils.translation import gettext as _

from incidents.desk_page import DeskFigure, DeskTask, PageParts
from incidents.models import Incident, MessageKind
from scams.models import ScamReport

COUNTED = 1000  # no further reports are counted for a page
HANDLE, VIEW = "scams.change_scamreport", "scams.view_scamreport"


def scam_parts(incident: Incident) -> PageParts:
    """Returns the number of the incident's scam reports, and the task to read the waiting ones."""
    reports = ScamReport.objects.filter(incident=incident).order_by()
    url = f"{reverse('admin:scams_scamreport_changelist')}?incident__id__exact={incident.pk}"
    figure = DeskFigure(
        key="scams",
        order=50,
        name=_("scam reports"),
        value=reports[: COUNTED + 1].count(),
        limit=COUNTED,
        url=url,
        right=VIEW,
        alarms=(10, 100, 1000),
        message_kind=MessageKind.SCAMS,
    )
    read = DeskTask(
        key=f"scams-{incident.pk}", words=_("Read the new scam reports"), url=url, right=HANDLE
    )
    is_waiting = figure.value and reports.waiting().exists()
    return PageParts(figures=[figure], tasks=[read] if is_waiting else [])
