"""The page "my data".

The rows come only from incidents.own_rows. No URL contains the id of a person, so a user cannot
read other people's data by guessing ids.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts.contacts import readable_contact
from accounts.ended_sessions import sign_in_required
from accounts.models import User
from accounts.step_up import fresh_code_required, has_fresh_code
from foundations import replica
from foundations.page_parts import render_framed
from foundations.post_only import post_only
from foundations.rate_limits import limited
from foundations.secret_urls import secret_url
from incidents import reminders, unmasking
from incidents.models import Incident, StepReminder
from incidents.my_data import masked, parts_for, record_reveals, title_of, unmasked
from incidents.my_data_parts import MyDataPart
from incidents.own_copy import CopySource, copy_of
from incidents.own_facts import OwnFacts, own_facts
from incidents.second_fact import TooManyAnswersError, try_answer
from incidents.steps import mark_step

RETRY_SECONDS = "3600"
# What templates of the apps above this one show on "my data", for the user and the page's parts.
# They add functions in AppConfig.ready.
FURTHER_CONTEXT: list[Callable[[User, Sequence[MyDataPart]], dict[str, Any]]] = []
_PLACE = re.compile(r"[a-z]{1,10}[0-9]{1,4}")  # an element's id in the page
_WRONG_AT = "incidents_wrong_answer"  # in the session, once: the field of a wrong second fact


class SignedInRequest(HttpRequest):
    """A request that passed `sign_in_required`."""

    user: User


@require_safe
@sign_in_required()
def my_data(request: SignedInRequest) -> HttpResponse:
    """Shows the data classes that leaked of the user, with masked values."""
    wrong_at = request.session.pop(_WRONG_AT, "")

    def page() -> HttpResponse:
        facts = own_facts(request.user)
        return _page(request, facts, parts_for(request.user, facts, masked), wrong_at=wrong_at)

    return replica.read(page, written_to=request.session.get(replica.WRITTEN, 0))


@require_http_methods(["GET", "POST"])
@sign_in_required()
def my_data_reveal(request: SignedInRequest) -> HttpResponseBase:
    """Shows the values unmasked, for settings.STEP_UP_MINUTES after a POST with a fresh code.

    The POST redirects here, so that the browser's Back and reload work and show the same. The
    browser then goes to the masked page by itself. Each row is recorded once as a Reveal.
    """
    seconds = unmasking.seconds_left(request)
    if request.method == "POST" or not seconds:
        return _begin_unmasking(request)
    facts = own_facts(request.user)
    parts = parts_for(request.user, facts, unmasked)
    unmasking.record_shown(request, request.user, parts)
    response = _page(request, facts, parts, shown_until=unmasking.ends_at(request))
    response.headers["Refresh"] = f"{seconds}; url={reverse('my_data')}"
    return response


@fresh_code_required
def _begin_unmasking(request: HttpRequest) -> HttpResponse:
    """Begins on POST. Step-up comes back by GET; that page asks to press the button once more."""
    if request.method == "GET":
        return render(request, "incidents/reveal.html", {"minutes": settings.STEP_UP_MINUTES})
    unmasking.begin(request)
    return _to_place(request, "my_data_reveal")


@fresh_code_required
@require_http_methods(["GET", "HEAD", "POST"])
@limited("own_copy", methods=["POST"], by_user=True)
@limited("document_network", methods=["POST"], in_crowd="document_in_crowd")
def my_copy(request: SignedInRequest) -> HttpResponse:
    """Explains the copy of one's own data; on POST sends it as JSON, or as a page to print.

    Each copy is recorded as a Reveal of the rows in it.
    """
    if request.method != "POST":
        return render(request, "incidents/my_copy.html")
    parts = parts_for(request.user, own_facts(request.user), unmasked)
    source = CopySource(request.user, parts)
    content = copy_of(source)
    record_reveals(request.user, parts)
    if request.POST.get("form") == "json":
        name, in_words = "my-data.json", {"ensure_ascii": False, "indent": 1}
        response: HttpResponse = JsonResponse(content, json_dumps_params=in_words)
    else:
        name, context = "my-data.html", {"parts": parts, "copy": content, "made_at": timezone.now()}
        response = render(request, "incidents/own_copy.html", context)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@post_only(page="my_data")
@sign_in_required(page="my_data")
def my_data_hide(request: SignedInRequest) -> HttpResponse:
    """Hides the values, also for the browser's Back, and shows the masked page."""
    unmasking.end(request)
    return redirect("my_data")


@post_only(page="my_data")
@sign_in_required(page="my_data")
def my_data_step(request: SignedInRequest, slug: str) -> HttpResponse:
    """Marks a step as done, or as not done, and shows the steps again.

    Raises Http404 for an incident that is not public.
    """
    incident = get_object_or_404(Incident.objects.public(), slug=slug)
    is_done = request.POST.get("done") == "1"
    mark_step(request.user, incident, request.POST.get("step", ""), is_done=is_done)
    return back_to_page(request)


@post_only(page="my_data")
@sign_in_required(page="my_data")
def my_data_reminder(request: SignedInRequest, slug: str) -> HttpResponse:
    """Asks for a reminder of the steps, or ends it, and shows the steps again.

    Raises Http404 for an incident that is not public.
    """
    incident = get_object_or_404(Incident.objects.public(), slug=slug)
    if request.POST.get("remind") == "1":
        reminders.ask(request.user, incident)
    else:
        reminders.end(request.user, incident)
    return back_to_page(request)


@secret_url
@csrf_exempt  # RFC 8058: mail programs post here without a session; the signed token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def end_reminder(request: HttpRequest, token: str) -> HttpResponse:
    """Ends one reminder by POST. GET only shows a button. Raises Http404 for an unknown token."""
    key = reminders.key_of_token(token)
    if key is None:
        raise Http404
    found = StepReminder.objects.filter(pk=key)
    is_ended = request.method == "POST" or not found.exists()
    if is_ended:
        found.delete()
    return render(request, "incidents/end_reminder.html", {"is_ended": is_ended})


def back_to_page(request: HttpRequest) -> HttpResponse:
    """Redirects to "my data" as it was shown, masked or not, at the place of the pressed button.

    A button of the masked page never shows the values, even if another tab still does.
    """
    was_revealed = request.POST.get("is_revealed") == "1" and unmasking.seconds_left(request)
    return _to_place(request, "my_data_reveal" if was_revealed else "my_data")


def _to_place(request: HttpRequest, page: str) -> HttpResponse:
    place = request.POST.get("at", "")
    return redirect(reverse(page) + (f"#{place}" if _PLACE.fullmatch(place) else ""))


@post_only(page="my_data")
@sign_in_required(page="my_data")
def my_data_answer(request: SignedInRequest, slug: str) -> HttpResponse:
    """Takes a second fact for a row, and redirects to the page. See incidents.second_fact.

    Every wrong answer gets the same reply. Raises Http404 for an incident that is not public.
    """
    incident = get_object_or_404(Incident.objects.public(), slug=slug, shredded_at=None)
    try:
        is_opened = try_answer(request.user, incident, request.POST.get("answer", ""))
    except TooManyAnswersError:
        return redirect("my_data")  # the page says until when
    if is_opened:
        messages.success(request, _("That matches: you can see your data now."))
    else:
        place = request.POST.get("at", "")
        request.session[_WRONG_AT] = place if _PLACE.fullmatch(place) else "answer1"
    return redirect("my_data")


def _page(
    request: SignedInRequest,
    facts: OwnFacts,
    parts: list[MyDataPart],
    *,
    shown_until: datetime | None = None,
    wrong_at: str = "",
) -> HttpResponse:
    """Returns the page; `wrong_at` is the id of a field whose answer was wrong.

    The status is 503 if every part is unavailable, so that monitoring sees it. Then Retry-After is
    RETRY_SECONDS seconds.
    """
    incidents = {part.incident.pk: part.incident for part in parts}
    asking = {f"answer{n}": part for n, part in enumerate(parts, 1) if part.has_answer_form}
    asked = asking.get(wrong_at)
    frame = {
        "error_at": wrong_at if asked else "",
        "error_text": _does_not_match(asked) if asked else "",
        # The language switch keeps what was typed in one form.
        "typed_form": next((f"answer-form-{at.removeprefix('answer')}" for at in asking), ""),
        "has_leaked": any(part.kind == "leaked" for part in parts),
        "has_search": any(part.leaked.is_long for part in parts),
        # The page's footer shows the company's contacts if there is exactly one incident.
        "incident": next(iter(incidents.values())) if len(incidents) == 1 else None,
        "newest_incident": next(iter(facts.public.incidents), None),
    }
    title = title_of(parts)
    context = {
        **frame,
        "parts": parts,
        "title": title,
        "is_revealed": shown_until is not None,
        "shown_until": shown_until,
        "has_fresh_code": has_fresh_code(request),
        "has_number": bool(facts.phones),
        "addresses": [readable_contact(address) for address in facts.addresses],
    }
    for further in FURTHER_CONTEXT:
        context |= further(request.user, parts)
    content = render_to_string("incidents/my_data_content.html", context, request)
    response = render_framed(request, "incidents/my_data.html", content, frame, title=title)
    if parts and all(part.kind == "unavailable" for part in parts):
        response.status_code = 503
        response.headers["Retry-After"] = RETRY_SECONDS
    return response


def _does_not_match(part: MyDataPart) -> str:
    if part.asks_for_senders_name:
        return _(
            "This does not match. Check the spelling, or answer with another name that the sender "
            "may have used."
        )
    return _("This does not match. Check the spelling, or answer with the other of the two.")
