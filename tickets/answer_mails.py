"""Mails to customers that an answer, or why it takes longer, is on the portal: without the text."""

from typing import Any

from django.utils import timezone
from django.utils.translation import override

from accounts import due_mails, sent_mails
from accounts.mail_codes import MailKind
from tickets.models import TicketMessage


def send_due() -> None:
    """Sends the mails that are due. One that is sent again has the same Message-ID."""
    due_mails.send_each(
        TicketMessage.objects.to_mail().select_related("ticket__user").all,
        _mail,
        lambda _message: {"mailed_at": timezone.now()},
    )


def _mail(message: TicketMessage, connection: Any) -> None:
    user = message.ticket.user
    if user is None or not user.email:
        return
    is_answer = message.kind == TicketMessage.Kind.ANSWER
    with override(user.mail_language):
        sent_mails.send(
            "ticket_answer" if is_answer else "ticket_extended",
            user,
            {"number": message.ticket.number},
            kind=MailKind.ANSWER,
            message_id=f"answer-{message.pk.hex}",
            connection=connection,
        )
