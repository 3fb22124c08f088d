"""Makes look-up keys, and sends the mails about them."""

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import override

from accounts import due_mails, sent_mails
from accounts.look_up_key import LASTS, LookUpKey
from accounts.mail_codes import MailKind
from accounts.models import User

MOST_KEYS = 3  # valid ones of one user
KEPT_FOR = timedelta(days=90)  # as long as a sign-in on a new device

logger = logging.getLogger(__name__)


class TooManyKeysError(Exception):
    """The user has MOST_KEYS valid keys."""


def may_make(user: User) -> bool:
    """Returns whether the user can make a key now. One without an e-mail address cannot.

    The look-up takes e-mail addresses only, and a number can pass to another person.
    """
    return bool(user.email) and user.look_up_keys.valid().count() < MOST_KEYS


def make(user: User, name: str) -> tuple[LookUpKey, str]:
    """Makes a key, and returns it with its secret, which is not stored. Raises TooManyKeysError."""
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if not may_make(locked):
            raise TooManyKeysError
        key = LookUpKey(user=locked, name=name, expires_at=timezone.now() + LASTS)
        secret = key.set_new_secret()
        key.save()
    logger.info("user %s made look-up key %s", user.pk, key.pk)
    return key, secret


def send_due() -> None:
    """Sends the mails about new keys."""
    due_mails.send_each(
        LookUpKey.objects.to_mail().select_related("user").all,
        _mail,
        lambda _key: {"mailed_at": timezone.now()},
    )


def purge() -> None:
    """Deletes the rows that are older than KEPT_FOR."""
    LookUpKey.objects.filter(made_at__lt=timezone.now() - KEPT_FOR).delete()


def _mail(key: LookUpKey, connection: Any) -> None:
    # Without the name: a thief of the account could write it to mislead the reader.
    with override(key.user.mail_language):
        sent_mails.send(
            "look_up_key",
            key.user,
            {"at": date_format(localtime(key.made_at), "DATETIME_FORMAT"), "days": LASTS.days},
            kind=MailKind.LOOK_UP_KEY,
            message_id=f"look-up-key-{key.pk}",
            connection=connection,
        )
