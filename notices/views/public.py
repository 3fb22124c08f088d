"""The public pages. They look at the address and nothing else (notices.public)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from incidents.models import Incident
from notices.models import Statement, StatementVersion
from notices.public import incident_context, log_context, public_page, version_context


@public_page
def home(request: HttpRequest) -> HttpResponse:
    """The newest public incident, in ten seconds; a calm page if there is none."""
    incidents = list(Incident.objects.public())
    if not incidents:
        return render(request, "notices/public/no_incident.html")
    context = incident_context(incidents[0]) | {"others": incidents[1:]}
    return render(request, "notices/public/incident.html", context)


@public_page
def incident(request: HttpRequest, slug: str) -> HttpResponse:
    """The same page for one incident."""
    context = incident_context(_public_incident(slug))
    return render(request, "notices/public/incident.html", context)


@public_page
def statement(request: HttpRequest, slug: str, statement: str) -> HttpResponse:
    """A statement's current version."""
    version = _current_version(slug, statement)
    if version.statement.kind == Statement.Kind.ADVISORY:
        return redirect(version.statement)
    return render(request, "notices/public/statement.html", version_context(version))


@public_page
def advisory(request: HttpRequest, slug: str, statement: str) -> HttpResponse:
    """An advisory's current version."""
    version = _current_version(slug, statement)
    if version.statement.kind != Statement.Kind.ADVISORY:
        return redirect(version.statement)
    return render(request, "notices/public/statement.html", version_context(version))


@public_page
def statement_version(request: HttpRequest, slug: str, statement: str, number: int) -> HttpResponse:
    """One version for good, however many follow it."""
    current = _current_version(slug, statement)
    version = get_object_or_404(
        StatementVersion.objects.public(), statement=current.statement, number=number
    )
    context = version_context(version) | {"current": current}
    return render(request, "notices/public/version.html", context)


@public_page
def timeline(request: HttpRequest, slug: str) -> HttpResponse:
    """The dated facts, oldest first."""
    incident = _public_incident(slug)
    context = {"incident": incident, "entries": incident.timeline.all()}
    return render(request, "notices/public/timeline.html", context)


@public_page
def log(request: HttpRequest, slug: str) -> HttpResponse:
    """Every version of every statement, newest first: nothing is replaced in silence."""
    return render(request, "notices/public/log.html", log_context(_public_incident(slug)))


def _public_incident(slug: str) -> Incident:
    return get_object_or_404(Incident.objects.public(), slug=slug)


def _current_version(slug: str, statement: str) -> StatementVersion:
    return get_object_or_404(
        StatementVersion.objects.current(),
        statement__incident__slug=slug,
        statement__slug=statement,
    )
