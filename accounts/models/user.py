"""Users and what creates them. A user has no user name and no password, but an address or a number.

The user signs in with a code that is sent to that address, or to a number by text message.
"""

from typing import Any, cast

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import PermissionsMixin
from django.db import connections, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.contacts import normalise_email, readable_contact
from accounts.models.audit_entry import AuditEntry
from accounts.models.verified_phone import NUMBER_STAYS_FOR, VerifiedPhone
from accounts.twin_mailboxes import mailbox_of
from foundations.keyed_hashes import keyed_hash
from foundations.languages import CODE_LENGTH, account_languages, default_language, portal_language

# ON CONFLICT DO NOTHING, because PostgreSQL logs the address of a failed INSERT. `alone` is the
# lock of `lock_contact`: a signed-in user may add the address to an account at the same moment.
_MAKE = """
WITH alone AS (
    SELECT pg_advisory_xact_lock(hashtextextended(%(lock)s, 0))
), made AS (
    INSERT INTO accounts_user
        (email, language, password, name, is_superuser, is_staff, is_active, created_at)
    SELECT %(email)s, %(language)s, %(password)s, '', false, false, true, %(now)s FROM alone
    ON CONFLICT DO NOTHING RETURNING *
), proven AS (
    INSERT INTO account_emailaddress (user_id, email, verified, "primary")
    SELECT id, email, true, true FROM made ON CONFLICT DO NOTHING RETURNING user_id
)
"""
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def lock_contact(contact: str, *, using: str) -> None:
    """Waits until no other transaction gives `contact` to an account, and keeps others waiting.

    The lock ends with the transaction. Without it, one of two that give an address or number to two
    accounts at the same moment fails, and PostgreSQL logs the contact with the failed statement.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(_LOCK, [_lock_of(contact)])


def _lock_of(contact: str) -> str:
    """Returns the lock's name without the contact: PostgreSQL logs a wait that takes too long."""
    return f"accounts.contact:{keyed_hash('accounts.contact', contact)}"


class StaffNumberError(Exception):
    """The number belongs to the response team, whose members sign in by e-mail only."""


class UserManager(BaseUserManager["User"]):
    """Creates users with a verified address or number: a code or the operator has proven it."""

    def create_user(self, email: str, **fields: Any) -> "User":
        """Creates a user with `email` as the verified, primary address. Returns the user."""
        user = self.model(email=normalise_email(email), **fields)
        user.set_unusable_password()
        with transaction.atomic(using=self._db):
            user.save(using=self._db)
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user

    def for_proven_email(self, email: str, *, language: str | None) -> "User":
        """Returns the user of `email`, and creates one if there is none.

        `email` is normalised, and the caller has just verified it. `language` is for a new user
        only. Two browsers may prove the same new address at the same time; both get the same user.
        """
        known = EmailAddress.objects.filter(email=email, verified=True).select_related("user")
        if address := known.first():
            return cast("User", address.user)
        new = {"language": language or settings.LANGUAGE_CODE, "password": make_password(None)}
        made, is_proven = self._made(email, **new)
        if made and not is_proven and (address := known.first()):
            made.delete()  # a signed-in user added the address to an account meanwhile
            return cast("User", address.user)
        return made or self._made_meanwhile(email, **new)

    def _made(self, email: str, **new: str) -> "tuple[User | None, bool]":
        """Creates a user with a verified address, in one statement.

        Returns the user, None if `email` has one, and whether the address became the user's.
        """
        fields = self.model._meta.concrete_fields
        columns = ", ".join(str(field.column) for field in fields)
        found = {"email": email, "now": timezone.now(), "lock": _lock_of(email)}
        values: dict[str, Any] = {**new, **found}
        is_proven = "EXISTS (SELECT FROM proven)"
        with connections[self.db].cursor() as cursor:
            cursor.execute(f"{_MAKE} SELECT {columns}, {is_proven} FROM made", values)  # noqa: S608
            row = cursor.fetchone()
        names = [field.attname for field in fields]
        return (self.model.from_db(self.db, names, row[:-1]), row[-1]) if row else (None, False)

    def _made_meanwhile(self, email: str, **new: str) -> "User":
        """Returns the user of `email`, and creates what is missing: another request may have."""
        with transaction.atomic(using=self._db):
            # ON CONFLICT DO NOTHING, because PostgreSQL logs the address of a failed INSERT.
            self.bulk_create([self.model(email=email, **new)], ignore_conflicts=True)
            user = self.get(email=email)
            proven = EmailAddress(user=user, email=email, verified=True, primary=True)
            EmailAddress.objects.bulk_create([proven], ignore_conflicts=True)
            of_user = EmailAddress.objects.filter(user=user, email=email)
            of_user.update(verified=True, primary=True)
        return user

    def for_proven_phone(self, number: str, *, language: str | None) -> "User":
        """Returns the user of `number`, and creates one if there is none.

        `number` is in E.164, and the caller has just verified it. `language` is for a new user
        only. A number whose last proof is older than NUMBER_STAYS_FOR may have another owner by
        now: it begins a new account, and the earlier account loses it. Raises StaffNumberError for
        a number of the response team. See docs/decisions/0056.
        """
        with transaction.atomic(using=self._db):
            lock_contact(number, using=self.db)  # so that two browsers get the same user
            phone = VerifiedPhone.objects.filter(number=number).select_related("user").first()
            if phone and phone.user.is_or_was_on_team():
                raise StaffNumberError
            is_recent = phone and phone.verified_at > timezone.now() - NUMBER_STAYS_FOR
            if phone and (is_recent or not phone.user.is_active):  # a closed account stays closed
                user = phone.user
            else:
                user = self.model(language=language or settings.LANGUAGE_CODE)
                user.set_unusable_password()
                user.save(using=self._db)
            VerifiedPhone.prove(number, user)
        return user

    def create_superuser(self, email: str, **fields: Any) -> "User":
        """Creates a superuser for the command `createsuperuser`.

        The superuser sets up the second factor at the first sign-in.
        """
        fields.pop("password", None)  # the command passes one, but users have no password
        return self.create_user(email, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who can sign in: a customer, or with `is_staff` a member of the response team.

    A user without an e-mail address has a verified phone.
    """

    email = models.EmailField(  # noqa: DJ001  # a unique column has several nulls, but one ""
        _("e-mail address"), unique=True, null=True
    )
    name = models.CharField(  # of members of the response team only
        _("name"), max_length=100, blank=True
    )
    language = models.CharField(
        _("language"), max_length=CODE_LENGTH, choices=account_languages, default=default_language
    )
    is_staff = models.BooleanField(_("response team"), default=False)
    is_active = models.BooleanField(_("may sign in"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_staff=False, is_superuser=False)
                | models.Q(email__isnull=False),
                name="staff_have_an_email_address",
            )
        ]
        indexes = [  # the filters of the desk's list
            models.Index(
                fields=["id"], condition=models.Q(is_staff=True), name="users_on_the_team"
            ),
            models.Index(
                fields=["id"], condition=models.Q(is_active=False), name="users_who_may_not_sign_in"
            ),
        ]

    def __str__(self) -> str:
        return self.shown_contact or f"{self._meta.verbose_name} {self.pk}"

    @property
    def contact(self) -> str:
        """The e-mail address or number (E.164) to which codes for this user go; "" for none.

        It is the e-mail address, if there is one: a number can pass to another person. Of several
        numbers it is the one that was proven last.
        """
        if self.email:
            return self.email
        phones = sorted(self.phones.all(), key=lambda phone: phone.verified_at)
        return phones[-1].number if phones else ""

    @property
    def mail_language(self) -> str:
        """Returns the language of mails to this user: their own while the portal offers it.

        A member of the team may have a language that only the desk speaks.
        """
        is_of_desk = self.is_staff and self.language in settings.DESK_LANGUAGES
        return self.language if is_of_desk else portal_language(self.language)

    @property
    def shown_contact(self) -> str:
        """The contact as people write it: a number in groups of digits."""
        return readable_contact(self.contact)

    def get_short_name(self) -> str:
        """Returns the name for the head of the desk; the address of a user without a name."""
        return self.name or str(self)

    def is_or_was_on_team(self) -> bool:
        """Returns whether the user is or was on the response team, or acted on the desk.

        Such an account is deactivated and never deleted; a trigger refuses it, too.
        """
        return (
            self.is_staff
            or self.is_superuser
            or self.logentry_set.exists()
            or AuditEntry.objects.about_staff(self).exists()
        )

    def has_mailbox_of(self, other: "User") -> bool:
        """Returns whether an address of each is of one mailbox.

        A person who reads the mailbox gets the sign-in codes of both accounts. Numbers are left
        out, because no code by text message opens an account of the team.
        """
        return not self.mailboxes().isdisjoint(other.mailboxes())

    def mailboxes(self) -> set[str]:
        """Returns the mailboxes of all addresses to which sign-in codes of the account go."""
        return {mailbox_of(email) for email in (self.email, *self.verified_emails()) if email}

    def has_customers_passkey(self) -> bool:
        """Returns whether the user is a customer who can confirm with a passkey."""
        kind = Authenticator.Type.WEBAUTHN
        found = Authenticator.objects.filter(user_id=self.pk, type=kind)
        return not self.is_staff and found.exists()

    def end_customers_keys(self) -> None:
        """Deletes a customer's passkeys, and ends the look-up keys.

        For a customer who joins the response team: passkeys, made with a code by mail only, would
        be a second factor from now on, and a look-up key would be valid again when the rights end.
        """
        self.look_up_keys.end()
        if not self.is_staff:
            kind = Authenticator.Type.WEBAUTHN
            Authenticator.objects.filter(user_id=self.pk, type=kind).delete()

    def verified_emails(self) -> list[str]:
        """Returns the normalised addresses that the user has verified."""
        addresses = EmailAddress.objects.filter(user=self, verified=True)
        return [normalise_email(address.email) for address in addresses]

    def verified_phones(self) -> list[str]:
        """Returns the numbers in E.164 that the user has verified."""
        return list(self.phones.values_list("number", flat=True))
