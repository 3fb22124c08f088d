"""The public pages. They look at the address and nothing else (foundations.page_cache)."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render

from foundations.page_cache import public_page
from incidents.models import Incident
from statements import publishing
from statements.models import Statement, StatementVersion
from statements.public import (
    incident_context,
    log_context,
    log_record,
    preview_images,
    version_context,
)
from statements.public.feeds import IncidentFeed


@public_page
def home(request: HttpRequest) -> HttpResponse:
    """The newest public incident, in ten seconds; a calm page if there is none."""
    incidents = list(Incident.objects.public())
    if not incidents:
        return render(request, "statements/no_incident.html")
    context = incident_context(incidents[0]) | {"others": incidents[1:]}
    return render(request, "statements/incident.html", context)


@public_page
def incident(request: HttpRequest, slug: str) -> HttpResponse:
    """The same page for one incident."""
    context = incident_context(_public_incident(slug))
    return render(request, "statements/incident.html", context)


@public_page
def statement(request: HttpRequest, slug: str, statement: str) -> HttpResponse:
    """A statement's current version."""
    version = _current_version(slug, statement)
    if version.statement.kind == Statement.Kind.ADVISORY:
        return redirect(version.statement)
    return render(request, "statements/statement.html", version_context(version))


@public_page
def advisory(request: HttpRequest, slug: str, statement: str) -> HttpResponse:
    """An advisory's current version."""
    version = _current_version(slug, statement)
    if version.statement.kind != Statement.Kind.ADVISORY:
        return redirect(version.statement)
    return render(request, "statements/statement.html", version_context(version))


@public_page
def statement_version(request: HttpRequest, slug: str, statement: str, number: int) -> HttpResponse:
    """One version for good, however many follow it."""
    current = _current_version(slug, statement)
    version = _public_version(slug, statement, number)
    context = version_context(version) | {"current": current}
    return render(request, "statements/version.html", context)


@public_page
def version_record(_request: HttpRequest, slug: str, statement: str, number: int) -> HttpResponse:
    """The very bytes whose SHA-256 is the version's fingerprint (docs/records.md)."""
    version = _public_version(slug, statement, number)
    return HttpResponse(publishing.canonical_record(version), content_type="application/json")


@public_page
def version_image(_request: HttpRequest, slug: str, statement: str, number: int) -> HttpResponse:
    """What a messenger shows beside a link to the version."""
    picture = preview_images.of_version(_public_version(slug, statement, number))
    return HttpResponse(picture.png(), content_type="image/png")


@public_page
def incident_image(_request: HttpRequest, slug: str) -> HttpResponse:
    """What a messenger shows beside a link to the incident's other pages."""
    return HttpResponse(
        preview_images.of_incident(_public_incident(slug)).png(), content_type="image/png"
    )


@public_page
def timeline(request: HttpRequest, slug: str) -> HttpResponse:
    """The dated facts, oldest first."""
    incident = _public_incident(slug)
    context = {
        "incident": incident,
        "entries": incident.timeline.all(),
        "picture": preview_images.of_incident(incident),
    }
    return render(request, "statements/timeline.html", context)


@public_page
def feed(request: HttpRequest, slug: str) -> HttpResponse:
    """An incident's published versions as an Atom feed."""
    return IncidentFeed()(request, slug=slug)


@public_page
def log(request: HttpRequest, slug: str) -> HttpResponse:
    """Every version of every statement, newest first: nothing is replaced in silence."""
    return render(request, "statements/log.html", log_context(_public_incident(slug)))


@public_page
def log_json(_request: HttpRequest, slug: str) -> HttpResponse:
    """The same for programs: every version, its fingerprint, and the one before."""
    record = log_record(_public_incident(slug))
    return JsonResponse(record, json_dumps_params={"ensure_ascii": False, "indent": 1})


def _public_incident(slug: str) -> Incident:
    return get_object_or_404(Incident.objects.public(), slug=slug)


def _current_version(slug: str, statement: str) -> StatementVersion:
    return get_object_or_404(
        StatementVersion.objects.current(),
        statement__incident__slug=slug,
        statement__slug=statement,
    )


def _public_version(slug: str, statement: str, number: int) -> StatementVersion:
    return get_object_or_404(
        StatementVersion.objects.public(),
        statement__incident__slug=slug,
        statement__slug=statement,
        number=number,
    )
