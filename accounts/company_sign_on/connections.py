"""Connects accounts at the company's provider with members of the team, and removes connections.

Each change is a row of CompanyIdentity and a mail to the member.
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import override

from accounts import due_mails, emails
from accounts.audit import actors
from accounts.company_sign_on.identities import CompanyIdentity
from accounts.company_sign_on.providers import SignOnError
from accounts.company_sign_on.tokens import SignedOn
from accounts.models import User
from accounts.second_factor import end_other_sessions
from foundations.languages import desk_language


class UnknownIdentityError(SignOnError):
    """No account of the response team belongs to the account at the provider."""


def known_user(who: SignedOn) -> User | None:
    """Returns the user whom the account at the provider opens, or None at its first use."""
    rows = CompanyIdentity.objects.connected().filter(issuer=who.issuer, subject=who.subject)
    bound = rows.select_related("user").first()
    return bound.user if bound else None


def refuse_first_use(who: SignedOn, user: User | None) -> None:
    """Raises UnknownIdentityError if the account at the provider may not be connected with `user`,
    or with a person who is invited (None).

    A removed connection stays so until a superuser allows it again: neither this account at the
    provider nor another one there opens the member's account meanwhile.
    """
    of_issuer = CompanyIdentity.objects.filter(issuer=who.issuer)
    if of_issuer.connected().filter(user=user).exists():
        raise UnknownIdentityError("another account at the provider opens this one")
    if of_issuer.barred().filter(Q(subject=who.subject) | Q(user=user)).exists():
        raise UnknownIdentityError("a superuser removed the connection")


def bind(who: SignedOn, user: User) -> None:
    """Connects the account at the provider with `user`. Raises UnknownIdentityError if one of the
    two is connected with another already, because an address never moves a connection, or if
    a superuser removed the connection.
    """
    try:
        with transaction.atomic(), actors.acting(user):
            _lock(user)
            refuse_first_use(who, user)
            CompanyIdentity.objects.create(user=user, issuer=who.issuer, subject=who.subject)
    except IntegrityError as error:
        raise UnknownIdentityError("the account is connected with another one") from error


def remove(request: HttpRequest, identity: CompanyIdentity, by: User) -> bool:
    """Removes the connection, and ends the member's sessions, which it may have opened.

    Returns False, and changes nothing, if it is removed already.
    """
    with transaction.atomic():
        _lock(identity.user)
        row = CompanyIdentity.objects.connected().filter(pk=identity.pk)
        change = {"removed_at": timezone.now(), "removed_by": by}
        if not row.update(**change, mailed_at=None, mail_tries=0, mail_after=None):
            return False
        end_other_sessions(request, identity.user)
    return True


def allow_again(identity: CompanyIdentity, by: User) -> bool:
    """Lets the removed connection, or another one of the member at this provider, be made again.

    Returns False, and changes nothing, if it is not removed or is allowed already.
    """
    barred = CompanyIdentity.objects.barred().filter(pk=identity.pk)
    return bool(barred.update(allowed_at=timezone.now(), allowed_by=by))


def _lock(user: User) -> None:
    """Keeps a removal and a new connection of one member apart, until the transaction ends."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)


def send_due() -> None:
    """Sends the mails about connections that were made or removed."""
    due_mails.send_each(
        CompanyIdentity.objects.to_mail().select_related("user").all,
        _mail,
        lambda _identity: {"mailed_at": timezone.now()},
    )


def _mail(identity: CompanyIdentity, connection: Any) -> None:
    is_removed = identity.removed_at is not None
    with override(desk_language(identity.user.language)):
        emails.send(
            "company_account",
            identity.user.email or "",
            {"issuer": identity.issuer, "is_removed": is_removed},
            message_id=f"company-account-{identity.pk}-{'removed' if is_removed else 'connected'}",
            connection=connection,
        )
