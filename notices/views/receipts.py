"""The webhooks by which gateways report what became of text messages.

Twilio signs the request. Our own protocol has an HMAC of the body under SMS_GATEWAY_TOKEN. Solapi
signs nothing: each report names its message by a reference with a MAC that only the portal and
Solapi know. A request without a valid signature or reference changes nothing.

No request is refused for those before it, because strangers may cause requests from the gateways'
own networks, and Twilio does not repeat a request. Instead a forged request costs little: its body
is small, the signature is checked before anything is read from it, and it reaches neither database
nor Redis.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from notices.engine import solapi, twilio
from notices.engine.transport import clean_reply
from notices.returned_mail.receipts import Receipt, State, delivery_of_reference, record_receipt

MOST_REPORTS = 10_000  # in one request
# Of one report with a signature. Twilio's and our own have less than 1 KiB.
MOST_SIGNED_BYTES = 16 * 1024
# In one request, beside as many valid ones: other senders may share an account at Solapi.
MOST_WRONG_REFERENCES = 100
Reports = Iterator[tuple[str, Receipt | None]]

logger = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def take_receipts(request: HttpRequest, provider: str) -> HttpResponse:
    """Records the receipts of a gateway's request.

    Answers 403 to a wrong signature, and 413 to a body that is too large for one. Answers 503 if a
    message's acceptance is not recorded yet, so that the gateway sends the request again.
    """
    read = _READERS.get(provider)
    if read is None:
        raise Http404
    if provider != "solapi" and len(request.body) > MOST_SIGNED_BYTES:
        return HttpResponse(status=413)
    reports = read(request)
    if reports is None:
        return HttpResponse(status=403)
    return HttpResponse(status=204 if _record(reports) else 503)


def _record(reports: Reports) -> bool:
    """Records the receipts. Returns False if a message's acceptance is not recorded yet.

    Stops after MOST_WRONG_REFERENCES more wrong references than valid ones.
    """
    is_complete, wrong = True, 0
    for reference, receipt in reports:
        delivery_id = delivery_of_reference(reference) if reference else None
        if reference:
            wrong += 1 if delivery_id is None else -1
        if wrong > MOST_WRONG_REFERENCES:
            logger.warning("receipts are not read on: more than %s are not ours", wrong - 1)
            break
        if delivery_id is not None and receipt is not None:
            is_complete &= record_receipt(delivery_id, receipt)
    return is_complete


def _read_solapi(request: HttpRequest) -> Reports | None:
    found = _json(request)
    reports = found if isinstance(found, list) else [found]
    return (
        (solapi.reference_in(report), solapi.receipt_of(report))
        for report in reports[:MOST_REPORTS]
        if isinstance(report, dict)
    )


def _read_twilio(request: HttpRequest) -> Reports | None:
    form = {name: str(request.POST[name]) for name in request.POST}
    url = settings.PORTAL_URL + request.get_full_path()
    signature = request.headers.get("X-Twilio-Signature", "")
    if not settings.TWILIO_TOKEN or not twilio.is_signed(url, form, signature):
        return None
    receipt = twilio.receipt_of(form.get("MessageStatus", ""), form.get("ErrorCode", ""))
    return iter([(request.GET.get("reference", ""), receipt)])


def _read_own(request: HttpRequest) -> Reports | None:
    token = settings.SMS_GATEWAY_TOKEN
    mac = hmac.new(token.encode(), request.body, hashlib.sha256).hexdigest()
    signature = request.headers.get("X-Receipt-Signature", "")
    if not token or not hmac.compare_digest(f"sha256={mac}".encode(), signature.encode()):
        return None
    found = _json(request)
    if not isinstance(found, dict) or found.get("state") not in State.values:
        return iter(())
    receipt = Receipt(State(found["state"]), clean_reply(str(found.get("text", ""))))
    return iter([(str(found.get("receipt_reference", "")), receipt)])


def _json(request: HttpRequest) -> Any:
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        return None


_READERS: dict[str, Callable[[HttpRequest], Reports | None]] = {
    "solapi": _read_solapi,
    "twilio": _read_twilio,
    "own": _read_own,
}
