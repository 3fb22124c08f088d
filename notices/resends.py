"""Sends one message of a notice again to its person, when support asks for it.

Two people approved the text, and it is sent as they froze it, so one person with a reason suffices.
It goes to the person's stored address and to no other one. See docs/decisions/0093.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import due_mails
from accounts.emails import AccountMail
from accounts.models import User
from incidents.encryption import EncryptionError
from incidents.leaks import leaked_classes_of
from incidents.models import AffectedPerson, PersonMark, SharedContact
from notices.ledger_messages import LedgerMessages, ResendMessages
from notices.message_filling import (
    MessageFiller,
    OutgoingMessage,
    Recipient,
    UnusableAddressError,
)
from notices.models import Delivery, Notice, NoticeMessage, Resend, Suppression
from notices.returned_mail.suppression_list import normalised, portal_indexes
from statements.models import StatementVersion

AGAIN_AFTER = timedelta(hours=24)
MOST_OF_A_MESSAGE = 3
MOST_A_DAY = 50  # of one member of the team
_DUE_STATES = (Delivery.State.ACCEPTED, Delivery.State.BOUNCED, Delivery.State.UNREACHABLE)
_SENT_STATES = (Notice.State.SENDING, Notice.State.CLOSED)


class ResendRefusedError(Exception):
    """The message is not sent again. The text is a stored message."""


def objection(delivery: Delivery, *, by: User) -> str:
    """Returns why `by` may not have the message sent again now, as a stored message; else ""."""
    try:
        _again(delivery)
    except ResendRefusedError as reason:
        return str(reason)
    return _limit(delivery, by)


def ask(delivery: Delivery, *, by: User, reason: str) -> Resend:
    """Records that the message is to be sent again. A worker sends it within a minute.

    Raises ResendRefusedError.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=by.pk)
        Delivery.objects.select_for_update(no_key=True).get(pk=delivery.pk)
        if why := objection(delivery, by=by):
            raise ResendRefusedError(why)
        return Resend.objects.create(delivery=delivery, asked_by=by, reason=reason)


def send_due() -> None:
    """Sends the messages that are due. What no longer may be sent is refused, with the reason."""
    due_mails.send_each(Resend.objects.due, _mail, _columns)


def _limit(delivery: Delivery, by: User) -> str:
    before, now = Resend.objects.filter(delivery=delivery, refused=""), timezone.now()
    if before.count() >= MOST_OF_A_MESSAGE:
        return ResendMessages.TOO_OFTEN.stored(number=MOST_OF_A_MESSAGE)
    if before.filter(asked_at__gt=now - AGAIN_AFTER).exists():
        return ResendMessages.TOO_SOON.stored()
    of_today = Resend.objects.filter(asked_by=by, asked_at__gt=now - timedelta(days=1))
    if of_today.count() >= MOST_A_DAY:
        return ResendMessages.TOO_MANY.stored(number=MOST_A_DAY)
    return ""


def _again(delivery: Delivery, *, number: int = 0) -> OutgoingMessage:
    """Returns the message as it goes out again. Raises ResendRefusedError."""
    notice, person = delivery.notice, delivery.person
    if refusal := _of_notice(notice) or _of_delivery(delivery):
        raise ResendRefusedError(refusal.stored())
    if person is None or PersonMark.objects.closing().filter(person=person.pk).exists():
        raise ResendRefusedError(ResendMessages.CLOSED_PERSON.stored())
    classes = leaked_classes_of([person.pk]).get(person.pk)
    if not classes:
        raise ResendRefusedError(LedgerMessages.OUT_OF_SCOPE.stored())
    person.incident = notice.incident
    try:
        contact = person.decrypt_contact()
    except EncryptionError as error:
        raise ResendRefusedError(LedgerMessages.DOES_NOT_OPEN.stored()) from error
    email = contact.get("e", "")
    if why := _of_address(notice, person, email):
        raise ResendRefusedError(why)
    template = NoticeMessage.objects.select_related("notice").get(
        notice=notice, language=delivery.language, is_for_shared_contact=False
    )
    recipient = Recipient(
        delivery_id=delivery.pk,
        recipient=delivery.recipient,
        email=email,
        name=contact.get("n", ""),
        data_classes=classes,
        resend=number,
    )
    try:
        return MessageFiller(template).mail(recipient)
    except UnusableAddressError as error:
        raise ResendRefusedError(str(error)) from error


def _of_notice(notice: Notice) -> ResendMessages | None:
    """Returns why no message of the notice is sent again."""
    if notice.channel != Notice.Channel.EMAIL or not notice.is_mandatory or notice.is_test:
        return ResendMessages.NOT_SUCH_A_NOTICE
    if notice.state not in _SENT_STATES:
        return ResendMessages.HELD
    if notice.incident.shredded_at or not notice.incident.is_public:
        return ResendMessages.NOT_PUBLIC
    newer = StatementVersion.objects.published().filter(
        statement=notice.version.statement_id, number__gt=notice.version.number
    )
    return ResendMessages.CORRECTED if newer.exists() else None


def _of_delivery(delivery: Delivery) -> ResendMessages | None:
    """Returns why this delivery is not sent again: the person was not due to get it by itself."""
    if delivery.state not in _DUE_STATES:
        return ResendMessages.NOT_DUE
    return ResendMessages.SHARED if delivery.went_to_shared_contact() else None


def _of_address(notice: Notice, person: AffectedPerson, email: str) -> str:
    """Returns why the address gets nothing, as a stored message: shared or suppressed."""
    index = person.email_index
    if not index:
        return ""  # the filler refuses a person without an address
    shared = SharedContact.objects.filter(
        incident=notice.incident, kind=SharedContact.Kind.EMAIL, contact_index=index
    )
    if shared.exists():
        return ResendMessages.SHARED.stored()
    indexes = [*portal_indexes("email", normalised("email", email)), index]
    held = Suppression.objects.against(notice).filter(index__in=indexes).first()
    return LedgerMessages.HELD_BACK.stored(source_words=held.source) if held else ""


class _MailAgain(AccountMail):
    """The bytes of a notice's message, to be sent over the connection of single mails."""

    def __init__(self, message: OutgoingMessage, connection: Any) -> None:
        super().__init__(to=[message.to], from_email=message.sender, connection=connection)
        self._data = message.data

    def unsigned(self) -> bytes:
        """Returns the mail with the line ends CRLF, without the signatures of DKIM."""
        return self._data


def _mail(resend: Resend, connection: Any) -> None:
    try:
        message = _again(resend.delivery, number=resend.pk)
    except ResendRefusedError as reason:
        resend.refused = str(reason)
        return
    _MailAgain(message, connection).send()


def _columns(resend: Resend) -> dict[str, Any]:
    return {"refused": resend.refused} if resend.refused else {"sent_at": timezone.now()}
