"""The loop that sends single mails whose rows say that they are due."""

import logging
from collections.abc import Callable
from smtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
)
from typing import Any, TypeVar

from django.db import models, transaction
from django.db.models import F

MOST = 500  # mails in one run

Row = TypeVar("Row", bound=models.Model)

logger = logging.getLogger(__name__)


class NotNowError(Exception):
    """One mail cannot be made now; others can."""


def send_each(
    due: Callable[[], models.QuerySet[Row]],
    mail: Callable[[Row], None],
    sent: Callable[[Row], dict[str, Any]],
) -> None:
    """Sends the mail of each due row, each in its own transaction. A later run retries failures.

    `due` returns the rows to send, whose `mail_tries` counts refusals of the mail; `sent` returns
    the columns of a row whose mail the server took. A second run at the same time sends no mail
    twice. A process that is killed after the server took a mail sends it again.
    """
    for pk in list(due().values_list("pk", flat=True)[:MOST]):
        if not _send_one(due().filter(pk=pk), mail, sent):
            return  # the server is away: the next run tries again


def _send_one(
    found: models.QuerySet[Row], mail: Callable[[Row], None], sent: Callable[[Row], dict[str, Any]]
) -> bool:
    """Sends one mail. Returns whether further mails may be tried now."""
    with transaction.atomic():
        row = found.select_for_update(of=("self",), skip_locked=True).first()
        if row is None:
            return True
        rows = type(row)._default_manager.filter(pk=row.pk)
        try:
            mail(row)
        except NotNowError as reason:
            logger.error("mail of %s %s waits: %s", row._meta.label, row.pk, reason)
            return True
        except (OSError, SMTPException) as error:
            is_refusal = _is_refusal(error)
            if is_refusal:
                rows.update(mail_tries=F("mail_tries") + 1)
            logger.error("mail of %s %s: %s", row._meta.label, row.pk, type(error).__name__)
            return is_refusal
        rows.update(**sent(row))
    return True


def _is_refusal(error: Exception) -> bool:
    """Returns whether the server answered about this mail; else no mail can be sent now."""
    if isinstance(error, (SMTPConnectError, SMTPAuthenticationError)):
        return False
    return isinstance(error, (SMTPResponseException, SMTPRecipientsRefused))
