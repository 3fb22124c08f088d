"""Sends messages about the account to a user and keeps their texts, for "messages we sent you"."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language

from accounts import code_limits, code_texts, emails
from accounts.code_limits import TooManyRequestsError
from accounts.code_queue import CarrierError, RecipientRefusedError
from accounts.due_mails import NotNowError, RefusedError
from accounts.mail_codes import MailKind, account_mail_code
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
    row_of(user, str(mail.subject), str(mail.body), mail.message_code).save()


def send_text(name: str, user: User, context: dict[str, str], *, kind: MailKind, to: str) -> None:
    """Does what `text_number` does, and keeps the text for a user.

    Its subject in the list is that of the mail `name`. Call it as `send`. After an error nothing is
    kept.
    """
    text, code = text_number(name, context, kind=kind, to=to)
    row_of(user, emails.subject_of(name), text, code, is_text=True).save()


def text_number(name: str, context: dict[str, str], *, kind: MailKind, to: str) -> tuple[str, str]:
    """Sends the text message `sms/<name>.txt` to a number. Returns its text and its message code.

    Raises NotNowError if no gateway is set or took it, or if the budget of texts is used up, and
    RefusedError if a gateway refuses the number.
    """
    code = account_mail_code(kind)
    text = code_texts.render(name, {**context, "message_code": code})
    if not code_texts.are_offered():
        raise NotNowError("no text message can be sent now")
    try:
        with code_limits.account_text(text):
            code_texts.send_now(to, text)
    except RecipientRefusedError as error:
        raise RefusedError(str(error)) from error
    except (CarrierError, TooManyRequestsError) as error:
        raise NotNowError(str(error)) from error
    return text, code


def row_of(user: User, subject: str, text: str, code: str, *, is_text: bool = False) -> SentMail:
    """Returns the unsaved row of a message in the active language, for callers with many."""
    return SentMail(
        user=user,
        subject=subject,
        text=text,
        language=get_language() or user.language,
        code=code,
        is_text=is_text,
    )


def purge() -> None:
    """Deletes the texts that are older than KEPT_FOR."""
    SentMail.objects.filter(sent_at__lt=timezone.now() - KEPT_FOR).delete()
