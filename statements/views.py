"""The public pages. They look at the address and nothing else (statements.public)."""

from datetime import datetime, time, timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.templatetags.static import static
from django.utils import timezone
from django.views.decorators.cache import cache_control

from incidents.models import Incident
from statements import publishing
from notices.models import Statement, StatementVersion
from notices.proof import transparency as transparency_page
from statements.public import (
    incident_context,
    log_context,
    log_record,
    pictures,
    public_page,
    version_context,
)
from statements.public.feeds import IncidentFeed

FAVICON_SECONDS = 60 * 60  # then anew: a release may give the picture another address
SECURITY_TXT_DAYS = 90  # RFC 9116: less than a year


@public_page
def home(request: HttpRequest) -> HttpResponse:
    """The newest public incident, in ten seconds; a calm page if there is none."""
    incidents = list(Incident.objects.public())
    if not incidents:
        return render(request, "statements/public/no_incident.html")
    context = incident_context(incidents[0]) | {"others": incidents[1:]}
    return render(request, "statements/public/incident.html", context)


@public_page
def incident(request: HttpRequest, slug: str) -> HttpResponse:
    """The same page for one incident."""
    context = incident_context(_public_incident(slug))
    return render(request, "statements/public/incident.html", context)


@public_page
def statement(request: HttpRequest, slug: str, statement: str) -> HttpResponse:
    """A statement's current version."""
    version = _current_version(slug, statement)
    if version.statement.kind == Statement.Kind.ADVISORY:
        return redirect(version.statement)
    return render(request, "statements/public/statement.html", version_context(version))


@public_page
def advisory(request: HttpRequest, slug: str, statement: str) -> HttpResponse:
    """An advisory's current version."""
    version = _current_version(slug, statement)
    if version.statement.kind != Statement.Kind.ADVISORY:
        return redirect(version.statement)
    return render(request, "statements/public/statement.html", version_context(version))


@public_page
def statement_version(request: HttpRequest, slug: str, statement: str, number: int) -> HttpResponse:
    """One version for good, however many follow it."""
    current = _current_version(slug, statement)
    version = _public_version(slug, statement, number)
    context = version_context(version) | {"current": current}
    return render(request, "statements/public/version.html", context)


@public_page
def record(_request: HttpRequest, slug: str, statement: str, number: int) -> HttpResponse:
    """The very bytes whose SHA-256 is the version's fingerprint (docs/records.md)."""
    version = _public_version(slug, statement, number)
    return HttpResponse(publishing.canonical_record(version), content_type="application/json")


@public_page
def version_picture(_request: HttpRequest, slug: str, statement: str, number: int) -> HttpResponse:
    """What a messenger shows beside a link to the version."""
    picture = pictures.of_version(_public_version(slug, statement, number))
    return HttpResponse(picture.png(), content_type="image/png")


@public_page
def incident_picture(_request: HttpRequest, slug: str) -> HttpResponse:
    """What a messenger shows beside a link to the incident's other pages."""
    return HttpResponse(
        pictures.of_incident(_public_incident(slug)).png(), content_type="image/png"
    )


@public_page
def timeline(request: HttpRequest, slug: str) -> HttpResponse:
    """The dated facts, oldest first."""
    incident = _public_incident(slug)
    context = {
        "incident": incident,
        "entries": incident.timeline.all(),
        "picture": pictures.of_incident(incident),
    }
    return render(request, "statements/public/timeline.html", context)


@public_page
def feed(request: HttpRequest, slug: str) -> HttpResponse:
    """An incident's published versions as an Atom feed."""
    return IncidentFeed()(request, slug=slug)


@public_page
def log(request: HttpRequest, slug: str) -> HttpResponse:
    """Every version of every statement, newest first: nothing is replaced in silence."""
    return render(request, "statements/public/log.html", log_context(_public_incident(slug)))


@public_page
def log_json(_request: HttpRequest, slug: str) -> HttpResponse:
    """The same for programs: every version, its fingerprint, and the one before."""
    record = log_record(_public_incident(slug))
    return JsonResponse(record, json_dumps_params={"ensure_ascii": False, "indent": 1})


@public_page
def transparency(request: HttpRequest, slug: str) -> HttpResponse:
    """How many people were told, and how soon; no figure here leads back to one of them."""
    incident = _public_incident(slug)
    context = transparency_page.context(incident) | {"picture": pictures.of_incident(incident)}
    return render(request, "statements/public/transparency.html", context)


@public_page
def security_txt(_request: HttpRequest) -> HttpResponse:
    """Where to report a weakness of this portal (RFC 9116); not found if nobody is named."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    # By the day, so that the page's bytes, and with them its ETag, stand for a day.
    day = timezone.now().date() + timedelta(days=SECURITY_TXT_DAYS)
    expires = datetime.combine(day, time.min)
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires.isoformat()}Z",
        "Preferred-Languages: " + ", ".join(code for code, _name in settings.LANGUAGES),
        f"Canonical: {settings.PORTAL_URL}/.well-known/security.txt",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


@cache_control(public=True, max_age=FAVICON_SECONDS)
def favicon(_request: HttpRequest) -> HttpResponse:
    """Browsers and messengers ask for this address whatever a page links."""
    return redirect(static("favicon.svg"))


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
