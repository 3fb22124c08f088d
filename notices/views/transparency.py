"""The transparency page of an incident."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from foundations.page_cache import public_page
from incidents import phrasing
from incidents.models import Incident
from notices.proof import transparency as figures
from statements.public import preview_images


@public_page
def transparency(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows how many people were notified, and how soon, in figures that identify no person."""
    incident = get_object_or_404(Incident.objects.public(), slug=slug)
    unread, unlinked = incident.unread(), incident.unlinked().entries
    context = figures.context(incident) | {
        "picture": preview_images.of_incident(incident),
        "unread": phrasing.unread(unread) if any(unread) else "",
        "unlinked": phrasing.unlinked(unlinked) if unlinked else "",
    }
    return render(request, "notices/transparency.html", context)
