"""What customers and staff do with a ticket: ask, write again, answer, extend, note, take, close.

Each function writes in one transaction, with the ticket's row locked, so that an answer and the
customer's next message at the same moment leave the state that the later one means.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from incidents.encryption import EncryptionError
from incidents.models import Incident
from incidents.own_copy import CopySource, Section
from tickets.answer_periods import AnswerPeriod, extendable, promise_for
from tickets.models import Ticket, TicketMessage

Kind, State = TicketMessage.Kind, Ticket.State


class TooManyTicketsError(Exception):
    """The customer has settings.TICKETS_WAITING tickets that wait for an answer."""


class NotAnsweredError(Exception):
    """A ticket without any answer is not closed, because the law may give a right to one."""


class NotExtendedError(Exception):
    """A period is extended once, in time, and only if a law of the incident lets the company."""


class ChangedMeanwhileError(Exception):
    """The ticket has a message that the author of an answer has not read."""


@dataclass(frozen=True, kw_only=True)
class ReadMessage:
    """One message as a page shows it. `text` is None if it cannot be decrypted."""

    message: TicketMessage
    text: str | None


@transaction.atomic
def ask(
    user: User, incident: Incident, *, kind: str, text: str, language: str, key: UUID
) -> Ticket:
    """Opens a ticket with its first message. Returns it.

    `key` is of the form that was sent. The same form sent twice opens one ticket. Raises
    TooManyTicketsError, and KeysetShreddedError or EncryptionError.
    """
    User.objects.select_for_update().get(pk=user.pk)  # serialises two browser tabs
    earlier = TicketMessage.objects.filter(pk=key, ticket__user=user).select_related("ticket")
    if found := earlier.first():
        return found.ticket
    if Ticket.objects.filter(user=user).waiting().count() >= settings.TICKETS_WAITING:
        raise TooManyTicketsError
    now = timezone.now()
    due_on = promise_for(incident, kind, now).due_on
    ticket = Ticket.objects.create(
        incident=incident,
        user=user,
        kind=kind,
        language=language,
        created_at=now,
        changed_at=now,
        due_on=due_on,
    )
    _add(ticket, Kind.CUSTOMER, text, now, key=key)
    return ticket


@transaction.atomic
def write_again(ticket: Ticket, *, text: str, key: UUID) -> None:
    """Adds a message of the customer. It opens an answered or closed ticket again.

    The time for the answer then counts again from now. The same form sent twice adds one message.
    Raises KeysetShreddedError or EncryptionError.
    """
    locked, now = _locked(ticket), timezone.now()
    if TicketMessage.objects.filter(pk=key, ticket=ticket).exists():
        return
    _add(locked, Kind.CUSTOMER, text, now, key=key)
    if not locked.is_waiting:
        locked.due_on = promise_for(locked.incident, locked.kind, now).due_on
        locked.extended_at = None
    locked.state, locked.changed_at = State.WAITING, now
    locked.save(update_fields=["state", "due_on", "extended_at", "changed_at"])


@transaction.atomic
def answer(ticket: Ticket, *, text: str, by: User, read: int | None = None) -> TicketMessage:
    """Adds an answer of the company, which the customer gets a mail about. Returns it.

    `read` is the number of messages that its author has read. Raises ChangedMeanwhileError if there
    are others by now, and KeysetShreddedError or EncryptionError.
    """
    locked, now = _locked(ticket), timezone.now()
    if read is not None and locked.messages.count() != read:
        raise ChangedMeanwhileError
    message = _add(locked, Kind.ANSWER, text, now, by=by)
    locked.state, locked.changed_at = State.ANSWERED, now
    locked.answered_at = locked.answered_at or now
    locked.assigned_to = locked.assigned_to or by
    locked.save(update_fields=["state", "changed_at", "answered_at", "assigned_to"])
    return message


@transaction.atomic
def extend(ticket: Ticket, *, period: AnswerPeriod, reason: str, by: User) -> None:
    """Extends the time for the answer as a law lets; the customer reads the reason and gets a mail.

    The extension counts from the day on which the answer is due: never longer than the law lets.
    Raises NotExtendedError, and KeysetShreddedError or EncryptionError.
    """
    locked, now = _locked(ticket), timezone.now()
    if period not in extensions_of(locked) or period.extension is None:
        raise NotExtendedError
    _add(locked, Kind.EXTENDED, reason, now, by=by)
    locked.due_on = period.extension.after(locked.due_on)
    locked.extended_at = locked.changed_at = now
    locked.save(update_fields=["due_on", "extended_at", "changed_at"])


def extensions_of(ticket: Ticket) -> list[AnswerPeriod]:
    """Returns the periods by which the ticket may be extended now; it may be once, and in time."""
    is_open = ticket.is_waiting and ticket.user_id is not None and ticket.days_left >= 0
    if ticket.extended_at or not is_open:
        return []
    return extendable(ticket.incident, ticket.kind)


@transaction.atomic
def note(ticket: Ticket, *, text: str, by: User) -> None:
    """Adds an internal note. The customer does not see it, and the state stays.

    Raises KeysetShreddedError or EncryptionError.
    """
    _add(_locked(ticket), Kind.NOTE, text, timezone.now(), by=by)


@transaction.atomic
def take(ticket: Ticket, *, by: User) -> None:
    """Assigns the ticket to a person of the response team."""
    locked = _locked(ticket)
    locked.assigned_to = by
    locked.save(update_fields=["assigned_to"])


@transaction.atomic
def close(ticket: Ticket) -> None:
    """Closes the ticket. Raises NotAnsweredError if the customer never got an answer."""
    locked = _locked(ticket)
    if locked.state == State.CLOSED:
        return
    if not locked.may_be_closed:
        raise NotAnsweredError
    locked.state, locked.changed_at = State.CLOSED, timezone.now()
    locked.save(update_fields=["state", "changed_at"])


def messages_of(ticket: Ticket, *, with_notes: bool) -> list[ReadMessage]:
    """Returns the messages of a ticket, decrypted, the oldest first."""
    messages = ticket.messages.select_related("written_by").order_by("sent_at", "pk")
    if not with_notes:
        messages = messages.for_customer()
    return [ReadMessage(message=one, text=_text_of(ticket, one)) for one in messages]


def own_texts(user: User) -> list[dict[str, Any]]:
    """Returns a customer's tickets with the messages that the customer reads, for a JSON file.

    The text of a message is None if it cannot be decrypted.
    """
    return [
        {
            "number": ticket.number,
            "kind": ticket.kind,
            "incident": ticket.incident.slug,
            "company": str(ticket.incident.company),
            "state": ticket.state,
            "received_at": ticket.created_at,
            "answer_due_on": ticket.due_on,
            "messages": [
                {"from": one.message.kind, "sent_at": one.message.sent_at, "text": one.text}
                for one in messages_of(ticket, with_notes=False)
            ],
        }
        for ticket in Ticket.objects.for_user(user)
    ]


def copy_section(source: CopySource) -> Section:
    """Returns the tickets for the copy of the user's own data."""
    return "tickets", own_texts(source.user)


def _text_of(ticket: Ticket, message: TicketMessage) -> str | None:
    message.ticket = ticket  # with its incident, which holds the keyset
    try:
        return message.decrypt_text()
    except EncryptionError:
        return None


def _locked(ticket: Ticket) -> Ticket:
    rows = Ticket.objects.select_for_update(of=("self",)).select_related("incident")
    return rows.get(pk=ticket.pk)


def _add(
    ticket: Ticket,
    kind: TicketMessage.Kind,
    text: str,
    at: datetime,
    *,
    by: User | None = None,
    key: UUID | None = None,
) -> TicketMessage:
    message = TicketMessage(ticket=ticket, kind=kind, written_by=by, sent_at=at)
    if key is not None:
        message.pk = key
    message.encrypt_text(text)
    message.save(force_insert=True)
    return message
