"""The page "Messages we sent you"."""

from functools import partial

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.ended_sessions import sign_in_required
from accounts.sent_mails import KEPT_FOR
from incidents import unmasking
from incidents.masking import mask
from incidents.models import DataClass
from incidents.views import SignedInRequest
from notices.own_messages import MOST, own_messages


@require_safe
@sign_in_required()
def my_messages(request: SignedInRequest) -> HttpResponse:
    """Shows the messages to the user's proven contacts, each with its code and its text.

    The name in a text is masked, unless this session shows the values on "my data" in full.
    """
    is_revealed = bool(unmasking.seconds_left(request))
    show_name = str if is_revealed else partial(mask, masking=DataClass.Masking.NAME)
    context = {
        "sent": own_messages(request.user, show_name),
        "most": MOST,
        "is_revealed": is_revealed,
        "days": KEPT_FOR.days,
    }
    return render(request, "notices/my_messages.html", context)
