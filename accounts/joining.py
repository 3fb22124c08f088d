"""Joins two accounts of one person, who has proven the contact of each in one session.

One account stays, and gets the addresses, the numbers and the history of the other, which is
deleted. The look-up keys of both end: those of the account that stays would answer for the
addresses of the other. See docs/decisions/0071.
"""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, models, transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import override

from accounts import due_mails, sent_mails
from accounts.audit import acts
from accounts.company_sign_on.member_numbers import MemberNumber
from accounts.contacts import is_phone
from accounts.joined_account import JoinedAccount
from accounts.mail_codes import MailKind
from accounts.models import AuditEntry, User, VerifiedPhone, lock_contact
from accounts.new_device import NewDevice
from accounts.sent_mail import SentMail

KEPT_FOR = timedelta(days=90)
_KEY = "accounts_joining"

# Each function moves the rows of its app from the first account to the second. The apps above this
# one add theirs in AppConfig.ready.
MOVERS: list[Callable[[User, User], None]] = []


class NotJoinableError(Exception):
    """The accounts changed meanwhile, or one of them is not a customer's who may sign in."""


def begin(request: HttpRequest, user: User, contact: str) -> None:
    """Remembers in the session that `user` has just proven `contact`, which another account has."""
    request.session[_KEY] = {"user": user.pk, "contact": contact, "at": time.time()}


def pending(request: HttpRequest) -> str:
    """Returns the contact that `begin` remembered for settings.STEP_UP_MINUTES, or ""."""
    state = request.session.get(_KEY, {})
    is_fresh = time.time() - state.get("at", 0) < settings.STEP_UP_MINUTES * 60
    return str(state["contact"]) if is_fresh and state["user"] == request.user.pk else ""


def forget(request: HttpRequest) -> None:
    """Ends what `begin` began."""
    request.session.pop(_KEY, None)


def join(user: User, other: User) -> User:
    """Joins the two accounts, and returns the one that stays.

    The caller has had the contact of each proven (`User.contact`) in this session. The account with
    an e-mail address stays; if both have one, `user`. Raises NotJoinableError.
    """
    with transaction.atomic():
        locked = _locked(user, other)
        stays, ends = locked[user.pk], locked[other.pk]
        if ends.email and not stays.email:
            stays, ends = ends, stays
        acts.record(AuditEntry.Kind.JOINED, by=None, about=ends, into=stays.pk)
        told = [each.contact for each in (stays, ends) if each.contact]
        EmailAddress.objects.filter(user=ends).update(user=stays, primary=False)
        VerifiedPhone.objects.filter(user=ends).update(user=stays)
        NewDevice.objects.filter(user=ends).update(user=stays)
        SentMail.objects.filter(user=ends).update(user=stays)
        MemberNumber.objects.filter(user=ends).update(user=stays)
        stays.look_up_keys.end()
        for move in MOVERS:
            move(ends, stays)
        JoinedAccount.objects.filter(user=ends).update(user=stays)
        at = timezone.now()
        JoinedAccount.objects.bulk_create(
            JoinedAccount(user=stays, contact=contact, at=at) for contact in told
        )
        for session in UserSession.objects.filter(user=ends):
            session.end()
        ends.delete()
    return stays


def _locked(user: User, other: User) -> dict[int, User]:
    """Locks the contacts of both accounts, then the accounts. Raises NotJoinableError.

    In this order, as all that gives a contact to an account does: a browser that proves one of the
    contacts meanwhile waits, or the join does, and none waits for the other.
    """
    emails, numbers = user.verified_emails(), user.verified_phones()
    own = {*emails, *numbers, *other.verified_emails(), *other.verified_phones()}
    for contact in sorted(own):
        lock_contact(contact, using=DEFAULT_DB_ALIAS)
    keys = [user.pk, other.pk]
    rows = User.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    locked = {each.pk: each for each in rows}
    if len(locked) < len(keys) or not all(map(_is_joinable, locked.values())):
        raise NotJoinableError
    return locked


def _is_joinable(user: User) -> bool:
    return user.is_active and not user.is_or_was_on_team()


def move(rows: models.QuerySet[Any], to: User, *, one_for_each: Sequence[str] = ()) -> None:
    """Gives `rows`, which have a column `user`, to the user `to`.

    With `one_for_each`, a user has one row for each value of these fields: rows of `to` stay, and
    the others with the same values are deleted.
    """
    if one_for_each:
        same = {name: OuterRef(name) for name in one_for_each}
        rows.filter(Exists(rows.model._default_manager.filter(user=to, **same))).delete()
    rows.update(user=to)


def send_due() -> None:
    """Sends the texts and mails about joined accounts. No text waits for the mail server."""
    due = JoinedAccount.objects.to_tell().select_related("user")
    for rows, are_texts in ((due.by_text(), True), (due.by_mail(), False)):
        due_mails.send_each(
            rows.all,
            _tell,
            lambda _joined: {"mailed_at": timezone.now(), "contact": ""},
            are_texts=are_texts,
        )


def purge() -> None:
    """Deletes the rows that are older than KEPT_FOR."""
    JoinedAccount.objects.filter(at__lt=timezone.now() - KEPT_FOR).delete()


def _tell(joined: JoinedAccount, connection: Any) -> None:
    name, user, to = "accounts_joined", joined.user, joined.contact
    with override(user.mail_language):
        context = {"at": date_format(localtime(joined.at), "DATETIME_FORMAT")}
        if is_phone(to):
            sent_mails.send_text(name, user, context, kind=MailKind.JOINED_TEXT, to=to)
            return
        sent_mails.send(
            name,
            user,
            context,
            to=to,
            kind=MailKind.JOINED,
            message_id=f"accounts-joined-{joined.pk}",
            connection=connection,
        )
