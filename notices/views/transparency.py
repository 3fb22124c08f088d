"""The public page of figures: how many people were told, and how soon."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from foundations.page_cache import public_page
from incidents.models import Incident
from notices.proof import transparency as figures
from statements.public import preview_images


@public_page
def transparency(request: HttpRequest, slug: str) -> HttpResponse:
    """How many people were told, and how soon; no figure here leads back to one of them."""
    incident = get_object_or_404(Incident.objects.public(), slug=slug)
    context = figures.context(incident) | {"picture": preview_images.of_incident(incident)}
    return render(request, "notices/transparency.html", context)
