"""Twilio, a gateway for text messages in most countries.

Its documentation: https://www.twilio.com/docs/messaging/api/message-resource, /docs/api/errors and
/docs/usage/webhooks/webhooks-security (X-Twilio-Signature).
"""

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings

from notices.engine.gateways import RETRY_STATUSES, PooledGateway, json_object
from notices.engine.request_transport import AccountRefusedError
from notices.engine.transport import Reply, Result, redact_number
from notices.message_codes import receipt_reference
from notices.message_filling import OutgoingMessage
from notices.models import DeliveryReceipt, DoubtCause
from notices.returned_mail.receipts import Receipt

# Error codes by whom they name; every other one of a refused request names the text or the request.
# The recipient's number: none, not a mobile one, of a special kind, our own, opted out.
_RECIPIENT_ERRORS = {21211, 21214, 21217, 21265, 21266, 21268, 21610, 21614, 21635}
# The way from our number to the recipient's country: not allowed, or of another country.
_ROUTE_ERRORS = {21408, 21606, 21612, 21659, 21662, 21668, 21703, 30450}
_TOO_MANY = {14107, 20429, 21611}  # a rate, or the queue of our number is full
# Our account, whatever the country: credentials, a trial, the number or the service that sends.
_ACCOUNT_ERRORS = {
    *(10001, 20003, 20005, 20404, 21212, 21267, 21472, 21601, 21603, 21607, 21608, 21660, 21661),
    *(21663, 21701, 21702, 21704, 21705, 63038),
}
# In receipts: our account, our number, the text or the route, and not the recipient.
_OWN_FAULTS = {
    *(_ROUTE_ERRORS | _TOO_MANY | _ACCOUNT_ERRORS),
    *(30001, 30002, 30007, *range(30010, 30017), *range(30018, 30025), *range(30027, 30036)),
    *(30037, 30038, *range(30040, 30046), 30453),
}
_MESSAGE_ID = re.compile(r"(?:SM|MM)[0-9a-f]{32}")
_ENDED = {
    "delivered": DeliveryReceipt.State.DELIVERED,
    "read": DeliveryReceipt.State.DELIVERED,
    "undelivered": DeliveryReceipt.State.FAILED,
    "failed": DeliveryReceipt.State.FAILED,
}


class TwilioGateway(PooledGateway):
    """Text messages through Twilio."""

    required_settings: ClassVar[tuple[str, ...]] = (
        "TWILIO_ACCOUNT",
        "TWILIO_TOKEN",
        "TWILIO_SENDER",
    )

    def send(self, message: OutgoingMessage) -> Reply:
        """Sends one message. Raises the errors of `SmsGateway.send`."""
        form = {
            "To": message.to,
            "From": settings.TWILIO_SENDER,
            "Body": message.data.decode(),
            "StatusCallback": callback_url(receipt_reference(message.delivery_id)),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", **_authorization()}
        url = f"{_account_url()}/Messages.json"
        status, answer = self._client.post(url, body=urlencode(form).encode(), headers=headers)
        return _reply(status, answer, message.to)

    def fetch_receipt(self, reply: str) -> Receipt | None:
        """Returns the receipt of a message by the reply to its send; None if there is none yet.

        Raises the errors of `GatewayClient.request`.
        """
        found = _MESSAGE_ID.search(reply)
        if found is None:
            return None
        url = f"{_account_url()}/Messages/{found[0]}.json"
        status, answer = self._client.request("GET", url, headers=_authorization())
        data = json_object(answer) if status == 200 else {}
        return receipt_of(str(data.get("status")), str(data.get("error_code") or ""))


def receipt_of(status: str, error: str) -> Receipt | None:
    """Returns the receipt for a message's status; None if the status is not final."""
    state = _ENDED.get(status)
    is_own_fault = error.isdecimal() and int(error) in _OWN_FAULTS
    return None if state is None else Receipt(state, f"{status} {error}".strip(), is_own_fault)


def callback_url(reference: str) -> str:
    """Returns the address to which Twilio sends the receipts of the message `reference`."""
    return f"{settings.PORTAL_URL}/sms/receipts/twilio/?reference={reference}"


def is_signed(url: str, form: Mapping[str, str], signature: str) -> bool:
    """Returns whether `signature` is Twilio's for a request to `url` with the fields `form`."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    mac = hmac.new(settings.TWILIO_TOKEN.encode(), signed.encode(), hashlib.sha1)
    expected = b64encode(mac.digest())
    return hmac.compare_digest(expected, signature.encode("utf-8", "replace"))


def _account_url() -> str:
    return f"{settings.TWILIO_URL}/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT}"


def _authorization() -> dict[str, str]:
    pair = f"{settings.TWILIO_ACCOUNT}:{settings.TWILIO_TOKEN}".encode()
    return {"Authorization": f"Basic {b64encode(pair).decode()}"}


def _reply(status: int, answer: str, to: str) -> Reply:
    data = json_object(answer)
    error = data.get("code") or data.get("error_code") or ""
    text = " ".join(str(part) for part in (status, data.get("sid") or "", error, _words(data)))
    server_reply = redact_number(text, to)
    if status == 201:
        return Reply(Result.ACCEPTED, server_reply)
    if error in _RECIPIENT_ERRORS:
        return Reply(Result.BOUNCED, server_reply)
    if error in _ROUTE_ERRORS:
        return Reply(Result.REFUSED, server_reply)
    if status in (401, 403) or error in _ACCOUNT_ERRORS:
        raise AccountRefusedError(server_reply)
    if status in RETRY_STATUSES or error in _TOO_MANY:
        return Reply(Result.DEFERRED, server_reply)
    if status == 400:
        return Reply(Result.REFUSED, server_reply)
    return Reply(Result.IN_DOUBT, server_reply, DoubtCause.UNCLEAR_ANSWER)


def _words(data: dict[str, Any]) -> str:
    return str(data.get("message") or data.get("status") or "")
