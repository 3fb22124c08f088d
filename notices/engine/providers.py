"""Mail through a provider's API (django-anymail) instead of SMTP, and the provider's webhooks.

A request carries one mail, or a batch if the provider fills in each recipient's values
(`provider_batches`). Several requests run at a time. A provider's positive answer is a promise to
send, like an SMTP server's 250. Webhooks report later bounces and complaints.
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

from foundations.http_answers import BoundedBody
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
from notices.returned_mail.reply_reading import cause_of

RETRY_STATUSES = (408, 425, 429)
ACCOUNT_STATUSES = (401, 402, 403)
CONTENT_STATUSES = (400, 406, 413, 422)
_MOST_OCTETS = 1024 * 1024  # of an answer, which may name the 1,000 recipients of a batch
_NO_CONNECTION = {"ConnectTimeoutError", "NewConnectionError"}  # urllib3's names
_per_thread = threading.local()


def provider_transport() -> RequestTransport:
    """Returns the transport over the backend that NOTICE_PROVIDER names."""
    return RequestTransport(
        _request,
        batch=provider_batches.batch_size(),
        threads=settings.NOTICE_PROVIDER_CONNECTIONS,
        split=provider_batches.split_into_batches,
    )


def _request(mails: Sequence[OutgoingMessage]) -> Answers:
    """Sends one request and returns a reply for each mail that the answer names.

    Raises RequestUnavailableError and AccountRefusedError if nothing was sent.
    """
    if len(mails) == 1:
        return {mails[0].delivery_id: _send(mails[0])}
    message = provider_batches.batch_message(mails, _connection())
    try:
        message.send()
    except AnymailInvalidAddress:
        return _request_by_halves(mails)
    except AnymailRecipientsRefused:
        pass  # the message's status holds the refusal of each recipient
    except AnymailAPIError as error:
        if error.status_code in CONTENT_STATUSES:
            return _request_by_halves(mails)
        reply = _reply_to_error(error)
        return {mail.delivery_id: reply for mail in mails}
    statuses = message.anymail_status.recipients
    return {
        mail.delivery_id: _reply({statuses[mail.to].status}, statuses[mail.to].message_id)
        for mail in mails
        if mail.to in statuses
    }


def _request_by_halves(mails: Sequence[OutgoingMessage]) -> Answers:
    """Sends the halves of a batch that the provider refused as a whole, to find the mail at fault.
    Nothing of the batch was sent.

    A mail in the first half may already be accepted. So an unavailable provider or a refused
    account becomes a reply for the mails of its half, and raises no error.
    """
    answers: dict[int, Reply] = {}
    middle = len(mails) // 2
    for half in (mails[:middle], mails[middle:]):
        try:
            answers.update(_request(half))
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
        return Reply(Result.BOUNCED, redact_address(_answer_text(error), mail.to))
    except AnymailAPIError as error:
        return _reply_to_error(error, mail.to)
    status = message.anymail_status
    return _reply(status.status or set(), status.message_id, to=mail.to)


def _reply(states: set[str], message_id: object, *, to: str = "") -> Reply:
    server_reply = f"{' '.join(sorted(map(str, states)))} {message_id}"
    result = _result(states)
    cause = DoubtCause.UNCLEAR_ANSWER if result is Result.IN_DOUBT else None
    return Reply(result, redact_address(server_reply, to), cause)


def _result(states: set[str]) -> Result:
    """Returns the result for one recipient's states, by anymail's names."""
    if states & {"sent", "queued"}:
        return Result.ACCEPTED
    if states & {"invalid", "rejected"}:
        return Result.BOUNCED
    return Result.DEFERRED if "failed" in states else Result.IN_DOUBT


def _reply_to_error(error: AnymailAPIError, to: str = "") -> Reply:
    code = error.status_code
    if code is None:
        if _has_no_connection(error):
            raise RequestUnavailableError(LedgerMessages.AWAY.stored())
        cause = error.__cause__ or error
        is_timeout = "Timeout" in {kind.__name__ for kind in type(cause).__mro__}  # requests'
        doubt = DoubtCause.SERVER_SILENT if is_timeout else DoubtCause.CONNECTION_LOST
        return Reply(Result.IN_DOUBT, type(cause).__name__, doubt)
    answer = redact_address(f"{code} {_answer_text(error)}", to)
    server_reply = delivery_reports.redact_addresses(answer)
    if code in ACCOUNT_STATUSES:
        raise AccountRefusedError(server_reply)
    if code in RETRY_STATUSES:
        return Reply(Result.DEFERRED, server_reply)
    if code in CONTENT_STATUSES:
        return Reply(Result.REFUSED, server_reply)
    return Reply(Result.IN_DOUBT, server_reply, DoubtCause.UNCLEAR_ANSWER)


def _answer_text(error: Exception) -> str:
    """Returns the text of the provider's answer."""
    return (
        str(getattr(getattr(error, "response", None), "text", ""))
        or LedgerMessages.REFUSED.stored()
    )


def _has_no_connection(error: AnymailAPIError) -> bool:
    """Returns whether no connection was made. Only then it is certain that nothing was sent.

    anymail sets the exception of its HTTP client as the cause, and that exception holds the reason.
    The reason is recognised by its class's name, because the HTTP client is anymail's choice and
    not a dependency of this project. With an unknown name the mail is in doubt.
    """
    inner = next(iter(getattr(error.__cause__, "args", ())), None)
    reason = getattr(inner, "reason", None)
    return not _NO_CONNECTION.isdisjoint(kind.__name__ for kind in type(reason).__mro__)


def _message(mail: OutgoingMessage) -> AnymailMessage:
    """Returns the mail as anymail's message, over this thread's own connection."""
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
        # Of anymail's backends over requests, whose answers are read without a bound.
        if session := getattr(connection, "session", None):
            session.hooks["response"].append(_bound_body)
        _per_thread.connection = connection
    return connection


def _bound_body(answer: Any, **_options: Any) -> None:
    answer.raw = BoundedBody(answer.raw, most=_MOST_OCTETS)


# ---------------------------------------------------------------- webhooks


def take_event(*, event: AnymailTrackingEvent, **_options: Any) -> None:
    """Records a bounce or a complaint that a provider's webhook reports. anymail has verified the
    webhook's secret or signature.
    """
    report = _report(event)
    delivery_id = delivery_of_code(str((event.metadata or {}).get("delivery", "")))
    if report is not None and delivery_id is not None:
        bounces.count_returned_mail(bounces.record_report(delivery_id, report))


def _report(event: AnymailTrackingEvent) -> delivery_reports.DeliveryReport | None:
    texts = " ".join(str(part) for part in (event.reject_reason, event.mta_response) if part)
    server_reply = delivery_reports.redact_addresses(texts)
    if event.event_type in (EventType.BOUNCED, EventType.REJECTED, EventType.FAILED):
        bounce = delivery_reports.ReportKind.BOUNCE
        return delivery_reports.DeliveryReport(
            bounce,
            server_reply,
            cause=cause_of(texts),
            named=delivery_reports.addresses_in(texts),
        )
    if event.event_type == EventType.COMPLAINED:
        return delivery_reports.DeliveryReport(delivery_reports.ReportKind.COMPLAINT, server_reply)
    return None
