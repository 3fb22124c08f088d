"""The customer's press that takes a code of an offer. "My data" shows the code."""

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from accounts.ended_sessions import sign_in_required
from foundations.post_only import post_only
from foundations.rate_limits import limited
from foundations.typed_numbers import number_of
from incidents.views import SignedInRequest, back_to_page
from offers.own_offers import NotOpenError, PoolEmptyError, take


@post_only(page="my_data")
@sign_in_required(page="my_data")
@limited("offer", methods=["POST"], by_user=True)
def take_offer(request: SignedInRequest, pk: int) -> HttpResponse:
    """Hands out a code of the offer, and shows the page again at the offer."""
    try:
        take(request.user, pk, has=number_of(request.POST.get("has", "")))
    except NotOpenError:
        messages.error(request, _("This offer is not open to you, or it has ended."))
    except PoolEmptyError:
        pass  # the page says it, with what comes next
    return back_to_page(request)
