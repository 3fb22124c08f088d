"""The public pages. Each response depends on its address only (foundations.page_cache)."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language

from foundations.page_cache import public_page
from incidents.models import Incident
from statements import publishing
from statements.models import Statement, StatementVersion
from statements.public import easy_read, preview_images
from statements.public.contexts import (
    incident_context,
    log_context,
    log_record,
    version_context,
)
from statements.public.feeds import IncidentFeed
from statements.public.timeline_picture import timeline_picture


@public_page
def home(request: HttpRequest) -> HttpResponse:
    """Shows the newest public incident, so that a user reads the essentials in ten seconds.

    Shows a short page if no incident is public.
    """
    incidents = list(Incident.objects.public())
    if not incidents:
        return render(request, "statements/no_incident.html")
    context = incident_context(incidents[0]) | {"others": incidents[1:]}
    return render(request, "statements/incident.html", context)


@public_page
def incident(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows one incident, with the template of the home page."""
    context = incident_context(_public_incident(slug))
    return render(request, "statements/incident.html", context)


@public_page
def easy_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows an incident in easy words. Raises Http404 in a language without this text."""
    incident = _public_incident(slug)
    language = get_language() or ""
    if not easy_read.has_page(incident, language):
        raise Http404
    return render(request, easy_read.template_name(language), easy_read.context(incident))


@public_page
def statement(request: HttpRequest, slug: str, statement: str) -> HttpResponse:
    """Shows the current version of a statement; redirects if the statement is an advisory."""
    version = _current_version(slug, statement)
    if version.statement.kind == Statement.Kind.ADVISORY:
        return redirect(version.statement)
    return render(request, "statements/statement.html", version_context(version))


@public_page
def advisory(request: HttpRequest, slug: str, statement: str) -> HttpResponse:
    """Shows the current version of an advisory; redirects if the statement is another kind."""
    version = _current_version(slug, statement)
    if version.statement.kind != Statement.Kind.ADVISORY:
        return redirect(version.statement)
    return render(request, "statements/statement.html", version_context(version))


@public_page
def statement_version(request: HttpRequest, slug: str, statement: str, number: int) -> HttpResponse:
    """Shows one version at its permanent address, also after newer versions are published."""
    current = _current_version(slug, statement)
    version = _public_version(slug, statement, number)
    context = version_context(version) | {"current": current}
    return render(request, "statements/version.html", context)


@public_page
def version_record(_request: HttpRequest, slug: str, statement: str, number: int) -> HttpResponse:
    """Returns exactly the bytes that the version's SHA-256 is computed from (docs/records.md)."""
    version = _public_version(slug, statement, number)
    return HttpResponse(publishing.canonical_record(version), content_type="application/json")


@public_page
def version_image(_request: HttpRequest, slug: str, statement: str, number: int) -> HttpResponse:
    """Returns the preview image that messengers show next to a link to the version."""
    image = preview_images.of_version(_public_version(slug, statement, number))
    return HttpResponse(image.render(), content_type="image/png")


@public_page
def incident_image(_request: HttpRequest, slug: str) -> HttpResponse:
    """Returns the preview image that messengers show next to links to the other pages."""
    image = preview_images.of_incident(_public_incident(slug))
    return HttpResponse(image.render(), content_type="image/png")


@public_page
def timeline(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the dated facts of an incident, oldest first."""
    incident = _public_incident(slug)
    entries = list(incident.timeline.all())
    context = {
        "incident": incident,
        "entries": entries,
        "drawn": timeline_picture(entry.happened_on for entry in entries),
        "picture": preview_images.of_incident(incident),
    }
    return render(request, "statements/timeline.html", context)


@public_page
def feed(request: HttpRequest, slug: str) -> HttpResponse:
    """Returns the Atom feed of an incident's published versions."""
    return IncidentFeed()(request, slug=slug)


@public_page
def log(request: HttpRequest, slug: str) -> HttpResponse:
    """Shows the public log: all published versions, newest first, and what changed in each."""
    return render(request, "statements/log.html", log_context(_public_incident(slug)))


@public_page
def log_json(_request: HttpRequest, slug: str) -> HttpResponse:
    """Returns the public log as JSON: each version with its hash and the previous hash."""
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
