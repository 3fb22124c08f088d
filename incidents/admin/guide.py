"""The desk's pages of the guide to a new incident: one question a page, then all answers."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.translation import gettext as _

from accounts.admin_site import require, staff_of
from incidents.guide import answers
from incidents.guide.forms import QUESTIONS, zone_of
from incidents.models import Incident, IncidentDraft

RIGHTS = (
    "incidents.add_incident",
    "incidents.add_incidentjurisdiction",
    "incidents.add_incidentdataclass",
)
URL = "admin:incidents_incident_guide"
SUMMARY = "answers"  # the last page


def start(request: HttpRequest) -> HttpResponse:
    """Redirects to the first question without a valid answer. Raises RightMissingError."""
    _require(request)
    found = answers.checked(answers.draft_of(staff_of(request)))
    return redirect(URL, found.first_open or SUMMARY)


def question(desk: "ModelAdmin[Incident]", request: HttpRequest, name: str) -> HttpResponse:
    """Asks one question, and stores the answer before it is checked.

    The button “Back” does not check it. Raises RightMissingError.
    """
    _require(request)
    if name == SUMMARY:
        return _summary(desk, request)
    if name not in QUESTIONS:
        raise Http404
    user = staff_of(request)
    if request.method == "POST":
        answers.store(user, name, _answer(request))
        if "back" in request.POST:
            return redirect(URL, _neighbour(name, -1))
    draft = answers.draft_of(user)
    found = answers.checked(draft, before=name)
    if found.first_open:
        messages.info(request, _("This question comes first."))
        return redirect(URL, found.first_open)
    form = answers.form_of(draft, name, found.known)
    with timezone.override(zone_of(found.known)):
        if request.method == "POST" and form.is_valid():
            return redirect(URL, _neighbour(name, +1))
        context = {
            "title": QUESTIONS[name].asks,
            "form": form,
            "number": answers.NAMES.index(name) + 1,
            "count": len(answers.NAMES),
            "is_first": name == answers.NAMES[0],
        }
        return _page(desk, request, "incidents/desk/guide_question.html", context).render()


def _summary(desk: "ModelAdmin[Incident]", request: HttpRequest) -> HttpResponse:
    """Shows all answers, and records the incident, or throws the answers away."""
    user = staff_of(request)
    if "discard" in request.POST:
        IncidentDraft.objects.filter(by=user).delete()
        messages.success(request, _("The answers are deleted."))
        return redirect("admin:index")
    if request.method == "POST":
        return _record(desk, request)
    draft = answers.draft_of(user)
    found = answers.checked(draft)
    if found.first_open:
        return redirect(URL, found.first_open)
    with timezone.override(zone_of(found.known)):
        shown = [(name, QUESTIONS[name].asks, _shown(name, found.known)) for name in answers.NAMES]
        context = {"title": _("Your answers"), "answers": shown}
        return _page(desk, request, "incidents/desk/guide_answers.html", context).render()


def _record(desk: "ModelAdmin[Incident]", request: HttpRequest) -> HttpResponse:
    try:
        incident = answers.record(staff_of(request))
    except answers.NotRecordedError as refused:
        messages.error(request, str(refused) or _("Answer this question again."))
        return redirect(URL, refused.question)
    desk.log_addition(request, incident, _("Recorded by the guide."))
    messages.success(request, _("The incident is recorded. Customers do not see it yet."))
    return redirect("admin:incidents_incident_page", incident.pk)


def _shown(name: str, known: dict[str, Any]) -> list[tuple[str, str]]:
    """Returns the label and the answer of each field of a question."""
    form = QUESTIONS[name](known=known)
    return [(bound.label, _words(bound.field, known[bound.name])) for bound in form]


def _words(field: Any, value: Any) -> str:
    if value in (None, "", []):
        return "–"
    if hasattr(value, "in_order"):
        return "\n".join(text for _code, text in value.in_order()) or "–"
    choices = dict(getattr(field, "choices", ()) or {}) if not hasattr(field, "queryset") else {}
    values = value if isinstance(value, list) or hasattr(value, "iterator") else [value]
    words = [str(choices.get(each, localize(each))) for each in values]
    return ", ".join(words) or "–"


def _answer(request: HttpRequest) -> Any:
    answer = request.POST.copy()
    for button in ("back", "next"):
        answer.pop(button, None)
    return answer


def _neighbour(name: str, step: int) -> str:
    """Returns the question before or after `name`; after the last one is the page of answers."""
    place = max(0, answers.NAMES.index(name) + step)
    return [*answers.NAMES, SUMMARY][place]


def _require(request: HttpRequest) -> None:
    for right in RIGHTS:
        require(request, right)


def _page(
    desk: "ModelAdmin[Incident]", request: HttpRequest, template: str, context: dict[str, Any]
) -> TemplateResponse:
    whole = {**desk.admin_site.each_context(request), "opts": desk.opts, **context}
    return TemplateResponse(request, template, whole)
