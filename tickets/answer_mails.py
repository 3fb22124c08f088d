"""Mails to customers that an answer, or why it takes longer, is on the portal: without the text."""

import logging
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import override

from accounts import emails
from accounts.mail_codes import MailKind
from tickets.models import TicketMessage

MOST = 500  # mails in one run

logger = logging.getLogger(__name__)


def send_due() -> None:
    """Sends the mails that are due, each in its own transaction. A failed one is tried again later.

    A second run at the same time sends no mail twice. A process that is killed after the server
    took a mail sends it again, with the same Message-ID.
    """
    for pk in list(TicketMessage.objects.to_mail().values_list("pk", flat=True)[:MOST]):
        if not _send_one(pk):
            return  # the server is away: the next run tries again


def _send_one(pk: UUID) -> bool:
    """Sends the mail about one answer. Returns whether further mails may be tried now."""
    with transaction.atomic():
        due = TicketMessage.objects.to_mail().select_for_update(of=("self",), skip_locked=True)
        message = due.filter(pk=pk).select_related("ticket__user").first()
        if message is None:
            return True
        row = TicketMessage.objects.filter(pk=pk)
        try:
            _mail(message)
        except (OSError, SMTPException) as error:
            row.update(mail_tries=F("mail_tries") + 1)
            logger.error("mail about message %s not sent: %s", pk, type(error).__name__)
            return isinstance(error, (SMTPResponseException, SMTPRecipientsRefused))
        row.update(mailed_at=timezone.now())
    return True


def _mail(message: TicketMessage) -> None:
    user = message.ticket.user
    if user is None or not user.email:
        return
    is_answer = message.kind == TicketMessage.Kind.ANSWER
    with override(user.language):
        emails.send(
            "ticket_answer" if is_answer else "ticket_extended",
            user.email,
            {"number": message.ticket.number},
            kind=MailKind.ANSWER,
            message_id=f"answer-{message.pk.hex}",
        )
