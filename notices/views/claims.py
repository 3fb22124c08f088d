"""The pages on which a customer claims data with the code of a message, and a claim is stopped."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.code_pages import posted
from accounts.contacts import readable_contact
from accounts.ended_sessions import sign_in_required
from accounts.models import User
from accounts.step_up import fresh_code_required
from foundations.post_only import post_only
from foundations.rate_limits import limited
from foundations.secret_urls import secret_url
from incidents.address_mails import claim_of_token
from incidents.encryption import EncryptionError
from incidents.models import AddressChange, Incident
from incidents.views import SignedInRequest
from notices.forms.claims import ClaimForm

StoppedBy = AddressChange.StoppedBy


@sensitive_post_parameters("code", "fact")
@require_http_methods(["GET", "HEAD", "POST"])
@fresh_code_required
@limited("claim", methods=["POST"], by_user=True)
@limited("claim_network", methods=["POST"])
def claims(request: SignedInRequest) -> HttpResponse:
    """Shows the user's claims and the form. POST claims data; all refusals get one reply.

    A fresh code comes first, as before a further contact is added.
    """
    form = ClaimForm(posted(request), user=request.user)
    if form.is_valid() and form.act():
        messages.success(request, _("Claimed. This page says what happens next."))
        return redirect("claims")
    context = {
        "form": form,
        "claims": _claims_of(request.user),
        "hours": settings.ADDRESS_CLAIM_HOURS,
        "incidents": Incident.objects.public().filter(shredded_at=None),
    }
    return render(request, "notices/claims/claims.html", context)


def _claims_of(user: User) -> list[tuple[AddressChange, str]]:
    """Returns the user's claims with the contact of each, the newest first."""
    found = user.address_claims.filter(incident__shredded_at=None).select_related("incident")
    return [(claim, _contact_of(claim)) for claim in found[:20]]


def _contact_of(claim: AddressChange) -> str:
    try:
        return readable_contact(claim.contact())
    except EncryptionError:
        return "–"


@post_only(page="claims")
@sign_in_required(page="claims")
def withdraw_claim(request: SignedInRequest, pk: int) -> HttpResponse:
    """Stops a claim of the user. Raises Http404 for one of another user."""
    claim = get_object_or_404(request.user.address_claims, pk=pk)
    if claim.stop(StoppedBy.CLAIMANT):
        messages.success(request, _("Withdrawn. The data does not open by this claim."))
    return redirect("claims")


@secret_url
@csrf_exempt  # from a mail, without a session; the signed token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def stop_claim(request: HttpRequest, token: str) -> HttpResponse:
    """Stops a claim by POST, for the contact in the data. GET only shows a button.

    Raises Http404 for an unknown token.
    """
    claim = claim_of_token(token)
    if claim is None:
        raise Http404
    if request.method == "POST":
        claim.stop(StoppedBy.CONTACT)
        claim.refresh_from_db()
    is_stopped = bool(claim.withdrawn_at or claim.ended_at)
    context = {"is_stopped": is_stopped, "incident": claim.incident}
    return render(request, "notices/claims/stop.html", context)
