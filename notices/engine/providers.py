"""Mail through a provider's API (django-anymail) instead of SMTP, and the provider's webhooks.

A request carries one mail, or a batch of them where the provider fills in each person's values
(`merging`); several run at a time. What a provider answers is a promise to send, like a server's
250; what becomes of it comes by webhook.
"""

import threading
from collections.abc import Sequence
from email import message_from_bytes, policy
from typing import Any

from anymail.exceptions import AnymailAPIError, AnymailInvalidAddress, AnymailRecipientsRefused
from anymail.message import AnymailMessage
from anymail.signals import AnymailTrackingEvent, EventType
from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend

from notices.engine import provider_batches
from notices.engine.request_transport import (
    AccountRefusedError,
    Answers,
    RequestTransport,
    RequestUnavailableError,
)
from notices.engine.transport import Reply, Result, redact_address
from notices.ledger_messages import LedgerMessages
from notices.message_codes import delivery_of_code
from notices.message_filling import OutgoingMessage
from notices.models import DoubtCause
from notices.returned_mail import bounces, delivery_reports

LATER, NOT_SERVED, NOT_THIS = (408, 425, 429), (401, 402, 403), (400, 406, 413, 422)
_NO_CONNECTION = {"ConnectTimeoutError", "NewConnectionError"}  # urllib3's names
_per_thread = threading.local()


def provider_transport() -> RequestTransport:
    """Mails through the backend that the settings name."""
    return RequestTransport(
        _ask,
        batch=provider_batches.batch_size(),
        threads=settings.NOTICE_PROVIDER_CONNECTIONS,
        split=provider_batches.split,
    )


def _ask(mails: Sequence[OutgoingMessage]) -> Answers:
    """One request. Raises AwayError and RefusedError, when nothing was sent."""
    if len(mails) == 1:
        return {mails[0].delivery_id: _send(mails[0])}
    message = provider_batches.message(mails, _connection())
    try:
        message.send()
    except AnymailInvalidAddress:
        return _ask_by_halves(mails)
    except AnymailRecipientsRefused:
        pass  # the message's status says of each the same
    except AnymailAPIError as error:
        if error.status_code in NOT_THIS:
            return _ask_by_halves(mails)
        reply = _failed(error)
        return {mail.delivery_id: reply for mail in mails}
    told = message.anymail_status.recipients
    return {
        mail.delivery_id: _reply({told[mail.to].status}, told[mail.to].message_id)
        for mail in mails
        if mail.to in told
    }


def _ask_by_halves(mails: Sequence[OutgoingMessage]) -> Answers:
    """The batch was refused as a whole and nothing of it sent: finds whose mail is at fault.

    Once some may have been accepted, the rest has an answer of its own even if nobody is there.
    """
    answers: dict[int, Reply] = {}
    middle = len(mails) // 2
    for half in (mails[:middle], mails[middle:]):
        try:
            answers.update(_ask(half))
        except (RequestUnavailableError, AccountRefusedError) as error:
            reply = Reply(Result.NOT_SENT, str(error))
            answers.update({mail.delivery_id: reply for mail in half})
    return answers


def _send(mail: OutgoingMessage) -> Reply:
    message = _message(mail)
    try:
        message.send()
    except AnymailInvalidAddress:
        return Reply(Result.UNREACHABLE, LedgerMessages.NOT_FOR_THE_PROVIDER.stored())
    except AnymailRecipientsRefused as error:
        return Reply(Result.BOUNCED, redact_address(_answer(error), mail.to))
    except AnymailAPIError as error:
        return _failed(error, mail.to)
    status = message.anymail_status
    return _reply(status.status or set(), status.message_id, to=mail.to)


def _reply(states: set[str], message_id: object, *, to: str = "") -> Reply:
    words = f"{' '.join(sorted(map(str, states)))} {message_id}"
    result = _result(states)
    cause = DoubtCause.UNCLEAR_ANSWER if result is Result.IN_DOUBT else None
    return Reply(result, redact_address(words, to), cause)


def _result(states: set[str]) -> Result:
    """The one recipient's state, by anymail's names."""
    if states & {"sent", "queued"}:
        return Result.ACCEPTED
    if states & {"invalid", "rejected"}:
        return Result.BOUNCED
    return Result.DEFERRED if "failed" in states else Result.IN_DOUBT


def _failed(error: AnymailAPIError, to: str = "") -> Reply:
    code = error.status_code
    if code is None:
        if _has_no_connection(error):
            raise RequestUnavailableError(LedgerMessages.AWAY.stored())
        cause = error.__cause__ or error
        is_timeout = "Timeout" in {kind.__name__ for kind in type(cause).__mro__}  # requests'
        doubt = DoubtCause.SERVER_SILENT if is_timeout else DoubtCause.CONNECTION_LOST
        return Reply(Result.IN_DOUBT, type(cause).__name__, doubt)
    words = delivery_reports.redact_addresses(redact_address(f"{code} {_answer(error)}", to))
    if code in NOT_SERVED:
        raise AccountRefusedError(words)
    if code in LATER:
        return Reply(Result.DEFERRED, words)
    if code in NOT_THIS:
        return Reply(Result.REFUSED, words)
    return Reply(Result.IN_DOUBT, words, DoubtCause.UNCLEAR_ANSWER)


def _answer(error: Exception) -> str:
    """The provider's own words."""
    return (
        str(getattr(getattr(error, "response", None), "text", ""))
        or LedgerMessages.REFUSED.stored()
    )


def _has_no_connection(error: AnymailAPIError) -> bool:
    """Whether not even a connection was made: only then was certainly nothing sent.

    anymail keeps what its HTTP client raised as the cause, and that has the reason beneath. The
    reason is told by its class's name, for the client is anymail's choice and no library of ours;
    an unknown name leaves the mail in doubt.
    """
    beneath = next(iter(getattr(error.__cause__, "args", ())), None)
    reason = getattr(beneath, "reason", None)
    return not _NO_CONNECTION.isdisjoint(kind.__name__ for kind in type(reason).__mro__)


def _message(mail: OutgoingMessage) -> AnymailMessage:
    """The mail as anymail takes it, over this thread's own connection."""
    parsed = message_from_bytes(mail.data, policy=policy.default)
    message = AnymailMessage(
        subject=str(parsed["Subject"]),
        body=provider_batches.part(parsed, "plain"),
        from_email=str(parsed["From"]),
        to=[mail.to],
        headers=provider_batches.headers(parsed),
        connection=_connection(),
    )
    message.attach_alternative(provider_batches.part(parsed, "html"), "text/html")
    message.envelope_sender = mail.sender
    message.metadata = provider_batches.metadata(mail)
    message.track_opens = message.track_clicks = False
    return message


def _connection() -> BaseEmailBackend:
    connection: BaseEmailBackend | None = getattr(_per_thread, "connection", None)
    if connection is None:
        connection = get_connection(settings.NOTICE_PROVIDER)
        connection.open()
        _per_thread.connection = connection
    return connection


# ---------------------------------------------------------------- webhooks


def take_event(*, event: AnymailTrackingEvent, **_options: Any) -> None:
    """What a provider's webhook tells, once anymail has checked its secret or signature."""
    report = _report(event)
    delivery_id = delivery_of_code(str((event.metadata or {}).get("delivery", "")))
    if report is not None and delivery_id is not None:
        bounces.count_returned_mail(bounces.record_report(delivery_id, report))


def _report(event: AnymailTrackingEvent) -> delivery_reports.DeliveryReport | None:
    told = " ".join(str(part) for part in (event.reject_reason, event.mta_response) if part)
    words = delivery_reports.redact_addresses(told)
    if event.event_type in (EventType.BOUNCED, EventType.REJECTED, EventType.FAILED):
        return delivery_reports.DeliveryReport(delivery_reports.ReportKind.BOUNCE, words)
    if event.event_type == EventType.COMPLAINED:
        return delivery_reports.DeliveryReport(delivery_reports.ReportKind.COMPLAINT, words)
    return None
