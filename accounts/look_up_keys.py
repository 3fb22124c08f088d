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
from accounts.look_up_key import LASTS, LookUpKey, digest_of, secret_of
from accounts.mail_codes import MailKind
from accounts.models import User

MOST_KEYS = 3  # valid ones of one user
KEPT_FOR = timedelta(days=90)  # as long as a sign-in on a new device

logger = logging.getLogger(__name__)


class NoKeyError(Exception):
    """The user may make no key now, or the one of this form has ended."""


def may_make(user: User) -> bool:
    """Returns whether the user can make a key now. One without an e-mail address cannot.

    The look-up takes e-mail addresses only, and a number can pass to another person. A member of
    the response team cannot: the key would be valid when the rights end.
    """
    if user.is_staff or not user.email:
        return False
    return user.look_up_keys.valid().count() < MOST_KEYS


def make(user: User, name: str, form: str) -> tuple[LookUpKey, str]:
    """Makes a key, and returns it with its secret, which is not stored. Raises NoKeyError.

    The same `form` (see `secret_of`) and name return the same key: a button may be pressed twice,
    and the browser shows the second answer only.
    """
    secret = secret_of(user.pk, name, form)
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if known := LookUpKey.objects.of(secret):
            return known, secret
        if not may_make(locked) or LookUpKey.objects.with_secret(secret).exists():
            raise NoKeyError
        key = LookUpKey.objects.create(
            user=locked,
            name=name,
            digest=digest_of(secret),
            expires_at=timezone.now() + LASTS,
        )
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
