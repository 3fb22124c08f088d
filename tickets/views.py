"""The customer's pages about tickets: the list, the form, and one ticket.

Tickets come only from querysets that start at the signed-in user.
"""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.ended_sessions import sign_in_required
from foundations.rate_limits import seconds_to_wait, seconds_to_wait_in_crowd
from incidents.models import Incident
from incidents.views import SignedInRequest
from tickets import correspondence
from tickets.forms import CLAIM, AskForm, WriteAgainForm
from tickets.models import Ticket

SHOWN = 200  # tickets in the list; a customer may have more only over many weeks


@require_safe
@sign_in_required()
def my_tickets(request: SignedInRequest) -> HttpResponse:
    """Lists the customer's tickets, and the incidents that a new one can be about."""
    context = {
        "tickets": Ticket.objects.for_user(request.user)[:SHOWN],
        "incidents": _open_incidents(),
    }
    return render(request, "tickets/my_tickets.html", context)


@require_safe
@sign_in_required()
def my_tickets_file(request: SignedInRequest) -> HttpResponse:
    """Returns the customer's tickets and their messages as a JSON file."""
    content = {"tickets": correspondence.own_texts(request.user)}
    response = JsonResponse(content, json_dumps_params={"ensure_ascii": False, "indent": 1})
    response.headers["Content-Disposition"] = 'attachment; filename="my-questions.json"'
    return response


@sensitive_post_parameters("text")
@require_http_methods(["GET", "HEAD", "POST"])
@sign_in_required()
def ask(request: SignedInRequest, slug: str) -> HttpResponse:
    """Shows what the law gives in which days, and opens a ticket.

    Raises Http404 for an incident that is not public, or whose data is shredded.
    """
    incident = get_object_or_404(_open_incidents(), slug=slug)
    initial = CLAIM if request.GET.get("about") == "claim" else {}
    form = AskForm(_posted(request), initial=initial, user=request.user, incident=incident)
    made = form.save() if form.is_valid() and _may_write(request, form) else None
    if made is not None:
        return redirect("ticket", made.number)
    context = {"form": form, "incident": incident, "promises": form.promises()}
    return render(request, "tickets/ask.html", context)


@sensitive_post_parameters("text")
@require_http_methods(["GET", "HEAD", "POST"])
@sign_in_required()
def ticket(request: SignedInRequest, number: str) -> HttpResponse:
    """Shows one ticket of the customer with its messages, and takes a further message.

    Raises Http404 for a number that is not one of the customer's.
    """
    found = get_object_or_404(Ticket.objects.for_user(request.user), number=number)
    if found.incident.shredded_at:
        return render(request, "tickets/ticket.html", {"ticket": found})
    form = WriteAgainForm(_posted(request), ticket=found)
    if form.is_valid() and _may_write(request, form):
        form.save()
        return redirect("ticket", number)
    context = {
        "ticket": found,
        "incident": found.incident if found.incident.is_public else None,
        "thread": correspondence.messages_of(found, with_notes=False),
        "form": form,
    }
    return render(request, "tickets/ticket.html", context)


def _may_write(request: HttpRequest, form: AskForm | WriteAgainForm) -> bool:
    """Returns whether the customer may write now; if not, adds the error to the form."""
    wait = seconds_to_wait(request, "ticket", by_user=True) or seconds_to_wait_in_crowd(
        request, "ticket_network", in_crowd="ticket_in_crowd"
    )
    if wait:
        form.refuse_for(wait)
    return not wait


def _open_incidents() -> QuerySet[Incident]:
    return Incident.objects.public().filter(shredded_at__isnull=True)


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None
