"""The public pages. They look at the address and nothing else (notices.public)."""

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import get_object_or_404, redirect, render

from incidents.models import Incident
from notices.models import Statement, StatementVersion
from notices.pages import IncidentPage, VersionPage
from notices.public import public_page


@public_page
def home(request: HttpRequest) -> HttpResponse:
    """The newest public incident, in ten seconds; a calm page if there is none."""
    newest, *others = Incident.objects.public() or [None]
    if newest is None:
        return render(request, "notices/public/no_incident.html")
    page = IncidentPage(newest)
    return render(request, "notices/public/incident.html", {"page": page, "others": others})


@public_page
def incident(request: HttpRequest, slug: str) -> HttpResponse:
    """The same page for one incident."""
    page = IncidentPage(get_object_or_404(Incident.objects.public(), slug=slug))
    return render(request, "notices/public/incident.html", {"page": page})
