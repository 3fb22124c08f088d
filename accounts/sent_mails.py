"""Sends mails about the account to a user and keeps their texts, for "messages we sent you"."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language

from accounts import emails
from accounts.mail_codes import MailKind
from accounts.models import User
from accounts.sent_mail import SentMail

KEPT_FOR = timedelta(days=90)  # as long as a sign-in on a new device


def send(
    name: str,
    user: User,
    context: dict[str, Any],
    *,
    kind: MailKind,
    to: str = "",
    **more: Any,
) -> None:
    """Does what `emails.send` does, and keeps the text for a user.

    The mail goes to the user's address, or to `to`, a former one. Call it in the transaction that
    records the mail as sent. `more` are further arguments of `emails.send`. Raises OSError or
    SMTPException; then nothing is kept.
    """
    mail = emails.send(name, to or user.email or "", context, kind=kind, **more)
    SentMail.objects.create(
        user=user,
        subject=str(mail.subject),
        text=str(mail.body),
        language=get_language() or user.language,
        code=mail.message_code,
    )


def purge() -> None:
    """Deletes the texts that are older than KEPT_FOR."""
    SentMail.objects.filter(sent_at__lt=timezone.now() - KEPT_FOR).delete()
