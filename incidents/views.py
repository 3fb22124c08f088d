"""What of my data leaked. Rows come from AffectedPerson.objects.for_user alone: no URL here names
a person, so there is nothing to guess.
"""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from accounts.step_up import is_stepped_up, step_up_required
from incidents.my_data import MyDataPart, in_full, masked, parts_for, record_reveals, title_of

RETRY_SECONDS = "3600"


class SignedInRequest(HttpRequest):
    """What `login_required` lets through."""

    user: User


@require_safe
@login_required
def my_data(request: SignedInRequest) -> HttpResponse:
    """Each class that leaked of this person, masked."""
    return _page(request, parts_for(request.user, masked), is_revealed=False)


@require_http_methods(["GET", "POST"])
@login_required
@step_up_required
def my_data_reveal(request: SignedInRequest) -> HttpResponse:
    """The same in full, after a fresh code.

    Only a POST shows and records; step-up returns by GET, which asks for that one press more.
    """
    if request.method == "GET":
        return render(request, "incidents/reveal.html")
    parts = parts_for(request.user, in_full)
    record_reveals(request.user, parts)
    return _page(request, parts, is_revealed=True)


def _page(request: SignedInRequest, parts: list[MyDataPart], *, is_revealed: bool) -> HttpResponse:
    """503 where nothing could be opened, so that monitoring sees what the customer is told."""
    incidents = {part.incident.pk: part.incident for part in parts}
    context = {
        "parts": parts,
        "title": title_of(parts),
        "is_revealed": is_revealed,
        "is_stepped_up": is_stepped_up(request),
        "addresses": request.user.verified_emails() + request.user.verified_phones(),
        # The company's contacts stand below the page if there is only one to name.
        "incident": next(iter(incidents.values())) if len(incidents) == 1 else None,
    }
    response = render(request, "incidents/my_data.html", context)
    if parts and all(part.kind == "unavailable" for part in parts):
        response.status_code = 503
        response.headers["Retry-After"] = RETRY_SECONDS
    return response
